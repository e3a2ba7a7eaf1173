// Folds facts, traces and process trees into jobs, decides which trace and which tree belongs to
// which job, and says when a job is finished and may be reported. A passive state machine: no I/O,
// no clock; everything that happens comes in.
//
// Attribution. The runner's word is the start of every chain: its log announces a job before it
// creates the job's trace, one after the other for each runner entry, and the first line it writes
// into a trace names that entry. So the order of announcements and the order of trace births of one
// runner process match, unless request_concurrency lets an entry ask for several jobs at once.
// After a job's end the runner's log tells size and checksum of the whole trace (runners since
// about 15): where it does, they decide, whatever the order says. Process trees belong to a trace's
// job by the checkout path, whose project must be the announced one. What the job can write (its
// log below the header, its environment) is used only to withhold: a claim that contradicts the
// rest makes both ambiguous. Where more than one assignment remains possible, none is made: it is
// withheld, counted and explained.
//
// Thread safety: none; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/observer/observer.h"
#include "agent/sources/fact.h"
#include "base/clock/clock.h"
#include "base/result/result.h"

namespace gitaiops::agent {

struct TrackerOptions {
  // How far the arrival of an announcement and the birth of its trace may lie apart when their
  // order alone cannot decide and the announcement does not say how late it may be (Fact::late_us).
  int64_t birth_window_us = 3 * kMicrosPerSecond;
  // After the runner's end record, how long to wait for the trace to be closed (the last upload may
  // take long).
  int64_t trace_close_limit_us = 15 * 60 * kMicrosPerSecond;
  // After a trace was closed, how long to wait for the end record of the job (journal lag).
  int64_t end_record_limit_us = 10 * kMicrosPerSecond;
  // How long an announcement may be on its way to us. Traces and jobs younger than this are not
  // matched, nor their neighbours: the missing other half may still come.
  int64_t announcement_lag_us = kMicrosPerSecond;
  // How long a job that ended waits while traces and announcements near it keep coming (a flood of
  // jobs without a pause).
  int64_t settle_limit_us = 60 * kMicrosPerSecond;
  // After the end record of a job whose trace was never seen, how long to wait for it.
  int64_t trace_notice_us = 2 * kMicrosPerSecond;
  std::size_t max_jobs = 4096;  // beyond: the oldest unfinished is dropped and counted
};

// What the reading side learnt from a trace so far (from diagnosis::Analyzer::Progress).
struct TraceProgress {
  std::string runner_short;   // header: the runner's word
  std::string checkout_path;  // a claim
  bool ended = false;
  std::optional<bool> failed;
};

// A job that can be reported now.
struct FinishedJob {
  JobRef ref;
  std::string project_path;
  int64_t project_id = 0;  // 0: unknown
  std::string runner_short, runner_name, runner_system_id, runner_version, executor;
  std::string outcome;  // "passed", "failed", "canceled", "unknown"
  std::string failure_reason;
  std::optional<int> exit_code, signal;
  std::optional<UnixMicros> received_at, finished_at;
  std::optional<int64_t> wall_us;
  std::optional<TraceId> trace;  // whose log it is
  std::string trace_reason;      // why there is none, in plain words
  std::vector<ProcessId> trees;  // roots of its process trees
  std::string usage_reason;      // why there are none
};

struct StartedJob {
  JobRef ref;
  std::string project_path;
  std::string runner_short;
  UnixMicros received_at;
};

class Tracker {
 public:
  explicit Tracker(TrackerOptions options = {});
  ~Tracker();

  void on_fact(const Fact& fact, SteadyMicros now);
  // `order`: as in OpenedTrace.
  void on_trace_opened(const TraceId& id, const ProcessId& runner, SteadyMicros now,
                       uint64_t order = 0);
  void on_trace_progress(const TraceId& id, const TraceProgress& progress);
  // Unlinked by the runner and read to the end. `unlinked`: when, if known (fstat's ctime of an
  // unlinked file); it tells whose checkout was free for the next job, where the moment of noticing
  // is too coarse. `sum`: of all its bytes.
  void on_trace_closed(const TraceId& id, SteadyMicros now,
                       std::optional<UnixMicros> unlinked = std::nullopt,
                       std::optional<TraceSum> sum = std::nullopt);
  void on_trace_lost(const TraceId& id, std::string reason);  // unreadable from here on
  void on_processes(const std::vector<ProcessSample>& processes, SteadyMicros now);
  void on_runner_gone(const ProcessId& runner, SteadyMicros now);

  // What became known since the last call. A finished job is handed out once and forgotten, with
  // its trace and trees.
  std::vector<StartedJob> take_started();
  std::vector<FinishedJob> take_finished(SteadyMicros now);
  // Traces and trees of no job any more: the caller may drop their analyzers and meters.
  std::vector<TraceId> take_orphaned_traces(SteadyMicros now);

  // When to call take_finished again even if nothing happens; nullopt: not needed.
  std::optional<SteadyMicros> next_deadline() const;

  struct Counters {
    uint64_t withheld_traces = 0, withheld_trees = 0, jobs_dropped = 0, jobs_reported = 0;
  };
  const Counters& counters() const;
  // For doctor and the status page: one plain sentence for each thing withheld, newest first, at
  // most 20.
  std::vector<std::string> explanations() const;
  std::size_t open_jobs() const;

  // The trace of a job that is still open, if it is certain; for questions about its log.
  std::optional<TraceId> trace_of(const JobRef& job) const;

  // Survives a restart: everything known from facts (not traces and trees, they are observed anew).
  std::string save() const;
  Status restore(std::string_view saved);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gitaiops::agent
