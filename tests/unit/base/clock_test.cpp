#include "base/clock/clock.h"

#include <gtest/gtest.h>

namespace gitaiops {
namespace {

TEST(Clock, Rfc3339) {
  EXPECT_EQ(to_rfc3339({1'795'354'069'000'001}), "2026-11-22T13:27:49.000001Z");
  EXPECT_EQ(parse_rfc3339("2026-11-22T13:27:49.000001Z"), (UnixMicros{1'795'354'069'000'001}));
  EXPECT_EQ(parse_rfc3339("2026-11-22T15:27:49+02:00"), (UnixMicros{1'795'354'069'000'000}));
  EXPECT_EQ(parse_rfc3339("2026-11-22T13:27:49.123456789Z"), (UnixMicros{1'795'354'069'123'456}));
  for (const auto* bad :
       {"", "2026-11-22", "2026-13-22T13:27:49Z", "2026-11-22T13:27:49", "2026-11-22T13:27:49.Z"})
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
}

TEST(Clock, FakeStandsStill) {
  FakeClock clock(1'000'000);
  clock.advance(5);
  clock.jump(-10);
  EXPECT_EQ(clock.now(), (UnixMicros{999'995}));
  EXPECT_EQ(clock.steady(), (SteadyMicros{5}));
}

}  // namespace
}  // namespace gitaiops
