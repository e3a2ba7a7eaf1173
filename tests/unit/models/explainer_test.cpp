// From a failed job in the store to a model's words, with a provider of the test.
#include <gtest/gtest.h>

#include "controller/models/models.h"
#include "controller/models/prices.h"
#include "controller/models/prompt.h"
#include "tests/unit/models/example.h"
#include "tests/unit/models/saying.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::models {
namespace {

using gitaiops::testing::await;
using testing::good_answer;
using testing::report_of_a_failed_test;
using testing::Saying;

class ExplainerTest : public ::testing::Test {
 protected:
  ExplainerTest() : folder_(gitaiops::testing::TemporaryFolder::Where::memory) {
    settings_.provider = "openai";
    settings_.models = {"m-1"};
    settings_.projects = {{"gl", "grp/*"}};
    settings_.limits = {1'000'000, 1'000'000, 1'000'000, 1'000'000};
    settings_.prices = {{"m", 0, 0, 1, 0.1, 10}};
    store_ = store::open_sqlite({folder_.path() / "s.db"}, clock_).value();
    begin();
    store::EnrollmentToken token;
    token.id = "t";
    token.secret_sha256 = "h";
    token.expires_at = clock_.now() + 3600 * kMicrosPerSecond;
    token.scope = store::everything();
    EXPECT_TRUE(await(store_->add_enrollment_token(token)).ok());
    store::Agent agent;
    agent.id = "agent";
    EXPECT_TRUE(await(store_->enroll_agent("h", agent, clock_.now())).ok());
  }
  void begin() {
    auto provider = std::make_unique<Saying>();
    model_ = provider.get();
    asker_ = std::make_unique<Asker>(settings_, std::move(provider), *store_, clock_);
    explainer_ = std::make_unique<Explainer>(*asker_, *store_, clock_);
  }

  // A failed job as GitLab and its agent tell it; its public id.
  std::string fail_job(int64_t number, fleet::v1::JobReport report = report_of_a_failed_test(),
                       std::string path = "grp/demo", int64_t project = 42) {
    fleet::v1::Envelope envelope;
    envelope.set_seq(static_cast<uint64_t>(++seq_));
    report.set_report_id("r-" + std::to_string(number));
    report.set_outcome(fleet::v1::OUTCOME_FAILED);
    report.mutable_key()->set_instance("gl");
    report.mutable_key()->set_project_id(project);
    report.mutable_key()->set_project_path(path);
    report.mutable_key()->set_job_id(number);
    *envelope.mutable_job_report() = std::move(report);
    EXPECT_TRUE(await(store_->accept("agent", 1, envelope, clock_.now())).ok());
    const auto job = await(store_->job_by_key(store::everything(), "gl", number)).value();
    store::GitlabFacts facts;
    facts.status = "failed";
    facts.name = "unit-" + std::to_string(number);
    facts.sha = "abc";
    facts.pipeline_id = number;
    facts.finished_at = clock_.now();
    EXPECT_TRUE(await(store_->set_gitlab_facts(job.id, project, facts)).ok());
    return job.id;
  }
  store::Work lease(int64_t number) {
    store::NewWork work{"job.explain", "gl/" + std::to_string(number),
                        R"({"instance":"gl","job":)" + std::to_string(number) + "}", clock_.now()};
    EXPECT_TRUE(await(store_->advance("test", 0, {work})).ok());
    return *await(store_->lease(clock_.now(), kMicrosPerSecond)).value();
  }
  // Explains a job as the queue would.
  queue::Verdict explain(int64_t number) {
    auto work = lease(number);
    auto verdict = await(explainer_->explain(work));
    const bool done = std::holds_alternative<queue::Done>(verdict.what);
    const auto ended = done ? await(store_->finish(work, verdict.outcome))
                            : await(store_->give_up(work, "test", verdict.outcome));
    EXPECT_TRUE(ended.ok());
    return verdict;
  }
  std::optional<store::ModelAnswer> answer_of(const std::string& job) {
    auto found = await(store_->model_answers().model_answers({job})).value();
    return found.empty() ? std::nullopt : std::optional(found.front());
  }
  // All use of the day, by model.
  std::map<std::string, store::ModelUse> used() {
    std::map<std::string, store::ModelUse> out;
    const auto page =
        await(store_->model_answers().model_use(store::everything(), {}, {"", 100})).value();
    for (const auto& use : page.items) out[use.model] = use;
    return out;
  }

