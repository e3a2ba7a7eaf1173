// The section on what the jobs used: one line for what failed, a folded table for the whole
// pipeline, and what is far from usual. It never makes a note by itself.
#include <algorithm>

#include "base/clock/clock.h"
#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kMaxRows = 50;
constexpr std::size_t kMaxLimits = 3;
constexpr std::size_t kMaxChanges = 3;
constexpr int64_t kNearPart = 20;      // as near to a limit as a twentieth of it is worth a word
constexpr int64_t kHeldBackPart = 10;  // as is a tenth of the job's time
constexpr std::string_view kAbsent = "–";

struct Row {
  const JobView* job = nullptr;
  std::string cpu, memory, wall;
  bool any() const { return !cpu.empty() || !memory.empty() || !wall.empty(); }
};

Row row_of(const JobView& job) {
  Row row;
  row.job = &job;
  const auto& report = *job.report;
  if (report.usage().has_cpu_us()) row.cpu = duration(report.usage().cpu_us().value());
  if (report.usage().has_memory_peak_bytes())
    row.memory = bytes(report.usage().memory_peak_bytes().value());
  if (report.has_wall_us()) row.wall = duration(report.wall_us());
  return row;
}

bool blocks(const JobView& job) {
  return job.status == "failed" && !job.allow_failure && job.report.has_value();
}

std::string line_of(const Row& row) {
  std::string out;
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += (out.empty() ? "" : " · ") + std::string(what) + " " + value;
  };
  add("CPU", row.cpu);
  add("peak memory", row.memory);
  add("wall", row.wall);
  return out;
}

// The kind is one of a few words, but comes from outside: only known ones are said.
std::string container_words(std::string_view kind) {
  if (kind == "build" || kind == "helper") return "The " + std::string(kind) + " container";
  if (kind == "service") return "A service container";
  return "A container of the job";
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
  return text;
}

// What a container ran into, one sentence each: kills for memory, its memory limit, its CPU limit.
std::vector<std::string> limits_met(const fleet::v1::JobReport& report) {
  std::vector<std::string> said;
  for (const auto& container : report.usage().containers()) {
    const auto who = container_words(container.kind());
    const auto limit = container.memory_limit_bytes(), peak = container.memory_peak_bytes().value();
    const auto kills = container.oom_kills().value();
    const bool at_limit = limit > 0 && peak >= limit - limit / kNearPart;
    const auto killed = kills == 1 ? "1 process" : std::to_string(kills) + " processes";
    if (kills > 0 && at_limit) {
      said.push_back(who + " reached its memory limit of " + bytes(limit) + ": the kernel killed " +
                     killed + " in it.");
    } else if (kills > 0) {
      said.push_back("In " + lower_first(who) + " the kernel killed " + killed + " for memory.");
    } else if (at_limit) {
      said.push_back(who + " held " + bytes(peak) + " of its memory limit of " + bytes(limit) +
                     ", file cache included.");
    }
    const auto held_back = container.cpu_throttled_us().value();
    if (report.has_wall_us() && held_back >= kMicrosPerSecond &&
        held_back >= report.wall_us() / kHeldBackPart)
      said.push_back(who + " was held back by its CPU limit for " + duration(held_back) + ".");
  }
  if (said.size() > kMaxLimits) said.resize(kMaxLimits);
  return said;
}

// Several failed jobs in one line: the sum, and which one needed most.
std::string summary(const std::vector<const JobView*>& jobs) {
  int64_t cpu = 0;
  std::size_t measured = 0;
  const JobView *hungriest = nullptr, *longest = nullptr;
  const auto memory = [](const JobView& job) {
    return job.report->usage().memory_peak_bytes().value();
  };
  for (const auto* job : jobs) {
    const auto& usage = job->report->usage();
    measured += usage.has_cpu_us() ? 1 : 0;
    cpu += std::clamp<int64_t>(usage.cpu_us().value(), 0, int64_t{1} << 48);
    if (usage.has_memory_peak_bytes() &&
        (hungriest == nullptr || memory(*job) > memory(*hungriest)))
      hungriest = job;
    if (job->report->has_wall_us() &&
        (longest == nullptr || job->report->wall_us() > longest->report->wall_us()))
      longest = job;
  }
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : " · ") + text; };
  if (measured == jobs.size()) {
    add("CPU " + duration(cpu) + " in all");
  } else if (measured > 0) {
    add("CPU at least " + duration(cpu));  // of some it is not known
  }
  if (hungriest != nullptr)
    add("peak memory up to " + bytes(memory(*hungriest)) + " (" + name_of(*hungriest) + ")");
  if (longest != nullptr)
    add("wall up to " + duration(longest->report->wall_us()) + " (" + name_of(*longest) + ")");
  return out;
}

std::string table(const std::vector<Row>& rows) {
  std::string out = "| Job | CPU | Peak memory | Wall |\n|---|---:|---:|---:|\n";
  const auto cell = [](const std::string& value) {
    return value.empty() ? std::string(kAbsent) : value;
  };
  for (std::size_t i = 0; i < std::min(rows.size(), kMaxRows); ++i) {
    const JobView& job = *rows[i].job;
    out += "| " + name_of(job) + " | " + cell(rows[i].cpu) + " | " + cell(rows[i].memory) + " | " +
           cell(rows[i].wall) + " |\n";
  }
  if (rows.size() > kMaxRows)
    out += "\n" + std::to_string(rows.size() - kMaxRows) + " more jobs are not listed.\n";
  return out;
}

class Usage final : public Section {
 public:
  std::string_view name() const override { return "usage"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    if (auto used = of_the_pipeline(view)) out.blocks.push_back(std::move(*used));
    if (auto changed = of_the_change(view)) out.blocks.push_back(std::move(*changed));
    return out;
  }

 private:
  static std::optional<Block> of_the_pipeline(const View& view) {
    std::vector<const JobView*> failed;
    std::vector<Row> rows;
    bool any_failed = false;
    for (const auto& job : view.jobs) {
      if (!job.report) continue;
      if (blocks(job)) failed.push_back(&job);
      any_failed = any_failed || job.status == "failed";
      if (Row row = row_of(job); row.any()) rows.push_back(std::move(row));
    }
    if (!any_failed || rows.empty()) return std::nullopt;
    std::ranges::sort(rows, {}, [](const Row& row) { return row.job->id; });
    std::ranges::sort(failed, {}, [](const JobView* job) { return job->id; });
    Block block;
    if (failed.size() == 1) block.shown = line_of(row_of(*failed.front()));
    if (failed.size() > 1) block.shown = summary(failed);
    for (const auto* job : failed)
      for (const auto& sentence : limits_met(*job->report))
        block.shown += (block.shown.empty() ? "" : "  \n") +
                       (failed.size() > 1 ? name_of(*job) + ": " : "") + sentence;
    if (rows.size() > 1 || failed.empty()) {
      block.folded = table(rows);
      block.fold_title =
          "usage of " + std::to_string(rows.size()) + (rows.size() == 1 ? " job" : " jobs");
    }
    return block;
  }

  static std::optional<Block> of_the_change(const View& view) {
    const auto changes = usage_changes(view);
    if (changes.empty()) return std::nullopt;
    Block block;
    for (std::size_t i = 0; i < std::min(changes.size(), kMaxRows); ++i)
      (i < kMaxChanges ? block.shown : block.folded) += "- " + changes[i] + "\n";
    if (!block.folded.empty()) block.fold_title = "more changes in usage";
    return block;
  }
};

}  // namespace

std::shared_ptr<const Section> usage() {
  return std::make_shared<Usage>();
}

}  // namespace gitaiops::note
