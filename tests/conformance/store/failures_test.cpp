// Failures seen before: what counts as the same, what is told to whom, what made it pass.
#include <gmock/gmock.h>

#include "engines/diagnosis/diagnosis.h"
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using ::testing::ElementsAre;

struct Failed {
  std::string fingerprint = "v1:1111111111111111";
  std::string category = "test_failure", owner = "test";
  std::vector<uint32_t> minhash = {};
  std::string text = "assert total == 3";
  std::vector<std::string> tests = {};
};

FailureFilter flaky(bool wanted) {
  FailureFilter filter;
  filter.flaky = wanted;
  return filter;
}
FailureFilter of_category(std::string category) {
  FailureFilter filter;
  filter.category = std::move(category);
  return filter;
}
FailureFilter of_project(std::string path, std::string owner) {
  FailureFilter filter;
  filter.project_path = std::move(path);
  filter.owner = std::move(owner);
  return filter;
}

class Failures : public StoreConformance {
 protected:
  // A failed job's report by the agent that may speak for everything.
  std::string fail(int64_t job, std::string path, Failed what = {}, int64_t minute = 0) {
    auto envelope = reported(++seq_, key(job, std::move(path), 7));
    auto& report = *envelope.mutable_job_report();
    report.set_finished_at_us((kNow + minute * 60 * kSecond).value);
    auto& d = *report.mutable_diagnosis();
    d.set_category(what.category);
    d.set_owner(what.owner);
    d.set_fingerprint(what.fingerprint);
    d.mutable_root_cause()->set_text(what.text);
    d.mutable_minhash()->Add(what.minhash.begin(), what.minhash.end());
    for (const auto& test : what.tests) d.add_failing_tests()->set_name(test);
    EXPECT_TRUE(accept(agent_, std::move(envelope), 1, kNow + 3600 * kSecond).ok());
    return job_of(job).id;
  }
  void pass(int64_t job, std::string path) {
    auto envelope = reported(++seq_, key(job, std::move(path), 7), fleet::v1::OUTCOME_PASSED);
    EXPECT_TRUE(accept(agent_, std::move(envelope), 1, kNow + 3600 * kSecond).ok());
  }
  void gitlab(int64_t job, std::string status, std::string sha, std::string ref = "main",
              std::string name = "unit", int64_t iid = 0) {
    GitlabFacts facts;
    facts.status = std::move(status);
    facts.sha = std::move(sha);
    facts.ref = std::move(ref);
    facts.name = std::move(name);
    facts.pipeline_id = 900 + job;
    if (iid != 0) facts.merge_request = MergeRequestKey{"gl", 7, iid};
    const auto found = job_of(job);
    EXPECT_TRUE(await(store->set_gitlab_facts(found.id, 7, facts)).ok());
  }
  SeenBefore seen(const std::string& job, Scope scope = everything()) {
    auto found = await(store->seen_before(std::move(scope), job));
    EXPECT_TRUE(found.ok() && *found) << job;
    return found.ok() && *found ? **found : SeenBefore{};
  }
  std::vector<Failure> listed(Scope scope = everything(), FailureFilter filter = {}) {
    return await(store->failures(std::move(scope), std::move(filter), {})).value().items;
  }
  static std::vector<uint32_t> minhash(uint32_t seed, std::size_t changed) {
    std::vector<uint32_t> out(diagnosis::kMinhashSlots);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = seed + static_cast<uint32_t>(i) + (i < changed ? 1'000'000u : 0u);
    return out;
  }

  const std::string agent_ = enroll(everything());
  uint64_t seq_ = 0;
};

