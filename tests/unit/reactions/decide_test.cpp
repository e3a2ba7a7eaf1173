#include "controller/reactions/decide.h"

#include <gtest/gtest.h>

#include "controller/queue/queue.h"

namespace gitaiops::reactions {
namespace {

TEST(MergeRequestOfRef, ReadsOnlyWhatGitlabWrites) {
  EXPECT_EQ(merge_request_of_ref("refs/merge-requests/7/head"), 7);
  EXPECT_EQ(merge_request_of_ref("refs/merge-requests/12/merge"), 12);
  EXPECT_EQ(merge_request_of_ref("refs/merge-requests/12/train"), 12);
  for (const char* ref : {"main", "refs/merge-requests/7", "refs/merge-requests/x/head",
                          "refs/merge-requests/-7/head", "refs/merge-requests/0/head",
                          "refs/merge-requests/7/head/x", "a/refs/merge-requests/7/head", ""})
    EXPECT_EQ(merge_request_of_ref(ref), std::nullopt) << ref;
}

TEST(Standing, OnlyTerminalStatesCount) {
  EXPECT_EQ(standing("failed"), Standing::failed);
  EXPECT_EQ(standing("success"), Standing::passed);
  EXPECT_EQ(standing("canceled"), Standing::silent);
  for (const char* status : {"running", "pending", "canceling", "created", "", "new_word"})
    EXPECT_EQ(standing(status), Standing::unfinished) << status;
}

TEST(PollWait, IsQuickFirstAndEndsAtLast) {
  EXPECT_EQ(poll_wait(1), std::chrono::milliseconds(250));
  EXPECT_EQ(poll_wait(2), std::chrono::milliseconds(325));
  EXPECT_EQ(poll_wait(30), std::chrono::milliseconds(1500));
  EXPECT_EQ(poll_wait(100), std::chrono::seconds(15));
  EXPECT_EQ(poll_wait(419), std::chrono::seconds(60));
  EXPECT_EQ(poll_wait(420), std::nullopt);
}

TEST(WorkFor, ReportedJobsAreResolved) {
  const std::vector<store::Event> events = {{1, "job.started", "main", 42, "id-1", {}},
                                            {2, "job.reported", "main", 42, "id-1", {}},
                                            {3, "note.changed", "main", 42, "x", {}}};
  const auto work = work_for(events, UnixMicros{5});
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].kind, "job.resolve");
  EXPECT_EQ(work[0].unique_key, "main/id-1");
  EXPECT_EQ(read_resolve_job(work[0].payload)->job, "id-1");
}

// A webhook is a nudge to the same work, whoever told first.
TEST(WorkFor, WhatGitlabTellsLeadsToTheSameWork) {
  const std::vector<store::Event> events = {
      {1, "job.reported", "main", 42, "id-1", {}},
      {2, "job.told", "main", 42, "id-1", {}},
      {3, "merge_request.changed", "main", 42, "main/42/7", {}},
      {4, "merge_request.changed", "main", 42, "garbage", {}}};
  const auto work = work_for(events, UnixMicros{5});
  ASSERT_EQ(work.size(), 3u);
  EXPECT_EQ(work[0].unique_key, work[1].unique_key);
  EXPECT_EQ(work[0].kind, work[1].kind);
  EXPECT_EQ(work[2].kind, "note.update");
  const store::MergeRequestKey key{"main", 42, 7};
  EXPECT_EQ(queue::merge_request_in(work[2].payload), key);
  EXPECT_EQ(work[2].unique_key, update_note_work(key, UnixMicros{9}).unique_key);
}

TEST(Head, IsWaitedForWhileGitlabIsBehind) {
  gitlab::MergeRequest mr;
  mr.sha = "new";
  EXPECT_TRUE(wait_for_head(mr, 78, 1)) << "none yet";
  mr.head_pipeline.emplace().id = 77;
  mr.head_pipeline->sha = "old";
  EXPECT_TRUE(wait_for_head(mr, 78, 1)) << "still the one of the commit before";
  EXPECT_FALSE(wait_for_head(mr, 78, 31)) << "not for ever";
  EXPECT_FALSE(wait_for_head(mr, 77, 1));
  EXPECT_FALSE(wait_for_head(mr, 76, 1)) << "superseded";
  EXPECT_FALSE(wait_for_head(mr, 0, 1)) << "nobody knows whose news it is";
  mr.head_pipeline->sha = "new";
  EXPECT_FALSE(wait_for_head(mr, 78, 1)) << "two pipelines of one commit";
}

