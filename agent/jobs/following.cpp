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
constexpr auto kRunnersInterval = 2s;
constexpr auto kRetryInterval = 5s;        // after a full disk or a source or observer that failed
constexpr auto kDeadlineInterval = 500ms;  // how late a deadline of the tracker may be noticed

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
