#include "controller/reactions/reactions.h"

#include <gtest/gtest.h>

#include "controller/reactions/decide.h"
#include "tests/unit/reactions/reactions_fixture.h"

namespace gitaiops::reactions {
namespace {

using queue::Again;
using queue::Done;
using queue::Failed;
using queue::GiveUp;

constexpr const char* kMergeRequest = "mr/main/42/7";

using Strings = std::vector<std::string>;

// ---- job.resolve ----

TEST_F(ReactionsTest, AFailedJobOfABranchFindsItsMergeRequest) {
  job(9, "build", "failed");
  EXPECT_TRUE(std::holds_alternative<Done>(resolve(9).what));
  const auto& facts = store_.jobs_by_id["job-9"].gitlab;
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->status, "failed");
  EXPECT_EQ(facts->name, "build");
  EXPECT_EQ(facts->pipeline_id, 77);
  EXPECT_EQ(facts->merge_request, (store::MergeRequestKey{"main", 42, 7}));
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
  EXPECT_EQ(store_.items[0].not_before, clock_.now() + 700'000);
}

TEST_F(ReactionsTest, AMergeRequestRefNamesIt) {
  job(9, "build", "failed").ref = "refs/merge-requests/7/merge";
  gitlab_.jobs[9].sha = "merge-commit";
  resolve(9);
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
}

TEST_F(ReactionsTest, WaitsUntilGitlabCallsItFinished) {
  job(9, "build", "running");
  const auto verdict = resolve(9, 2);
  ASSERT_TRUE(std::holds_alternative<Again>(verdict.what));
  EXPECT_EQ(std::get<Again>(verdict.what).after, std::chrono::milliseconds(325));
  EXPECT_FALSE(store_.jobs_by_id["job-9"].gitlab);
  EXPECT_TRUE(std::holds_alternative<GiveUp>(resolve(9, 1000).what));
}

TEST_F(ReactionsTest, AForksBranchLeadsIntoTheTargetProject) {
  gitlab::Project fork;
  fork.id = 43;
  fork.path = "grp/fork";
  fork.forked_from_id = 42;
  gitlab_.projects[43] = fork;
  gitlab_.merge_requests[{42, 7}].source_project_id = 43;
  job(9, "build", "failed").project_id = 43;
  store_.jobs_by_id["job-9"].key.project_id = 43;
  store_.jobs_by_id["job-9"].project_path = "grp/fork";
  resolve(9);
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
  // The same, by the ref that GitLab uses for pipelines of merge requests.
  store_.items.clear();
  gitlab_.jobs[9].ref = "refs/merge-requests/7/head";
  resolve(9);
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
  // An agent that may speak for the fork alone does not speak in the target.
  store_.items.clear();
  store_.agents_by_id["agent"].scope = {{"main", "grp/fork"}};
  resolve(9, 1, 3);
  EXPECT_EQ(waiting(), Strings{});
}

TEST_F(ReactionsTest, ANamesakeBranchOfAnotherForkIsNotMeant) {
  gitlab_.merge_requests[{42, 7}].source_project_id = 99;
  job(9, "build", "failed");
  resolve(9, 1, 3);
  EXPECT_EQ(waiting(), Strings{});
}

TEST_F(ReactionsTest, LooksAgainForAMergeRequestThatIsNotThereYet) {
  const auto mr = gitlab_.merge_requests[{42, 7}];
  gitlab_.merge_requests.clear();
  job(9, "build", "failed");
  resolve(9);
  EXPECT_EQ(waiting(), Strings{"job.resolve main/job-9/1"});
  EXPECT_EQ(store_.items[0].not_before, clock_.now() + 60 * kMicrosPerSecond);
  EXPECT_EQ(store_.jobs_by_id["job-9"].gitlab->status, "failed");
  store_.items.clear();
  gitlab_.merge_requests[{42, 7}] = mr;
  resolve(9, 1, 1);
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
  store_.items.clear();
  gitlab_.merge_requests.clear();
  resolve(9, 1, 3);
  EXPECT_EQ(waiting(), Strings{}) << "not for ever";
}

TEST_F(ReactionsTest, APassedJobConcernsOnlyANoteOrAFailureThatStands) {
  job(8, "lint", "success");
  resolve(8);
  EXPECT_EQ(waiting(), Strings{});
  job(9, "build", "failed");
  resolve(9);
  store_.items.clear();
  resolve(8);
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"})
      << "a failure is known, its note may be on its way";
}

TEST_F(ReactionsTest, ACanceledJobIsSilent) {
  job(9, "build", "canceled");
  resolve(9);
  EXPECT_EQ(waiting(), Strings{});
  EXPECT_EQ(store_.jobs_by_id["job-9"].gitlab->status, "canceled");
}

TEST_F(ReactionsTest, RefusesWhatTheAgentMayNotSay) {
  job(9, "build", "failed");
  store_.agents_by_id["agent"].scope = {{"main", "other/*"}};
  EXPECT_TRUE(std::holds_alternative<Done>(resolve(9).what));
  EXPECT_FALSE(store_.jobs_by_id["job-9"].gitlab);
  EXPECT_EQ(waiting(), Strings{});
  ASSERT_EQ(store_.audits.size(), 1u);
  EXPECT_EQ(store_.audits[0].act, "job.refuse");
  EXPECT_EQ(store_.audits[0].outcome, "failed: its agent may not speak for grp/demo");
  store_.agents_by_id["agent"].scope = store::everything();
  store_.agents_by_id["agent"].revoked_at = clock_.now();
  resolve(9);
  EXPECT_FALSE(store_.jobs_by_id["job-9"].gitlab) << "revoked";
}

TEST_F(ReactionsTest, PassingTroubleIsTriedAgainAndRefusalIsNot) {
  job(9, "build", "failed");
  gitlab_.hint = std::chrono::seconds(20);
  gitlab_.failures.insert({"job", {Code::resource_exhausted, "429"}});
  const auto later = resolve(9);
  ASSERT_TRUE(std::holds_alternative<Failed>(later.what));
  EXPECT_EQ(std::get<Failed>(later.what).not_within, std::chrono::seconds(20));
  gitlab_.failures.clear();
  gitlab_.failures.insert({"job", {Code::not_found, "404"}});
  const auto gone = resolve(9);
  ASSERT_TRUE(std::holds_alternative<GiveUp>(gone.what))
      << "the project is ours to see, so it is gone";
  EXPECT_EQ(std::get<GiveUp>(gone.what).why, "job 9 of grp/demo: 404");
  ASSERT_EQ(store_.audits.size(), 1u);
  EXPECT_EQ(store_.audits[0].outcome, "failed: 404");
}

TEST_F(ReactionsTest, AProjectThatIsNotShownIsAskedForAgainForADay) {
  job(9, "build", "failed");
  const std::string cure =
      "404; add the bot as Developer to grp/demo, or give its token access to it";
  for (const auto& [call, code] :
       {std::pair("project", Code::not_found), std::pair("project", Code::permission_denied),
        std::pair("job", Code::permission_denied)}) {
    gitlab_.failures = {{call, Error(code, "404")}};
    store_.audits.clear();
    std::chrono::microseconds waited{0};
    int attempts = 1;
    for (;; ++attempts) {
      const auto verdict = resolve(9, attempts);
      if (const auto* end = std::get_if<GiveUp>(&verdict.what)) {
        EXPECT_EQ(end->why, "job 9 of grp/demo: " + cure);
        break;
      }
      ASSERT_TRUE(std::holds_alternative<Again>(verdict.what));
      EXPECT_EQ(std::get<Again>(verdict.what).why, "job 9 of grp/demo: " + cure);
      waited += std::get<Again>(verdict.what).after;
    }
    EXPECT_GT(waited, std::chrono::hours(22));
    EXPECT_LT(waited, std::chrono::hours(25));
    EXPECT_EQ(attempts, 29);
    ASSERT_EQ(store_.audits.size(), 2u) << "at first and at last";
    EXPECT_EQ(store_.audits[0].object, "job 9 of grp/demo");
    EXPECT_EQ(store_.audits[0].outcome, "failed: " + cure);
  }
  // Somebody added the bot.
  gitlab_.failures.clear();
  EXPECT_TRUE(std::holds_alternative<Done>(resolve(9, 5).what));
  EXPECT_EQ(waiting(), Strings{"note.update main/42/7"});
}

TEST_F(ReactionsTest, AnInstanceThatIsNotConfiguredIsToldOnce) {
  store_.agents_by_id["agent"].host_name = "build-1";
  job(8, "lint", "success");
  job(9, "unit", "success");
  store_.jobs_by_id["job-8"].key.instance = store_.jobs_by_id["job-9"].key.instance = "gitlab-com";
  EXPECT_TRUE(std::holds_alternative<Done>(resolve(8).what));
  resolve(9);
  ASSERT_EQ(store_.audits.size(), 1u);
  EXPECT_EQ(store_.audits[0].act, "job.read");
  EXPECT_EQ(store_.audits[0].instance, "gitlab-com");
  EXPECT_EQ(store_.audits[0].outcome,
            "failed: the agent on build-1 reports jobs of the instance \"gitlab-com\", which no "
            "[[gitlab]] of the controller names (main): the id must be the same on both sides");
  // With no GitLab at all there is nothing to warn of.
  Reactions alone(store_, clock_, {});
  run(alone.resolve_job({1, 1, "job.resolve", "", R"({"job":"job-8"})", 1}));
  EXPECT_EQ(store_.audits.size(), 1u);
}

TEST_F(ReactionsTest, WithoutGitlabTheNoteIsKeptForTheApi) {
  job(9, "build", "failed");
  store_.jobs_by_id["job-9"].key.instance = "nowhere";
  resolve(9);
  const auto& note = store_.notes["job/job-9"];
  EXPECT_NE(note.body.find("**1 job failed:** job 9 — compile error"), std::string::npos)
      << note.body;
  EXPECT_EQ(note.gitlab_note_id, 0);
  EXPECT_EQ(note.project_path, "grp/demo");
  ASSERT_EQ(store_.audits.size(), 2u);
  EXPECT_EQ(store_.audits[1].act, "note.keep");
  job(8, "lint", "success");
  store_.jobs_by_id["job-8"].key.instance = "nowhere";
  resolve(8);
  EXPECT_FALSE(store_.notes.contains("job/job-8"));
}

// ---- note.update ----

TEST_F(ReactionsTest, CreatesEditsAndLeavesTheNote) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  update();
  EXPECT_EQ(gitlab_.writes, Strings{"create"});
  EXPECT_NE(body().find("**1 job failed:** `build` — compile error"), std::string::npos) << body();
  EXPECT_EQ(store_.notes[kMergeRequest].gitlab_note_id, 100);
  EXPECT_EQ(store_.notes[kMergeRequest].project_path, "grp/demo");
  ASSERT_EQ(store_.audits.size(), 1u);
  EXPECT_EQ(store_.audits[0].act, "note.create");
  EXPECT_EQ(store_.audits[0].object, "merge request 7 of grp/demo");

