// The decisions: values in, values out.
#include <algorithm>

#include "controller/acting/acting.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::acting {
namespace {

constexpr double kSure = 0.6;                        // from here on a verdict is acted upon
constexpr double kCodeSignal = 0.3;                  // also of an earlier command: better no retry
constexpr int64_t kFresh = 3600 * kMicrosPerSecond;  // nobody waits for what failed before

bool has(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

const std::map<std::string, std::string>& owners() {
  static const auto made = [] {
    std::map<std::string, std::string> out;
    for (const auto& category : diagnosis::rule_categories(*diagnosis::builtin_rules()))
      out[category.id] = category.owner;
    return out;
  }();
  return made;
}

// The code or its tests show a failure of their own: a retry would hide it, or waste a run. A
// category that is not ours may be anything.
bool code_signal(const fleet::v1::Diagnosis& d) {
  if (d.failing_tests_size() > 0) return true;
  return std::ranges::any_of(d.candidates(), [&](const fleet::v1::Candidate& candidate) {
    if (candidate.category() == "unknown") return false;  // a line that only sounds bad
    if (candidate.score() < kCodeSignal || candidate.category() == d.category()) return false;
    const auto owner = owners().find(candidate.category());
    return owner == owners().end() || owner->second == "code" || owner->second == "test";
  });
}

}  // namespace

std::optional<Retry> worth_a_retry(const store::Job& job, const std::vector<RetryRule>& rules,
                                   UnixMicros now) {
  if (!job.gitlab || job.gitlab->status != "failed" || job.gitlab->retried) return std::nullopt;
  if (job.gitlab->sha.empty() || job.gitlab->name.empty()) return std::nullopt;
  if (now - job.gitlab->finished_at > kFresh) return std::nullopt;
  const auto& d = job.report.diagnosis();
  if (d.retry().empty() || d.retry() == "never" || d.confidence() < kSure) return std::nullopt;
  if (code_signal(d)) return std::nullopt;
  const auto rule = std::ranges::find_if(rules, [&](const RetryRule& r) {
    return store::allows({r.project}, job.key.instance, job.project_path) &&
           (has(r.owners, d.owner()) || has(r.categories, d.category()));
  });
  if (rule == rules.end()) return std::nullopt;
  const int64_t wait = d.retry() == "once" ? 0 : rule->backoff_us;
  return Retry{wait, rule->max_per_hour, d.retry()};
}

const gitlab::Job* newer_run(const std::vector<gitlab::Job>& runs, const std::string& name,
                             int64_t job_id) {
  const gitlab::Job* newest = nullptr;
  for (const auto& run : runs)
    if (run.name == name && run.id > job_id && (!newest || run.id > newest->id)) newest = &run;
  return newest;
}

std::optional<std::string> objection(const std::vector<gitlab::Job>& runs, int64_t job_id) {
  const auto self = std::ranges::find(runs, job_id, &gitlab::Job::id);
  if (self == runs.end()) return "GitLab does not show the job in its pipeline";
  if (self->status != "failed") return "GitLab says " + self->status;
  if (newer_run(runs, self->name, job_id)) return "a newer run of it is there";
  return std::nullopt;
}

std::optional<std::string> objection(const std::vector<gitlab::Job>& runs, int64_t job_id,
                                     const std::vector<store::Act>& acts) {
  if (auto why = objection(runs, job_id)) return why;
  const auto self = std::ranges::find(runs, job_id, &gitlab::Job::id);
  for (const auto& run : runs) {
    if (run.name != self->name || run.id >= job_id) continue;
    const bool ours = std::ranges::any_of(acts, [&](const store::Act& act) {
      return act.what == "job.retry" && act.job_id == run.id && act.state == "done" &&
             act.asked_by.empty();
    });
    if (!ours) return "somebody retried it before";
  }
  return std::nullopt;
}

bool another_runner(const std::vector<gitlab::Runner>& runners, int64_t runner) {
  return std::ranges::any_of(runners, [&](const gitlab::Runner& other) {
    return other.id != runner && other.online && !other.paused;
  });
}

}  // namespace gitaiops::acting
