#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/tracker/tracker.h"

namespace gitaiops::agent {
namespace {

constexpr int64_t kUtc = 1'700'000'000'000'000;

void tell(Tracker& tracker, int64_t job, Field field, const std::string& value, int64_t at) {
  tracker.on_fact({{"lab", job}, field, value, Source::runner_log, {kUtc + at}, 0, 0}, {at});
}

TEST(SavedTracker, GoesOnWhereItWas) {
  Tracker before;
  tell(before, 7, Field::project_path, "grp/demo", 1'000'000);
  tell(before, 7, Field::runner_short, "tok", 1'000'000);
  tell(before, 7, Field::received_at, std::to_string(kUtc + 1'000'000), 1'000'000);
  tell(before, 8, Field::outcome, "passed", 1'000'000);
  ASSERT_EQ(before.take_started().size(), 1u);
  ASSERT_EQ(before.take_finished({4'000'000}).size(), 1u) << "job 8, never announced";

  Tracker after;
  ASSERT_TRUE(after.restore(before.save()).ok());
  EXPECT_EQ(after.open_jobs(), 1u);
  EXPECT_TRUE(after.take_started().empty()) << "already told";
  const TraceId trace{1, 2, (kUtc + 1'001'000) * 1000};
  after.on_trace_opened(trace, {100, 5}, {9'000'000});
  tell(after, 7, Field::outcome, "failed", 9'500'000);
  tell(after, 8, Field::outcome, "passed", 9'500'000);
  after.on_trace_closed(trace, {9'600'000});
  const auto done = after.take_finished({11'000'000});
  ASSERT_EQ(done.size(), 1u) << "job 8 was reported before";
  EXPECT_EQ(done[0].trace, trace);
  EXPECT_EQ(done[0].project_path, "grp/demo");
}

TEST(SavedTracker, ATraceOfAReportedJobIsNobodyElses) {
  Tracker before;
  const TraceId trace{1, 2, (kUtc + 1'001'000) * 1000};
  tell(before, 7, Field::received_at, std::to_string(kUtc + 1'000'000), 1'000'000);
  before.on_trace_opened(trace, {100, 5}, {1'010'000});
  tell(before, 7, Field::outcome, "failed", 4'000'000);
  before.on_trace_closed(trace, {4'100'000});
  ASSERT_EQ(before.take_finished({4'100'000}).size(), 1u);
  Tracker after;
  ASSERT_TRUE(after.restore(before.save()).ok());
  after.on_trace_opened(trace, {100, 5}, {9'000'000});
  EXPECT_THAT(after.take_orphaned_traces({9'000'000}), testing::ElementsAre(trace));
}

TEST(SavedTracker, IsTheSameAfterARoundTrip) {
  Tracker first, second;
  tell(first, 7, Field::project_path, "grp/\"demo\"\n", 1);
  tell(first, 7, Field::received_at, "5", 2);
  tell(first, 9, Field::outcome, "passed", 3);
  ASSERT_TRUE(second.restore(first.save()).ok());
  EXPECT_EQ(second.save(), first.save());
}

TEST(SavedTracker, ReadsWhatAnOlderOneWrote) {
  Tracker tracker;
  EXPECT_TRUE(tracker.restore(R"({"v":1})").ok());
  EXPECT_TRUE(
      tracker
          .restore(
              R"({"v":1,"later":true,"jobs":[{"instance":"lab","job":7,"facts":[["outcome","runner_log","passed"],
      ["a field of the future","runner_log","x"],["outcome"]]},{"job":"seven"},5]})")
          .ok());
  EXPECT_EQ(tracker.open_jobs(), 1u);
}

TEST(SavedTracker, RefusesWhatIsNotOne) {
  Tracker tracker;
  tell(tracker, 7, Field::received_at, "5", 2);
  for (const auto* bad : {"", "[]", "{}", R"({"v":0})", R"({"v":"x"})", R"({"v":1)", "\xff"})
    EXPECT_EQ(tracker.restore(bad).error().code(), Code::invalid_argument) << bad;
  EXPECT_EQ(tracker.restore(R"({"v":2})").error().code(), Code::unimplemented);
  EXPECT_EQ(tracker.open_jobs(), 1u) << "unchanged";
}

TEST(SavedTracker, IsSmallAfterManyJobs) {
  Tracker tracker;
  for (int64_t job = 1; job <= 2000; ++job) {
    tell(tracker, job, Field::outcome, "passed", job * 10'000'000);
    tracker.take_finished({job * 10'000'000 + 5'000'000});
  }
  EXPECT_LT(tracker.save().size(), 64u << 10);
}

}  // namespace
}  // namespace gitaiops::agent
