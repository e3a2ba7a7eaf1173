#include "agent/jobs/jobs.h"

#include <algorithm>
#include <deque>
#include <map>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>

#include "agent/jobs/baselines.h"
#include "agent/jobs/host.h"
#include "agent/jobs/log_archive.h"
#include "agent/jobs/report.h"
#include "agent/jobs/trace_reader.h"
#include "agent/usage/usage.h"
#include "agent/workspace/workspace.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::size_t kMaxTraces = 256;  // analyzers held at once: at most 256 MiB, usually a few
constexpr std::size_t kMaxKnownRunners = 64;  // pids; beyond, those that are gone are forgotten
constexpr std::size_t kMaxMeters = 1024;      // process trees metered at once
constexpr std::size_t kMaxWaiting =
    256;  // reports kept in memory while the disk is full; the oldest goes first
constexpr std::size_t kMaxNames = 4096;  // of running jobs
constexpr int kMaxArchiving = 8;         // logs written to the archive at once
// Commits whose inventory is known to be on its way; beyond, the oldest are forgotten and told
// again.
constexpr std::size_t kMaxKnownTrees = 4096;
constexpr auto kTraceFirstPoll = 20ms;  // right after it was opened: many jobs are over soon
constexpr auto kTraceBusyPoll = 100ms;  // right after it grew
constexpr auto kTraceIdlePoll = 250ms;  // a quiet trace: an end is noticed this late at most
constexpr auto kYoungPeriod =
    2s;  // after a job began, it is sampled more often: many are over soon
constexpr auto kYoungInterval = 50ms;
// What a tree uses between the last sample and its end is not seen: it is sampled at least every
// twentieth of its age.
constexpr int64_t kPartOfAge = 20;
constexpr auto kShortestInterval = 100ms;
constexpr auto kRunnersInterval = 2s;
constexpr auto kRetryInterval = 5s;        // after a full disk or a source or observer that failed
constexpr auto kDeadlineInterval = 500ms;  // how late a deadline of the tracker may be noticed

}  // namespace

struct JobWatch::State {
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
  std::map<TraceId, std::shared_ptr<Trace>> traces;
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

  SteadyMicros last_opened{-microseconds(kYoungPeriod).count()};
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

  // -- what becomes known leaves as messages --

  JobName name_of(const FinishedJob& job) const {
    const auto name = names.find(job.ref);
    if (name == names.end() || options.state_dir.empty()) return {};
    return {job.ref.instance,
            job.project_path.empty() ? std::to_string(job.project_id) : job.project_path,
            name->second};
  }

  // `templates`: what the run printed.
  LogReading read_log(const FinishedJob& job, const fleet::v1::Usage& usage,
                      std::vector<uint64_t>& templates) {
    LogReading log;
    const auto found = job.trace ? traces.find(*job.trace) : traces.end();
    if (found == traces.end()) {
      log.facts.set_availability(fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE);
      log.facts.set_reason(job.trace_reason.empty() ? "its trace was not seen" : job.trace_reason);
      // The runner's word on the end is still worth a verdict (killed for memory, timed out), if it
      // says anything.
      auto verdict = diagnosis::Analyzer(rules).finish(exit_facts(job, usage, true));
      if (verdict.category != "unknown" && !verdict.category.empty())
        log.diagnosis = std::move(verdict);
      return log;
    }
    auto& trace = *found->second;
    const bool complete = trace.reader.complete();
    log.facts.set_availability(complete ? fleet::v1::LogFacts::AVAILABILITY_COMPLETE
                                        : fleet::v1::LogFacts::AVAILABILITY_PARTIAL);
    if (!complete)
      log.facts.set_reason(trace.reader.problem().empty()
                               ? "the job was over before the runner closed its log"
                               : trace.reader.problem());
    trace.reader.known(baselines.find(name_of(job)));
    templates = trace.reader.templates();
    auto diagnosed = trace.reader.finish(exit_facts(job, usage, !complete));
    log.facts.set_bytes(diagnosed.bytes);
    log.facts.set_lines(diagnosed.lines);
    log.facts.set_limit_reached(complete && diagnosed.truncated);
    log.diagnosis = std::move(diagnosed);
    return log;
  }

