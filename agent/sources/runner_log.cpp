#include "agent/sources/runner_log.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;
constexpr std::size_t kMaxValue = 512;
constexpr std::size_t kMaxRunners = 256;
constexpr std::size_t kMaxStreams = 16;
constexpr std::size_t kMaxUnknownHosts = 8;
constexpr double kMaxDurationSeconds = 366.0 * 24 * 3600;

// The number right after the last occurrence of one of the words.
std::optional<int> number_after(std::string_view text, std::string_view words) {
  const auto at = text.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  auto digits = text.substr(at + words.size());
  const auto end = digits.find_first_not_of("0123456789");
  const auto value = parse_int(digits.substr(0, end));
  if (!value || *value > 0xffff) return std::nullopt;
  return static_cast<int>(*value);
}

// Go's words for signals, as far as a job meets them.
std::optional<int> signal_named(std::string_view text) {
  struct Name {
    std::string_view words;
    int number;
  };
  constexpr std::array<Name, 9> kNames = {{{"signal: hangup", 1},
                                           {"signal: interrupt", 2},
                                           {"signal: quit", 3},
                                           {"signal: illegal instruction", 4},
                                           {"signal: aborted", 6},
                                           {"signal: floating point exception", 8},
                                           {"signal: killed", 9},
                                           {"signal: segmentation fault", 11},
                                           {"signal: terminated", 15}}};
  for (const auto& name : kNames)
    if (text.find(name.words) != std::string_view::npos) return name.number;
  return std::nullopt;
}

Ending failed_with(std::string_view text, bool system_failure) {
  Ending ending{
      .outcome = "failed", .failure_reason = "", .exit_code = {}, .signal = signal_named(text)};
  ending.exit_code = number_after(text, "exit status ");
  if (!ending.exit_code) ending.exit_code = number_after(text, "exit code ");
  if (text.starts_with("canceled") || text.starts_with("cancelled")) {
    ending.outcome = "canceled";
    ending.failure_reason = "job_canceled";
  } else if (text.starts_with("execution took longer than")) {
    ending.failure_reason = "job_execution_timeout";
  } else if (text.find("failed to pull image") != std::string_view::npos) {
    ending.failure_reason = "image_pull_failure";
  } else if (system_failure || text.starts_with("aborted")) {
    ending.failure_reason = "runner_system_failure";
  } else if (ending.exit_code || ending.signal) {
    ending.failure_reason = "script_failure";
  }
  return ending;
}

std::optional<int64_t> job_id(const Record& record) {
  const auto* text = record.field("job");
  if (!text) return std::nullopt;
  const auto id = parse_int(*text);
  if (!id || *id <= 0) return std::nullopt;
  return id;
}

}  // namespace

std::optional<Ending> parse_ending(std::string_view message) {
  message = trimmed(message);
  if (message.starts_with("Job succeeded")) return Ending{"passed", "", {}, {}};
  if (message.starts_with("Job canceled") || message.starts_with("Job cancelled"))
    return Ending{"canceled", "job_canceled", {}, {}};
  constexpr std::string_view kFailed = "Job failed", kSystem = " (system failure)";
  if (!message.starts_with(kFailed)) return std::nullopt;
  message.remove_prefix(kFailed.size());
  const bool system_failure = message.starts_with(kSystem);
  if (system_failure) message.remove_prefix(kSystem.size());
  if (message.starts_with(':')) message.remove_prefix(1);
  return failed_with(trimmed(message), system_failure);
}

RunnerLogReader::RunnerLogReader(const InstanceMap& instances,
                                 std::map<std::string, std::string> runners)
    : instances_(instances), runners_(std::move(runners)) {}

void RunnerLogReader::feed(std::string_view line, UnixMicros seen, int64_t late_us,
                           std::vector<Fact>& out, std::string_view stream) {
  ++counters_.lines;
  halfway_ = false;
  if (line.size() > kMaxLine) {
    ++counters_.unreadable;
    return;
  }
  auto parsed = parse_record(line);
  Stamp stamp{seen, late_us};
  // The runner's own time has whole seconds: the moment lies inside that second, and not after
  // arrival.
  if (parsed.time) {
    stamp.seen = {
        std::clamp(seen.value, parsed.time->value, parsed.time->value + kMicrosPerSecond - 1)};
    stamp.late_us = std::min(stamp.late_us, kMicrosPerSecond);
  }
  const auto ending = parse_ending(parsed.message);
  if (parsed.fields.empty()) {
    if (ending) half(*ending, stream);
  } else if (ending) {
    ended(parsed, *ending, stamp, out);
  } else if (parsed.field("checksum")) {
    summed(parsed, stamp, out);
  } else if (!parsed.message.empty()) {
    announced(parsed, stamp, out);
  } else if (parsed.field("duration_s")) {
    if (const auto begun = take_half(stream)) ended(parsed, *begun, stamp, out);
  }
}

void RunnerLogReader::half(const Ending& ending, std::string_view stream) {
  halfway_ = true;
  auto found = halves_.find(stream);
  if (found == halves_.end()) {
    if (halves_.size() == kMaxStreams) halves_.clear();
    halves_.emplace(stream, Half{ending, 1});
    return;
  }
  auto& begun = found->second;
  ++begun.waiting;
  if (begun.ending != ending)
    begun.ending = {begun.ending.outcome == ending.outcome ? ending.outcome : "", "", {}, {}};
}

std::optional<Ending> RunnerLogReader::take_half(std::string_view stream) {
  const auto found = halves_.find(stream);
  if (found == halves_.end()) return std::nullopt;
  const auto ending = found->second.ending;
  if (--found->second.waiting == 0) halves_.erase(found);
  if (ending.outcome.empty()) return std::nullopt;
  return ending;
}