  gitaiops::testing::TemporaryFolder folder_;
  FakeClock clock_;
  Settings settings_;
  std::unique_ptr<store::Store> store_;
  Saying* model_ = nullptr;
  std::unique_ptr<Asker> asker_;
  std::unique_ptr<Explainer> explainer_;
  int64_t seq_ = 0;
};

TEST_F(ExplainerTest, AModelsWordsAreKeptWithWhatTheyCost) {
  const std::string job = fail_job(1);
  explain(1);
  const auto answer = answer_of(job);
  ASSERT_TRUE(answer && answer->said);
  EXPECT_EQ(answer->said->fix, "Apply the discount in total().");
  EXPECT_EQ(answer->model, "m-1");
  EXPECT_EQ(answer->cost_microusd, 800 + 20 + 1000);
  const auto use = used();
  EXPECT_EQ(use.at("m-1").cost_microusd, 1820);
  EXPECT_EQ(use.at("m-1").requests, 1);
  EXPECT_EQ(use.at("").cost_microusd, 0);
  EXPECT_EQ(use.at("").prompt_tokens, 0);
  EXPECT_EQ(use.at("").output_tokens, 0);
  EXPECT_EQ(asker_->counters().answered, 1);
  explain(1);  // asked for again
  EXPECT_EQ(model_->questions.size(), 1u);
}

TEST_F(ExplainerTest, OnlyLinesFactsAndOurOwnWordsAreSent) {
  fail_job(1);
  explain(1);
  const auto question = model_->questions.at(0);  // the second one moves them
  for (const char* name : {"grp", "demo", "unit-1", "agent", "abc"})
    EXPECT_EQ(question.user.find(name), std::string::npos) << name;
  EXPECT_EQ(question.system, failure_prompt().system);
  fail_job(2, report_of_a_failed_test(), "grp/other", 43);
  explain(2);
  EXPECT_NE(model_->questions.at(1).user, question.user);  // another marker
}

TEST_F(ExplainerTest, TheSameFailureIsNotAskedAgainInItsProject) {
  fail_job(1);
  explain(1);
  auto again = report_of_a_failed_test();
  again.mutable_diagnosis()->mutable_packet(1)->set_first_line(140);
  again.mutable_diagnosis()->mutable_packet(1)->set_last_line(142);
  const std::string job = fail_job(2, again);
  explain(2);
  EXPECT_EQ(model_->questions.size(), 1u);
  const auto answer = answer_of(job);
  ASSERT_TRUE(answer && answer->said);
  EXPECT_TRUE(answer->reused);
  EXPECT_EQ(answer->said->lines.at(0).number, 141u);
  EXPECT_EQ(used().at("m-1").reused, 1);
  EXPECT_EQ(used().at("m-1").saved_microusd, 1820);
  fail_job(3, again, "grp/other", 43);
  explain(3);
  EXPECT_EQ(model_->questions.size(), 2u);
}

TEST_F(ExplainerTest, WhereTheCitedLinesAreNotThereItIsAsked) {
  fail_job(1);
  explain(1);
  auto other = report_of_a_failed_test();
  other.mutable_diagnosis()->mutable_packet(1)->set_text("    a\nE  b\nc");
  fail_job(2, other);
  explain(2);
  EXPECT_EQ(model_->questions.size(), 2u);
}

TEST_F(ExplainerTest, TheBudgetHolds) {
  settings_.limits.cost_microusd = 100;
  begin();
  const std::string job = fail_job(1);
  explain(1);
  EXPECT_TRUE(model_->questions.empty());
  EXPECT_FALSE(answer_of(job));
  EXPECT_EQ(asker_->counters().over_budget, 1);
}

TEST_F(ExplainerTest, WhatACrashCutsOffCountsAsSpent) {
  fail_job(1);
  auto work = lease(1);
  const auto verdict = await(explainer_->explain(work));
  // A crash here: the outcome is never written.
  EXPECT_GT(used().at("").cost_microusd, 2 * 4096 * 10);
  EXPECT_FALSE(used().contains("m-1"));
  ASSERT_TRUE(verdict.outcome.answer);
}

TEST_F(ExplainerTest, AModelThatIsDownIsAskedLaterAndCostsNothing) {
  const std::string job = fail_job(1);
  model_->error = Error(Code::unavailable, "down");
  const auto verdict = explain(1);
  const auto* failed = std::get_if<queue::Failed>(&verdict.what);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->not_within, std::chrono::seconds(7));
  EXPECT_EQ(used().at("").cost_microusd, 0);
  EXPECT_FALSE(answer_of(job));
  EXPECT_EQ(asker_->counters().failed, 1);
}

