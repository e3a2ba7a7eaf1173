// The fleet over real gRPC on loopback, with a client that speaks the protocol by hand.
#include "controller/fleet/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/fleet/controller.h"

namespace gitaiops::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kAgent = "0190b1e2-0000-7000-8000-000000000001";
constexpr uint64_t kEpoch = 77;

Options quick() {
  Options options;
  options.version = "0.1.0";
  options.credit = 4;
  options.check_interval_us = 20'000;
  return options;
}

class FleetTest : public ::testing::Test {
 protected:
  // A stream posts to the loop until its end has been read.
  void TearDown() override {
    for (const auto& session : opened_) {
      session->cancel();
      while (loop_.run(session->read()).ok()) {
      }
    }
  }
  std::shared_ptr<rpc::ClientSession> open(const rpc::Target& target,
                                           uint32_t minor = rpc::kProtocolMinor,
                                           const std::string& host = "build-1") {
    auto session = opened_.emplace_back(rpc::connect(loop_.executor(), target));
    v1::ConnectRequest hello;
    hello.mutable_hello()->set_protocol_minor(minor);
    hello.mutable_hello()->set_agent_version("0.1.0");
    hello.mutable_hello()->set_epoch(kEpoch);
    hello.mutable_hello()->set_host_name(host);
    hello.mutable_hello()->set_now_us((clock_.now() + 30 * kMicrosPerSecond).value);
    EXPECT_TRUE(session->write(std::move(hello)).ok());
    return session;
  }
  std::shared_ptr<rpc::ClientSession> welcomed(const rpc::Target& target) {
    auto session = open(target);
    const auto answer = loop_.run(session->read());
    EXPECT_TRUE(answer.ok() && answer->has_welcome());
    return session;
  }
  v1::ConnectResponse read(rpc::ClientSession& session) {
    auto message = loop_.run(session.read());
    EXPECT_TRUE(message.ok()) << message.error().to_string();
    return message.ok() ? *message : v1::ConnectResponse();
  }
  void start(rpc::ClientSession& session, uint64_t seq, int64_t job = 42) {
    v1::ConnectRequest message;
    message.mutable_envelope()->set_seq(seq);
    auto& key = *message.mutable_envelope()->mutable_job_started()->mutable_key();
    key.set_instance("main");
    key.set_project_id(7);
    key.set_job_id(job);
    EXPECT_TRUE(session.write(std::move(message)).ok());
  }
  // Reads acknowledgements until `seq`.
  void acknowledged(rpc::ClientSession& session, uint64_t seq) {
    for (uint64_t last = 0; last < seq;) {
      const auto message = read(session);
      ASSERT_TRUE(message.has_ack());
      last = message.ack().seq();
    }
  }

  testing::TemporaryFolder folder_;
  testing::Loop loop_;
  std::vector<std::shared_ptr<rpc::ClientSession>> opened_;
  FakeClock clock_{system_clock().now().value};
  testing::FakeStore store_;
  testing::Controller controller_{loop_, store_, clock_, folder_.path(), quick()};
};

TEST_F(FleetTest, WelcomesAnAgentAndAcknowledgesWhatIsStored) {
  const auto session = open(controller_.new_agent(kAgent));
  const auto welcome = read(*session).welcome();
  EXPECT_EQ(welcome.protocol_minor(), rpc::kProtocolMinor);
  EXPECT_EQ(welcome.controller_version(), "0.1.0");
  EXPECT_EQ(welcome.high_water_seq(), 0u);
  EXPECT_EQ(welcome.credit(), 4u);
  EXPECT_EQ(welcome.now_us(), clock_.now().value);
  start(*session, 1);
  start(*session, 5);
  acknowledged(*session, 5);
  EXPECT_THAT(store_.sequences(), ElementsAre(1, 5));
  EXPECT_THAT(controller_.fleet.connected(), ElementsAre(kAgent));
  loop_.until([&] { return store_.seen == 1; });
  EXPECT_EQ(store_.agents_by_id[kAgent].version, "0.1.0");
  EXPECT_EQ(store_.agents_by_id[kAgent].clock_skew_us, 30 * kMicrosPerSecond);
  session->close({});
  loop_.until([&] { return controller_.fleet.connected().empty(); });
}

TEST_F(FleetTest, AReconnectResumesAfterTheHighWaterMarkAndDuplicatesAreAcknowledged) {
  const auto agent = controller_.new_agent(kAgent);
  const auto first = welcomed(agent);
  start(*first, 1);
  start(*first, 2);
  acknowledged(*first, 2);
  first->cancel();

  const auto second = open(agent);
  EXPECT_EQ(read(*second).welcome().high_water_seq(), 2u);
  start(*second, 2);  // its acknowledgement was lost, say
  start(*second, 3);
  acknowledged(*second, 3);
  EXPECT_THAT(store_.sequences(), ElementsAre(1, 2, 3));
}