TEST_P(Failures, TheSameFingerprintInAProjectIsTheSameFailure) {
  const auto first = fail(1, "grp/a", {}, 0);
  const auto second = fail(2, "grp/a", {}, 10);
  const auto third = fail(3, "grp/a", {}, 20);
  EXPECT_EQ(seen(first).times, 0);
  EXPECT_FALSE(seen(first).first_at);
  const auto before = seen(third);
  EXPECT_EQ(before.times, 2);
  EXPECT_EQ(before.first_at, kNow);
  EXPECT_EQ(before.last_at, kNow + 600 * kSecond);
  EXPECT_THAT(before.agents, ElementsAre(agent_));
  EXPECT_EQ(before.failure, seen(second).failure);
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].times, 3);
  EXPECT_EQ(listed()[0].title, "assert total == 3");
}

TEST_P(Failures, AnotherProjectsTestFailureIsAnotherFailure) {
  fail(1, "grp/a");
  EXPECT_EQ(seen(fail(2, "grp/b")).times, 0);
  EXPECT_EQ(seen(fail(3, "grp/b")).elsewhere_times, 0);
  EXPECT_EQ(listed().size(), 2u);
}

TEST_P(Failures, WhatInfrastructureOwnsIsOneOverAllProjectsAndOnlyNumbersCross) {
  const Failed dns{.category = "dns", .owner = "infrastructure", .text = "secret-host of grp/a"};
  Failed theirs = dns;
  theirs.text = "could not resolve";
  fail(1, "grp/a", dns);
  fail(2, "grp/a", dns);
  const auto job = fail(3, "grp/b", theirs);
  EXPECT_EQ(seen(job).times, 0);
  EXPECT_EQ(seen(job).elsewhere_times, 2);
  EXPECT_EQ(seen(job).elsewhere_projects, 1);
  const auto shown = listed(scope_of("grp/b"));
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].title, "could not resolve");
  EXPECT_EQ(shown[0].times, 1);
  EXPECT_EQ(shown[0].projects, 1);
  EXPECT_EQ(shown[0].elsewhere_times, 2);
  EXPECT_EQ(shown[0].elsewhere_projects, 1);
  const auto detail = await(store->failure(scope_of("grp/b"), shown[0].id));
  ASSERT_TRUE(detail.ok());
  ASSERT_EQ(detail->occurrences.size(), 1u);
  EXPECT_EQ(detail->occurrences[0].project_path, "grp/b");
  EXPECT_EQ(await(store->failure(scope_of("grp/c"), shown[0].id)).error().code(), Code::not_found);
  EXPECT_TRUE(listed(scope_of("grp/c")).empty());
  EXPECT_FALSE(*await(store->seen_before(scope_of("grp/c"), job)));
}

TEST_P(Failures, AlikeEvidenceOfTheSameCategoryIsTheSameFailure) {
  fail(1, "grp/a", {.fingerprint = "v1:a", .minhash = minhash(5, 0)});
  const auto alike = fail(2, "grp/a", {.fingerprint = "v1:b", .minhash = minhash(5, 20)});
  const auto strange = fail(3, "grp/a", {.fingerprint = "v1:c", .minhash = minhash(9999, 0)});
  const auto other = fail(
      4, "grp/a", {.fingerprint = "v1:d", .category = "lint_format", .minhash = minhash(5, 0)});
  EXPECT_EQ(seen(alike).times, 1);
  EXPECT_EQ(seen(strange).times, 0);
  EXPECT_EQ(seen(other).times, 0);
  // The second way to say it is known from then on, by itself.
  EXPECT_EQ(seen(fail(5, "grp/a", {.fingerprint = "v1:b"})).times, 2);
}