  update();
  EXPECT_EQ(gitlab_.writes.size(), 1u) << "nothing new, nothing written";

  job(10, "unit", "failed");
  resolve(10);
  at_pipeline();
  update();
  EXPECT_EQ(gitlab_.writes, (Strings{"create", "update 100"}));
  EXPECT_NE(body().find("**2 jobs failed:** `build`, `unit`"), std::string::npos) << body();
}

TEST_F(ReactionsTest, ARetryThatPassedTurnsTheNoteGreenOnce) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  update();
  // The retry is a new job; GitLab's list no longer has the old one.
  gitlab_.jobs.clear();
  job(11, "build", "success");
  resolve(11);
  at_pipeline();
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "success";
  update();
  EXPECT_NE(body().find("**All green now.**"), std::string::npos) << body();
  EXPECT_EQ(body().find("compile error"), std::string::npos);
  update();
  EXPECT_EQ(gitlab_.writes, (Strings{"create", "update 100"}));
}

TEST_F(ReactionsTest, AJobThatTakesFarLongerThanOnTheTargetBranchIsTold) {
  gitlab_.merge_requests[{42, 7}].target_branch = "trunk";
  job(9, "build", "failed");
  job(10, "unit", "success");
  store_.jobs_by_id["job-10"].report.set_wall_us(300'000'000);
  store_.runs["unit"] =
      std::vector<store::RunUsage>(5, {.wall_us = 60'000'000, .memory_peak_bytes = {}});
  resolve(9);
  resolve(10);
  at_pipeline();
  update();
  EXPECT_EQ(store_.runs_asked_of, "trunk");
  EXPECT_NE(body().find("- `unit` took 5 min 0 s, usually 1 min 0 s on `trunk`"), std::string::npos)
      << body();
}

