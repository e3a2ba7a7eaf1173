// Duration and memory that are far from what is usual on the target branch.
#include <gmock/gmock.h>

#include "controller/note/note.h"
#include "controller/note/words.h"
#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000, kMiB = 1 << 20;

JobView passed(std::string name, int64_t wall_s, int64_t memory_mib, Usual usual) {
  JobView job{.id = 1,
              .name = std::move(name),
              .status = "success",
              .failure_reason = "",
              .web_url = "",
              .report = std::nullopt};
  job.report.emplace().set_wall_us(wall_s * kSecond);
  job.report->mutable_usage()->mutable_memory_peak_bytes()->set_value(memory_mib * kMiB);
  for (auto& wall : usual.wall_us) wall *= kSecond;
  for (auto& memory : usual.memory_bytes) memory *= kMiB;
  job.usual = std::move(usual);
  return job;
}

std::vector<std::string> changes(JobView job) {
  View view;
  view.target_branch = "main";
  view.jobs.push_back(std::move(job));
  return usage_changes(view);
}

TEST(UsageChanges, WhatTookMuchLongerOrLessIsTold) {
  EXPECT_THAT(changes(passed("unit", 300, 0, {{60, 61, 63, 62, 65}, {}})),
              ElementsAre("`unit` took 5 min 0 s, usually 1 min 2 s on `main`"));
  EXPECT_THAT(changes(passed("unit", 20, 0, {{60, 61, 63, 62, 65}, {}})),
              ElementsAre("`unit` took 20 s, usually 1 min 2 s on `main`"));
}

TEST(UsageChanges, WhatNeededMuchMoreMemoryIsTold) {
  EXPECT_THAT(changes(passed("unit", 0, 900, {{}, {400, 410, 405, 401, 399}})),
              ElementsAre("`unit` needed up to 900 MiB of memory, usually 401 MiB on `main`"));
}

TEST(UsageChanges, WhatIsUsualNearSmallOrUnknownIsNot) {
  EXPECT_THAT(changes(passed("near", 80, 0, {{60, 61, 63, 62, 65}, {}})), IsEmpty());
  EXPECT_THAT(changes(passed("once as long", 300, 0, {{60, 61, 310, 62, 65}, {}})), IsEmpty());
  EXPECT_THAT(changes(passed("short", 9, 0, {{1, 1, 1, 1, 1}, {}})), IsEmpty());
  EXPECT_THAT(changes(passed("small", 0, 50, {{}, {5, 5, 5, 5, 5}})), IsEmpty());
  EXPECT_THAT(changes(passed("few runs", 300, 0, {{60, 61, 63, 62}, {}})), IsEmpty());
  auto failed = passed("failed", 300, 0, {{60, 61, 63, 62, 65}, {}});
  failed.status = "failed";
  EXPECT_THAT(changes(failed), IsEmpty());
  EXPECT_THAT(changes(passed("not measured", 300, 0, {{-1, 0, 60, 61, 63, 62}, {}})), IsEmpty());
  EXPECT_THAT(changes(passed("not known now", 0, 0, {{60, 61, 63, 62, 65}, {}})), IsEmpty());
}

TEST(UsageChanges, InTheNoteTheFarthestComeFirstAndTheRestIsFolded) {
  View view;
  view.place = "main/42/7";
  view.pipeline_status = "success";
  view.target_branch = "main";
  for (int i = 1; i <= 5; ++i)
    view.jobs.push_back(
        passed("job " + std::to_string(i), 100 * i + 200, 0, {{60, 61, 63, 62, 65}, {}}));
  EXPECT_EQ(Composer().compose(view), "") << "no note for this alone";
  view.has_note = true;
  const auto note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
  const auto fold = note.find("<details>");
  ASSERT_NE(fold, std::string::npos) << note;
  EXPECT_LT(note.find("- `job 5` took 11 min 40 s"), note.find("- `job 4`"));
  EXPECT_LT(note.find("- `job 3`"), fold);
  EXPECT_GT(note.find("- `job 2`"), fold);
}

}  // namespace
}  // namespace gitaiops::note