  fleet::v1::Usage usage_of(const FinishedJob& job) {
    std::vector<fleet::v1::Usage> stages;
    for (const auto& root : job.trees) {
      const auto meter = meters.find(root);
      if (meter == meters.end()) continue;
      stages.push_back(meter->second.meter.summary());
      meters.erase(meter);
    }
    auto in_containers = containers.take(
        {job.ref.instance, job.ref.job_id, job.project_path, job.project_id, job.runner_short});
    // A job with processes below the runner itself does not run in the runner's containers: what
    // bears its number then is of somebody else's making.
    if (!stages.empty()) return merge(std::move(stages));
    if (in_containers.usage) return std::move(*in_containers.usage);
    fleet::v1::Usage none;
    none.set_withheld_reason(!options.usage_enabled          ? "usage.enabled is false on this host"
                             : !in_containers.reason.empty() ? in_containers.reason
                             : !job.usage_reason.empty()
                                 ? job.usage_reason
                                 : "the job was over before its processes could be sampled");
    return none;
  }

  // A passing run is kept for comparison, and told to others when it printed something new.
  void learn(const FinishedJob& job, std::vector<uint64_t> templates) {
    if (job.outcome != "passed" || !baselines.add(name_of(job), templates)) return;
    fleet::v1::Envelope envelope;
    auto& passed = *envelope.mutable_passed_templates();
    passed.mutable_key()->set_instance(job.ref.instance);
    passed.mutable_key()->set_job_id(job.ref.job_id);
    passed.mutable_key()->set_project_id(job.project_id);
    passed.mutable_key()->set_project_path(job.project_path);
    passed.mutable_templates()->Add(templates.begin(), templates.end());
    lessons.push_back(std::move(envelope));
  }

  // The log of a failed job stays on the host for questions. The file is ours as long as we hold it
  // open, whatever the runner and the observer do.
  Task<void> keep_log(JobRef job, std::shared_ptr<Trace> trace) {
    const Trace* held = trace.get();
    const auto size = static_cast<uint64_t>(held->reader.size());
    LogArchive::Read read = [held](int64_t offset, std::size_t limit) {
      return held->reader.read_at(offset, limit);
    };
    const auto kept = co_await archive.keep(std::move(job), std::move(read), size);
    if (!kept.ok()) log::debug("a log is not kept", {{"why", kept.error().to_string()}});
    --archiving;
  }

  fleet::v1::Envelope report_of(FinishedJob job) {
    std::vector<uint64_t> templates;
    if (job.trace) {
      const auto trace = traces.find(*job.trace);
      if (trace != traces.end()) {
        const auto& progress = trace->second->reader.progress();
        if (job.runner_version.empty()) job.runner_version = progress.runner_version;
        if (job.executor.empty()) job.executor = progress.executor;
        if (job.runner_system_id.empty()) job.runner_system_id = progress.runner_system_id;
        if (job.runner_short.empty()) job.runner_short = progress.runner_short_token;
      }
    }
    auto usage = usage_of(job);
    const auto log = read_log(job, usage, templates);
    learn(job, std::move(templates));
    names.erase(job.ref);
    fleet::v1::Envelope envelope;
    *envelope.mutable_job_report() =
        compose(job, log, std::move(usage), crypto::uuid7(clock.now()));
    if (!job.trace) return envelope;
    const auto trace = traces.find(*job.trace);
    const bool asked_for = envelope.job_report().has_diagnosis() && trace != traces.end();
    if (asked_for && archiving < kMaxArchiving && options.log_age_us > 0 &&
        !options.state_dir.empty()) {
      ++archiving;
      start("log archive", keep_log(job.ref, trace->second));
    }
    if (trace != traces.end()) {
      trace->second->reported_as = envelope.job_report().key();
      tell_inventory(*trace->second);
    }
    forget(*job.trace);
    return envelope;
  }

