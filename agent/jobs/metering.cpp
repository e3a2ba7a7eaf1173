#include <algorithm>

#include "agent/jobs/state.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::size_t kMaxMeters = 1024;  // process trees metered at once
constexpr auto kYoungInterval = 50ms;
// What a tree uses between the last sample and its end is not seen: it is sampled at least every
// twentieth of its age.
constexpr int64_t kPartOfAge = 20;
constexpr auto kShortestInterval = 100ms;

}  // namespace

void JobWatch::State::meter(const std::vector<ProcessSample>& processes, SteadyMicros steady) {
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

microseconds JobWatch::State::sampling_gap(SteadyMicros now) const {
  const auto usual = microseconds(options.usage_interval_us);
  if (now - last_opened < kYoungPeriod.count())
    return std::min<microseconds>(usual, kYoungInterval);
  auto gap = usual;
  for (const auto& [root, entry] : meters)
    if (entry.live) gap = std::min(gap, microseconds((now - entry.first_seen) / kPartOfAge));
  return std::clamp<microseconds>(gap, std::min<microseconds>(usual, kShortestInterval), usual);
}

Task<void> JobWatch::State::sample_processes() {
  while (!stopped()) {
    look_inside();
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

Task<void> JobWatch::State::follow_kernel_log() {
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

Task<void> JobWatch::State::sample_host() {
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

}  // namespace gitaiops::agent
