#include <algorithm>

#include <asio/post.hpp>

#include "agent/jobs/state.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::size_t kMaxTraces = 256;  // analyzers held at once: at most 256 MiB, usually a few
constexpr std::size_t kMaxKnownRunners = 64;  // pids; beyond, those that are gone are forgotten
constexpr auto kTraceFirstPoll = 20ms;        // right after it was opened: many jobs are over soon
// A young trace that grew is looked at again soon: its head tells whose it is and where the
// checkout lies, and many jobs are over soon. An end is noticed at most the longest pause late.
constexpr auto kTraceYoung = 10s;
constexpr auto kTraceYoungPoll = 100ms;
constexpr auto kTracePoll = 250ms;
constexpr std::size_t kMaxInsides = 64;  // checkouts inside containers, until their job's report
const std::string kUsualBuilds = "/builds";       // where the runner has checkouts in containers
constexpr microseconds kInsideFirstPause = 50ms;  // until a job's container is looked for again
constexpr microseconds kInsidePause = 1s;
constexpr auto kRunnersInterval = 2s;
constexpr auto kRetryInterval = 5s;        // after a full disk or a source or observer that failed
constexpr auto kDeadlineInterval = 500ms;  // how late a deadline of the tracker may be noticed

// As the runner names them: "docker", "docker+machine", "docker-autoscaler", "kubernetes".
bool runs_in_containers(std::string_view executor) {
  return executor.starts_with("docker") || executor == "kubernetes";
}

}  // namespace

Task<void> JobWatch::State::follow_source(LogSource* source) {
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

void JobWatch::State::report_progress(const Trace& trace) {
  const auto& progress = trace.reader.progress();
  tracker.on_trace_progress(trace.reader.id(), {progress.runner_short_token, progress.checkout_path,
                                                progress.ended, progress.failed});
}

void JobWatch::State::look_at_tree(const std::shared_ptr<Trace>& trace) {
  const auto& progress = trace->reader.progress();
  if (!options.scanner_enabled || trace->tree_asked || progress.checkout_path.empty() ||
      progress.section == "get_sources")
    return;
  trace->tree_asked = true;
  start("workspace", read_checkout(trace, progress.checkout_path));
}

Task<void> JobWatch::State::read_checkout(std::shared_ptr<Trace> trace, std::string path) {
  Status read;
  if (runs_in_containers(trace->reader.progress().executor)) {
    read = co_await read_named_inside(trace, path);
  } else {
    auto tree = co_await workspace.take(trace->reader.runner(), path);
    if (tree.ok()) {
      trace->tree = std::move(tree).value();
    } else {
      read = tree.error();
    }
  }
  if (!read.ok()) {
    log::info("a checkout cannot be read; what it depends on is not reported",
              {{"folder", path}, {"why", read.error().to_string()}});
    co_return;
  }
  if (!trace->reported_as) co_return;
  tell_inventory(*trace);
  co_await commit({});
}

JobWatch::State::Inside* JobWatch::State::inside(const ContainerId& id) {
  const auto place =
      std::ranges::find_if(insides, [&](const Inside& known) { return known.build.id == id; });
  return place == insides.end() ? nullptr : &*place;
}

void JobWatch::State::look_inside() {
  if (!options.scanner_enabled || containers.live() == 0) return;
  for (auto& build : containers.builds()) {
    if (build.in_pod || inside(build.id) != nullptr) continue;
    const auto known = builds_folders.find(build.job.runner_short);
    const auto path = (known == builds_folders.end() ? kUsualBuilds : known->second) + '/' +
                      build.job.project_path;
    start("workspace", [](State* s, ContainerWatch::Build b, std::string p) -> Task<void> {
      (void)co_await s->read_inside(std::move(b), std::move(p));  // else the log will tell
    }(this, std::move(build), path));
  }
}

Task<Status> JobWatch::State::read_named_inside(std::shared_ptr<Trace> trace, std::string path) {
  for (auto pause = kInsideFirstPause;; pause = std::min(pause * 2, kInsidePause)) {
    for (auto& build : containers.builds()) {
      const auto& project = build.job.project_path;
      if (!names_checkout_of(path, project)) continue;
      if (builds_folders.size() >= kMaxKnownRunners) builds_folders.clear();
      builds_folders[build.job.runner_short] = path.substr(0, path.rfind('/' + project));
      const auto* known = inside(build.id);
      if (known != nullptr && !known->missed) co_return Status();  // by look_inside()
      co_return co_await read_inside(std::move(build), path);
    }
    if (stopped() || trace->over || trace->abandoned)
      co_return Error(Code::not_found, "no container of its job was seen at work in it");
    co_await stopping.wait(pause);
  }
}

Task<Status> JobWatch::State::read_inside(ContainerWatch::Build build, std::string path) {
  if (auto* known = inside(build.id)) {
    known->missed = false;
  } else {
    if (insides.size() >= kMaxInsides) insides.pop_front();
    insides.push_back({build});
  }
  auto tree = co_await workspace.take_inside(build.id, build.pid, std::move(path));
  auto* known = inside(build.id);
  if (known == nullptr) co_return Error(Code::resource_exhausted, "too many checkouts at once");
  known->missed = !tree.ok();
  if (!tree.ok()) co_return tree.error();
  known->tree = std::move(tree).value();
  if (known->reported_as) {
    tell_inside(fleet::v1::JobKey(*known->reported_as));
    co_await commit({});
  }
  co_return Status();
}

// All traces that are past their first looks are looked at together: each waking of the process
// costs more than the look.
microseconds JobWatch::State::until_next_look() const {
  constexpr auto step = microseconds(kTracePoll).count();
  return microseconds(step - clock.steady().value % step);
}

Task<void> JobWatch::State::read_trace(std::shared_ptr<Trace> trace) {
  const auto born = clock.steady();
  auto pause = microseconds(kTraceFirstPoll);
  while (!stopped() && !trace->abandoned) {
    const auto step = trace->reader.step({room.get(), kReadAtOnce});
    report_progress(*trace);
    look_at_tree(trace);
    switch (step) {
      case TraceReader::Step::more:
        if (clock.steady() - born < microseconds(kTraceYoung).count()) pause = kTraceYoungPoll;
        co_await asio::post(executor, asio::use_awaitable);  // others first
        continue;
      case TraceReader::Step::idle:
        co_await stopping.wait(pause < kTracePoll ? pause : until_next_look());
        pause = std::min<microseconds>(pause * 2, kTracePoll);
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

void JobWatch::State::make_room() {
  if (traces.size() < kMaxTraces) return;
  auto oldest = std::ranges::find_if(traces, [](const auto& entry) { return entry.second->over; });
  if (oldest == traces.end()) oldest = traces.begin();
  const auto id = oldest->first;
  tracker.on_trace_lost(id,
                        "more than " + std::to_string(kMaxTraces) + " traces were open at once");
  forget(id);
}

Task<void> JobWatch::State::follow_traces() {
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

Task<void> JobWatch::State::watch_runners() {
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

Task<void> JobWatch::State::watch_deadlines() {
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

}  // namespace gitaiops::agent
