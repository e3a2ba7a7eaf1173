#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

TEST(Allows, StarsMatchRunsAndNothingElseIsSpecial) {
  const auto may = [](std::string glob, std::string_view path) {
    return allows(scope_of(std::move(glob)), "gl", path);
  };
  EXPECT_TRUE(may("grp/*", "grp/a"));
  EXPECT_TRUE(may("grp/*", "grp/a/b/c"));
  EXPECT_TRUE(may("grp/*", "grp/"));
  EXPECT_FALSE(may("grp/*", "grp"));
  EXPECT_FALSE(may("grp/*", "other/grp/a"));
  EXPECT_TRUE(may("*/demo", "a/b/demo"));
  EXPECT_TRUE(may("a*b*c", "a--b-b--c"));
  EXPECT_FALSE(may("a*b*c", "a--b-b--d"));
  EXPECT_TRUE(may("*", ""));
  EXPECT_TRUE(may("**", "x"));
  EXPECT_FALSE(may("", "x"));
  EXPECT_FALSE(may("grp/dem?", "grp/demo"));
  EXPECT_FALSE(may("grp/[d]emo", "grp/demo"));
  EXPECT_FALSE(may("GRP/*", "grp/a"));
  EXPECT_FALSE(allows(Scope{}, "gl", "grp/a"));
  EXPECT_FALSE(allows(scope_of("*", "other"), "gl", "grp/a"));
  EXPECT_TRUE(allows(everything(), "gl", "grp/a"));
}

TEST_P(StoreConformance, WhoMaySeeAProjectSeesNothingOfAnother) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(1, "a/one", 1))).ok());
  ASSERT_TRUE(accept(agent, reported(2, key(2, "b/two", 2))).ok());
  ASSERT_TRUE(accept(agent, reported(3, key(3, "a/one", 1, "other"))).ok());
  ASSERT_TRUE(accept(agent, started(4, key(4, "b/two", 2))).ok());
  const auto secret = job_of(2).id;
  for (const Scope& scope :
       {scope_of("a/*"), scope_of("a/one"), Scope{{"gl", "a/*"}, {"nowhere", "b/*"}}}) {
    EXPECT_EQ(job_ids(scope), Ids{1});
    EXPECT_EQ(await(store->job(scope, secret)).error().code(), Code::not_found);
    EXPECT_EQ(await(store->job_by_key(scope, "gl", 2)).error().code(), Code::not_found);
    EXPECT_EQ(await(store->job_by_key(scope, "other", 3)).error().code(), Code::not_found);
    JobFilter asks;
    asks.project_path = "b/two";
    EXPECT_EQ(job_ids(scope, asks), Ids{});
    asks = {};
    asks.job_id = 2;
    EXPECT_EQ(job_ids(scope, asks), Ids{});
  }
  EXPECT_EQ(job_ids({}), Ids{});
  EXPECT_EQ(await(store->job({}, secret)).error().code(), Code::not_found);
  EXPECT_EQ(await(store->job(scope_of("b/*"), secret))->key.job_id, 2);
  EXPECT_EQ(job_ids({{"*", "a/one"}}), (Ids{3, 1}));
  EXPECT_EQ(job_ids(everything()), (Ids{4, 3, 2, 1}));
}

// A list through a scope and the rule in words must not differ, whatever the path holds.
TEST_P(StoreConformance, TheQuerysGlobIsTheRulesGlob) {
  const auto agent = enroll(everything());
  const std::vector<std::string> paths = {"a/b", "a/b/c", "a?b",      "a[b]c", "a*b", "A/b",
                                          "ä/ö", "",      "a/b'; --", "a]b",   "a^b", "[a-z]"};
  for (std::size_t i = 0; i < paths.size(); ++i)
    ASSERT_TRUE(accept(agent, reported(i + 1, key(static_cast<int64_t>(i) + 1, paths[i]))).ok());
  for (const std::string glob : {"*", "a*", "a/*", "a?b", "a?*", "a[b]c", "a[*", "[a-z]", "[a-z]*",
                                 "a[^x]b", "*b", "*/*", "ä*", "", "a]b", "a/b'; --", "**", "*'*"}) {
    const auto scope = scope_of(glob);
    Ids expected;
    for (std::size_t i = paths.size(); i-- > 0;)
      if (allows(scope, "gl", paths[i])) expected.push_back(static_cast<int64_t>(i) + 1);
    EXPECT_EQ(job_ids(scope), expected) << glob;
  }
}