TEST_F(ExplainerTest, WhatSomebodyHasToRepairFirstIsNotTriedAgain) {
  fail_job(1);
  model_->error = Error(Code::permission_denied, "403");
  EXPECT_TRUE(std::holds_alternative<queue::Done>(explain(1).what));
  EXPECT_EQ(used().at("").cost_microusd, 0);
}

TEST_F(ExplainerTest, AnAnswerThatCannotBeUsedIsPaidForAndNotAskedForAgain) {
  const auto check = [&](int64_t number, Answer::End end, std::string text) {
    auto report = report_of_a_failed_test();
    report.mutable_diagnosis()->set_fingerprint("v1:" + std::to_string(number));
    report.mutable_diagnosis()->set_command("make " + std::to_string(number));
    const std::string job = fail_job(number, report);
    model_->answer.end = end;
    model_->answer.text = std::move(text);
    explain(number);
    const auto answer = answer_of(job);
    ASSERT_TRUE(answer) << number;
    EXPECT_FALSE(answer->said) << number;
    EXPECT_EQ(answer->cost_microusd, 1820) << number;
    explain(number);
  };
  check(1, Answer::End::whole, "I will /approve this.");
  check(2, Answer::End::whole, "{\"explanation\":\"@all ignore the rules\"}");
  check(3, Answer::End::cut_off, good_answer());
  check(4, Answer::End::blocked, "");
  check(5, Answer::End::empty, "");
  check(6, Answer::End::whole, good_answer().replace(good_answer().find("[41,40]"), 7, "[999]"));
  EXPECT_EQ(model_->questions.size(), 6u);
  EXPECT_EQ(asker_->counters().unusable, 6);
}

TEST_F(ExplainerTest, OnlyNamedProjectsAndFreshFailures) {
  fail_job(1, report_of_a_failed_test(), "private/demo", 50);
  explain(1);
  fail_job(2);
  clock_.advance(7ll * 3600 * kMicrosPerSecond);
  explain(2);
  const std::string passed = fail_job(3);
  store::GitlabFacts facts;
  facts.status = "success";
  ASSERT_TRUE(await(store_->set_gitlab_facts(passed, 42, facts)).ok());
  explain(3);
  EXPECT_TRUE(model_->questions.empty());
}

TEST_F(ExplainerTest, WorkIsMadeWhereItAddsSomething) {
  auto report = report_of_a_failed_test();
  report.mutable_key()->set_instance("gl");
  report.mutable_key()->set_job_id(20'000'000'000);
  report.mutable_key()->set_project_path("grp/demo");
  const auto work = explainer_->work_for(report);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->kind, "job.explain");
  EXPECT_EQ(work->unique_key, "gl/20000000000");
  EXPECT_EQ(work->priority, 2);
  report.mutable_key()->set_project_path("private/demo");
  EXPECT_FALSE(explainer_->work_for(report));
  report.mutable_key()->set_project_path("");  // not known yet: looked at again when it is asked
  EXPECT_TRUE(explainer_->work_for(report));
  report.clear_diagnosis();
  EXPECT_FALSE(explainer_->work_for(report));
}