  // What its checkout depends on, as soon as both the tree was read and the job is certain; once
  // for each commit of a project.
  void tell_inventory(Trace& trace) {
    if (!trace.tree || !trace.reported_as || trace.tree->commit_sha().empty()) return;
    auto tree = *std::exchange(trace.tree, std::nullopt);
    const auto& key = *trace.reported_as;
    if (!names_checkout_of(trace.reader.progress().checkout_path, key.project_path())) return;
    auto known = key.instance() + " " + key.project_path() + " " + tree.commit_sha();
    if (std::ranges::find(known_trees, known) != known_trees.end()) return;
    known_trees.push_back(std::move(known));
    if (known_trees.size() > kMaxKnownTrees) known_trees.pop_front();
    fleet::v1::Envelope envelope;
    auto& report = *envelope.mutable_inventory_report();
    report = std::move(tree);
    report.set_report_id(crypto::uuid7(clock.now()));
    *report.mutable_key() = key;
    report.set_taken_at_us(clock.now().value);
    waiting.push_back(std::move(envelope));
  }

  static fleet::v1::Envelope notice_of(const StartedJob& job) {
    fleet::v1::Envelope envelope;
    auto& started = *envelope.mutable_job_started();
    started.mutable_key()->set_instance(job.ref.instance);
    started.mutable_key()->set_job_id(job.ref.job_id);
    started.mutable_key()->set_project_path(job.project_path);
    started.mutable_runner()->set_short_token(job.runner_short);
    started.set_received_at_us(job.received_at.value);
    return envelope;
  }

  void forget(const TraceId& id) {
    const auto trace = traces.find(id);
    if (trace == traces.end()) return;
    trace->second->abandoned = true;
    traces.erase(trace);
    to_release.push_back(id);
  }

  // Makes what is known by now durable, one step at a time: were two under way, the later one could
  // store the tracker's state without a job whose report the earlier one failed to store. What
  // comes meanwhile is the next step.
  Task<void> commit(std::map<std::string, std::string> cursors) {
    cursors.merge(std::exchange(unsaved_cursors, {}));  // a newer one of the same source stays
    unsaved_cursors = std::move(cursors);
    commit_again = true;
    if (std::exchange(committing, true)) co_return;
    while (std::exchange(commit_again, false)) co_await commit_step();
    committing = false;
  }

  // Everything known by now, with the cursors it came from, in one durable step. The observer lets
  // go of a trace only after its report is durable: if we die in between, the trace comes again.
  Task<void> commit_step() {
    const auto now = clock.steady();
    for (const auto& job : tracker.take_started()) {
      containers.started({job.ref.instance, job.ref.job_id, job.project_path, 0, job.runner_short});
      waiting.push_back(notice_of(job));
      if (options.ask_baseline) {
        fleet::v1::BaselineRequest question;
        *question.mutable_key() = waiting.back().job_started().key();
        options.ask_baseline(std::move(question));
      }
    }
    for (auto& job : tracker.take_finished(now)) {
      log::info("job finished",
                {{"job", job.ref.job_id}, {"project", job.project_path}, {"outcome", job.outcome}});
      waiting.push_back(report_of(std::move(job)));
      for (auto& lesson : std::exchange(lessons, {})) waiting.push_back(std::move(lesson));
    }
    for (const auto& id : tracker.take_orphaned_traces(now)) forget(id);
    if (waiting.empty() && unsaved_cursors.empty() && to_release.empty()) co_return;

    auto cursors = std::exchange(unsaved_cursors, {});
    SpoolBatch batch;
    batch.messages.assign(waiting.begin(), waiting.end());
    batch.cursors = cursors;
    batch.tracker_state = tracker.save();
    const auto released = std::exchange(to_release, {});
    auto taken = std::exchange(waiting, {});
    const auto stored = co_await spool.append(std::move(batch));
    if (stored.ok()) {
      for (const auto& id : released) observer.release(id);
      co_return;
    }
    log::warning("the spool cannot store; keeping reports in memory",
                 {{"reports", taken.size()}, {"why", stored.error().to_string()}});
    // The tracker has gone on: a restart must not read the same lines again because only their
    // place was not stored.
    unsaved_cursors.merge(std::move(cursors));
    to_release.insert(to_release.end(), released.begin(), released.end());
    waiting.insert(waiting.begin(), std::make_move_iterator(taken.begin()),
                   std::make_move_iterator(taken.end()));
    while (waiting.size() > kMaxWaiting) {
      waiting.pop_front();
      ++reports_dropped;
    }
  }