TEST_F(ReactionsTest, ARunWithANewerOneInGitlabsListIsRetried) {
  job(9, "build", "failed");
  job(10, "lint", "failed");
  resolve(9);
  resolve(10);
  // The newer run of "build" was where no agent watched; "lint" was only erased.
  job(11, "build", "running");
  gitlab_.pipelines[77] = {gitlab_.jobs[11]};
  update();
  EXPECT_TRUE(store_.jobs_by_id["job-9"].gitlab->retried);
  EXPECT_EQ(store_.jobs_by_id["job-9"].gitlab->status, "failed");
  EXPECT_FALSE(store_.jobs_by_id["job-10"].gitlab->retried);
}

TEST_F(ReactionsTest, JobsOfChildPipelinesAreInTheNote) {
  const auto pipeline = [](int64_t id, std::string status, int64_t project = 42) {
    gitlab::Bridge out{.id = id, .downstream = gitlab::Pipeline()};
    out.downstream->id = id;
    out.downstream->project_id = project;
    out.downstream->status = std::move(status);
    return out;
  };
  job(8, "lint", "success");
  gitlab_.pipelines[77] = {gitlab_.jobs[8]};
  // 77 → 78 → 79 → 80; one into another project, one that has not begun.
  gitlab_.bridges[77] = {gitlab::Bridge{1, std::nullopt}, pipeline(90, "failed", 43),
                         pipeline(78, "failed")};
  gitlab_.bridges[78] = {pipeline(79, "failed"), pipeline(77, "failed")};
  gitlab_.bridges[79] = {pipeline(80, "failed")};
  int64_t id = 20;
  for (const int64_t in : {78, 79, 80, 90}) {
    auto& one = job(++id, "in-" + std::to_string(in), "failed");
    one.pipeline_id = in;
    one.pipeline_source = "parent_pipeline";
    gitlab_.pipelines[in] = {one};
    store_.items.clear();
    resolve(id);
    ASSERT_EQ(waiting(), Strings{"note.update main/42/7"}) << in;
    EXPECT_EQ(pipeline_of(store_.items[0].work.payload), 0) << "there is no head to wait for";
  }
  auto& head = *gitlab_.merge_requests[{42, 7}].head_pipeline;
  head.status = "success";
  update();
  EXPECT_NE(body().find("**2 jobs failed:** `in-78`, `in-79`\n"), std::string::npos) << body();

  // What failed is run again; the parent was green before its child is.
  gitlab_.pipelines[79].clear();
  gitlab_.pipelines[78].clear();
  gitlab_.bridges[77] = {pipeline(78, "running")};
  update();
  EXPECT_NE(body().find("**No failure left.**"), std::string::npos) << body();
  gitlab_.bridges[77] = {pipeline(78, "success")};
  gitlab_.bridges[78].clear();
  update();
  EXPECT_NE(body().find("**All green now.**"), std::string::npos) << body();
  gitlab_.failures.insert({"pipeline_bridges", {Code::not_found, "404"}});
  EXPECT_TRUE(std::holds_alternative<Done>(update().what)) << "a GitLab without bridges";
}

