// What a source says about a job: the only thing that sources emit and that the tracker folds.
// Sources contradict each other, come late, twice or not at all; the precedence below decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock/clock.h"

namespace gitaiops::agent {

// A job as every source can name it: ids are unique within one GitLab instance.
struct JobRef {
  std::string instance;  // id from the configuration
  int64_t job_id = 0;
  auto operator<=>(const JobRef&) const = default;
};

// Highest first. For one field, the value of the higher source wins; within one source the latest
// wins. The trace ranks below the runner's own records because a job writes into it.
enum class Source : uint8_t {
  usage_log,    // the runner's usage logger: one complete record a finished job
  runner_log,   // the runner's log, text or JSON
  debug_jobs,   // /debug/jobs/list
  trace,        // lines that the runner wrote into the trace
  processes,    // what descent and checkout paths show
  environment,  // CI_JOB_ID of a process: the job's to forge
};
std::string_view to_string(Source source);

enum class Field : uint8_t {
  received_at,   // value: int64 microseconds UTC
  project_path,  // "grp/demo"
  project_id,    // decimal
  runner_short,  // "glrt-AbC"
  runner_name,
  runner_system_id,
  executor,
  stage,           // "step_script"; changes over time
  outcome,         // "passed", "failed", "canceled"
  failure_reason,  // "script_failure"
  exit_code,       // decimal
  signal,
  duration_us,  // decimal
  finished_at,  // int64 microseconds UTC
  trace_sum,    // TraceSum as text, of the whole log as it was at its end
};
std::string_view to_string(Field field);

// How the runner tells GitLab, and its own log, which bytes a job's log consists of: their number
// and their CRC-32 (IEEE, as in zlib). The trace file holds the very same bytes.
struct TraceSum {
  int64_t bytes = 0;
  uint32_t crc32 = 0;
  auto operator<=>(const TraceSum&) const = default;
};
std::string to_string(const TraceSum& sum);  // "3032 crc32:73bd7bfa"
std::optional<TraceSum> parse_trace_sum(std::string_view text);
// "crc32:73bd7bfa", as the runner writes it; nullopt: another form.
std::optional<uint32_t> parse_crc32(std::string_view text);

struct Fact {
  JobRef job;
  Field field;
  std::string value;
  Source source;
  UnixMicros observed_at;  // by the journal's stamp if there is one, else arrival
  uint64_t order = 0;    // position within its source: facts of one source keep the order in which
                         // the runner wrote them
  int64_t late_us = -1;  // it was written at most this much before observed_at; 0 when stamped; -1:
                         // no bound known
};

}  // namespace gitaiops::agent
