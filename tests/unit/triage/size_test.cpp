#include "engines/triage/size.h"

#include <gmock/gmock.h>

#include "engines/triage/paths.h"

namespace gitaiops::triage {
namespace {

Change of(std::vector<std::string> files, std::vector<LineCount> lines) {
  Change change{"ann", std::move(files), 0};
  change.lines = std::move(lines);
  return change;
}

Commit commit(int64_t lines) {
  Commit out;
  out.author = "ann";
  out.files = {"a.c"};
  out.lines = {{lines, 0}};
  return out;
}

TEST(Size, LockFilesAreChangedButNotRead) {
  const auto size = size_of(of({"src/a.c", "package-lock.json"}, {{8, 4}, {4000, 3000}}), {});
  ASSERT_TRUE(size);
  EXPECT_EQ(size->lines->added, 4008);
  EXPECT_EQ(size->lines_to_read, 10);
  EXPECT_EQ(size->complexity, Complexity::trivial);
  EXPECT_FALSE(size->percentile);
}

TEST(Size, GrowsWithLinesAndWithFiles) {
  EXPECT_EQ(size_of(of({"a.c"}, {{11, 0}}), {})->complexity, Complexity::small);
  EXPECT_EQ(size_of(of({"a.c"}, {{101, 0}}), {})->complexity, Complexity::medium);
  EXPECT_EQ(size_of(of({"a.c"}, {{401, 0}}), {})->complexity, Complexity::large);
  EXPECT_EQ(size_of(of({"a.c"}, {{1001, 0}}), {})->complexity, Complexity::huge);
  EXPECT_EQ(size_of(of(std::vector<std::string>(3000, "a.c"), {}), {})->complexity,
            Complexity::huge);
  EXPECT_FALSE(size_of(Change{}, {}));
}

TEST(Size, IsComparedWithTheProjectsOwnPast) {
  ProjectHistory history;
  for (int64_t lines = 1; lines <= 100; ++lines) history.add(commit(lines));
  EXPECT_NEAR(*size_of(of({"b.c"}, {{80, 0}}), history)->percentile, 79.5, 1e-9);
}

TEST(Effort, WithoutReviewsItIsTheTimeToRead) {
  const auto effort = effort_of(*size_of(of({"a.c"}, {{500, 0}}), {}), {});
  ASSERT_TRUE(effort);
  EXPECT_FALSE(effort->from_history);
  EXPECT_NEAR(effort->p50_h, 0.1 + 1.0 / 60 + 1, 1e-9);
  EXPECT_GT(effort->p80_h, effort->p50_h);
  EXPECT_FALSE(effort_of(*size_of(of({"a.c"}, {}), {}), {}));
}

TEST(Effort, FollowsThisProjectsReviewsOfThatSize) {
  ProjectHistory history;
  for (int i = 0; i < 60; ++i) history.add(ReviewTime{.lines = 10, .hours = 1.0 + i % 3});
  for (int i = 0; i < 60; ++i) history.add(ReviewTime{.lines = 1000, .hours = 40.0 + i % 3});
  history.add(ReviewTime{.lines = 10, .hours = std::numeric_limits<double>::infinity()});
  history.add(ReviewTime{.lines = 10, .hours = -1});
  const auto effort = effort_of(*size_of(of({"a.c"}, {{900, 0}}), history), history);
  EXPECT_TRUE(effort->from_history);
  EXPECT_NEAR(effort->p50_h, 41, 1);
  EXPECT_GE(effort->p80_h, effort->p50_h);
  EXPECT_GT(*effort->percentile, 50);
}

TEST(Paths, SayWhatAFileIs) {
  EXPECT_EQ(role_of(".gitlab-ci.yml"), Role::ci);
  EXPECT_EQ(role_of(".github/workflows/release.yml"), Role::ci);
  EXPECT_EQ(role_of("go.sum"), Role::dependency);
  EXPECT_EQ(role_of("web/package.json"), Role::dependency);
  EXPECT_EQ(role_of("db/migrate/2024_add.rb"), Role::migration);
  EXPECT_EQ(role_of("src/reader_test.go"), Role::test);
  EXPECT_EQ(role_of("src/ReaderTest.java"), Role::test);
  EXPECT_EQ(role_of("src/latest.c"), Role::code);
  EXPECT_EQ(role_of("CMakeLists.txt"), Role::build);
  EXPECT_EQ(role_of("docs/install.md"), Role::docs);
  EXPECT_EQ(role_of("vendor/x/y.go"), Role::generated);
  EXPECT_EQ(role_of("src/app.toml"), Role::config);
  EXPECT_EQ(role_of(""), Role::code);
}

}  // namespace
}  // namespace gitaiops::triage
