// record_wire FOLDER: writes the recording of this version (recording.h) from a real spool, uplink,
// mTLS stream, fleet and store. Run once for each released version; what is recorded never changes.
#include <iostream>

#include "agent/uplink/identity.h"
#include "agent/uplink/uplink.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fleet/fleet.h"
#include "tests/conformance/wire/recording.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::wire {
namespace {

// Passes everything on and writes it down.
class Recorder final : public rpc::ServerSession {
 public:
  Recorder(std::shared_ptr<rpc::ServerSession> session, std::ofstream& requests,
           std::ofstream& responses)
      : session_(std::move(session)), requests_(requests), responses_(responses) {}
  Task<Result<fleet::v1::ConnectRequest>> read() override {
    auto message = co_await session_->read();
    if (message.ok()) write_one(*message, requests_);
    co_return message;
  }
  Status write(fleet::v1::ConnectResponse message) override {
    write_one(message, responses_);
    return session_->write(std::move(message));
  }
  void close(Status why) override { session_->close(std::move(why)); }
  void cancel() override { session_->cancel(); }
  const rpc::Peer& peer() const override { return session_->peer(); }

 private:
  const std::shared_ptr<rpc::ServerSession> session_;
  std::ofstream& requests_;
  std::ofstream& responses_;
};

Task<void> run(agent::Uplink* uplink, bool* running) {
  co_await uplink->run();
  *running = false;
}

Task<fleet::v1::CommandResult> drained(fleet::v1::Command) {
  fleet::v1::CommandResult result;
  result.set_status(fleet::v1::CommandResult::STATUS_DONE);
  result.set_message("draining");
  co_return result;
}

void fill(testing::Loop& loop, const std::filesystem::path& path) {
  const FakeClock clock(kReceived + 100 * kSecond);
  const auto spool = agent::Spool::open({path}, clock).value();
  for (auto envelope : {started(101), failed(101), finished(102, fleet::v1::OUTCOME_PASSED),
                        samples(), started(103), finished(104, fleet::v1::OUTCOME_CANCELED)}) {
    agent::SpoolBatch batch;
    batch.messages.push_back(std::move(envelope));
    batch.cursors["runner_log"] = "cursor of 0.1";
    batch.tracker_state = "state of 0.1";
    if (!loop.run(spool->append(std::move(batch))).ok()) std::abort();
  }
}

void enroll(testing::Loop& loop, store::Store& store, UnixMicros now) {
  store::EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = now + 60 * kSecond;
  token.scope = store::everything();
  store::Agent agent;
  agent.id = kAgent;
  if (!loop.run(store.add_enrollment_token(token)).ok() ||
      !loop.run(store.enroll_agent("h", agent, now)).ok())
    std::abort();
}

void record(const std::filesystem::path& out) {
  const testing::TemporaryFolder folder;
  testing::Loop loop;
  const Clock& clock = system_clock();
  const auto now = clock.now();
  std::filesystem::create_directories(out);
  fill(loop, folder.path() / "spool.db");
  std::filesystem::copy_file(folder.path() / "spool.db", out / "spool.db");

  const auto keyring = *enrollment::Keyring::open({folder.path(), {"127.0.0.1"}}, clock);
  const auto store = store::open_sqlite({folder.path() / "store.db"}, clock).value();
  enroll(loop, *store, now);
  ingest::Ingest ingest(*store, clock);
  fleet::Options options;
  options.version = GITAIOPS_VERSION;
  fleet::Fleet fleet(options, *store, ingest, clock);
  std::ofstream requests(out / "requests.bin", std::ios::binary);
  std::ofstream responses(out / "responses.bin", std::ios::binary);
  const auto files = keyring.files();
  auto server = *rpc::serve_fleet(
      loop.executor(),
      {"127.0.0.1:0", files.key, files.certificate, files.trusted, std::chrono::seconds(30)},
      [&](std::shared_ptr<rpc::ServerSession> s) {
        return fleet.serve(std::make_shared<Recorder>(std::move(s), requests, responses));
      },
      [](enrollment::v1::RenewRequest, rpc::Peer) -> Task<Result<enrollment::v1::RenewResponse>> {
        co_return Error(Code::unimplemented, "not recorded");
      });

  const auto key = *tls::make_key();
  const tls::Validity validity{now + -60 * kSecond, now + 3600 * kSecond};
  const auto certificate =
      *keyring.authority().sign_agent(*tls::make_request(key), kAgent, validity);
  const agent::Identity identity{
      kAgent, key, certificate, keyring.bundle_pem(), validity.not_after, validity.not_after};
  if (!agent::store_identity(folder.path() / "identity", identity).ok()) std::abort();

  const auto spool = agent::Spool::open({folder.path() / "spool.db"}, clock).value();
  agent::UplinkOptions dial;
  dial.controller = "127.0.0.1:" + std::to_string(server->port());
  dial.identity_dir = folder.path() / "identity";
  dial.host_name = "build-1";
  dial.agent_version = GITAIOPS_VERSION;
  dial.features = {"lines", "drain"};
  const auto uplink = agent::Uplink::make(
      dial, *spool, clock, [] { return std::string("1 runner process(es)"); }, drained, {});
  bool running = true;
  spawn(loop.executor(), "uplink", run(uplink.get(), &running));
  loop.until([&] { return spool->oldest_seq() == 0; });
  fleet::v1::Command drain;
  drain.set_id("0190b1e2-0000-7000-8000-00000000c001");
  drain.mutable_drain()->set_draining(true);
  const auto answered = loop.run(fleet.command(kAgent, drain));
  std::cout << "the command was " << (answered.ok() ? "answered" : "not answered") << "\n";
  uplink->stop();
  loop.until([&] { return !running; });
  bool stopped = false;
  const auto stop = [](rpc::Server& s, bool& done) -> Task<void> {
    co_await s.stop();
    done = true;
  };
  spawn(loop.executor(), "stop", stop(*server, stopped));
  loop.until([&] { return stopped; });
}

}  // namespace
}  // namespace gitaiops::wire

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: record_wire FOLDER\n";
    return 2;
  }
  gitaiops::wire::record(argv[1]);
  return 0;
}