TEST_P(StoreConformance, FiltersCombine) {
  const auto agent = enroll(everything());
  const auto other = enroll(everything());
  auto with = [](fleet::v1::Envelope e, std::string category, std::string owner, int64_t finished) {
    e.mutable_job_report()->mutable_diagnosis()->set_category(std::move(category));
    e.mutable_job_report()->mutable_diagnosis()->set_owner(std::move(owner));
    e.mutable_job_report()->set_finished_at_us(finished);
    return e;
  };
  ASSERT_TRUE(
      accept(agent, with(reported(1, key(1, "a/b", 1)), "test_failure", "test", 1000)).ok());
  ASSERT_TRUE(accept(agent, with(reported(2, key(2, "a/c", 2)), "oom", "job", 2000)).ok());
  ASSERT_TRUE(accept(other, with(reported(1, key(3, "a/b", 1)), "oom", "job", 3000)).ok());
  ASSERT_TRUE(accept(agent, reported(3, key(4, "a/b", 1), fleet::v1::OUTCOME_PASSED)).ok());
  ASSERT_TRUE(accept(agent, started(4, key(5, "a/b", 1))).ok());
  const auto by = [this](auto member, auto value) {
    JobFilter filter;
    filter.*member = value;
    return job_ids(everything(), filter);
  };
  EXPECT_EQ(by(&JobFilter::outcome, "failed"), (Ids{3, 2, 1}));
  EXPECT_EQ(by(&JobFilter::outcome, "passed"), Ids{4});
  EXPECT_EQ(by(&JobFilter::category, "oom"), (Ids{3, 2}));
  EXPECT_EQ(by(&JobFilter::owner, "test"), Ids{1});
  EXPECT_EQ(by(&JobFilter::agent_id, other), Ids{3});
  EXPECT_EQ(by(&JobFilter::project_id, 2), Ids{2});
  EXPECT_EQ(by(&JobFilter::project_path, "a/b"), (Ids{5, 4, 3, 1}));
  EXPECT_EQ(by(&JobFilter::instance, "nowhere"), Ids{});
  EXPECT_EQ(by(&JobFilter::finished_before, UnixMicros{2000}), Ids{1});
  EXPECT_EQ(by(&JobFilter::finished_after, UnixMicros{2000}), (Ids{4, 3}));
  JobFilter both;
  both.category = "oom";
  both.project_path = "a/b";
  EXPECT_EQ(job_ids(everything(), both), Ids{3});
}

