// A controller's listening half in the test's process: real authority, certificates, gRPC and fleet
// on a fake store.
#pragma once

#include "base/crypto/crypto.h"
#include "base/rpc/enrollment_token.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fleet/fleet.h"
#include "tests/unit/fleet/fake_store.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::testing {

inline const store::Scope kEverything = {{"*", "*"}};

class Controller {
 public:
  Controller(Loop& loop, FakeStore& store, const Clock& clock, const std::filesystem::path& folder,
             fleet::Options options, int64_t certificate_life_us = 2 * enrollment::kHour,
             int fleet_port = 0)
      : loop_(loop),
        store_(store),
        clock_(clock),
        folder_(folder),
        keyring_(*enrollment::Keyring::open(enrollment_options(), clock)),
        ingest(store, clock),
        fleet(std::move(options), store, ingest, clock) {
    auto all = enrollment_options();
    all.certificate_life_us = certificate_life_us;
    enrollment = *enrollment::Enrollment::make(all, keyring_, store, clock);
    const auto files = keyring_.files();
    const rpc::ListenOptions at_fleet{"127.0.0.1:" + std::to_string(fleet_port), files.key,
                                      files.certificate, files.trusted, std::chrono::seconds(1)};
    auto mutual = rpc::serve_fleet(
        loop.executor(), at_fleet,
        [this](std::shared_ptr<rpc::ServerSession> s) { return fleet.serve(std::move(s)); },
        [this](gitaiops::enrollment::v1::RenewRequest r, rpc::Peer p) {
          return enrollment->renew(std::move(r), std::move(p));
        });
    const rpc::ListenOptions at_enrol{"127.0.0.1:0", files.key, files.certificate, files.trusted,
                                      std::chrono::seconds(1)};
    auto open = rpc::serve_enrollment(
        loop.executor(), at_enrol, [this](gitaiops::enrollment::v1::EnrollRequest r, rpc::Peer p) {
          return enrollment->enroll(std::move(r), std::move(p));
        });
    if (!mutual.ok()) throw std::runtime_error(mutual.error().to_string());
    if (!open.ok()) throw std::runtime_error(open.error().to_string());
    fleet_server = *std::move(mutual);
    enrollment_server = *std::move(open);
    spawn(loop.executor(), "checks", run_checks(this, running_));
  }

  ~Controller() {
    fleet.stop();
    bool stopped = false;
    const auto stop = [](Controller& self, bool& done) -> Task<void> {
      co_await self.fleet_server->stop();
      co_await self.enrollment_server->stop();
      done = true;
    };
    spawn(loop_.executor(), "stop", stop(*this, stopped));
    loop_.until([&] { return stopped && !*running_; });
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(fleet_server->port()); }
  std::string enrollment_address() const {
    return "127.0.0.1:" + std::to_string(enrollment_server->port());
  }

  std::string new_token(int64_t life_us = enrollment::kHour, int64_t uses = 1) {
    const auto secret = crypto::base64url_encode(crypto::random_bytes(32));
    store::EnrollmentToken token;
    token.id = crypto::uuid7(clock_.now());
    token.secret_sha256 = crypto::sha256_hex(secret);
    token.expires_at = clock_.now() + life_us;
    token.uses_left = uses;
    token.scope = kEverything;
    EXPECT_TRUE(loop_.run(store_.add_enrollment_token(token)).ok());
    return *enrollment::token_text(folder_, secret, clock_);
  }

  // A known agent with a certificate, without going through enrolment.
  rpc::Target new_agent(std::string id = crypto::uuid7(system_clock().now()),
                        int64_t life_us = enrollment::kHour, uint64_t generation = 1) {
    auto& agent = store_.agents_by_id[id];
    agent.id = id;
    agent.scope = kEverything;
    const auto key = *tls::make_key();
    const auto now = clock_.now();
    const auto certificate = *keyring_.authority().sign_agent(
        *tls::make_request(key), id, {now + -enrollment::kHour, now + life_us}, generation);
    return {address(), keyring_.bundle_pem(), key, certificate};
  }

 private:
  enrollment::Options enrollment_options() const { return {folder_, {"127.0.0.1"}}; }
  static Task<void> run_checks(Controller* self, std::shared_ptr<bool> running) {
    *running = true;
    co_await self->fleet.run();
    *running = false;
  }

  Loop& loop_;
  FakeStore& store_;
  const Clock& clock_;
  const std::filesystem::path folder_;
  enrollment::Keyring keyring_;
  std::shared_ptr<bool> running_ = std::make_shared<bool>(false);

 public:
  ingest::Ingest ingest;
  fleet::Fleet fleet;
  std::unique_ptr<enrollment::Enrollment> enrollment;
  std::unique_ptr<rpc::Server> fleet_server, enrollment_server;
};

}  // namespace gitaiops::testing
