#include "agent/sources/debug_jobs.h"

#include <cmath>

#include "agent/sources/record.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxJobs = 4096;
constexpr std::size_t kMaxLine = 4096;
constexpr double kMaxMicros = 1e15;

// Its keys are in no order, unlike the log's, and its values hold no blanks.
std::string_view value_of(std::string_view line, std::string_view key) {
  for (const auto word : split(line, ' '))
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=')
      return word.substr(key.size() + 1);
  return {};
}

std::optional<int64_t> job_of(std::string_view url) {
  constexpr std::string_view kMark = "/-/jobs/";
  const auto at = url.rfind(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto id = parse_int(url.substr(at + kMark.size()));
  if (!id || *id <= 0) return std::nullopt;
  return id;
}

}  // namespace

std::optional<int64_t> parse_go_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double micros;
  };
  constexpr Unit kUnits[] = {{"ns", 1e-3}, {"us", 1},   {"\xc2\xb5s", 1}, {"ms", 1e3},
                             {"s", 1e6},   {"m", 60e6}, {"h", 3600e6}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_double(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    const auto name = text.substr(0, text.find_first_of("0123456789."));
    const Unit* unit = nullptr;
    for (const auto& candidate : kUnits)
      if (candidate.name == name) unit = &candidate;
    if (!unit) return std::nullopt;
    total += *number * unit->micros;
    text.remove_prefix(name.size());
    if (!(total < kMaxMicros)) return std::nullopt;
  }
  return std::llround(total);
}

void DebugJobsReader::feed(std::string_view body, UnixMicros seen, std::vector<Fact>& out) {
  std::map<JobRef, std::string> stages;
  for (const auto raw : split(body, '\n')) {
    const auto line = trimmed(raw);
    if (line.empty()) continue;
    ++counters_.lines;
    const auto url = value_of(line, "url");
    const auto id = job_of(url);
    if (!id || line.size() > kMaxLine || stages.size() == kMaxJobs) {
      ++counters_.unreadable;
      continue;
    }
    const auto place = instances_.locate(url);
    if (!place.ok()) {
      ++(place.error().code() == Code::not_found ? counters_.unknown_hosts : counters_.unreadable);
      continue;
    }
    ++counters_.records;
    const JobRef job{place->instance, *id};
    const auto emit = [&](Field field, std::string value) {
      out.push_back({job, field, std::move(value), Source::debug_jobs, seen, ++order_});
    };
    const auto before = stages_.find(job);
    if (before == stages_.end()) {
      emit(Field::project_path, place->project_path);
      if (const auto age = parse_go_duration(value_of(line, "duration")))
        emit(Field::received_at, std::to_string(seen.value - *age));
    }
    const auto stage = to_utf8(value_of(line, "stage"));
    if (!stage.empty() && (before == stages_.end() || before->second != stage))
      emit(Field::stage, stage);
    stages.emplace(job, stage);
  }
  stages_ = std::move(stages);
}

}  // namespace gitaiops::agent