TEST_P(Failures, ARetryThatPassesIsToldAndIsEvidenceOfAFlake) {
  const auto job = fail(1, "grp/a", {.tests = {"test_total", "test_tax"}});
  gitlab(1, "failed", "sha1");
  pass(2, "grp/a");
  gitlab(2, "success", "sha1");
  const auto now = seen(job);
  ASSERT_TRUE(now.passed);
  EXPECT_EQ(now.passed->job_id, 2);
  EXPECT_TRUE(now.passed->same_sha);
  EXPECT_EQ(now.passed_on_same_sha, 2);
  const auto again = seen(fail(3, "grp/a"));
  ASSERT_TRUE(again.last_passed);
  EXPECT_TRUE(again.last_passed->same_sha);
  EXPECT_FALSE(again.passed);
  const auto shaky = listed(everything(), flaky(true));
  ASSERT_EQ(shaky.size(), 1u);
  EXPECT_EQ(shaky[0].flaky_times, 1);
  EXPECT_TRUE(listed(everything(), flaky(false)).empty());
  const auto detail = await(store->failure(everything(), shaky[0].id));
  EXPECT_THAT(detail->occurrences.at(1).failing_tests, ElementsAre("test_total", "test_tax"));
  EXPECT_EQ(detail->occurrences.at(1).passed_on_same_sha, 2);
}

TEST_P(Failures, AChangeThatMakesItPassIsNamedAndIsNoFlake) {
  const auto job = fail(1, "grp/a");
  gitlab(1, "failed", "sha1", "feature");
  pass(2, "grp/a");
  gitlab(2, "success", "sha2", "other");  // another branch's commit proves nothing
  EXPECT_FALSE(seen(job).passed);
  pass(3, "grp/a");
  gitlab(3, "success", "sha3", "feature", "unit", 12);
  const auto now = seen(job);
  ASSERT_TRUE(now.passed);
  EXPECT_EQ(now.passed->sha, "sha3");
  EXPECT_FALSE(now.passed->same_sha);
  EXPECT_EQ(now.passed->merge_request_iid, 12);
  EXPECT_FALSE(now.passed_on_same_sha);
  pass(4, "grp/a");
  gitlab(4, "success", "sha4", "feature");
  EXPECT_EQ(seen(job).passed->job_id, 3) << "the first one stands";
}

TEST_P(Failures, TheOrderInWhichGitlabsWordsComeDoesNotMatter) {
  const auto job = fail(1, "grp/a");
  pass(2, "grp/a");
  gitlab(2, "success", "sha1");
  EXPECT_FALSE(seen(job).passed);
  gitlab(1, "failed", "sha1");
  ASSERT_TRUE(seen(job).passed);
  EXPECT_EQ(seen(job).passed->job_id, 2);
  EXPECT_EQ(seen(job).passed_on_same_sha, 2);
  // A run that passed before on the same commit shows the flake as well, but cured nothing.
  const auto later = fail(3, "grp/a");
  gitlab(3, "failed", "sha1");
  EXPECT_EQ(seen(later).passed_on_same_sha, 2);
  EXPECT_FALSE(seen(later).passed);
}

TEST_P(Failures, ThePagesOfTheListGoBack) {
  for (int64_t i = 1; i <= 5; ++i) fail(i, "grp/a", {.fingerprint = "v1:" + std::to_string(i)}, i);
  const auto first = await(store->failures(everything(), {}, {"", 2})).value();
  ASSERT_EQ(first.items.size(), 2u);
  EXPECT_EQ(first.items[0].fingerprint, "v1:5");
  const auto second = await(store->failures(everything(), {}, {first.next, 2})).value();
  EXPECT_EQ(second.items[0].fingerprint, "v1:3");
  const auto last = await(store->failures(everything(), {}, {second.next, 2})).value();
  ASSERT_EQ(last.items.size(), 1u);
  EXPECT_EQ(last.next, "");
  EXPECT_FALSE(await(store->failures(everything(), {}, {"x", 2})).ok());
  EXPECT_EQ(listed(everything(), of_category("dns")).size(), 0u);
  EXPECT_EQ(listed(everything(), of_project("grp/a", "test")).size(), 5u);
}