TEST(Payloads, SurviveNonsense) {
  const auto work = update_note_work({"main", 42, 7}, {});
  EXPECT_EQ(work.unique_key, "main/42/7");
  EXPECT_EQ(queue::merge_request_in(work.payload), (store::MergeRequestKey{"main", 42, 7}));
  EXPECT_EQ(pipeline_of(update_note_work({"main", 42, 7}, {}, 78).payload), 78);
  EXPECT_EQ(pipeline_of(R"({"pipeline":"x"})"), 0);
  for (const char* payload :
       {"", "[]", "{", "null", R"({"instance":1})", R"({"instance":"a","project":0,"iid":1})"}) {
    EXPECT_FALSE(queue::merge_request_in(payload)) << payload;
    EXPECT_FALSE(read_resolve_job(payload)) << payload;
  }
}

TEST(OwnNote, NeedsAuthorAndMarker) {
  const std::vector<gitlab::Note> notes = {{1, 5, false, "<!-- m --> forged by another"},
                                           {2, 8, true, "<!-- m --> system"},
                                           {3, 8, false, "other <!-- m -->"},
                                           {4, 8, false, "<!-- m -->\nours"}};
  EXPECT_EQ(own_note(notes, 8, "<!-- m -->")->id, 4);
  EXPECT_EQ(own_note(notes, 9, "<!-- m -->"), nullptr);
}

class ObjectionTest : public ::testing::Test {
 protected:
  ObjectionTest() {
    job_.key = {"main", 42, 9};
    job_.project_path = "grp/demo";
    project_.id = 42;
    project_.path = "grp/demo";
    at_gitlab_.id = 9;
    at_gitlab_.status = "failed";
    at_gitlab_.started = true;
    at_gitlab_.project_id = 42;
  }
  std::optional<std::string> why() {
    return objection(job_, {{"main", "grp/*"}}, project_, at_gitlab_);
  }
  store::Job job_;
  gitlab::Project project_;
  gitlab::Job at_gitlab_;
};

TEST_F(ObjectionTest, NoneWhenAllAgrees) {
  EXPECT_EQ(why(), std::nullopt);
}
TEST_F(ObjectionTest, AgentMayNotSpeakForTheProject) {
  project_.path = job_.project_path = "other/demo";
  EXPECT_EQ(why(), "its agent may not speak for other/demo");
}
TEST_F(ObjectionTest, PathOfAnotherProject) {
  job_.project_path = "grp/victim";
  EXPECT_EQ(why(), "reported for grp/victim, GitLab says grp/demo");
}
TEST_F(ObjectionTest, UnknownIdAndOtherCaseAreFine) {
  job_.key.project_id = 0;
  job_.project_path = "Grp/Demo";
  EXPECT_EQ(why(), std::nullopt);
}
TEST_F(ObjectionTest, AnotherRunner) {
  job_.report.mutable_runner()->set_system_id("s_mine");
  EXPECT_EQ(why(), std::nullopt) << "an old GitLab does not say";
  at_gitlab_.runner_system_id = "s_other";
  EXPECT_EQ(why(), "reported from runner system s_mine, GitLab says s_other");
}
TEST_F(ObjectionTest, NeverRun) {
  at_gitlab_.started = false;
  EXPECT_EQ(why(), "GitLab says that no runner ever ran it");
}

TEST(MayQuoteLogs, NotToMoreReadersThanTheLogHas) {
  using enum gitlab::Visibility;
  const auto project = [](gitlab::Visibility visibility, bool members_only) {
    gitlab::Project out;
    out.visibility = visibility;
    out.logs_for_members_only = members_only;
    return out;
  };
  EXPECT_TRUE(may_quote_logs(project(public_, false), project(public_, false)));
  EXPECT_TRUE(may_quote_logs(project(private_, true), project(private_, true)));
  EXPECT_FALSE(may_quote_logs(project(public_, true), project(public_, true)));
  EXPECT_FALSE(may_quote_logs(project(private_, false), project(public_, false)))
      << "a private fork of a public project";
}

}  // namespace
}  // namespace gitaiops::reactions
