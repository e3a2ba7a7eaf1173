#include "controller/acting/acting.h"

#include <gtest/gtest.h>

#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::acting {
namespace {

using gitaiops::testing::await;

constexpr UnixMicros kNow{1'700'000'000'000'000};

RetryRule rule(std::string path = "grp/*") {
  RetryRule r;
  r.project = {"main", std::move(path)};
  r.owners = {"infrastructure", "runner"};
  return r;
}

// A job that failed because a name did not resolve.
store::Job failed_job() {
  store::Job job;
  job.id = "job-9";
  job.key = {"main", 42, 9};
  job.project_path = "grp/demo";
  job.agent_id = "agent";
  auto& d = *job.report.mutable_diagnosis();
  job.report.set_report_id("r");
  d.set_category("dns");
  d.set_owner("infrastructure");
  d.set_retry("backoff");
  d.set_confidence(0.86);
  auto& facts = job.gitlab.emplace();
  facts.status = "failed";
  facts.name = "fetch";
  facts.sha = "abc";
  facts.pipeline_id = 77;
  facts.finished_at = kNow + -60 * kMicrosPerSecond;
  return job;
}

gitlab::Job run(int64_t id, std::string status, int64_t user = 1, std::string name = "fetch") {
  gitlab::Job job;
  job.id = id;
  job.name = std::move(name);
  job.status = std::move(status);
  job.user_id = user;
  return job;
}

// ---- Whether the report speaks for a retry ----

TEST(WorthARetry, OnlyWhereARuleNamesProjectAndCause) {
  const auto job = failed_job();
  const auto found = worth_a_retry(job, {rule()}, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->wait_us, 60 * kMicrosPerSecond);
  EXPECT_EQ(found->why, "backoff");
  EXPECT_FALSE(worth_a_retry(job, {}, kNow)) << "off by default";
  EXPECT_FALSE(worth_a_retry(job, {rule("other/*")}, kNow));
  auto by_category = rule();
  by_category.owners.clear();
  EXPECT_FALSE(worth_a_retry(job, {by_category}, kNow));
  by_category.categories = {"dns"};
  EXPECT_TRUE(worth_a_retry(job, {by_category}, kNow));
}

TEST(WorthARetry, AtOnceWhereOneRetryIsEnough) {
  auto job = failed_job();
  job.report.mutable_diagnosis()->set_retry("once");
  EXPECT_EQ(worth_a_retry(job, {rule()}, kNow)->wait_us, 0);
}

TEST(WorthARetry, NeverInDoubtOrLate) {
  const auto changed = [](auto&& change) {
    auto job = failed_job();
    change(job);
    return worth_a_retry(job, {rule()}, kNow).has_value();
  };
  EXPECT_FALSE(changed([](auto& j) { j.gitlab.reset(); }));
  EXPECT_FALSE(changed([](auto& j) { j.gitlab->status = "success"; }));
  EXPECT_FALSE(changed([](auto& j) { j.gitlab->retried = true; }));
  EXPECT_FALSE(changed([](auto& j) { j.gitlab->finished_at = kNow + -7200 * kMicrosPerSecond; }));
  EXPECT_FALSE(changed([](auto& j) { j.report.mutable_diagnosis()->set_retry("never"); }));
  EXPECT_FALSE(changed([](auto& j) { j.report.mutable_diagnosis()->set_confidence(0.4); }));
  EXPECT_FALSE(changed([](auto& j) { j.report.clear_diagnosis(); }));
}

TEST(WorthARetry, NeverBesideACodeSignal) {
  const auto with = [](std::string category, double score) {
    auto job = failed_job();
    auto& candidate = *job.report.mutable_diagnosis()->add_candidates();
    candidate.set_category(std::move(category));
    candidate.set_score(score);
    return worth_a_retry(job, {rule()}, kNow).has_value();
  };
  EXPECT_FALSE(with("compile_error", 0.6));
  EXPECT_FALSE(with("test_failure", 0.6));
  EXPECT_FALSE(with("their_own_rule", 0.6));
  EXPECT_TRUE(with("compile_error", 0.1)) << "too weak to mean anything";
  EXPECT_TRUE(with("dns", 0.8));
  EXPECT_TRUE(with("unknown", 0.6)) << "only sounds bad";
  auto job = failed_job();
  job.report.mutable_diagnosis()->add_failing_tests()->set_name("test_total");
  EXPECT_FALSE(worth_a_retry(job, {rule()}, kNow));
}

TEST(Objection, OnlyTheNewestRunThatNobodyRetried) {
  EXPECT_FALSE(objection({run(9, "failed")}, 9, {}));
  EXPECT_TRUE(objection({run(9, "success")}, 9, {}));
  EXPECT_TRUE(objection({}, 9, {}));
  EXPECT_TRUE(objection({run(9, "failed"), run(10, "running")}, 9, {}));
  EXPECT_FALSE(objection({run(9, "failed"), run(10, "running", 1, "other")}, 9, {}));
  EXPECT_TRUE(objection({run(8, "failed"), run(9, "failed")}, 9, {})) << "a person's retry";
  store::Act ours;
  ours.what = "job.retry";
  ours.job_id = 8;
  ours.state = "done";
  EXPECT_FALSE(objection({run(8, "failed"), run(9, "failed")}, 9, {ours}));
  ours.asked_by = "ana";
  EXPECT_TRUE(objection({run(8, "failed"), run(9, "failed")}, 9, {ours})) << "a person's wish";
}

TEST(Objection, APersonMayRetryTheNewestFailedRunAsOftenAsSheLikes) {
  EXPECT_FALSE(objection({run(8, "failed"), run(9, "failed")}, 9));
  EXPECT_TRUE(objection({run(8, "failed"), run(9, "failed")}, 8));
  EXPECT_TRUE(objection({run(9, "success")}, 9));
  EXPECT_TRUE(objection({}, 9));
}

TEST(AnotherRunner, MustBeThere) {
  const gitlab::Runner self{1, "", false, true};
  EXPECT_FALSE(another_runner({self}, 1));
  EXPECT_FALSE(another_runner({self, {2, "", true, true}, {3, "", false, false}}, 1));
  EXPECT_TRUE(another_runner({self, {2, "", false, true}}, 1));
}

// ---- From the event to the act ----

class ActingTest : public ::testing::Test {
 protected:
  ActingTest() {
    store_.jobs_by_id["job-9"] = failed_job();
    gitlab_.pipelines[77] = {run(9, "failed")};
  }
  Acting& acting() {
    if (!acting_) acting_.emplace(store_, clock_, instances_, options_);
    return *acting_;
  }
  // Hands the first waiting item of the kind to its handler and records what came of it.
  queue::Verdict handle(const std::string& kind) {
    for (std::size_t i = 0; i < store_.items.size(); ++i) {
      if (store_.items[i].work.kind != kind) continue;
      const store::Work work = store_.items[i].work;
      auto verdict = await(kind == "act.do"         ? acting().act(work)
                           : kind == "retry.decide" ? acting().decide_retry(work)
                                                    : acting().decide_pause(work));
      if (!std::holds_alternative<queue::Failed>(verdict.what)) {
        store_.items.erase(store_.items.begin() + static_cast<std::ptrdiff_t>(i));
        store_.apply(verdict.outcome);
      }
      return verdict;
    }
    ADD_FAILURE() << "no work of kind " << kind;
    return {};
  }
  void decide() {
    store_.put({"retry.decide", "job-9", R"({"job":"job-9"})", kNow});
    handle("retry.decide");
  }
  std::vector<std::string> outcomes() const {
    std::vector<std::string> out;
    for (const auto& record : store_.audits) out.push_back(record.outcome);
    return out;
  }
  const store::Act& only_act() { return store_.acts.begin()->second; }

  FakeClock clock_;
  store::MemoryStore store_;
  gitlab::FakeGitlab gitlab_;
  std::map<std::string, gitlab::Gitlab*> instances_{{"main", &gitlab_}};
  Options options_{.retry = {rule()}, .hosts = {}};
  std::optional<Acting> acting_;
};

using Strings = std::vector<std::string>;

TEST_F(ActingTest, DecidesWritesAndThenActs) {
  decide();
  ASSERT_EQ(store_.acts.size(), 1u);
  EXPECT_TRUE(gitlab_.writes.empty()) << "nothing before it is written";
  EXPECT_EQ(store_.items.at(0).not_before, kNow + 60 * kMicrosPerSecond);
  handle("act.do");
  EXPECT_EQ(gitlab_.writes, Strings{"retry 9"});
  EXPECT_EQ(only_act().state, "done");
  EXPECT_EQ(only_act().made, 1009);
  EXPECT_EQ(outcomes(), (Strings{"decided: dns", "done"}));
  EXPECT_EQ(store_.audits[0].object, "job 9 (fetch) of grp/demo");
  decide();
  EXPECT_EQ(store_.acts.size(), 1u) << "not decided twice";
}

TEST_F(ActingTest, ALostAnswerIsFoundAtGitlab) {
  decide();
  gitlab_.failures.insert_or_assign("retry_job", Error(Code::unavailable, "connection reset"));
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(handle("act.do").what));
  EXPECT_EQ(only_act().state, "intended");
  gitlab_.failures.clear();
  gitlab_.pipelines[77].push_back(run(10, "running", gitlab::FakeGitlab::kBot));
  handle("act.do");
  EXPECT_TRUE(gitlab_.writes.empty()) << "it was done already";
  EXPECT_EQ(only_act().state, "done");
  EXPECT_EQ(only_act().made, 10);
}

TEST_F(ActingTest, APersonWhoWasFasterIsLetBe) {
  decide();
  gitlab_.pipelines[77].push_back(run(10, "running", 99));
  handle("act.do");
  EXPECT_TRUE(gitlab_.writes.empty());
  EXPECT_EQ(only_act().state, "refused");
  EXPECT_EQ(outcomes().back(), "failed: somebody retried it first");
}

TEST_F(ActingTest, ARefusalOfGitlabEndsTheAct) {
  decide();
  gitlab_.failures.insert_or_assign("retry_job", Error(Code::permission_denied, "403"));
  handle("act.do");
  EXPECT_EQ(only_act().state, "refused");
  EXPECT_EQ(acting().counters().refused, 1);
}

TEST_F(ActingTest, WhatGitlabDoesNotConfirmIsNotDecided) {
  gitlab_.pipelines[77] = {run(9, "success")};
  decide();
  EXPECT_TRUE(store_.acts.empty());
  EXPECT_TRUE(store_.audits.empty());
}

TEST_F(ActingTest, ARunnerIsPausedOnlyWhenAllowedAndNeverTheLast) {
  options_.hosts.pause_runner = true;
  gitlab_.runners[42] = {{5, "", false, true}};
  const auto pause = [&] {
    store_.put(
        {"runner.decide", "agent",
         R"({"agent":"agent","host":"h","instance":"main","runner":5,"projects":[42],"jobs":7})",
         kNow});
    handle("runner.decide");
  };
  pause();
  handle("act.do");
  EXPECT_TRUE(gitlab_.writes.empty());
  EXPECT_EQ(only_act().state, "refused");
  EXPECT_EQ(only_act().detail, "it is the last active runner of project 42");
  store_.acts.clear();
  gitlab_.failures.insert_or_assign("project_runners", Error(Code::permission_denied, "403"));
  pause();
  handle("act.do");
  EXPECT_TRUE(gitlab_.writes.empty());
  EXPECT_NE(only_act().detail.find("cannot be known"), std::string::npos);
  store_.acts.clear();
  gitlab_.failures.clear();
  gitlab_.runners[42].push_back({6, "", false, true});
  pause();
  handle("act.do");
  EXPECT_EQ(gitlab_.writes, Strings{"pause 5"});
  EXPECT_EQ(only_act().why, "7 jobs failed on h");
  pause();
  EXPECT_EQ(store_.acts.size(), 1u) << "once a day";
}

}  // namespace
}  // namespace gitaiops::acting
