#include <algorithm>

#include "controller/checks/checks.h"

namespace gitaiops::checks {
namespace {

// Those of GitLab's words that mean that a job may still run by itself.
constexpr std::string_view kUnfinished[] = {"created",   "waiting_for_resource",
                                            "preparing", "waiting_for_callback",
                                            "pending",   "running",
                                            "canceling", "scheduled"};

bool still_runs(const note::JobView& job) {
  return std::ranges::find(kUnfinished, job.status) != std::end(kUnfinished);
}

std::string of_jobs(std::size_t failed, std::size_t ran) {
  const std::string all = std::to_string(ran) + (ran == 1 ? " job" : " jobs");
  return failed == 0 ? all + " passed" : std::to_string(failed) + " of " + all + " failed";
}

std::string of_vulnerabilities(const std::optional<note::Dependencies>& dependencies,
                               const std::vector<note::Vulnerable>& bad) {
  if (!dependencies) return "no dependencies were seen";
  if (!dependencies->target_known)
    return "dependencies not compared: the target branch is not known";
  if (bad.empty()) return "no new vulnerabilities";
  const auto critical = std::ranges::count(bad, note::kCritical, &note::Vulnerable::severity);
  std::string out = std::to_string(bad.size()) + " new " +
                    (bad.size() == 1 ? "vulnerability" : "vulnerabilities");
  if (critical > 0) out += ", " + std::to_string(critical) + " critical";
  return out;
}

}  // namespace

std::optional<Opinion> opinion_of(const note::View& view, const Options& options) {
  if (view.jobs.empty() || std::ranges::any_of(view.jobs, still_runs)) return std::nullopt;
  std::size_t failed = 0, ran = 0;
  for (const auto& job : view.jobs) {
    const bool blocking = job.status == "failed" && !job.allow_failure;
    failed += blocking;
    ran += blocking || job.status == "success" || job.status == "failed";
  }
  const auto bad =
      view.dependencies ? note::worth_a_note(*view.dependencies) : std::vector<note::Vulnerable>();
  Opinion out;
  out.failed =
      (options.fails_on_jobs && failed > 0) || (options.fails_on_vulnerabilities && !bad.empty());
  out.words = of_jobs(failed, ran) + "; " + of_vulnerabilities(view.dependencies, bad);
  return out;
}

}  // namespace gitaiops::checks