TEST_F(FleetTest, ARevokedAgentsOpenStreamEnds) {
  const auto session = welcomed(controller_.new_agent(kAgent));
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(loop_.run(store_.revoke_agent(kAgent, clock_.now(), "operator")).ok());
  const auto last = read(*session);
  EXPECT_EQ(last.refusal().reason(), v1::Refusal::REASON_REVOKED);
  EXPECT_THAT(last.refusal().message(), HasSubstr("enrol it with a new token"));
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::permission_denied);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  // And it does not come back.
  EXPECT_EQ(
      read(*open(controller_.new_agent("0190b1e2-0000-7000-8000-000000000002"))).has_welcome(),
      true);
  EXPECT_EQ(controller_.fleet.counters().ended_by_check, 1u);
}

TEST_F(FleetTest, AnAgentThatIsRevokedOrUnknownIsRefusedAtTheDoor) {
  const auto revoked = controller_.new_agent(kAgent);
  store_.agents_by_id[kAgent].revoked_at = clock_.now();
  EXPECT_EQ(read(*open(revoked)).refusal().reason(), v1::Refusal::REASON_REVOKED);
  const auto unknown = controller_.new_agent("0190b1e2-0000-7000-8000-000000000003");
  store_.agents_by_id.erase("0190b1e2-0000-7000-8000-000000000003");
  EXPECT_THAT(read(*open(unknown)).refusal().message(), HasSubstr("does not know"));
}

TEST_F(FleetTest, AnExpiredCertificateEndsTheOpenStream) {
  const auto session = welcomed(controller_.new_agent(kAgent, 60 * kMicrosPerSecond));
  clock_.advance(61 * kMicrosPerSecond);
  EXPECT_THAT(read(*session).refusal().message(), HasSubstr("expired"));
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::unauthenticated);
}

TEST_F(FleetTest, OfTwoStreamsOfOneIdentityTheNewerStays) {
  const auto agent = controller_.new_agent(kAgent);
  const auto older = welcomed(agent);
  const auto newer = welcomed(agent);
  EXPECT_EQ(read(*older).refusal().reason(), v1::Refusal::REASON_DUPLICATE);
  EXPECT_FALSE(loop_.run(older->read()).ok());
  start(*newer, 1);
  acknowledged(*newer, 1);
  EXPECT_THAT(controller_.fleet.connected(), ElementsAre(kAgent));
  EXPECT_EQ(controller_.fleet.counters().replaced, 1u);
}

TEST_F(FleetTest, ACopyWithAnOlderCertificateIsShutOutAndBothHoldersAreNamed) {
  const auto copied = controller_.new_agent(kAgent);
  const auto renewed = controller_.new_agent(kAgent, enrollment::kHour, 2);
  const auto holder = welcomed(renewed);
  const auto copy = open(copied, rpc::kProtocolMinor, "build-9");
  const auto refusal = read(*copy).refusal();
  EXPECT_EQ(refusal.reason(), v1::Refusal::REASON_REVOKED);
  EXPECT_THAT(refusal.message(),
              HasSubstr("held twice: by build-1 (127.0.0.1) and by build-9 (127.0.0.1)"));
  EXPECT_EQ(store_.agents_by_id[kAgent].clone, "build-9 (127.0.0.1)");
  start(*holder, 1);
  acknowledged(*holder, 1);
}

TEST_F(FleetTest, TwoHostsWithTheSameCertificateAreNotedWhileBothAreThere) {
  const auto agent = controller_.new_agent(kAgent);
  const auto older = welcomed(agent);
  const auto newer = open(agent, rpc::kProtocolMinor, "build-9");
  EXPECT_TRUE(read(*newer).has_welcome());
  EXPECT_EQ(read(*older).refusal().reason(), v1::Refusal::REASON_DUPLICATE);
  EXPECT_EQ(store_.agents_by_id[kAgent].holder, "build-1 (127.0.0.1)");
  EXPECT_EQ(store_.agents_by_id[kAgent].clone, "build-9 (127.0.0.1)");
  EXPECT_TRUE(store_.agents_by_id[kAgent].clone_at);
}

