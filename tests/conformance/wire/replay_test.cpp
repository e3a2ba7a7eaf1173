// What every released version said and kept is understood by today's controller and agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/uplink/stream.h"
#include "controller/fleet/fleet.h"
#include "tests/conformance/wire/recording.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::wire {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kLast = 6;  // sequence number of the last envelope in every recording

// An old agent: what it said, in order; it stays until all of it is acknowledged.
class OldAgent final : public rpc::ServerSession {
 public:
  explicit OldAgent(std::vector<fleet::v1::ConnectRequest> said) : said_(std::move(said)) {
    peer_.agent_id = kAgent;
    peer_.certificate_not_after = {INT64_MAX};
  }
  Task<Result<fleet::v1::ConnectRequest>> read() override {
    if (next_ < said_.size()) co_return said_[next_++];
    co_await acknowledged_.wait(std::chrono::seconds(20));
    co_return Error(Code::cancelled, "the agent has gone");
  }
  Status write(fleet::v1::ConnectResponse message) override {
    if (message.has_ack() && message.ack().seq() >= kLast) acknowledged_.set();
    heard.push_back(std::move(message));
    return {};
  }
  void close(Status) override {}
  void cancel() override { acknowledged_.set(); }
  const rpc::Peer& peer() const override { return peer_; }

  std::vector<fleet::v1::ConnectResponse> heard;

 private:
  const std::vector<fleet::v1::ConnectRequest> said_;
  std::size_t next_ = 0;
  rpc::Peer peer_;
  Event acknowledged_;
};

// An old controller: what it said, each acknowledgement once its envelope has come, and the end
// once its command has been answered.
class OldController final : public rpc::ClientSession {
 public:
  explicit OldController(std::vector<fleet::v1::ConnectResponse> said) : said_(std::move(said)) {}
  Task<Result<fleet::v1::ConnectResponse>> read() override {
    while (next_ < said_.size()) {
      if (may_come(said_[next_])) co_return said_[next_++];
      heard_more_.reset();
      const bool more = co_await heard_more_.wait(std::chrono::seconds(20));
      if (!more) co_return Error(Code::deadline_exceeded, "the agent says nothing more");
    }
    while (!answered) {
      heard_more_.reset();
      const bool more = co_await heard_more_.wait(std::chrono::seconds(20));
      if (!more) co_return Error(Code::deadline_exceeded, "the command is not answered");
    }
    co_return Error(Code::cancelled, "the controller has gone");
  }
  Status write(fleet::v1::ConnectRequest message) override {
    if (message.has_envelope()) sent = message.envelope().seq();
    if (message.has_command_result()) answered = message.command_result();
    heard_more_.set();
    return {};
  }
  void close(Status) override {}
  void cancel() override {}
  const rpc::Peer& peer() const override { return peer_; }

  uint64_t sent = 0;
  std::optional<fleet::v1::CommandResult> answered;

 private:
  bool may_come(const fleet::v1::ConnectResponse& message) const {
    return !message.has_ack() || message.ack().seq() <= sent;
  }
  const std::vector<fleet::v1::ConnectResponse> said_;
  std::size_t next_ = 0;
  const rpc::Peer peer_;
  Event heard_more_;
};

class Wire : public ::testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path recording() const {
    return std::filesystem::path(GITAIOPS_SOURCE_DIR) / "tests/conformance/wire" / GetParam();
  }
  std::filesystem::path spool_copy() const {
    const auto copy = folder_.path() / "spool.db";
    std::filesystem::copy_file(recording() / "spool.db", copy);
    return copy;
  }
  testing::TemporaryFolder folder_;
  testing::Loop loop_;
};