TEST_F(ReactionsTest, ReadsNoMoreThanTwentyBridges) {
  for (int64_t i = 0; i < 25; ++i) {
    gitlab::Bridge bridge{.id = 100 + i, .downstream = gitlab::Pipeline()};
    bridge.downstream->id = 100 + i;
    bridge.downstream->project_id = 42;
    gitlab_.bridges[77].push_back(bridge);
    auto& one = job(100 + i, "j" + std::to_string(i), "failed");
    one.pipeline_id = 100 + i;
    gitlab_.pipelines[100 + i] = {one};
    resolve(100 + i);
  }
  update();
  EXPECT_NE(body().find("**20 jobs failed:**"), std::string::npos) << body();
}

TEST_F(ReactionsTest, ANewerPipelineTakesTheOldFailuresAway) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  update();
  gitlab_.merge_requests[{42, 7}].head_pipeline->id = 78;
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "running";
  update();
  EXPECT_NE(body().find("**No failure left.**"), std::string::npos) << body();
}

TEST_F(ReactionsTest, SaysNothingWhereThereIsNothingToSay) {
  job(8, "lint", "success");
  resolve(8);
  at_pipeline();
  update();
  EXPECT_EQ(gitlab_.writes, Strings{});
  EXPECT_TRUE(store_.notes.empty());
  gitlab_.merge_requests[{42, 7}].head_pipeline.reset();
  EXPECT_TRUE(std::holds_alternative<Done>(update().what));
  gitlab_.merge_requests.clear();
  EXPECT_TRUE(std::holds_alternative<Done>(update().what)) << "deleted";
}

TEST_F(ReactionsTest, PublishesOnlyWhatWasCheckedAtGitlab) {
  job(9, "build", "failed");  // reported, but not resolved
  at_pipeline();
  update();
  EXPECT_EQ(gitlab_.writes, Strings{});
}