TEST_P(StoreConformance, AFilterOfTimePagesByTheEndOfJobs) {
  const auto agent = enroll(everything());
  const std::vector<int64_t> ends{500, 900, 100, 700, 700, 300};  // of jobs 1 to 6, as they arrive
  for (std::size_t i = 0; i < ends.size(); ++i) {
    auto envelope = reported(i + 1, key(static_cast<int64_t>(i) + 1, i == 3 ? "c/d" : "a/b"));
    envelope.mutable_job_report()->set_finished_at_us(ends[i]);
    ASSERT_TRUE(accept(agent, envelope).ok());
  }
  ASSERT_TRUE(accept(agent, started(7, key(7, "a/b"))).ok());
  JobFilter filter;
  filter.finished_after = UnixMicros{100};
  Ids seen;
  std::string after;
  do {
    const auto page = await(store->jobs(everything(), filter, {after, 2}));
    ASSERT_TRUE(page.ok()) << page.error().to_string();
    EXPECT_LE(page->items.size(), 2u);
    for (const auto& job : page->items) seen.push_back(job.key.job_id);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(seen, (Ids{2, 5, 4, 1, 6}));
  filter.finished_before = UnixMicros{900};
  EXPECT_EQ(job_ids(scope_of("a/*"), filter), (Ids{5, 1, 6}));
  filter.job_id = 6;
  EXPECT_EQ(job_ids(everything(), filter), Ids{6});
  for (const std::string marker : {"x", "1", "1.x", ".", "1."}) {
    const auto page = await(store->jobs(everything(), filter, {marker, 2}));
    EXPECT_EQ(page.error().code(), Code::invalid_argument) << marker;
  }
}

TEST_P(StoreConformance, PagesAreStableWhileJobsArrive) {
  const auto agent = enroll(everything());
  uint64_t seq = 0;
  for (int64_t i = 1; i <= 25; ++i)
    ASSERT_TRUE(accept(agent, started(++seq, key(i, i % 2 ? "a/b" : "c/d"))).ok());
  Ids seen;
  std::string after;
  do {
    const auto page = await(store->jobs(scope_of("a/*"), {}, {after, 4}));
    ASSERT_TRUE(page.ok());
    for (const auto& job : page->items) seen.push_back(job.key.job_id);
    after = page->next;
    ++seq;  // meanwhile
    ASSERT_TRUE(accept(agent, started(seq, key(1000 + static_cast<int64_t>(seq), "a/b"))).ok());
    ++seq;
    ASSERT_TRUE(accept(agent, reported(seq, key(9, "a/b"))).ok());
  } while (!after.empty());
  EXPECT_EQ(seen, (Ids{25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1}));
}

TEST_P(StoreConformance, APageThatIsExactlyFullIsTheLast) {
  const auto agent = enroll(everything());
  for (int64_t i = 1; i <= 4; ++i)
    ASSERT_TRUE(accept(agent, started(static_cast<uint64_t>(i), key(i, "a/b"))).ok());
  EXPECT_EQ(await(store->jobs(everything(), {}, {"", 4}))->next, "");
  EXPECT_NE(await(store->jobs(everything(), {}, {"", 3}))->next, "");
  for (const std::size_t limit : {std::size_t{0}, std::size_t{201}})
    EXPECT_EQ(await(store->jobs(everything(), {}, {"", limit})).error().code(),
              Code::invalid_argument);
  EXPECT_EQ(await(store->jobs(everything(), {}, {"'; DROP TABLE jobs", 4})).error().code(),
            Code::invalid_argument);
}

TEST_P(StoreConformance, GitlabsWordIsKeptAndSetsTheProject) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(1, "a/b"))).ok());
  GitlabFacts facts;
  facts.status = "failed";
  facts.failure_reason = "script_failure";
  facts.name = "test \"quoted\" \xff";
  facts.stage = "s";
  facts.ref = "refs/merge-requests/7/head";
  facts.sha = "abc";
  facts.web_url = "https://gl/a/b/-/jobs/1";
  facts.pipeline_id = 77;
  facts.allow_failure = true;
  facts.retried = true;
  facts.runner_id = 5;
  facts.finished_at = {123};
  facts.read_at = {456};
  facts.merge_request = MergeRequestKey{"gl", 12, 7};
  const auto id = job_of(1).id;
  const auto before = events().back().number;
  clock.advance(5);
  ASSERT_TRUE(await(store->set_gitlab_facts(id, 12, facts)).ok());
  const auto job = job_of(1);
  EXPECT_EQ(job.key.project_id, 12);
  ASSERT_TRUE(job.gitlab.has_value());
  EXPECT_EQ(job.gitlab->status, "failed");
  EXPECT_EQ(job.gitlab->failure_reason, "script_failure");
  EXPECT_EQ(job.gitlab->name, "test \"quoted\" \xef\xbf\xbd");
  EXPECT_EQ(job.gitlab->stage, "s");
  EXPECT_EQ(job.gitlab->ref, facts.ref);
  EXPECT_EQ(job.gitlab->sha, "abc");
  EXPECT_EQ(job.gitlab->web_url, facts.web_url);
  EXPECT_EQ(job.gitlab->pipeline_id, 77);
  EXPECT_TRUE(job.gitlab->allow_failure);
  EXPECT_TRUE(job.gitlab->retried);
  EXPECT_EQ(job.gitlab->runner_id, 5);
  EXPECT_EQ(job.gitlab->finished_at, UnixMicros{123});
  EXPECT_EQ(job.gitlab->read_at, UnixMicros{456});
  EXPECT_EQ(job.gitlab->merge_request, facts.merge_request);
  const auto fresh = events(before);
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].type, "job.updated");
  EXPECT_EQ(fresh[0].project_id, 12);
  EXPECT_EQ(fresh[0].at, kNow + 5);
  EXPECT_EQ(await(store->set_gitlab_facts("nothing", 12, facts)).error().code(), Code::not_found);
  EXPECT_EQ(await(store->set_gitlab_facts(id, 13, facts)).error().code(), Code::invalid_argument);
  EXPECT_EQ(job_of(1).key.project_id, 12);
  // From now on the id alone says which path it is.
  ASSERT_TRUE(accept(agent, reported(2, key(2, "", 12))).ok());
  EXPECT_EQ(job_of(2).project_path, "a/b");
}

