// The agent's heart: reads every trace the observer opens, meters the processes, folds what the
// sources say, and puts finished jobs into the spool, together with the cursors of the sources, in
// one durable step.
//
// Data flows one way: sources and observer → tracker → spool. Nothing here knows the controller or
// GitLab's API.
//
// Memory: one analyzer (below 1 MiB) a trace and one meter a process tree; both counts are bounded,
// the oldest goes first. Thread safety: the loop's thread.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <vector>

#include "agent/containers/containers.h"
#include "agent/observer/observer.h"
#include "agent/sources/sources.h"
#include "agent/spool/spool.h"
#include "agent/tracker/tracker.h"
#include "base/clock/clock.h"
#include "base/io/io.h"
#include "engines/diagnosis/diagnosis.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

struct JobWatchOptions {
  bool usage_enabled = true;
  int64_t usage_interval_us = kMicrosPerSecond;
  int64_t host_interval_us = 30 * kMicrosPerSecond;
  std::filesystem::path proc_root = "/proc";
  bool scanner_enabled = true;  // whether the manifests of checkouts are read
  bool containers_enabled = true;
  ContainersOptions containers;  // its interval is that of usage
  TrackerOptions tracker;
  std::filesystem::path state_dir;  // empty: neither logs nor what passing runs print are kept
  int64_t log_age_us = 7 * 24 * 3600 * kMicrosPerSecond;  // 0: no logs are kept
  uint64_t log_bytes = 256ull << 20;
  // Asks the controller what a job is called and what its passing runs print; the answer, if one
  // comes, is handed to on_baseline(). May be empty.
  std::function<void(fleet::v1::BaselineRequest)> ask_baseline;
  // Pids that were seen to be runners, kept up to date for the journal source, which asks; may be
  // null.
  std::shared_ptr<std::set<int32_t>> known_runners;
};

class JobWatch {
 public:
  JobWatch(asio::any_io_executor executor, JobWatchOptions options, Observer& observer,
           Spool& spool, const Clock& clock, std::shared_ptr<const diagnosis::Rules> rules,
           std::vector<std::unique_ptr<LogSource>> sources);
  ~JobWatch();

  // Takes up what the spool remembers of jobs that were running; before run().
  Task<Status> restore();
  // Until stop(): then what is known is made durable and run() returns, within two seconds. Ends by
  // itself, with an error, when the connection to the observer is lost: a new process gets a new
  // one.
  Task<Status> run();
  void stop();

  // Answers the controller's closed set of commands.
  Task<fleet::v1::CommandResult> command(fleet::v1::Command command);
  void on_baseline(const fleet::v1::Baseline& baseline);
  void set_usage_interval(int64_t micros);
  void set_host_interval(int64_t micros);

  struct Snapshot {
    std::size_t open_jobs = 0, open_traces = 0, live_containers = 0;
    Tracker::Counters counters;
    std::vector<std::string> explanations;
    std::vector<SourceState> sources;
    std::vector<std::string> runners;  // "gitlab-runner (pid 812)"
    uint64_t reports_waiting = 0;      // the spool's disk was full: kept in memory, tried again
    uint64_t reports_dropped = 0;
    std::string observer_problem;  // empty when it answers
    bool draining = false;
  };
  Snapshot snapshot() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gitaiops::agent
