// What a merge request changes in how long its jobs take and how much memory they need, against the
// newest runs of its target branch. Runners differ and are shared, so only what no such run showed,
// and by far, is told.
#include <algorithm>

#include "base/clock/clock.h"
#include "controller/note/markdown.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kLeastRuns = 5;  // fewer say little of what is usual
constexpr double kFar = 1.5;           // times the median, or one in so many
constexpr int64_t kLeastWall = 30 * kMicrosPerSecond;
constexpr int64_t kLeastMemory = int64_t{100} << 20;

struct Difference {
  const JobView* job = nullptr;
  bool memory = false;
  int64_t now = 0, usual = 0;
  double by() const {
    const double ratio =
        static_cast<double>(now) / static_cast<double>(std::max<int64_t>(usual, 1));
    return std::max(ratio, 1 / ratio);
  }
};

// The median of the runs, where `now` is beyond all of them and far from it.
std::optional<int64_t> far_from(int64_t now, std::vector<int64_t> runs, int64_t least) {
  std::erase_if(runs, [](int64_t run) { return run <= 0; });  // nobody measured it
  if (runs.size() < kLeastRuns || now <= 0) return std::nullopt;
  std::ranges::sort(runs);
  if (now >= runs.front() && now <= runs.back()) return std::nullopt;
  const int64_t median = runs[runs.size() / 2];
  const auto larger = static_cast<double>(std::max(now, median));
  const auto smaller = static_cast<double>(std::min(now, median));
  if (larger < kFar * smaller || larger - smaller < static_cast<double>(least)) return std::nullopt;
  return median;
}

std::string line_of(const Difference& d, const std::string& target) {
  const auto said = [&](int64_t value) { return d.memory ? bytes(value) : duration(value); };
  return name_of(*d.job) + (d.memory ? " needed up to " : " took ") + said(d.now) +
         (d.memory ? " of memory" : "") + ", usually " + said(d.usual) +
         (target.empty() ? "" : " on " + code_span(target, 80));
}

}  // namespace

std::vector<std::string> usage_changes(const View& view) {
  std::vector<Difference> found;
  for (const auto& job : view.jobs) {
    if (job.status != "success" || !job.report) continue;
    const auto& report = *job.report;
    if (const auto usual = far_from(report.wall_us(), job.usual.wall_us, kLeastWall))
      found.push_back({&job, false, report.wall_us(), *usual});
    const int64_t memory = report.usage().memory_peak_bytes().value();
    if (const auto usual = far_from(memory, job.usual.memory_bytes, kLeastMemory))
      found.push_back({&job, true, memory, *usual});
  }
  std::ranges::stable_sort(found, std::ranges::greater(), &Difference::by);
  std::vector<std::string> out;
  for (const auto& one : found) out.push_back(line_of(one, view.target_branch));
  return out;
}

}  // namespace gitaiops::note