  // -- tasks --

  // The result, or nothing when we are to stop first: then the work is cancelled.
  template <class T>
  Task<std::optional<T>> unless_stopped(Task<T> work) {
    using namespace asio::experimental::awaitable_operators;
    auto outcome = co_await (std::move(work) || stopping.wait());
    if (outcome.index() != 0 || stopped()) co_return std::nullopt;
    co_return std::get<0>(std::move(outcome));
  }

  Task<void> follow_source(LogSource* source) {
    while (!stopped()) {
      const auto batch = co_await unless_stopped(source->next());
      if (!batch) co_return;
      if (!batch->ok())
        continue;  // the source's own state() says why, and its next call pauses first
      const auto& news = batch->value();
      for (const auto& problem : news.problems) log::warning(problem);
      const auto now = clock.steady();
      for (const auto& fact : news.facts) {
        if (!draining || fact.field != Field::received_at) tracker.on_fact(fact, now);
      }
      std::map<std::string, std::string> cursors;
      if (!news.cursor_name.empty()) cursors[news.cursor_name] = news.cursor;
      co_await commit(std::move(cursors));
    }
  }

  void report_progress(const Trace& trace) {
    const auto& progress = trace.reader.progress();
    tracker.on_trace_progress(
        trace.reader.id(),
        {progress.runner_short_token, progress.checkout_path, progress.ended, progress.failed});
  }

  // Once the runner has left get_sources, the tree is what the job was given, and soon what it made
  // of it.
  void look_at_tree(const std::shared_ptr<Trace>& trace) {
    const auto& progress = trace->reader.progress();
    if (!options.scanner_enabled || trace->tree_asked || progress.checkout_path.empty() ||
        progress.section == "get_sources")
      return;
    trace->tree_asked = true;
    start("workspace", read_checkout(trace, progress.checkout_path));
  }

  Task<void> read_checkout(std::shared_ptr<Trace> trace, std::string path) {
    auto tree = co_await workspace.take(trace->reader.runner(), path);
    if (!tree.ok()) {
      log::info("a checkout cannot be read; what it depends on is not reported",
                {{"folder", path}, {"why", tree.error().to_string()}});
      co_return;
    }
    trace->tree = std::move(tree).value();
    if (!trace->reported_as) co_return;
    tell_inventory(*trace);
    co_await commit({});
  }

  Task<void> read_trace(std::shared_ptr<Trace> trace) {
    auto pause = microseconds(kTraceFirstPoll);
    while (!stopped() && !trace->abandoned) {
      const auto step = trace->reader.step();
      report_progress(*trace);
      look_at_tree(trace);
      switch (step) {
        case TraceReader::Step::more:
          pause = kTraceBusyPoll;
          co_await asio::post(executor, asio::use_awaitable);  // others first
          continue;
        case TraceReader::Step::idle:
          co_await stopping.wait(pause);
          pause = std::min<microseconds>(pause * 2, kTraceIdlePoll);
          continue;
        case TraceReader::Step::closed:
          tracker.on_trace_closed(trace->reader.id(), clock.steady(), trace->reader.unlinked_at(),
                                  trace->reader.sum());
          break;
        case TraceReader::Step::lost:
          tracker.on_trace_lost(trace->reader.id(), trace->reader.problem());
          break;
      }
      trace->over = true;
      co_await commit({});
      co_return;
    }
  }

