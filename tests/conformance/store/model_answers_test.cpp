// What models said of failed jobs, and what it cost.
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kToday = 19'675;
constexpr ModelLimits kLimits{1000, 100'000, 600, 100'000};

ModelUse use_of(int64_t project, int64_t cost, std::string model = {}) {
  ModelUse use;
  use.day = kToday;
  use.instance = "gl";
  use.project_id = project;
  use.project_path = "grp/p" + std::to_string(project);
  use.model = std::move(model);
  use.prompt_tokens = cost * 10;
  use.cost_microusd = cost;
  return use;
}

class ModelAnswersConformance : public StoreConformance {
 protected:
  bool reserve(const ModelUse& wish, ModelLimits limits = kLimits) {
    const auto done = await(store->model_answers().reserve(wish, limits));
    EXPECT_TRUE(done.ok());
    return done.ok() && *done;
  }
  // Finishes a piece of work with that outcome.
  void leave(const WorkOutcome& outcome) {
    NewWork work{"job.explain", "gl/1", "{}", kNow};
    ASSERT_TRUE(await(store->advance("test", 0, {work})).ok());
    auto leased = await(store->lease(kNow, kSecond));
    ASSERT_TRUE(leased.ok() && *leased);
    ASSERT_TRUE(await(store->finish(std::move(**leased), outcome)).ok());
  }
  std::string a_job(int64_t number) {
    if (agent_.empty()) agent_ = enroll(everything());
    EXPECT_TRUE(accept(agent_, reported(++seq_, key(number, "grp/p7", 7))).ok());
    return job_of(number).id;
  }
  static ModelAnswer answer_to(const std::string& job, std::string content, bool useful = true) {
    ModelAnswer out;
    out.job = job;
    out.instance = "gl";
    out.project_id = 7;
    out.prompt = "failure/1";
    out.fingerprint = "v1:f";
    out.content = std::move(content);
    out.model = "m";
    out.cost_microusd = 12;
    out.at = kNow;
    if (useful) out.said = Explanation{"because", "do", "code", "high", {{41, "assert"}}};
    return out;
  }
  std::optional<ModelAnswer> earlier(std::string content, std::string fingerprint = "v1:f",
                                     int64_t project = 7, std::string prompt = "failure/1",
                                     UnixMicros since = {}) {
    return await(store->model_answers().earlier_answer("gl", project, std::move(prompt),
                                                       std::move(content), std::move(fingerprint),
                                                       since))
        .value();
  }

 private:
  uint64_t seq_ = 0;
  std::string agent_;
};

TEST_P(ModelAnswersConformance, ReservesUpToTheLimitsOfProjectAndDay) {
  EXPECT_TRUE(reserve(use_of(1, 500)));
  EXPECT_FALSE(reserve(use_of(1, 101)));  // of the project
  EXPECT_TRUE(reserve(use_of(1, 100)));
  EXPECT_FALSE(reserve(use_of(2, 401)));  // of the day
  EXPECT_TRUE(reserve(use_of(2, 400)));
  EXPECT_FALSE(reserve(use_of(3, 1)));
  auto tomorrow = use_of(3, 500);
  ++tomorrow.day;
  EXPECT_TRUE(reserve(tomorrow));
}

TEST_P(ModelAnswersConformance, TokensHaveLimitsToo) {
  ModelLimits limits = kLimits;
  limits.tokens = 4'999;
  EXPECT_FALSE(reserve(use_of(1, 500), limits));
  limits.tokens = 5'000;
  limits.project_tokens = 4'999;
  EXPECT_FALSE(reserve(use_of(1, 500), limits));
  limits.project_tokens = 5'000;
  EXPECT_TRUE(reserve(use_of(1, 500), limits));
}

TEST_P(ModelAnswersConformance, WhatIsReservedSurvivesARestartUntilItIsSettled) {
  EXPECT_TRUE(reserve(use_of(1, 600)));
  reopen();
  EXPECT_FALSE(reserve(use_of(1, 1)));
  auto back = use_of(1, -600);
  auto used = use_of(1, 50, "m");
  used.requests = 1;
  used.cached_tokens = 3;
  leave({.audit = {}, .model_use = {back, used}});
  EXPECT_TRUE(reserve(use_of(1, 550)));
  const auto page = await(store->model_answers().model_use(everything(), {}, {"", 10})).value();
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].model, "m");
  EXPECT_EQ(page.items[0].requests, 1);
  EXPECT_EQ(page.items[0].prompt_tokens, 500);
  EXPECT_EQ(page.items[0].cached_tokens, 3);
  EXPECT_EQ(page.items[0].cost_microusd, 50);
  EXPECT_EQ(page.items[1].cost_microusd, 550);
}

