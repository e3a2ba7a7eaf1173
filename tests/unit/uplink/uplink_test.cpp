// The agent's uplink against a real controller half: gRPC, mTLS, fleet, enrolment; store and spool
// are in memory.
#include "agent/uplink/uplink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/uplink/identity.h"
#include "tests/unit/fleet/controller.h"
#include "tests/unit/uplink/fake_spool.h"

namespace gitaiops::agent {
namespace {

using enrollment::kHour;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using State = UplinkStatus::State;

class UplinkTest : public ::testing::Test {
 protected:
  void SetUp() override { serve(quick()); }
  void TearDown() override {
    stop_uplink();
    controller_.reset();
  }

  static fleet::Options quick() {
    fleet::Options options;
    options.credit = 4;
    options.check_interval_us = 20'000;
    return options;
  }
  void serve(const fleet::Options& options) {
    controller_ = std::make_unique<testing::Controller>(loop_, store_, clock_, folder_.path(),
                                                        options, 2 * kHour, port_);
    port_ = controller_->fleet_server->port();
  }

  void give_identity(int64_t renew_in = kHour, int64_t life = kHour) {
    const auto target = controller_->new_agent(agent_id_, life);
    const Identity identity{agent_id_,
                            target.key_pem,
                            target.certificate_pem,
                            target.ca_pem,
                            tls::facts(target.certificate_pem)->validity.not_after,
                            clock_.now() + renew_in};
    ASSERT_TRUE(store_identity(identity_dir(), identity).ok());
  }
  std::filesystem::path identity_dir() const { return folder_.path() / "identity"; }

  void start_uplink() {
    UplinkOptions options;
    options.controller = "127.0.0.1:" + std::to_string(port_);
    options.identity_dir = identity_dir();
    options.host_name = "build-1";
    options.agent_version = "0.1.0";
    options.min_backoff_us = 10'000;
    options.max_backoff_us = 50'000;
    uplink_ = Uplink::make(
        options, spool_, clock_, [] { return std::string("sees one runner"); },
        [this](fleet::v1::Command command) { return answer(this, std::move(command)); }, {});
    running_ = std::make_shared<bool>(true);
    spawn(loop_.executor(), "uplink", run(uplink_.get(), running_));
  }
  void stop_uplink() {
    if (!uplink_) return;
    uplink_->stop();
    loop_.until([&] { return !*running_; });
    uplink_.reset();
  }
  bool in(State state) const { return uplink_->status().state == state; }

  static Task<void> run(Uplink* uplink, std::shared_ptr<bool> running) {
    co_await uplink->run();
    *running = false;
  }
  static Task<fleet::v1::CommandResult> answer(UplinkTest* self, fleet::v1::Command command) {
    ++self->commands_run_;
    fleet::v1::CommandResult result;
    result.set_status(fleet::v1::CommandResult::STATUS_DONE);
    result.set_message(command.has_drain() ? "draining" : "?");
    co_return result;
  }

