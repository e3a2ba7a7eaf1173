#include "engines/triage/project_history.h"

#include <cmath>

#include <gmock/gmock.h>

namespace gitaiops::triage {
namespace {

using namespace risk;

constexpr int64_t kDay = 86'400;

Commit commit(int64_t day, const std::string& author, std::vector<std::string> files,
              std::vector<LineCount> lines, const std::string& message = "Change it") {
  Commit out;
  out.id = "c0ffee" + std::to_string(1000000 + day);
  out.time_s = day * kDay;
  out.author = author;
  out.files = std::move(files);
  out.lines = std::move(lines);
  out.message = message;
  return out;
}

ProjectHistory small() {
  ProjectHistory history;
  history.add(commit(100, "ann", {"lib/net/a.c", "lib/net/b.c"}, {{100, 0}, {50, 0}}));
  history.add(commit(110, "ben", {"lib/net/a.c"}, {{20, 10}}));
  history.add(commit(120, "ann", {"app/main.c"}, {{10, 0}}));
  return history;
}

TEST(ProjectHistory, MeasuresAChangeByWhatWasBefore) {
  Change change{"ann", {"lib/net/a.c", "app/main.c"}, 130 * kDay, "Fix the reader"};
  change.lines = {{3, 1}, {12, 0}};
  const auto f = small().features(change);
  EXPECT_EQ(f[ns], 2);
  EXPECT_EQ(f[nd], 2);
  EXPECT_EQ(f[nf], 2);
  EXPECT_NEAR(f[entropy], 0.8113, 1e-4);  // 4 and 12 of 16 lines
  EXPECT_EQ(f[la], 15);
  EXPECT_EQ(f[ld], 1);
  EXPECT_EQ(f[lt], (110 + 10) / 2.0);
  EXPECT_EQ(f[fix], 1);
  EXPECT_EQ(f[ndev], 2);
  EXPECT_EQ(f[age], 15);  // 20 and 10 days
  EXPECT_EQ(f[nuc], 3);
  EXPECT_EQ(f[exp], 2);
  EXPECT_NEAR(f[rexp], 1 / (1 + 30 / 365.0) + 1 / (1 + 10 / 365.0), 1e-9);
  EXPECT_EQ(f[sexp], 2);
}

TEST(ProjectHistory, WhatIsNotKnownIsNotMadeUp) {
  const auto f = ProjectHistory().features(Change{"ann", {"a.c"}, 130 * kDay});
  EXPECT_EQ(f[nf], 1);
  for (const auto unknown : {la, ld, entropy, fix, lt, ndev, age, nuc, exp})
    EXPECT_TRUE(std::isnan(f[unknown])) << unknown;
  for (const auto value : small().features(Change{})) EXPECT_TRUE(std::isnan(value));
}

TEST(ProjectHistory, AStrangerWithANewFileHasNoPast) {
  const auto f = small().features(Change{"cem", {"new/x.c"}, 130 * kDay, "Add x"});
  for (const auto none : {lt, fix, ndev, age, nuc, exp, rexp, sexp}) EXPECT_EQ(f[none], 0) << none;
}

TEST(ProjectHistory, LaterCommitsCallEarlierOnesRisky) {
  ProjectHistory history = small();
  history.add(commit(125, "ben", {"lib/net/a.c"}, {{1, 1}}, "Repair it\n\nFixes: c0ffee1000110"));
  ASSERT_EQ(history.past().size(), 4);
  EXPECT_FALSE(history.past()[0].risky);
  EXPECT_TRUE(history.past()[1].risky);
}

TEST(ProjectHistory, ACommitOfManyFilesSaysNothingOfThem) {
  ProjectHistory history;
  std::vector<std::string> files;
  for (int i = 0; i < 101; ++i) files.push_back("f" + std::to_string(i));
  history.add(commit(1, "ann", files, {}));
  EXPECT_FALSE(history.past()[0].telling);
  EXPECT_EQ(history.features(Change{"ann", {"f1"}, 2 * kDay})[nuc], 0);
}

TEST(ProjectHistory, ClocksThatJumpBackDoNotMakeAgesNegative) {
  ProjectHistory history;
  history.add(commit(100, "ann", {"a.c"}, {{1, 0}}));
  history.add(commit(50, "ann", {"a.c"}, {{1, 0}}));
  EXPECT_EQ(history.features(Change{"ann", {"a.c"}, 60 * kDay})[age], 0);
}

}  // namespace
}  // namespace gitaiops::triage