TEST_F(ReactionsTest, ADeletedNoteIsMadeAnewWhenThereIsNews) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  update();
  gitlab_.all_notes.clear();
  job(10, "unit", "failed");
  resolve(10);
  at_pipeline();
  update();
  EXPECT_EQ(gitlab_.writes, (Strings{"create", "create"}));
  EXPECT_EQ(store_.notes[kMergeRequest].gitlab_note_id, 101);
}

TEST_F(ReactionsTest, FindsItsOwnNoteButNoForgedOne) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  gitlab_.all_notes = {{50, 1, false, "<!-- gitaiops:note v1 main/42/7 -->\nforged"},
                       {51, gitlab::FakeGitlab::kBot, false,
                        "<!-- gitaiops:note v1 main/42/7 -->\nours, forgotten"}};
  update();
  EXPECT_EQ(gitlab_.writes, Strings{"update 51"});
  EXPECT_EQ(gitlab_.all_notes[0].body, "<!-- gitaiops:note v1 main/42/7 -->\nforged");
  EXPECT_EQ(store_.notes[kMergeRequest].gitlab_note_id, 51);
}

TEST_F(ReactionsTest, ACreateWhoseAnswerWasLostIsAdopted) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  update();
  store_.notes.clear();  // as if the answer, and with it the commit, had been lost
  update();
  EXPECT_EQ(gitlab_.writes, Strings{"create"});
  EXPECT_EQ(store_.audits.back().act, "note.adopt");
  EXPECT_EQ(store_.notes[kMergeRequest].gitlab_note_id, 100);
}

TEST_F(ReactionsTest, FailuresOfWritingByKind) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  for (const Code code : {Code::already_exists, Code::resource_exhausted, Code::unavailable,
                          Code::deadline_exceeded}) {
    gitlab_.failures.clear();
    gitlab_.failures.insert({"create_note", {code, "later"}});
    EXPECT_TRUE(std::holds_alternative<Failed>(update().what)) << to_string(code);
    EXPECT_TRUE(store_.audits.empty());
  }
  gitlab_.failures.clear();
  gitlab_.failures.insert({"create_note", {Code::permission_denied, "403 Forbidden"}});
  EXPECT_TRUE(std::holds_alternative<GiveUp>(update().what));
  ASSERT_EQ(store_.audits.size(), 1u);
  EXPECT_EQ(store_.audits[0].outcome, "failed: 403 Forbidden");
  EXPECT_TRUE(store_.notes.empty());
}

TEST_F(ReactionsTest, AMergedRequestGetsNoNewNote) {
  job(9, "build", "failed");
  resolve(9);
  at_pipeline();
  gitlab_.merge_requests[{42, 7}].state = "merged";
  update();
  EXPECT_EQ(gitlab_.writes, Strings{});
}

// ---- Muted ----

TEST_F(ReactionsTest, AMutedNoteStaysAsItIsUntilItIsUnmuted) {
  job(9, "build", "failed");
  at_pipeline();
  resolve(9);
  update();
  const std::string before = body();
  store_.commanded.mutes[{"main", 42, 7}] = "ana";
  update();
  EXPECT_EQ(body(), note::muted(before, "ana"));
  job(10, "unit", "failed");
  at_pipeline();
  resolve(10);
  const auto writes = gitlab_.writes.size();
  update();
  EXPECT_EQ(gitlab_.writes.size(), writes);
  EXPECT_EQ(body(), note::muted(before, "ana"));
  store_.commanded.mutes.clear();
  update();
  EXPECT_NE(body().find("`unit`"), std::string::npos);
  EXPECT_EQ(body().find("Muted"), std::string::npos);
}

// Merge request 7, of which GitLab is told how it stands.
class StatusTest : public ReactionsTest {
 protected:
  StatusTest() {
    options_.status = [this](const store::MergeRequestKey& key,
                             const gitlab::MergeRequest& merge_request,
                             const note::View& view) -> std::optional<store::NewWork> {
      EXPECT_EQ(merge_request.iid, key.iid);
      seen_.push_back(view.jobs.at(0).status);
      return store::NewWork{"tell", "main/42/7", "", UnixMicros{}};
    };
    options_.matching = [this] { return index_; };
  }
  // What is to be done once its note was looked at.
  Strings follow_up() {
    const auto verdict = update_by(options_);
    Strings out;
    for (const auto& next : verdict.outcome.follow_up) out.push_back(next.kind);
    return out;
  }