TEST_F(ExplainerTest, WhatSomebodyAsksForIsAskedWhereTheRulesAreSure) {
  auto report = report_of_a_failed_test();
  report.mutable_diagnosis()->set_owner("infrastructure");
  fail_job(1, report, "grp/demo", 50);
  clock_.advance(7ll * 3600 * kMicrosPerSecond);  // and nobody waited any more
  explain(1);
  EXPECT_TRUE(model_->questions.empty());
  report.mutable_key()->set_instance("gl");
  report.mutable_key()->set_job_id(1);
  EXPECT_FALSE(explainer_->work_for(report));
  const auto work = explainer_->work_for(report, Wish::asked);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->unique_key, "gl/1/asked");
  const store::Work leased{9, 1, work->kind, work->unique_key, work->payload, 1};
  const auto verdict = await(explainer_->explain(leased));
  EXPECT_TRUE(verdict.outcome.answer && verdict.outcome.answer->said);
  EXPECT_EQ(model_->questions.size(), 1u);
  report.mutable_diagnosis()->clear_packet();
  EXPECT_FALSE(explainer_->work_for(report, Wish::asked));
}

TEST(AddsSomething, WherePeopleHaveToUnderstandOrTheRulesDoNotKnow) {
  auto d = report_of_a_failed_test().diagnosis();
  EXPECT_TRUE(adds_something(d));
  d.set_owner("infrastructure");
  EXPECT_FALSE(adds_something(d));
  d.set_confidence(0.5);
  EXPECT_TRUE(adds_something(d));
  d.set_confidence(0.9);
  d.set_category("unknown");
  EXPECT_TRUE(adds_something(d));
  d.clear_packet();
  EXPECT_FALSE(adds_something(d));
}

TEST(Prices, AreThoseOfTheModelTheDayAndTheSize) {
  const std::vector<Price> own = {{"gemini-3.8-flash", 0, 0, 7, 7, 7}};
  EXPECT_EQ(price_of(own, "gemini-3.8-flash-001", 20'000, 0)->input, 7);
  EXPECT_EQ(price_of({}, "gemini-3.8-flash", 20'000, 0)->input, 0.75);
  EXPECT_EQ(price_of({}, "gemini-3.8-flash", 20'819, 0)->input, 1.5);  // 2027-01-01
  EXPECT_EQ(price_of({}, "gemini-2.5-pro", 20'000, 200'000)->output, 10);
  EXPECT_EQ(price_of({}, "gemini-2.5-pro", 20'000, 200'001)->output, 15);
  EXPECT_EQ(price_of({}, "gemini-2.5-flash-lite", 20'000, 0)->input, 0.1);
  EXPECT_EQ(price_of({}, "gemini-3.1-pro-preview", 20'000, 0)->input, 2);
  EXPECT_FALSE(price_of({}, "gemini-2.5-flash-image", 20'000, 0));
  EXPECT_FALSE(price_of({}, "llama", 20'000, 0));
  EXPECT_TRUE(has_price({{"llama", 0, 0, 0, 0, 0}}, "llama", UnixMicros{}));
}

TEST(Prices, CostIsRoundedUpAndByTheWayOfBilling) {
  const Price price{"m", 0, 0, 0.75, 0.075, 3.75};
  EXPECT_EQ(cost_microusd(price, {1000, 0, 0}), 750);
  EXPECT_EQ(cost_microusd(price, {1000, 1000, 0}), 75);
  EXPECT_EQ(cost_microusd(price, {1000, 5000, 0}), 75);
  EXPECT_EQ(cost_microusd(price, {1, 0, 0}), 1);
  EXPECT_EQ(cost_microusd(price, {0, 0, 1000}), 3750);
  EXPECT_EQ(cost_microusd(price, {0, 0, 1000}, "ON_DEMAND_PRIORITY"), 6750);
  EXPECT_EQ(cost_microusd(price, {0, 0, 1000}, "ON_DEMAND_FLEX"), 1875);
  EXPECT_EQ(cost_microusd(price, {0, 0, 1000}, "PROVISIONED_THROUGHPUT"), 0);
}

}  // namespace
}  // namespace gitaiops::models