TEST_P(StoreConformance, WhatPassedRunsOnABranchUsed) {
  const auto agent = enroll(everything());
  const auto put = [&](int64_t job, std::string name, std::string ref, std::string status,
                       int64_t wall, int64_t project = 5) {
    auto envelope =
        reported(static_cast<uint64_t>(job), key(job, "p/" + std::to_string(project), project));
    envelope.mutable_job_report()->set_wall_us(wall);
    if (job % 2)
      envelope.mutable_job_report()->mutable_usage()->mutable_memory_peak_bytes()->set_value(job);
    ASSERT_TRUE(accept(agent, envelope).ok());
    GitlabFacts facts;
    facts.name = std::move(name);
    facts.ref = std::move(ref);
    facts.status = std::move(status);
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, project, facts)).ok());
  };
  put(1, "unit", "main", "success", 100);
  put(2, "unit", "main", "success", 200);
  put(3, "unit", "main", "failed", 300);
  put(4, "unit", "topic", "success", 400);
  put(5, "lint", "main", "success", 500);
  put(6, "unit", "main", "success", 600, 6);
  const auto runs = await(store->passed_runs("gl", 5, "main", {"unit", "lint", "gone"})).value();
  ASSERT_EQ(runs.size(), 2u);
  ASSERT_EQ(runs.at("unit").size(), 2u);
  EXPECT_EQ(runs.at("unit")[0].wall_us, 200);
  EXPECT_EQ(runs.at("unit")[0].memory_peak_bytes, std::nullopt);
  EXPECT_EQ(runs.at("unit")[1].wall_us, 100);
  EXPECT_EQ(runs.at("unit")[1].memory_peak_bytes, 1);
  EXPECT_EQ(runs.at("lint").size(), 1u);
  for (int64_t job = 7; job < 7 + 2 * kRunsOfAJob; ++job) put(job, "unit", "main", "success", job);
  const auto many = await(store->passed_runs("gl", 5, "main", {"unit"})).value();
  EXPECT_EQ(many.at("unit").size(), static_cast<std::size_t>(kRunsOfAJob));
  EXPECT_EQ(many.at("unit")[0].wall_us, 6 + 2 * kRunsOfAJob);
  EXPECT_TRUE(await(store->passed_runs("other", 5, "main", {"unit"})).value().empty());
}

TEST_P(StoreConformance, OfTheRunsOfOneJobOnlyTheNewestIsNotRetried) {
  const auto agent = enroll(everything());
  const auto put = [&](int64_t job, std::string name, int64_t pipeline, int64_t project = 5) {
    GitlabFacts facts;
    facts.status = "failed";
    facts.name = std::move(name);
    facts.pipeline_id = pipeline;
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, project, facts)).ok());
  };
  for (int64_t job = 1; job <= 6; ++job) {
    const int64_t project = job == 6 ? 6 : 5;
    const auto k = key(job, "p/" + std::to_string(project), project);
    ASSERT_TRUE(accept(agent, reported(static_cast<uint64_t>(job), k)).ok());
  }
  const auto retried = [&](int64_t job) { return job_of(job).gitlab->retried; };
  put(2, "unit", 77);
  put(3, "lint", 77);
  put(4, "unit", 78);
  put(6, "unit", 77, 6);
  const auto before = events().back().number;
  put(5, "unit", 77);
  EXPECT_TRUE(retried(2));
  EXPECT_EQ(job_of(2).gitlab->status, "failed") << "the rest is as it was";
  EXPECT_FALSE(retried(3)) << "another job";
  EXPECT_FALSE(retried(4)) << "another pipeline";
  EXPECT_FALSE(retried(5));
  EXPECT_FALSE(retried(6)) << "another project";
  const auto fresh = events(before);
  ASSERT_EQ(fresh.size(), 2u);
  EXPECT_EQ(fresh[0].type, "job.updated");
  EXPECT_EQ(fresh[0].subject, job_of(2).id);
  EXPECT_EQ(fresh[1].subject, job_of(5).id);
  // The order in which GitLab is read does not matter, and reading again changes nothing.
  put(1, "unit", 77);
  EXPECT_TRUE(retried(1));
  EXPECT_FALSE(retried(5));
  put(2, "unit", 77);
  EXPECT_TRUE(retried(2));
}

TEST_P(StoreConformance, APipelinesJobsAreThoseReportedOldestFirst) {
  const auto agent = enroll(everything());
  const auto put = [&](uint64_t seq, int64_t job, int64_t project, int64_t pipeline, bool report,
                       std::string instance = "gl") {
    const auto k = key(job, "p/" + std::to_string(project), project, instance);
    ASSERT_TRUE(accept(agent, report ? reported(seq, k) : started(seq, k)).ok());
    GitlabFacts facts;
    facts.pipeline_id = pipeline;
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job, instance).id, project, facts)).ok());
  };
  put(1, 1, 5, 77, true);
  put(2, 2, 5, 78, true);
  put(3, 3, 5, 77, false);
  put(4, 4, 6, 77, true);
  put(5, 5, 5, 77, true);
  put(6, 6, 5, 77, true, "other");
  Ids ids;
  const auto jobs = await(store->pipeline_jobs("gl", 5, 77));
  for (const auto& job : *jobs) ids.push_back(job.key.job_id);
  EXPECT_EQ(ids, (Ids{1, 5}));
  JobFilter filter;
  filter.pipeline_id = 77;
  EXPECT_EQ(job_ids(scope_of("p/5"), filter), (Ids{5, 3, 1}));
}

}  // namespace
}  // namespace gitaiops::store
