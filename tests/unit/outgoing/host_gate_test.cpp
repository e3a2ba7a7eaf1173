#include "base/outgoing/host_gate.h"

#include <gtest/gtest.h>

namespace gitaiops {
namespace {

constexpr int64_t kSecond = kMicrosPerSecond;
using enum HostGate::Answer;

TEST(HostGate, OpensAfterFiveFailuresAndLetsOneProbeThrough) {
  HostGate gate;
  SteadyMicros now{1};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(gate.ask(now), pass);
    gate.failed(now);
  }
  EXPECT_EQ(gate.ask(now), broken);
  EXPECT_EQ(gate.wait_us(now), kSecond);
  now = now + kSecond;
  EXPECT_EQ(gate.ask(now), pass);
  EXPECT_EQ(gate.ask(now), broken) << "one probe at a time";
  gate.failed(now);
  EXPECT_EQ(gate.wait_us(now), 2 * kSecond);
  now = now + 2 * kSecond;
  EXPECT_EQ(gate.ask(now), pass);
  gate.succeeded();
  EXPECT_EQ(gate.ask(now), pass);
  EXPECT_EQ(gate.ask(now), pass);
  EXPECT_EQ(gate.wait_us(now), 0);
}

TEST(HostGate, AProbeGivenUpFreesThePlace) {
  HostGate gate;
  SteadyMicros now{1};
  for (int i = 0; i < 5; ++i) gate.failed(now);
  now = now + kSecond;
  EXPECT_EQ(gate.ask(now), pass);
  gate.abandoned();
  EXPECT_EQ(gate.ask(now), pass);
}

TEST(HostGate, HoldsBackAsLongAsTheHostDemands) {
  HostGate gate;
  SteadyMicros now{1};
  gate.limited(now, 30 * kSecond);
  EXPECT_EQ(gate.ask(now + 29 * kSecond), rate_limited);
  EXPECT_EQ(gate.wait_us(now + 29 * kSecond), kSecond);
  EXPECT_EQ(gate.ask(now + 30 * kSecond), pass);
}

TEST(HostGate, DoublesItsOwnWaitWhenTheHostDemandsNone) {
  HostGate gate;
  SteadyMicros now{1};
  std::vector<int64_t> waits;
  for (int i = 0; i < 8; ++i) {
    gate.limited(now, std::nullopt);
    waits.push_back(gate.wait_us(now) / kSecond);
    now = now + gate.wait_us(now);
  }
  EXPECT_EQ(waits, (std::vector<int64_t>{1, 2, 4, 8, 16, 32, 60, 60}));
  gate.succeeded();
  gate.limited(now, std::nullopt);
  EXPECT_EQ(gate.wait_us(now), kSecond);
}

TEST(HostGate, RetriesStopWhenMostRequestsFail) {
  HostGate gate;
  int spent = 0;
  while (gate.spend_retry()) ++spent;
  EXPECT_EQ(spent, 10);
  for (int i = 0; i < 10; ++i) gate.succeeded();
  EXPECT_TRUE(gate.spend_retry());
  EXPECT_FALSE(gate.spend_retry());
}

TEST(DemandedWait, ReadsSecondsDatesAndResets) {
  const UnixMicros now{1'700'000'000 * kSecond};  // Tue, 14 Nov 2023 22:13:20 GMT
  const auto wait = [&](OutgoingHeaders headers) {
    OutgoingResponse response;
    response.headers = std::move(headers);
    return demanded_wait_us(response, now);
  };
  EXPECT_EQ(wait({{"retry-after", "7"}}), 7 * kSecond);
  EXPECT_EQ(wait({{"Retry-After", "0"}}), kSecond / 5);
  EXPECT_EQ(wait({{"Retry-After", "99999999999"}}), 3600 * kSecond);
  EXPECT_EQ(wait({{"Retry-After", "Tue, 14 Nov 2023 22:13:50 GMT"}}), 30 * kSecond);
  EXPECT_EQ(wait({{"Retry-After", "soon"}}), std::nullopt);
  EXPECT_EQ(wait({{"Retry-After", "soon"}, {"RateLimit-Reset", "1700000012"}}), 12 * kSecond);
  EXPECT_EQ(wait({{"RateLimit-Reset", "1600000000"}}), kSecond / 5);
  EXPECT_EQ(wait({}), std::nullopt);
}

}  // namespace
}  // namespace gitaiops