  // Room for one more: the oldest trace that is over and still waits for its job goes; its job says
  // so.
  void make_room() {
    if (traces.size() < kMaxTraces) return;
    auto oldest =
        std::ranges::find_if(traces, [](const auto& entry) { return entry.second->over; });
    if (oldest == traces.end()) oldest = traces.begin();
    const auto id = oldest->first;
    tracker.on_trace_lost(id,
                          "more than " + std::to_string(kMaxTraces) + " traces were open at once");
    forget(id);
  }

  Task<void> follow_traces() {
    while (!stopped()) {
      auto next = co_await unless_stopped(observer.next_trace());
      if (!next) co_return;
      auto& opened = *next;
      if (!opened.ok()) {
        observer_problem = opened.error().to_string();
        if (opened.error().code() ==
            Code::unavailable) {  // it never comes back on this socket: a new start gets a new one
          ended_by = opened.error();
          stop();
          co_return;
        }
        co_await stopping.wait(kRetryInterval);
        continue;
      }
      if (traces.contains(opened->id)) continue;
      if (draining) {
        observer.release(opened->id);
        continue;
      }
      make_room();
      const auto id = opened->id;
      const auto runner = opened->runner;
      const auto order = opened->order;
      auto trace = std::make_shared<Trace>(Trace{TraceReader(std::move(*opened), rules)});
      traces.emplace(id, trace);
      last_opened = clock.steady();
      opened_or_stopping.set();
      tracker.on_trace_opened(id, runner, last_opened, order);
      start("trace", read_trace(std::move(trace)));
    }
  }

  void meter(const std::vector<ProcessSample>& processes, SteadyMicros steady) {
    std::map<ProcessId, std::vector<ProcessSample>> trees;
    for (const auto& process : processes) trees[process.root].push_back(process);
    const auto now = clock.now();
    for (auto& [root, entry] : meters) {
      if (entry.live && !trees.contains(root)) {
        entry.meter.sample({}, steady, now);
        entry.live = false;
      }
    }
    for (const auto& [root, members] : trees) {
      auto& entry = meters[root];
      entry.meter.sample(members, steady, now);
      if (entry.first_seen == SteadyMicros{}) entry.first_seen = steady;
      entry.last_seen = steady;
      entry.live = true;
    }
    while (meters.size() > kMaxMeters)
      meters.erase(std::ranges::min_element(
          meters, {}, [](const auto& entry) { return entry.second.last_seen; }));
  }

  microseconds sampling_gap(SteadyMicros now) const {
    const auto usual = microseconds(options.usage_interval_us);
    if (now - last_opened < microseconds(kYoungPeriod).count())
      return std::min<microseconds>(usual, kYoungInterval);
    auto gap = usual;
    for (const auto& [root, entry] : meters)
      if (entry.live) gap = std::min(gap, microseconds((now - entry.first_seen) / kPartOfAge));
    return std::clamp<microseconds>(gap, std::min<microseconds>(usual, kShortestInterval), usual);
  }

  Task<void> sample_processes() {
    while (!stopped()) {
      if (options.usage_enabled) {
        const auto answer = co_await unless_stopped(observer.processes());
        if (!answer) co_return;
        if (const auto& processes = *answer; processes.ok()) {
          const auto now = clock.steady();
          tracker.on_processes(*processes, now);
          meter(*processes, now);
          observer_problem.clear();
        } else {
          observer_problem = processes.error().to_string();
        }
      }
      const auto gap = sampling_gap(clock.steady());
      opened_or_stopping.reset();
      co_await opened_or_stopping.wait(gap);
    }
  }

  // The kernel's own word on who was killed for memory; where its log is closed to us, kills stay
  // unknown.
  Task<void> follow_kernel_log() {
    auto log = KernelLog::open(executor);
    if (!log.ok()) co_return;
    while (!stopped()) {
      const auto killed = co_await unless_stopped(log->next_oom_kill());
      if (!killed) co_return;
      if (!killed->ok()) {
        log::warning("the kernel's log cannot be followed", {{"why", killed->error().to_string()}});
        co_return;
      }
      for (auto& [root, entry] : meters) {
        if (entry.meter.owns(killed->value())) entry.meter.oom_kill(killed->value());
      }
    }
  }

