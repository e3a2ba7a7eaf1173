#include "engines/triage/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(History, ReadsACommitWithAndWithoutLineCounts) {
  const auto commit = read_commit(
      R"({"commit":"1f","date":1700000000,"author":"ann","files":[["lib/a.c",3,1],"doc/b.md"],)"
      R"("reviewers":["ben"],"acks":["cem"],"subject":"x"})");
  ASSERT_TRUE(commit.ok()) << commit.error().to_string();
  EXPECT_EQ(commit->id, "1f");
  EXPECT_EQ(commit->time_s, 1'700'000'000);
  EXPECT_THAT(commit->files, ElementsAre("lib/a.c", "doc/b.md"));
  EXPECT_THAT(commit->reviewers, ElementsAre("ben"));
  EXPECT_THAT(commit->acks, ElementsAre("cem"));
}

TEST(History, WhatIsWrongIsNamed) {
  const auto why = [](std::string_view json) { return read_commit(json).error().to_string(); };
  EXPECT_THAT(why("{"), HasSubstr("not JSON"));
  EXPECT_THAT(why("[]"), HasSubstr("object"));
  EXPECT_THAT(why(R"({"date":1,"author":"a","files":[]})"), HasSubstr("\"commit\" is missing"));
  EXPECT_THAT(why(R"({"commit":"1","date":"x","author":"a","files":[]})"), HasSubstr("\"date\""));
  EXPECT_THAT(why(R"({"commit":"1","date":9000000000000,"author":"a","files":[]})"),
              HasSubstr("\"date\""));
  EXPECT_THAT(why(R"({"commit":"1","date":1,"author":"a"})"), HasSubstr("\"files\""));
  EXPECT_THAT(why(R"({"commit":"1","date":1,"author":"a","files":[[]]})"), HasSubstr("\"files\""));
  EXPECT_THAT(why(R"({"commit":"1","date":1,"author":"a","files":[],"reviewers":[7]})"),
              HasSubstr("\"reviewers\""));
}

TEST(History, CasesNeedNoReviewers) {
  const auto cases = read_cases(
      R"([{"commit":"1","date":1,"author":"a","files":["x"]},{"commit":"2","date":2,"author":"b","files":[]}])");
  ASSERT_TRUE(cases.ok());
  ASSERT_EQ(cases->size(), 2u);
  EXPECT_THAT((*cases)[0].reviewers, IsEmpty());
  EXPECT_THAT(
      read_cases(R"([{"commit":"1","date":1,"author":"a","files":["x"]},7])").error().to_string(),
      HasSubstr("case 2"));
}

TEST(History, MachinesAreKnownByTheirNames) {
  for (const auto* name : {"release-bot", "Jenkins", "foo CI", "project_1_bot", "dependabot[bot]",
                           "GitLab Automation", "noreply@example.com"})
    EXPECT_TRUE(is_machine(name)) << name;
  for (const auto* name : {"Abbott", "Cid", "Robot Jones", "Marci", "Talbot"})
    EXPECT_FALSE(is_machine(name)) << name;
}

}  // namespace
}  // namespace gitaiops::triage
