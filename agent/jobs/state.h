// What JobWatch holds while it runs, for its three parts: what is followed, what is measured, and
// what becomes known and leaves as messages. Private to this folder.
//
// Thread safety: the loop's thread.
#pragma once

#include <deque>
#include <map>

#include <asio/experimental/awaitable_operators.hpp>

#include "agent/jobs/baselines.h"
#include "agent/jobs/host.h"
#include "agent/jobs/jobs.h"
#include "agent/jobs/log_archive.h"
#include "agent/jobs/report.h"
#include "agent/jobs/trace_reader.h"
#include "agent/usage/usage.h"
#include "agent/workspace/workspace.h"

namespace gitaiops::agent {

struct JobWatch::State {
  // After a job began, it is sampled more often: many are over soon.
  static constexpr std::chrono::microseconds kYoungPeriod = std::chrono::seconds(2);

  struct Trace {
    TraceReader reader;
    bool over = false;       // closed or lost: nothing more comes
    bool abandoned = false;  // reported or orphaned: its task ends
    bool tree_asked = false;
    std::optional<fleet::v1::InventoryReport> tree = {};  // of its checkout, once read
    std::optional<fleet::v1::JobKey> reported_as = {};    // its job, once that is certain
  };
  struct Meter {
    UsageMeter meter;
    SteadyMicros first_seen, last_seen;
    bool live = true;
  };

  State(asio::any_io_executor e, JobWatchOptions o, Observer& watched, Spool& kept,
        const Clock& time, std::shared_ptr<const diagnosis::Rules> r,
        std::vector<std::unique_ptr<LogSource>> told)
      : executor(std::move(e)),
        options(std::move(o)),
        observer(watched),
        spool(kept),
        clock(time),
        rules(std::move(r)),
        sources(std::move(told)) {}

  asio::any_io_executor executor;
  JobWatchOptions options;
  Observer& observer;
  Spool& spool;
  const Clock& clock;
  std::shared_ptr<const diagnosis::Rules> rules;
  std::vector<std::unique_ptr<LogSource>> sources;

  Tracker tracker{options.tracker};
  Baselines baselines{options.state_dir / "baselines"};
  LogArchive archive{{.folder = options.state_dir / "logs",
                      .age_us = options.state_dir.empty() ? 0 : options.log_age_us,
                      .max_bytes = options.log_bytes},
                     clock};
  std::map<JobRef, std::string> names;  // of running jobs, as the controller told
  int archiving = 0;
  HostMeter host{options.proc_root};
  ContainerWatch containers{executor, options.containers, observer, clock};
  Workspace workspace{observer};
  std::deque<std::string> known_trees;  // "instance project commit"
  // Checkouts inside containers, whose job is known before that of a log. Read once.
  struct Inside {
    ContainerWatch::Build build;
    bool missed = false;                                  // it could not be read
    std::optional<fleet::v1::InventoryReport> tree = {};  // once read
    std::optional<fleet::v1::JobKey> reported_as = {};    // once its job was reported
  };
  std::deque<Inside> insides;
  // By short name: where a runner's containers have their checkouts, as logs told. Only a guess.
  std::map<std::string, std::string> builds_folders;
  std::map<TraceId, std::shared_ptr<Trace>> traces;
  // What the next look at a trace reads into; of all traces, one after the other.
  static constexpr std::size_t kReadAtOnce = 256 << 10;
  const std::unique_ptr<char[]> room = std::make_unique_for_overwrite<char[]>(kReadAtOnce);
  std::map<ProcessId, Meter> meters;  // by root of the tree
  std::vector<RunnerProcess> runners;
  std::deque<fleet::v1::Envelope> waiting;   // composed, not yet durable
  std::vector<fleet::v1::Envelope> lessons;  // of the report that is being composed
  std::vector<TraceId> to_release;           // of reports that are durable with the next commit
  std::map<std::string, std::string> unsaved_cursors;  // of batches that the spool could not store
  bool committing = false, commit_again = false;
  uint64_t reports_dropped = 0;
  std::string observer_problem;
  Status ended_by;  // why we stop by ourselves
  bool draining = false;