  Task<void> watch_runners() {
    while (!stopped()) {
      auto answer = co_await unless_stopped(observer.runners());
      if (!answer) co_return;
      bool changed = false;
      if (auto& seen = *answer; seen.ok()) {
        for (const auto& runner : runners) {
          if (std::ranges::find(*seen, runner.id, &RunnerProcess::id) == seen->end()) {
            log::info("the runner is gone", {{"pid", runner.id.pid}});
            tracker.on_runner_gone(runner.id, clock.steady());
            changed = true;
          }
        }
        runners = std::move(*seen);
        if (options.known_runners) {
          // The last words of one that is gone still count; its number in years to come does not.
          if (options.known_runners->size() > kMaxKnownRunners) options.known_runners->clear();
          for (const auto& runner : runners) options.known_runners->insert(runner.id.pid);
        }
      }
      if (changed)
        co_await commit({});  // sets the tracker's deadline for what the runner left behind
      co_await stopping.wait(kRunnersInterval);
    }
  }

  Task<void> watch_deadlines() {
    auto retry_at = clock.steady();
    while (!stopped()) {
      co_await stopping.wait(kDeadlineInterval);
      const auto now = clock.steady();
      const auto deadline = tracker.next_deadline();
      const bool retry = !waiting.empty() && now >= retry_at;
      if ((deadline && now >= *deadline) || retry) {
        retry_at = now + microseconds(kRetryInterval).count();
        co_await commit({});
      }
    }
  }

  Task<void> sample_host() {
    while (!stopped()) {
      fleet::v1::Envelope envelope;
      auto& samples = *envelope.mutable_host_samples();
      samples = host.sample(clock.now());
      samples.set_jobs_running(static_cast<uint32_t>(tracker.open_jobs()));
      const auto stats = spool.stats();
      samples.set_spool_bytes(stats.bytes);
      samples.set_records_dropped(stats.dropped_samples + stats.dropped_started +
                                  stats.dropped_reports + reports_dropped);
      samples.set_withheld(tracker.counters().withheld_traces + tracker.counters().withheld_trees);
      SpoolBatch batch;
      batch.messages.push_back(std::move(envelope));
      const auto stored = co_await spool.append(std::move(batch));
      if (!stored.ok()) log::debug("host sample dropped", {{"why", stored.error().to_string()}});
      co_await stopping.wait(microseconds(options.host_interval_us));
    }
  }
};

JobWatch::JobWatch(asio::any_io_executor executor, JobWatchOptions options, Observer& observer,
                   Spool& spool, const Clock& clock, std::shared_ptr<const diagnosis::Rules> rules,
                   std::vector<std::unique_ptr<LogSource>> sources)
    : state_(std::make_unique<State>(std::move(executor), std::move(options), observer, spool,
                                     clock, std::move(rules), std::move(sources))) {}

JobWatch::~JobWatch() = default;

Task<Status> JobWatch::restore() {
  if (!state_->options.state_dir.empty()) {
    for (const auto& opened : {state_->baselines.open(), state_->archive.open()})
      if (!opened.ok())
        log::warning("a folder of the agent cannot be used", {{"why", opened.error().to_string()}});
  }
  CO_ASSIGN_OR_RETURN(const auto saved, co_await state_->spool.tracker_state());
  if (saved.empty()) co_return Status();
  co_return state_->tracker.restore(saved);
}

Task<Status> JobWatch::run() {
  auto& s = *state_;
  s.start("traces", s.follow_traces());
  s.start("processes", s.sample_processes());
  s.start("runners", s.watch_runners());
  s.start("deadlines", s.watch_deadlines());
  s.start("host", s.sample_host());
  s.start("kernel log", s.follow_kernel_log());
  if (s.options.usage_enabled && s.options.containers_enabled)
    s.start("containers",
            s.containers.run(&s.stopping, [state = &s] { return state->tracker.open_jobs() > 0; }));
  for (const auto& source : s.sources) s.start("source", s.follow_source(source.get()));
  co_await s.finished.wait();
  co_return s.ended_by;
}