TEST_P(Wire, TodaysControllerTakesWhatTheAgentSaid) {
  const auto said = read_all<fleet::v1::ConnectRequest>(recording() / "requests.bin");
  ASSERT_EQ(said.size(), 1 + kLast + 1) << "Hello, envelopes, the command's result";
  const FakeClock clock(said.front().hello().now_us());
  const auto store = store::open_sqlite({folder_.path() / "store.db"}, clock).value();
  store::EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = clock.now() + kSecond;
  token.scope = store::everything();
  store::Agent agent;
  agent.id = kAgent;
  ASSERT_TRUE(loop_.run(store->add_enrollment_token(token)).ok());
  ASSERT_TRUE(loop_.run(store->enroll_agent("h", agent, clock.now())).ok());
  ingest::Ingest ingest(*store, clock);
  fleet::Fleet fleet({}, *store, ingest, clock);
  const auto session = std::make_shared<OldAgent>(said);
  bool over = false;
  const auto serve = [](fleet::Fleet& f, std::shared_ptr<OldAgent> s, bool& done) -> Task<void> {
    co_await f.serve(std::move(s));
    done = true;
  };
  spawn(loop_.executor(), "serve", serve(fleet, session, over));
  loop_.until([&] { return over; });

  ASSERT_TRUE(session->heard.front().has_welcome()) << session->heard.front().DebugString();
  EXPECT_EQ(session->heard.front().welcome().protocol_minor(),
            said.front().hello().protocol_minor());
  EXPECT_EQ(session->heard.back().ack().seq(), kLast);
  EXPECT_EQ(ingest.counters().stored, kLast);
  EXPECT_EQ(ingest.counters().refused_invalid, 0u);

  const auto stored = [&](int64_t id) {
    return loop_.run(store->job_by_key(store::everything(), "main", id)).value();
  };
  const auto expected = failed(101).job_report();
  EXPECT_EQ(stored(101).report.SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(stored(101).report.diagnosis().root_cause().text(),
            "ring.c:12:3: error: expected expression");
  EXPECT_EQ(stored(101).report.usage().samples().cpu_us(1), -1);
  EXPECT_EQ(stored(102).report.outcome(), fleet::v1::OUTCOME_PASSED);
  EXPECT_TRUE(stored(103).running());
  EXPECT_EQ(stored(103).project_path, "group/ring");
  EXPECT_EQ(stored(104).report.outcome(), fleet::v1::OUTCOME_CANCELED);
}

TEST_P(Wire, TodaysAgentUnderstandsWhatTheControllerSaid) {
  const auto said = read_all<fleet::v1::ConnectResponse>(recording() / "responses.bin");
  ASSERT_GE(said.size(), 3u) << "Welcome, acknowledgements, a command";
  const FakeClock clock(said.front().welcome().now_us());
  const auto spool = agent::Spool::open({spool_copy()}, clock).value();
  std::vector<std::string> commands;
  const auto on_command = [&](fleet::v1::Command command) -> Task<fleet::v1::CommandResult> {
    commands.push_back(command.drain().draining() ? "drain" : "?");
    fleet::v1::CommandResult result;
    result.set_status(fleet::v1::CommandResult::STATUS_DONE);
    co_return result;
  };
  const auto shared =
      std::make_shared<agent::Shared>(agent::Shared{*spool, clock, on_command, {}, {}, 0, 0, 0});
  const auto session = std::make_shared<OldController>(said);
  const auto stream = std::make_shared<agent::Stream>(shared, session);
  fleet::v1::Hello hello;
  hello.set_epoch(spool->epoch());
  hello.set_newest_seq(spool->newest_seq());
  const auto opened = loop_.run(stream->open(hello));
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  const auto ended = loop_.run(stream->run({INT64_MAX}));
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), Code::cancelled) << ended.error().to_string();
  loop_.run([](agent::Stream& s) -> Task<bool> {
    co_await s.finish();
    co_return true;
  }(*stream));
  EXPECT_EQ(shared->acknowledged_seq, kLast);
  EXPECT_THAT(commands, ElementsAre("drain"));
  ASSERT_TRUE(session->answered);
  EXPECT_EQ(session->answered->status(), fleet::v1::CommandResult::STATUS_DONE);
}

TEST_P(Wire, TodaysSpoolHoldsWhatTheSpoolHeld) {
  const FakeClock clock(kReceived + 200 * kSecond);
  const auto path = spool_copy();
  const auto before = read_all<fleet::v1::ConnectRequest>(recording() / "requests.bin").front();
  {
    const auto spool = agent::Spool::open({path}, clock).value();
    EXPECT_EQ(spool->stats().damaged_files, 0u);
    EXPECT_EQ(spool->epoch(), before.hello().epoch());
    EXPECT_EQ(spool->oldest_seq(), 1u);
    EXPECT_EQ(spool->newest_seq(), kLast);
    EXPECT_EQ(loop_.run(spool->cursors())->at("runner_log"), "cursor of 0.1");
    EXPECT_EQ(*loop_.run(spool->tracker_state()), "state of 0.1");
    const auto messages = *loop_.run(spool->after(0, 100));
    ASSERT_EQ(messages.size(), kLast);
    EXPECT_EQ(messages[0].job_started().runner().name(), "ring builder");
    EXPECT_EQ(messages[1].job_report().SerializeAsString(),
              failed(101).job_report().SerializeAsString());
    EXPECT_EQ(messages[3].host_samples().memory_total_bytes(), 8ll << 30);
    EXPECT_TRUE(messages[3].host_samples().has_cpu_busy_ratio()) << "a measured zero";
    EXPECT_FALSE(messages[3].host_samples().has_memory_available_bytes());
    // And it goes on, in the same epoch.
    agent::SpoolBatch batch;
    batch.messages.push_back(started(105));
    EXPECT_EQ(*loop_.run(spool->append(std::move(batch))), kLast + 1);
  }
  const auto again = agent::Spool::open({path}, clock).value();
  EXPECT_EQ(again->epoch(), before.hello().epoch());
  EXPECT_EQ(loop_.run(again->after(kLast, 10))->front().job_started().key().job_id(), 105);
}

INSTANTIATE_TEST_SUITE_P(Versions, Wire, ::testing::Values("0.1.0"), [](const auto& version) {
  std::string name = version.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace gitaiops::wire