TEST_F(FleetTest, MoreThanTheCreditUnacknowledgedEndsTheStream) {
  Event hold;
  store_.hold = &hold;
  const auto session = welcomed(controller_.new_agent(kAgent));
  for (uint64_t seq = 1; seq <= 5; ++seq) start(*session, seq);
  const auto end = loop_.run(session->read());
  EXPECT_EQ(end.error().code(), Code::resource_exhausted);
  EXPECT_THAT(end.error().message(), HasSubstr("more than 4"));
  EXPECT_EQ(controller_.fleet.counters().over_credit, 1u);
  hold.set();
  loop_.until([&] { return controller_.fleet.connected().empty(); });
}

TEST_F(FleetTest, SequenceNumbersMustGrow) {
  const auto session = welcomed(controller_.new_agent(kAgent));
  start(*session, 2);
  acknowledged(*session, 2);
  start(*session, 2);
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::invalid_argument);
}

TEST_F(FleetTest, APoisonEnvelopeIsAcknowledgedAndNotStored) {
  const auto session = welcomed(controller_.new_agent(kAgent));
  start(*session, 1, /*job=*/-1);
  start(*session, 2);
  acknowledged(*session, 2);
  EXPECT_THAT(store_.sequences(), ElementsAre(2));
  EXPECT_EQ(controller_.ingest.counters().refused_invalid, 1u);
}

TEST_F(FleetTest, AStoreThatCannotStoreEndsTheStreamWithoutAnAcknowledgement) {
  const auto session = welcomed(controller_.new_agent(kAgent));
  store_.broken = true;
  start(*session, 1);
  const auto last = read(*session);
  EXPECT_EQ(last.refusal().reason(), v1::Refusal::REASON_OVERLOADED);
  EXPECT_GT(last.refusal().retry_after_us(), 0);
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::unavailable);
  EXPECT_THAT(store_.sequences(), IsEmpty());
}

TEST_F(FleetTest, AnOldProtocolIsRefused) {
  const auto session = open(controller_.new_agent(kAgent), 0);
  EXPECT_EQ(read(*session).refusal().reason(), v1::Refusal::REASON_TOO_OLD);
  EXPECT_FALSE(loop_.run(session->read()).ok());
  EXPECT_THAT(controller_.fleet.connected(), IsEmpty());
}

Task<void> keep(Task<Result<v1::CommandResult>> task,
                std::shared_ptr<std::optional<Result<v1::CommandResult>>> into) {
  *into = co_await std::move(task);
}

v1::Command drain() {
  v1::Command command;
  command.mutable_drain()->set_draining(true);
  return command;
}

TEST_F(FleetTest, ACommandGoesOutAndItsResultComesBack) {
  const auto session = welcomed(controller_.new_agent(kAgent));
  const auto result = std::make_shared<std::optional<Result<v1::CommandResult>>>();
  spawn(loop_.executor(), "command", keep(controller_.fleet.command(kAgent, drain()), result));
  const auto command = read(*session).command();
  EXPECT_TRUE(command.drain().draining());
  EXPECT_EQ(command.id().size(), 36u);
  EXPECT_EQ(command.expires_at_us(), (clock_.now() + 30 * kMicrosPerSecond).value);
  v1::ConnectRequest answer;
  answer.mutable_command_result()->set_id(command.id());
  answer.mutable_command_result()->set_status(v1::CommandResult::STATUS_DONE);
  answer.mutable_command_result()->set_message("draining\x07");
  ASSERT_TRUE(session->write(answer).ok());
  loop_.until([&] { return result->has_value(); });
  ASSERT_TRUE((*result)->ok());
  EXPECT_EQ((**result)->status(), v1::CommandResult::STATUS_DONE);
  EXPECT_EQ((**result)->message(), "draining\xEF\xBF\xBD");
}

TEST_F(FleetTest, ACommandWithoutAnAnswerEndsWithItsStreamOrItsTime) {
  EXPECT_EQ(loop_.run(controller_.fleet.command(kAgent, drain())).error().code(),
            Code::unavailable);
  const auto session = welcomed(controller_.new_agent(kAgent));
  const auto result = std::make_shared<std::optional<Result<v1::CommandResult>>>();
  spawn(loop_.executor(), "command", keep(controller_.fleet.command(kAgent, drain()), result));
  read(*session);
  session->cancel();
  loop_.until([&] { return result->has_value(); });
  EXPECT_EQ((*result)->error().code(), Code::unavailable);

  EXPECT_EQ(loop_.run(controller_.fleet.command(kAgent, v1::Command())).error().code(),
            Code::invalid_argument);
  v1::Command far;
  far.mutable_lines_around()->set_line(1);
  far.mutable_lines_around()->set_before(101);
  EXPECT_EQ(loop_.run(controller_.fleet.command(kAgent, far)).error().code(),
            Code::invalid_argument);
}

}  // namespace
}  // namespace gitaiops::fleet