  testing::TemporaryFolder folder_;
  testing::Loop loop_;
  FakeClock clock_{system_clock().now().value};
  testing::FakeStore store_;
  testing::FakeSpool spool_;
  const std::string agent_id_ = "0190b1e2-0000-7000-8000-000000000001";
  int port_ = 0;
  std::unique_ptr<testing::Controller> controller_;
  std::unique_ptr<Uplink> uplink_;
  std::shared_ptr<bool> running_;
  int commands_run_ = 0;
};

TEST_F(UplinkTest, CarriesTheSpoolToTheStoreWithinTheCredit) {
  for (int job = 1; job <= 50; ++job) spool_.add_started(job);
  give_identity();
  start_uplink();
  loop_.until([&] { return spool_.size() == 0; });
  EXPECT_THAT(store_.sequences(), SizeIs(50));
  EXPECT_EQ(controller_->fleet.counters().over_credit, 0u);
  spool_.add_started(51);
  loop_.until([&] { return store_.sequences().size() == 51; });
  loop_.until([&] { return store_.agents_by_id[agent_id_].observation == "sees one runner"; });
  EXPECT_TRUE(in(State::connected));
}

TEST_F(UplinkTest, ResumesAfterTheControllersMarkWhenItWasGone) {
  spool_.add_started(1);
  give_identity();
  start_uplink();
  loop_.until([&] { return spool_.size() == 0; });
  controller_.reset();
  loop_.until([&] { return in(State::waiting); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("stopping"));
  for (int job = 2; job <= 9; ++job) spool_.add_started(job);
  serve(quick());
  loop_.until([&] { return spool_.size() == 0; });
  EXPECT_THAT(store_.sequences(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(UplinkTest, WhatWasStoredButNotAcknowledgedIsNotSentAgain) {
  for (int job = 1; job <= 3; ++job) spool_.add_started(job);
  store_.marks[{agent_id_, 77}] = 2;
  give_identity();
  start_uplink();
  loop_.until([&] { return spool_.size() == 0; });
  EXPECT_THAT(store_.sequences(), ElementsAre(3));
}

TEST_F(UplinkTest, AStoreThatFailsLosesNothing) {
  for (int job = 1; job <= 9; ++job) spool_.add_started(job);
  store_.broken = true;
  give_identity();
  start_uplink();
  loop_.until([&] { return in(State::refused); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("store"));
  EXPECT_EQ(spool_.size(), 9u);
  store_.broken = false;
  EXPECT_TRUE(store_.sequences().empty());
}

TEST_F(UplinkTest, ARecordNoControllerWouldTakeIsSkipped) {
  spool_.add_started(1);
  fleet::v1::Envelope large;
  large.mutable_job_report()->add_notes(std::string(100'000, 'x'));
  spool_.add(large);
  give_identity();
  start_uplink();
  loop_.until([&] { return spool_.size() == 0; });
  spool_.add(large);
  loop_.until([&] { return spool_.size() == 0; });
  spool_.add_started(4);
  loop_.until([&] { return spool_.size() == 0; });
  EXPECT_THAT(store_.sequences(), ElementsAre(1, 4));
  EXPECT_EQ(controller_->fleet.counters().opened, 1u);
}

TEST_F(UplinkTest, ARefusalIsShownToTheOperator) {
  auto modern = quick();
  modern.protocol_minor = 9;
  controller_.reset();
  serve(modern);
  give_identity();
  start_uplink();
  loop_.until([&] { return in(State::refused); });
  EXPECT_THAT(uplink_->status().detail,
              HasSubstr("this controller serves 1.7 to 1.9: upgrade gitaiops-agent"));
}

TEST_F(UplinkTest, ARevokedAgentIsToldSoAndDoesNotComeBack) {
  give_identity();
  start_uplink();
  loop_.until([&] { return in(State::connected); });
  ASSERT_TRUE(loop_.run(store_.revoke_agent(agent_id_, clock_.now(), "operator")).ok());
  loop_.until([&] { return in(State::refused); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("revoked"));
  loop_.until([&] { return controller_->fleet.counters().refused > 0; });
  EXPECT_TRUE(controller_->fleet.connected().empty());
}

TEST_F(UplinkTest, RenewsItsCertificateAtTwoThirdsWithANewKey) {
  give_identity(/*renew_in=*/0);
  const auto before = *load_identity(identity_dir());
  start_uplink();
  loop_.until([&] { return in(State::connected); });
  const auto after = *load_identity(identity_dir());
  EXPECT_NE(after.key_pem, before.key_pem);
  EXPECT_EQ(after.agent_id, agent_id_);
  EXPECT_GT(after.not_after, before.not_after);
  EXPECT_EQ(uplink_->status().certificate_not_after, after.not_after);
}

TEST_F(UplinkTest, RenewsWhileConnectedAndComesBackWithTheNewCertificate) {
  give_identity(/*renew_in=*/60 * kMicrosPerSecond);
  const auto before = *load_identity(identity_dir());
  start_uplink();
  loop_.until([&] { return in(State::connected); });
  clock_.advance(61 * kMicrosPerSecond);
  loop_.until([&] { return load_identity(identity_dir())->key_pem != before.key_pem; });
  loop_.until([&] { return controller_->fleet.counters().opened == 2; });
  spool_.add_started(1);
  loop_.until([&] { return spool_.size() == 0; });
}

TEST_F(UplinkTest, WithoutAnIdentityOrWithAnExpiredOneItSaysWhatToDo) {
  start_uplink();
  loop_.until([&] { return in(State::waiting); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("gitaiops-agent enroll"));
  give_identity(kHour, /*life=*/60 * kMicrosPerSecond);
  clock_.advance(61 * kMicrosPerSecond);
  loop_.until([&] { return in(State::refused); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("expired"));
}

TEST_F(UplinkTest, ASpoolThatWasSetBackIsNoticed) {
  store_.marks[{agent_id_, 77}] = 100;
  spool_.add_started(1);
  give_identity();
  start_uplink();
  loop_.until([&] { return in(State::waiting); });
  EXPECT_THAT(uplink_->status().detail, HasSubstr("it was set back"));
  EXPECT_EQ(spool_.size(), 1u);
}

TEST_F(UplinkTest, ACommandSentTwiceRunsOnce) {
  give_identity();
  start_uplink();
  loop_.until([&] { return !controller_->fleet.connected().empty(); });
  fleet::v1::Command command;
  command.set_id("0190b1e2-0000-7000-8000-0000000000aa");
  command.mutable_drain()->set_draining(true);
  for (int i = 0; i < 2; ++i) {
    const auto result = loop_.run(controller_->fleet.command(agent_id_, command));
    ASSERT_TRUE(result.ok()) << result.error().to_string();
    EXPECT_EQ(result->message(), "draining");
    EXPECT_EQ(result->id(), command.id());
  }
  EXPECT_EQ(commands_run_, 1);
}

TEST_F(UplinkTest, AnExpiredCommandIsAnsweredNotRun) {
  give_identity();
  start_uplink();
  loop_.until([&] { return in(State::connected); });  // the agent knows now that both clocks agree
  fleet::v1::Command command;
  command.mutable_drain()->set_draining(true);
  command.set_expires_at_us((clock_.now() + 1).value);
  const auto into = std::make_shared<std::optional<Result<fleet::v1::CommandResult>>>();
  const auto keep = [](Task<Result<fleet::v1::CommandResult>> pending,
                       decltype(into) place) -> Task<void> {
    *place = co_await std::move(pending);
  };
  spawn(loop_.executor(), "command", keep(controller_->fleet.command(agent_id_, command), into));
  spawn(loop_.executor(), "clock", [](FakeClock& clock) -> Task<void> {
    clock.advance(10);
    co_return;
  }(clock_));
  loop_.until([&] { return into->has_value(); });
  ASSERT_TRUE((*into)->ok()) << (*into)->error().to_string();
  EXPECT_EQ((**into)->status(), fleet::v1::CommandResult::STATUS_EXPIRED);
  EXPECT_EQ(commands_run_, 0);
}

}  // namespace
}  // namespace gitaiops::agent