  Options options_;
  Strings seen_;
  bool index_ = true;
};

// Merging may wait for it: whatever the note says of it, and whether there is one.
TEST_F(StatusTest, ItIsToldWithAndWithoutANote) {
  job(9, "build", "success");
  at_pipeline();
  resolve(9);
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "nothing failed";
  job(9, "build", "failed");
  at_pipeline();
  EXPECT_EQ(follow_up(), Strings{"tell"});
  store_.commanded.mutes[{"main", 42, 7}] = "ana";
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "muted";
  EXPECT_EQ(seen_, (Strings{"success", "failed", "failed"}));
}

// "Nothing is wrong" is not said before it was looked at; and is said where nobody will look.
TEST_F(StatusTest, ItWaitsForWhatIsOnItsWay) {
  gitlab_.merge_requests[{42, 7}].head_pipeline->sha = "abc";
  job(9, "build", "success").finished_at = clock_.now();
  at_pipeline();
  EXPECT_EQ(follow_up(), Strings{"note.update"}) << "its agent has not reported yet";
  resolve(9);
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "there is nothing to match";
  store_.vulnerable.of_commit["abc"] = 5;
  EXPECT_EQ(follow_up(), Strings{"note.update"}) << "not matched yet";
  index_ = false;
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "and never will be";
  index_ = true;
  auto& matched = store_.vulnerable.matched.emplace_back();
  matched.n = 5;
  matched.project_path = "grp/demo";
  matched.ref = "topic";
  EXPECT_EQ(follow_up(), Strings{"tell"});
  store_.vulnerable.of_commit["abc"] = 6;
  EXPECT_EQ(follow_up(), Strings{"note.update"}) << "an older one was matched";
  clock_.advance(121 * kMicrosPerSecond);
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "not for ever";
}

TEST_F(StatusTest, AJobThatNoAgentReportsIsWaitedForOnlyAMoment) {
  job(9, "build", "success").finished_at = clock_.now();
  at_pipeline();
  clock_.advance(31 * kMicrosPerSecond);
  EXPECT_EQ(follow_up(), Strings{"tell"});
}

TEST_F(StatusTest, WhatThePipelineIsAboutToStartIsWaitedForAMoment) {
  job(9, "build", "success").finished_at = clock_.now();
  at_pipeline();
  resolve(9);
  auto& pipeline = *gitlab_.merge_requests[{42, 7}].head_pipeline;
  pipeline.status = "running";
  EXPECT_EQ(follow_up(), Strings{"note.update"});
  clock_.advance(31 * kMicrosPerSecond);
  EXPECT_EQ(follow_up(), Strings{"tell"}) << "GitLab is not believed for ever";
}

TEST_F(StatusTest, AGitlabWhoseClockIsAheadIsNotWaitedForUntilThen) {
  job(9, "build", "success").finished_at = clock_.now() + 3600 * kMicrosPerSecond;
  at_pipeline();
  EXPECT_EQ(follow_up(), Strings{"tell"});
}

TEST_F(ReactionsTest, NoNoteIsBegunWhereNoneIsWanted) {
  job(9, "build", "failed");
  at_pipeline();
  resolve(9);
  store_.commanded.mutes[{"main", 42, 7}] = "ana";
  const auto verdict = update();
  EXPECT_TRUE(std::holds_alternative<Done>(verdict.what));
  EXPECT_TRUE(gitlab_.writes.empty());
}

TEST_F(ReactionsTest, ALookShowsWhatReadersOfTheNoteSee) {
  job(9, "build", "failed");
  at_pipeline();
  resolve(9);
  const store::MergeRequestKey key{"main", 42, 7};
  auto view = run(reactions_.look(key, gitlab_.merge_requests[{42, 7}]));
  ASSERT_TRUE(view.ok());
  ASSERT_EQ(view->jobs.size(), 1u);
  EXPECT_EQ(view->jobs[0].pipeline_id, 77);
  EXPECT_EQ(view->jobs[0].project_id, 42);
  EXPECT_FALSE(view->jobs[0].report->diagnosis().root_cause().text().empty());
  gitlab_.projects[42].visibility = gitlab::Visibility::public_;
  gitlab_.projects[42].logs_for_members_only = true;
  view = run(reactions_.look(key, gitlab_.merge_requests[{42, 7}]));
  EXPECT_TRUE(view->jobs[0].report->diagnosis().root_cause().text().empty());
}

}  // namespace
}  // namespace gitaiops::reactions