TEST_P(ModelAnswersConformance, UseIsListedByScopeProjectAndDay) {
  for (const int64_t project : {1, 2, 3}) EXPECT_TRUE(reserve(use_of(project, 1)));
  auto later = use_of(1, 1);
  later.day += 3;
  EXPECT_TRUE(reserve(later));
  const auto count = [&](Scope scope, ModelUseFilter filter) {
    return await(store->model_answers().model_use(std::move(scope), filter, {"", 10}))
        .value()
        .items.size();
  };
  EXPECT_EQ(count(everything(), {}), 4u);
  EXPECT_EQ(count({}, {}), 0u);
  ModelUseFilter filter;
  filter.project_path = "grp/p1";
  EXPECT_EQ(count(everything(), filter), 2u);
  filter.from_day = kToday + 1;
  EXPECT_EQ(count(everything(), filter), 1u);
  filter.to_day = kToday + 2;
  EXPECT_EQ(count(everything(), filter), 0u);
  const auto first = await(store->model_answers().model_use(everything(), {}, {"", 3})).value();
  ASSERT_EQ(first.items.size(), 3u);
  EXPECT_EQ(first.items[0].day, kToday + 3);
  const auto rest =
      await(store->model_answers().model_use(everything(), {}, {first.next, 3})).value();
  EXPECT_EQ(rest.items.size(), 1u);
  EXPECT_EQ(rest.next, "");
}

TEST_P(ModelAnswersConformance, AnAnswerIsKeptWithItsJobAndTold) {
  const std::string job = a_job(1), other = a_job(2);
  const auto before = events().size();
  leave({.audit = {}, .answer = answer_to(job, "c1")});
  const auto found = await(store->model_answers().model_answers({job, other})).value();
  ASSERT_EQ(found.size(), 1u);
  ASSERT_TRUE(found[0].said);
  EXPECT_EQ(found[0].said->explanation, "because");
  EXPECT_EQ(found[0].said->lines.at(0).number, 41u);
  EXPECT_EQ(found[0].said->lines.at(0).text, "assert");
  EXPECT_EQ(found[0].cost_microusd, 12);
  ASSERT_EQ(events().size(), before + 1);
  EXPECT_EQ(events().back().type, "job.explained");
  EXPECT_EQ(events().back().subject, job);
  leave({.audit = {}, .answer = answer_to(other, "c2", false)});  // nothing to tell
  EXPECT_EQ(events().size(), before + 1);
  EXPECT_EQ(await(store->model_answers().model_answers({other})).value().size(), 1u);
}

TEST_P(ModelAnswersConformance, AnAnswerOfAJobThatIsGoneIsNot) {
  leave({.audit = {}, .answer = answer_to("gone", "c1")});
  EXPECT_TRUE(await(store->model_answers().model_answers({"gone"})).value().empty());
  const std::string job = a_job(1);
  leave({.audit = {}, .answer = answer_to(job, "c1")});
  ASSERT_TRUE(await(store->sweep({.older_than = kNow + 3600 * kSecond})).ok());
  EXPECT_TRUE(await(store->model_answers().model_answers({job})).value().empty());
  EXPECT_FALSE(earlier("c1"));
}

TEST_P(ModelAnswersConformance, EarlierOnesAreFoundWithinTheProject) {
  const std::string first = a_job(1), second = a_job(2), third = a_job(3);
  leave({.audit = {}, .answer = answer_to(first, "c1")});
  leave({.audit = {}, .answer = answer_to(second, "c2", false)});
  EXPECT_EQ(earlier("c1")->job, first);
  EXPECT_EQ(earlier("c2")->job, second);  // the very same question, unanswered
  EXPECT_EQ(earlier("c3")->job, first);   // the same failure, with words
  EXPECT_FALSE(earlier("c3", "v1:other"));
  EXPECT_FALSE(earlier("c3", ""));
  EXPECT_FALSE(earlier("c1", "v1:f", 8));
  EXPECT_FALSE(earlier("c1", "v1:f", 7, "failure/2"));
  EXPECT_FALSE(earlier("c1", "v1:f", 7, "failure/1", kNow + 1));
  auto newer = answer_to(third, "c4");
  newer.reused = true;
  leave({.audit = {}, .answer = newer});
  EXPECT_EQ(earlier("c3")->job, third);
  EXPECT_TRUE(earlier("c3")->reused);
}

INSTANTIATE_TEST_SUITE_P(Backends, ModelAnswersConformance, ::testing::ValuesIn(backends()),
                         backend_name);

}  // namespace
}  // namespace gitaiops::store