void JobWatch::stop() {
  state_->stop();
}

Task<fleet::v1::CommandResult> JobWatch::command(fleet::v1::Command command) {
  auto& s = *state_;
  fleet::v1::CommandResult result;
  result.set_id(command.id());
  switch (command.action_case()) {
    case fleet::v1::Command::kDrain:
      s.draining = command.drain().draining();
      result.set_status(fleet::v1::CommandResult::STATUS_DONE);
      result.set_message(s.draining ? "new jobs are not observed" : "observing new jobs");
      break;
    case fleet::v1::Command::kLinesAround: {
      const auto& ask = command.lines_around();
      const auto trace = s.tracker.trace_of({ask.key().instance(), ask.key().job_id()});
      const auto found = trace ? s.traces.find(*trace) : s.traces.end();
      const JobRef job{ask.key().instance(), ask.key().job_id()};
      const auto excerpt =
          found != s.traces.end()
              ? found->second->reader.lines_around(ask.line(), ask.before(), ask.after())
              : s.archive.lines_around(job, ask.line(), ask.before(), ask.after());
      if (!excerpt.ok()) {
        result.set_status(fleet::v1::CommandResult::STATUS_NOT_FOUND);
        result.set_message(excerpt.error().to_string());
        break;
      }
      result.set_status(fleet::v1::CommandResult::STATUS_DONE);
      result.mutable_excerpt()->set_first_line(excerpt->first_line);
      result.mutable_excerpt()->set_last_line(excerpt->last_line);
      result.mutable_excerpt()->set_text(excerpt->text);
      break;
    }
    default:
      result.set_status(fleet::v1::CommandResult::STATUS_UNSUPPORTED);
      result.set_message("this agent does not know the command");
  }
  co_return result;
}

void JobWatch::on_baseline(const fleet::v1::Baseline& baseline) {
  auto& s = *state_;
  const JobRef job{baseline.key().instance(), baseline.key().job_id()};
  if (baseline.job_name().empty() || s.options.state_dir.empty()) return;
  if (s.names.size() >= kMaxNames && !s.names.contains(job)) s.names.clear();
  s.names[job] = truncate_utf8(to_utf8(baseline.job_name()), 255);
  const auto& key = baseline.key();
  const JobName name{
      job.instance,
      key.project_path().empty() ? std::to_string(key.project_id()) : key.project_path(),
      s.names[job]};
  if (baseline.templates_size() > 0) {
    s.baselines.add(name, {baseline.templates().begin(), baseline.templates().end()});
    return;
  }
  if (!s.baselines.find(name).empty() || baseline.whole() || !s.options.ask_baseline) return;
  fleet::v1::BaselineRequest question;
  *question.mutable_key() = key;
  question.set_templates(true);
  s.options.ask_baseline(std::move(question));
}

void JobWatch::set_usage_interval(int64_t micros) {
  state_->options.usage_interval_us = micros;
  state_->containers.set_interval(micros);
}
void JobWatch::set_host_interval(int64_t micros) {
  state_->options.host_interval_us = micros;
}

JobWatch::Snapshot JobWatch::snapshot() const {
  const auto& s = *state_;
  Snapshot snapshot;
  snapshot.open_jobs = s.tracker.open_jobs();
  snapshot.open_traces = s.traces.size();
  snapshot.live_containers = s.containers.live();
  snapshot.counters = s.tracker.counters();
  snapshot.explanations = s.tracker.explanations();
  for (const auto& source : s.sources) snapshot.sources.push_back(source->state());
  for (const auto& runner : s.runners)
    snapshot.runners.push_back(runner.comm + " (pid " + std::to_string(runner.id.pid) + ")");
  snapshot.reports_waiting = s.waiting.size();
  snapshot.reports_dropped = s.reports_dropped;
  snapshot.observer_problem = s.observer_problem;
  snapshot.draining = s.draining;
  return snapshot;
}

}  // namespace gitaiops::agent