  SteadyMicros last_opened{-kYoungPeriod.count()};
  Event opened_or_stopping;  // wakes the sampling
  Event stopping, finished;
  int running = 0;  // tasks of ours that have not returned

  void start(std::string_view name, Task<void> task) {
    ++running;
    spawn(executor, name, [](State* s, Task<void> inner) -> Task<void> {
      co_await std::move(inner);
      if (--s->running == 0) s->finished.set();
    }(this, std::move(task)));
  }

  bool stopped() const { return stopping.is_set(); }

  void stop() {
    stopping.set();
    opened_or_stopping.set();
    workspace.stop();
  }

  // The result, or nothing when we are to stop first: then the work is cancelled.
  template <class T>
  Task<std::optional<T>> unless_stopped(Task<T> work) {
    using namespace asio::experimental::awaitable_operators;
    auto outcome = co_await (std::move(work) || stopping.wait());
    if (outcome.index() != 0 || stopped()) co_return std::nullopt;
    co_return std::get<0>(std::move(outcome));
  }

  // -- what becomes known leaves as messages (reporting.cpp) --

  JobName name_of(const FinishedJob& job) const;
  // `templates`: what the run printed.
  LogReading read_log(const FinishedJob& job, const fleet::v1::Usage& usage,
                      std::vector<uint64_t>& templates);
  fleet::v1::Usage usage_of(const FinishedJob& job);
  // A passing run is kept for comparison, and told to others when it printed something new.
  void learn(const FinishedJob& job, std::vector<uint64_t> templates);
  // The log of a failed job stays on the host for questions. The file is ours as long as we hold it
  // open, whatever the runner and the observer do.
  Task<void> keep_log(JobRef job, std::shared_ptr<Trace> trace);
  fleet::v1::Envelope report_of(FinishedJob job);
  // What its checkout depends on, as soon as both the tree was read and the job is certain.
  void tell_inventory(Trace& trace);
  void tell_inside(const fleet::v1::JobKey& key);
  // Once for each commit of a project.
  void tell(const fleet::v1::JobKey& key, fleet::v1::InventoryReport tree);
  static fleet::v1::Envelope notice_of(const StartedJob& job);
  void forget(const TraceId& id);
  // Makes what is known by now durable, one step at a time: were two under way, the later one could
  // store the tracker's state without a job whose report the earlier one failed to store. What
  // comes meanwhile is the next step.
  Task<void> commit(std::map<std::string, std::string> cursors);
  // Everything known by now, with the cursors it came from, in one durable step. The observer lets
  // go of a trace only after its report is durable: if we die in between, the trace comes again.
  Task<void> commit_step();

  // -- what is followed (following.cpp) --

  Task<void> follow_source(LogSource* source);
  void report_progress(const Trace& trace);
  // Once the runner has left get_sources, the tree is what the job was given, and soon what it made
  // of it.
  void look_at_tree(const std::shared_ptr<Trace>& trace);
  Task<void> read_checkout(std::shared_ptr<Trace> trace, std::string path);
  // Of containers that are at work since the last look: a job may be over before its log says where
  // its checkout lies.
  void look_inside();
  // Of the container at work in a checkout that a log names, waiting for it while the trace grows.
  Task<Status> read_named_inside(std::shared_ptr<Trace> trace, std::string path);
  Task<Status> read_inside(ContainerWatch::Build build, std::string path);
  Inside* inside(const ContainerId& id);
  std::chrono::microseconds until_next_look() const;
  Task<void> read_trace(std::shared_ptr<Trace> trace);
  // Room for one more: the oldest trace that is over and still waits for its job goes; its job says
  // so.
  void make_room();
  Task<void> follow_traces();
  Task<void> watch_runners();
  Task<void> watch_deadlines();

  // -- what is measured (metering.cpp) --

  void meter(const std::vector<ProcessSample>& processes, SteadyMicros steady);
  std::chrono::microseconds sampling_gap(SteadyMicros now) const;
  Task<void> sample_processes();
  // The kernel's own word on who was killed for memory; where its log is closed to us, kills stay
  // unknown.
  Task<void> follow_kernel_log();
  Task<void> sample_host();
};

}  // namespace gitaiops::agent