TEST_P(Failures, GoWithTheirJobs) {
  fail(1, "grp/a", {.fingerprint = "v1:old", .minhash = minhash(1, 0)}, -100);
  fail(2, "grp/a", {.fingerprint = "v1:new"}, 50);
  EXPECT_EQ(await(store->sweep({kNow, 0})).value(), 1);
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].fingerprint, "v1:new");
  EXPECT_EQ(seen(fail(3, "grp/a", {.fingerprint = "v1:old", .minhash = minhash(1, 0)}, 60)).times,
            0);
}

TEST_P(Failures, AFetchedLogStandsUntilAnAgentReportsTheJob) {
  auto fetched = reported(0, key(1, "grp/a", 7)).job_report();
  fetched.mutable_diagnosis()->set_fingerprint("v1:api");
  fetched.mutable_diagnosis()->set_category("dns");
  EXPECT_TRUE(*await(store->keep_fetched(fetched, kNow)));
  EXPECT_FALSE(*await(store->keep_fetched(fetched, kNow)));
  EXPECT_EQ(job_of(1).agent_id, "");
  EXPECT_THAT(*await(store->unreported("gl", {1, 2})), ElementsAre(2));
  const auto id = job_of(1).id;
  fail(1, "grp/a");
  EXPECT_EQ(job_of(1).agent_id, agent_);
  EXPECT_EQ(job_of(1).id, id);
  ASSERT_EQ(listed().size(), 1u) << "counted once";
  EXPECT_EQ(listed()[0].fingerprint, "v1:1111111111111111");
  EXPECT_FALSE(*await(store->keep_fetched(fetched, kNow)));
}

TEST_P(Failures, ABaselineIsThatOfTheLastPassingRunsOfTheJobName) {
  const auto passed = [&](int64_t job, std::vector<uint64_t> templates, std::string status) {
    pass(job, "grp/a");
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    *envelope.mutable_passed_templates()->mutable_key() = key(job, "grp/a", 7);
    envelope.mutable_passed_templates()->mutable_templates()->Add(templates.begin(),
                                                                  templates.end());
    EXPECT_TRUE(accept(agent_, std::move(envelope)).ok());
    gitlab(job, std::move(status), "sha", "main", "unit");
  };
  passed(1, {1, 2}, "success");
  passed(2, {2, 0xffff'ffff'ffff'fff0}, "success");
  passed(3, {77}, "failed");
  const auto known = [&](std::string name) {
    return await(store->baseline("gl", 7, std::move(name))).value();
  };
  EXPECT_THAT(known("unit"), ElementsAre(1, 2, 0xffff'ffff'ffff'fff0));
  EXPECT_TRUE(known("lint").empty());
  passed(4, {4}, "success");
  passed(5, {5}, "success");
  passed(6, {6}, "success");
  EXPECT_THAT(known("unit"), ElementsAre(4, 5, 6)) << "of the last three runs";
}

TEST_P(Failures, HostsThatFailJobsOfManyProjects) {
  const Failed full{.category = "disk_full", .owner = "runner"};
  fail(1, "grp/a", full, 1);
  fail(2, "grp/b", full, 2);
  fail(3, "grp/b", full, 3);
  fail(4, "grp/c", {}, 4);  // a test's failure says nothing of the host
  EXPECT_TRUE(await(store->failing_hosts(kNow, 3, 3)).value().empty());
  fail(5, "grp/c", full, 5);
  const auto hosts = await(store->failing_hosts(kNow, 4, 3)).value();
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].agent_id, agent_);
  EXPECT_EQ(hosts[0].host_name, "host-1");
  EXPECT_EQ(hosts[0].jobs, 4);
  EXPECT_EQ(hosts[0].projects, 3);
  EXPECT_EQ(hosts[0].last_at, kNow + 300 * kSecond);
  EXPECT_THAT(hosts[0].project_ids, ElementsAre(7));
  EXPECT_TRUE(await(store->failing_hosts(kNow + 200 * kSecond, 4, 3)).value().empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, Failures, ::testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace gitaiops::store