void RunnerLogReader::announced(const Record& record, Stamp stamp, std::vector<Fact>& out) {
  const bool received = record.message.starts_with("Checking for jobs...") &&
                        record.message.find("received") != std::string::npos;
  if (!received && record.message != "Added job to processing list") return;
  const auto id = job_id(record);
  if (!id) {
    ++counters_.unreadable;
    return;
  }
  const auto where = place(record);
  if (!where) return;
  ++counters_.records;
  const JobRef job{where->instance, *id};
  if (!where->project_path.empty()) emit(job, Field::project_path, where->project_path, stamp, out);
  for (const auto& [name, field] : {std::pair{"project", Field::project_id},
                                    {"runner", Field::runner_short},
                                    {"runner_name", Field::runner_name},
                                    {"system_id", Field::runner_system_id},
                                    {"executor", Field::executor}})
    if (const auto* value = record.field(name)) emit(job, field, *value, stamp, out);
  // Last, so that what belongs to an announcement stands before it. "Added job…" is the runner's
  // second word on a job and comes after the trace was created, so it announces nothing.
  if (received) emit(job, Field::received_at, std::to_string(stamp.seen.value), stamp, out);
}

void RunnerLogReader::ended(const Record& record, const Ending& ending, Stamp stamp,
                            std::vector<Fact>& out) {
  const auto id = job_id(record);
  if (!id) {
    ++counters_.unreadable;
    return;
  }
  const auto where = place(record);
  if (!where) return;
  ++counters_.records;
  const JobRef job{where->instance, *id};
  for (const auto& [name, field] : {std::pair{"project", Field::project_id},
                                    {"runner", Field::runner_short},
                                    {"runner_name", Field::runner_name},
                                    {"project_full_path", Field::project_path}})
    if (const auto* value = record.field(name)) emit(job, field, *value, stamp, out);
  if (const auto* text = record.field("duration_s"))
    if (const auto seconds = parse_double(*text);
        seconds && *seconds >= 0 && *seconds < kMaxDurationSeconds)
      emit(job, Field::duration_us, std::to_string(std::llround(*seconds * 1e6)), stamp, out);
  const auto* reason = record.field("failure_reason");
  if (reason || !ending.failure_reason.empty())
    emit(job, Field::failure_reason, reason ? *reason : ending.failure_reason, stamp, out);
  auto exit_code = ending.exit_code;
  if (const auto* text = record.field("exit_code"))
    if (const auto code = parse_int(*text); code && *code > 0 && *code <= 0xffff)
      exit_code = static_cast<int>(*code);
  if (exit_code) emit(job, Field::exit_code, std::to_string(*exit_code), stamp, out);
  if (ending.signal) emit(job, Field::signal, std::to_string(*ending.signal), stamp, out);
  emit(job, Field::finished_at, std::to_string(stamp.seen.value), stamp, out);
  emit(job, Field::outcome, ending.outcome, stamp, out);
}

void RunnerLogReader::summed(const Record& record, Stamp stamp, std::vector<Fact>& out) {
  if (!record.message.starts_with("Updating job") &&
      !record.message.starts_with("Submitting job to coordinator"))
    return;
  const auto& checksum = *record.field("checksum");
  if (checksum.empty()) return;  // the first word on a job, before it has a log
  const auto id = job_id(record);
  const auto* bytes = record.field("bytesize");
  const auto size = bytes ? parse_int(*bytes) : std::nullopt;
  const auto crc32 = parse_crc32(checksum);
  if (!id || !size || *size < 0 || !crc32) {
    ++counters_.unreadable;
    return;
  }
  const auto where = place(record);
  if (!where) return;
  ++counters_.records;
  emit({where->instance, *id}, Field::trace_sum, to_string(TraceSum{*size, *crc32}), stamp, out);
}

std::optional<InstanceMap::Place> RunnerLogReader::place(const Record& record) {
  const auto* url = record.field("repo_url");
  const auto* runner = record.field("runner");
  if (url) {
    auto found = instances_.locate(*url);
    const bool learnable = runner && runner->size() <= kMaxValue &&
                           (runners_.size() < kMaxRunners || runners_.contains(*runner));
    if (learnable && (found.ok() || found.error().code() == Code::not_found))
      runners_[*runner] = found.ok() ? found->instance : "";
    if (found.ok()) return std::move(*found);
    if (found.error().code() != Code::not_found) {
      ++counters_.unreadable;
      return std::nullopt;
    }
    ++counters_.unknown_hosts;
    const auto& host = found.error().message();
    std::erase(unknown_hosts_, host);
    unknown_hosts_.insert(unknown_hosts_.begin(), host);
    if (unknown_hosts_.size() > kMaxUnknownHosts) unknown_hosts_.pop_back();
    return std::nullopt;
  }
  const auto known = runner ? runners_.find(*runner) : runners_.end();
  if (known != runners_.end()) {
    if (known->second.empty()) return std::nullopt;
    return InstanceMap::Place{known->second, ""};
  }
  // Never announced while we listened: with one instance there is nothing to confuse.
  if (const auto* only = instances_.only()) return InstanceMap::Place{*only, ""};
  ++counters_.unknown_hosts;
  return std::nullopt;
}

void RunnerLogReader::emit(const JobRef& job, Field field, std::string value, Stamp stamp,
                           std::vector<Fact>& out) {
  out.push_back({job, field, truncate_utf8(to_utf8(value), kMaxValue), Source::runner_log,
                 stamp.seen, ++order_, stamp.late_us});
}

}  // namespace gitaiops::agent
