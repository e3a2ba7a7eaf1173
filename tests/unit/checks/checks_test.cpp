#include "controller/checks/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::checks {
namespace {

using gitaiops::testing::await;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr UnixMicros kNow{1'700'000'000'000'000};
const store::MergeRequestKey kKey{"main", 42, 7};

class ChecksTest : public ::testing::Test {
 protected:
  ChecksTest() {
    merge_request.iid = 7;
    merge_request.project_id = 42;
    merge_request.project_path = "grp/demo";
    merge_request.state = "opened";
    merge_request.sha = "head";
    merge_request.web_url = "https://g/mr/7";
    merge_request.head_pipeline.emplace();
    merge_request.head_pipeline->id = 77;
    merge_request.head_pipeline->sha = "merged";
    gitlab.checks = {{5, "compliance", "pending"}, {6, "ours", "pending"}};
    view.jobs.emplace_back();
    view.jobs[0].status = "failed";
    view.jobs[0].project_id = 43;  // a fork runs it
  }
  Checks checks(Options options) {
    options.fails_on_jobs = true;
    options.on_told = [this](std::string_view kind, std::string_view result) {
      told.push_back(std::string(kind) + " " + std::string(result));
    };
    return Checks(store, clock, {{"main", &gitlab}}, std::move(options));
  }
  // Its handler's verdict on what there is to tell, the outcome written.
  queue::Verdict tell(Checks& checks) {
    const auto asked = checks.work_for(kKey, merge_request, view, kNow);
    EXPECT_TRUE(asked);
    store::Work work;
    work.payload = asked->payload;
    auto verdict = await(checks.tell(std::move(work)));
    store.apply(verdict.outcome);
    return verdict;
  }
  std::vector<std::string> outcomes() const {
    std::vector<std::string> out;
    for (const auto& record : store.audits) out.push_back(record.act + " " + record.outcome);
    return out;
  }

  FakeClock clock{kNow.value};
  gitlab::FakeGitlab gitlab;
  store::MemoryStore store;
  gitlab::MergeRequest merge_request;
  note::View view;
  std::vector<std::string> told;
};

TEST_F(ChecksTest, OnlyOpenMergeRequestsWhosePipelineIsOverAreToldOf) {
  auto room = checks({.commit_status = "gitaiops"});
  const auto work = room.work_for(kKey, merge_request, view, kNow);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->kind, "merge_request.status");
  EXPECT_EQ(work->unique_key, "main/42/7");
  view.jobs[0].status = "running";
  EXPECT_FALSE(room.work_for(kKey, merge_request, view, kNow));
  view.jobs[0].status = "failed";
  merge_request.state = "merged";
  EXPECT_FALSE(room.work_for(kKey, merge_request, view, kNow));
  merge_request.state = "opened";
  merge_request.head_pipeline.reset();
  EXPECT_FALSE(room.work_for(kKey, merge_request, view, kNow));
}

TEST_F(ChecksTest, NothingIsWantedByDefault) {
  EXPECT_FALSE(checks({}).wanted());
  EXPECT_TRUE(checks({.external_check = "ours"}).wanted());
}

TEST_F(ChecksTest, AStatusIsSetOnThePipelinesCommitWhereItRan) {
  store.notes["mr/main/42/7"].gitlab_note_id = 99;
  auto room = checks({.commit_status = "gitaiops"});
  EXPECT_TRUE(std::holds_alternative<queue::Done>(tell(room).what));
  EXPECT_THAT(gitlab.writes, ElementsAre("status failed of 43/merged/77"));
  const auto& status = gitlab.statuses.at({"merged", "gitaiops"});
  EXPECT_EQ(status.description, "1 of 1 job failed; no dependencies were seen");
  EXPECT_EQ(status.target_url, "https://g/mr/7#note_99");
  EXPECT_THAT(outcomes(),
              ElementsAre(StartsWith("commit_status.set decided: failed in pipeline 77"),
                          StartsWith("commit_status.set done: failed in pipeline 77")));
  EXPECT_EQ(store.audits[0].object, "merge request 7 of grp/demo");
  EXPECT_THAT(told, ElementsAre("commit done"));
}

TEST_F(ChecksTest, AnAddressThatGitlabWouldRefuseIsLeftOut) {
  merge_request.web_url = "https://g/" + std::string(250, 'a') + "/mr/7";
  auto room = checks({.commit_status = "gitaiops"});
  tell(room);
  EXPECT_EQ(gitlab.statuses.at({"merged", "gitaiops"}).target_url, "");
}

TEST_F(ChecksTest, WhatGitlabShowsAlreadyIsNotSaidAgain) {
  auto room = checks({.commit_status = "gitaiops", .external_check = "ours"});
  tell(room);
  tell(room);
  EXPECT_THAT(gitlab.writes,
              ElementsAre("status failed of 43/merged/77", "check 6 failed at head"));
  view.jobs[0].status = "success";  // retried by hand
  tell(room);
  EXPECT_THAT(gitlab.writes,
              ElementsAre("status failed of 43/merged/77", "check 6 failed at head",
                          "status success of 43/merged/77", "check 6 passed at head"));
}

TEST_F(ChecksTest, AProjectWithoutTheExternalCheckIsLeftAlone) {
  gitlab.checks.pop_back();
  auto room = checks({.external_check = "ours"});
  EXPECT_TRUE(std::holds_alternative<queue::Done>(tell(room).what));
  EXPECT_THAT(gitlab.writes, IsEmpty());
  EXPECT_THAT(store.audits, IsEmpty());
}

TEST_F(ChecksTest, ANewerPushHasAnAnswerOfItsOwn) {
  gitlab.failures.emplace("answer_status_check", Error(Code::already_exists, "409"));
  auto room = checks({.external_check = "ours"});
  EXPECT_TRUE(std::holds_alternative<queue::Done>(tell(room).what));
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(ChecksTest, ARefusalIsRecordedOnceAndNotTriedForEver) {
  gitlab.failures.emplace("set_commit_status", Error(Code::permission_denied, "403 Forbidden"));
  auto room = checks({.commit_status = "gitaiops"});
  EXPECT_TRUE(std::holds_alternative<queue::Done>(tell(room).what));
  tell(room);
  EXPECT_THAT(outcomes(),
              ElementsAre(HasSubstr("decided: "), HasSubstr("refused: "), HasSubstr("decided: ")));
  EXPECT_THAT(told, ElementsAre("commit refused", "commit refused"));
}

TEST_F(ChecksTest, GitlabDownIsTriedAgainLater) {
  gitlab.failures.emplace("commit_statuses", Error(Code::unavailable, "502"));
  auto room = checks({.commit_status = "gitaiops"});
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(tell(room).what));
  EXPECT_THAT(gitlab.writes, IsEmpty());
  EXPECT_THAT(store.audits, IsEmpty());
  gitlab.failures.clear();
  tell(room);
  EXPECT_THAT(gitlab.writes, ElementsAre("status failed of 43/merged/77"));
}

TEST_F(ChecksTest, NobodyIsToldBeforeItIsInTheAudit) {
  store.audit_fails = true;
  auto room = checks({.commit_status = "gitaiops", .external_check = "ours"});
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(tell(room).what));
  EXPECT_THAT(gitlab.writes, IsEmpty());
}

TEST_F(ChecksTest, WorkThatCannotBeReadOrIsOfAnotherGitlabIsOver) {
  auto room = checks({.commit_status = "gitaiops"});
  store::Work work;
  work.payload = "no json";
  EXPECT_TRUE(std::holds_alternative<queue::GiveUp>(await(room.tell(work)).what));
  work.payload = room.work_for({"gone", 42, 7}, merge_request, view, kNow)->payload;
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(room.tell(work)).what));
  EXPECT_THAT(gitlab.writes, IsEmpty());
}

}  // namespace
}  // namespace gitaiops::checks
