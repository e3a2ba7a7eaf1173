#include <gtest/gtest.h>

#include "controller/checks/checks.h"

namespace gitaiops::checks {
namespace {

note::JobView job(std::string status, bool allow_failure = false) {
  note::JobView out;
  out.status = std::move(status);
  out.allow_failure = allow_failure;
  return out;
}

note::View view(std::vector<note::JobView> jobs) {
  note::View out;
  out.jobs = std::move(jobs);
  return out;
}

note::Vulnerable vulnerable(int severity, bool known_exploited = false) {
  note::Vulnerable out;
  out.severity = severity;
  out.known_exploited = known_exploited;
  return out;
}

// The opinion of jobs that passed, with these new vulnerabilities.
Opinion of_added(std::vector<note::Vulnerable> added, Options options = {}) {
  auto seen = view({job("success")});
  seen.dependencies.emplace().added = std::move(added);
  return opinion_of(seen, options).value();
}

constexpr int kMedium = 3;

TEST(Opinion, ThereIsNoneWhileAJobMayStillRunByItself) {
  for (const auto* status : {"created", "pending", "running", "preparing", "waiting_for_resource",
                             "waiting_for_callback", "canceling", "scheduled"})
    EXPECT_FALSE(opinion_of(view({job("success"), job(status)}), {})) << status;
  EXPECT_FALSE(opinion_of(view({}), {})) << "no jobs";
  EXPECT_TRUE(opinion_of(view({job("success"), job("manual"), job("skipped")}), {}))
      << "nobody may ever start it";
}

TEST(Opinion, ThereIsNoneOfAPipelineThatWasStoppedOrNeverBegan) {
  EXPECT_FALSE(opinion_of(view({job("success"), job("canceled")}), {}));
  EXPECT_FALSE(opinion_of(view({job("failed"), job("canceled")}), {}));
  EXPECT_TRUE(opinion_of(view({job("success"), job("canceled", true)}), {}));
  EXPECT_FALSE(opinion_of(view({job("manual"), job("skipped")}), {})) << "nothing was looked at";
}

TEST(Opinion, JobsFailItOnlyWhereThatIsWanted) {
  const auto seen = view({job("failed"), job("success"), job("skipped"), job("manual")});
  EXPECT_FALSE(opinion_of(seen, {})->failed);
  const auto strict = opinion_of(seen, {.fails_on_jobs = true});
  EXPECT_TRUE(strict->failed);
  EXPECT_EQ(strict->words, "1 of 2 jobs failed; no dependencies were seen");
}

TEST(Opinion, AJobThatMayFailDoesNotFailIt) {
  const auto opinion =
      opinion_of(view({job("success"), job("failed", true)}), {.fails_on_jobs = true});
  EXPECT_FALSE(opinion->failed);
  EXPECT_EQ(opinion->words, "1 job passed, 1 failed that may; no dependencies were seen");
}

TEST(Opinion, NewVulnerabilitiesThatAreWorthANoteFailIt) {
  EXPECT_TRUE(of_added({vulnerable(note::kHigh)}).failed);
  EXPECT_TRUE(of_added({vulnerable(kMedium, true)}).failed) << "known to be exploited";
  EXPECT_FALSE(of_added({vulnerable(kMedium)}).failed);
  EXPECT_FALSE(of_added({vulnerable(note::kHigh)}, {.fails_on_vulnerabilities = false}).failed);
  EXPECT_EQ(of_added({}).words, "1 job passed; no new vulnerabilities");
  EXPECT_EQ(of_added({vulnerable(kMedium)}).words,
            "1 job passed; 1 new vulnerability, none worth a note");
  EXPECT_EQ(of_added({vulnerable(note::kHigh), vulnerable(note::kCritical)}).words,
            "1 job passed; 2 new vulnerabilities, 1 critical");
}

TEST(Opinion, WhatCannotBeComparedFailsNothingAndSaysSo) {
  auto seen = view({job("success")});
  auto& dependencies = seen.dependencies.emplace();
  dependencies.target_known = false;
  dependencies.added = {vulnerable(note::kCritical)};
  const auto opinion = opinion_of(seen, {});
  EXPECT_FALSE(opinion->failed);
  EXPECT_EQ(opinion->words,
            "1 job passed; dependencies not compared: the target branch is not known");
}

}  // namespace
}  // namespace gitaiops::checks
