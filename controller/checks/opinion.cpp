#include <algorithm>

#include "controller/checks/checks.h"

namespace gitaiops::checks {
namespace {

struct Count {
  std::size_t passed = 0, failed = 0, failed_as_they_may = 0;
  bool over = true;       // no job may still run by itself
  bool canceled = false;  // a job that the pipeline needs
};

Count count(const std::vector<note::JobView>& jobs) {
  Count out;
  for (const auto& job : jobs) {
    out.over &= !gitlab::runs_by_itself(job.status);
    out.canceled |= job.status == "canceled" && !job.allow_failure;
    out.passed += job.status == "success";
    if (job.status == "failed") ++(job.allow_failure ? out.failed_as_they_may : out.failed);
  }
  return out;
}

std::string jobs(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " job" : " jobs");
}

std::string of_jobs(const Count& count) {
  if (count.failed > 0)
    return std::to_string(count.failed) + " of " +
           jobs(count.passed + count.failed + count.failed_as_they_may) + " failed";
  if (count.failed_as_they_may == 0) return jobs(count.passed) + " passed";
  return jobs(count.passed) + " passed, " + std::to_string(count.failed_as_they_may) +
         " failed that may";
}

std::string of_vulnerabilities(const std::optional<note::Dependencies>& dependencies,
                               const std::vector<note::Vulnerable>& bad) {
  if (!dependencies) return "no dependencies were seen";
  if (!dependencies->target_known)
    return "dependencies not compared: the target branch is not known";
  const std::size_t added = dependencies->added.size();
  if (added == 0) return "no new vulnerabilities";
  if (bad.empty())
    return std::to_string(added) + " new " + (added == 1 ? "vulnerability" : "vulnerabilities") +
           ", none worth a note";
  const auto critical = std::ranges::count(bad, note::kCritical, &note::Vulnerable::severity);
  std::string out = std::to_string(bad.size()) + " new " +
                    (bad.size() == 1 ? "vulnerability" : "vulnerabilities");
  if (critical > 0) out += ", " + std::to_string(critical) + " critical";
  return out;
}

}  // namespace

std::optional<Opinion> opinion_of(const note::View& view, const Options& options) {
  const Count seen = count(view.jobs);
  if (!seen.over || seen.canceled) return std::nullopt;
  if (seen.passed + seen.failed + seen.failed_as_they_may == 0) return std::nullopt;
  const auto bad =
      view.dependencies ? note::worth_a_note(*view.dependencies) : std::vector<note::Vulnerable>();
  Opinion out;
  out.failed = (options.fails_on_jobs && seen.failed > 0) ||
               (options.fails_on_vulnerabilities && !bad.empty());
  out.words = of_jobs(seen) + "; " + of_vulnerabilities(view.dependencies, bad);
  return out;
}

}  // namespace gitaiops::checks
