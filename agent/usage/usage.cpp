// How CPU time is counted once. The time of a process that ends moves into its parent's reaped
// times when the parent waits for it; if nobody waits, it vanishes; and the children that lived
// between two samples appear only there. So a process that is gone is credited to the parent it was
// last seen with ("ahead" of what the kernel says about that parent), and what the parent's reaped
// times then grow by pays that credit back before it counts as new. The sum never falls, is exact
// once everything was reaped, and where the root itself was reaped by the runner, its last values
// stay.
//
// /proc/PID/io works alike, with own and reaped bytes in one counter: there the process' own growth
// can pay back credit of a child that nobody waited for, which makes the sum a lower bound.
//
// Tests: usage_test.cpp compares with simulated trees whose true totals are known.
#include "agent/usage/usage.h"

#include <algorithm>
#include <set>
#include <vector>

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxKilled = 1024;

// A counter of the kernel's that takes in what ended children had counted.
struct Absorbing {
  int64_t seen = 0;   // its highest value
  int64_t ahead = 0;  // credited for children that are gone, and not yet in `seen`

  int64_t total() const { return seen + ahead; }
  void update(int64_t value) {
    const auto grown = std::max<int64_t>(0, value - seen);
    ahead -= std::min(ahead, grown);
    seen += grown;
  }
};

struct Life {
  ProcessId parent;
  int64_t cpu = 0;  // its own
  Absorbing reaped;
  std::optional<Absorbing> read, written;
  uint64_t round = 0;  // of the last sample it was in
};

void update(std::optional<Absorbing>& counter, const std::optional<int64_t>& value) {
  if (!value) return;
  if (!counter) counter.emplace();
  counter->update(*value);
}
int64_t total(const std::optional<Absorbing>& counter) {
  return counter ? counter->total() : 0;
}

fleet::v1::Measure measure(int64_t value, fleet::v1::Method method) {
  fleet::v1::Measure measure;
  measure.set_value(value);
  measure.set_method(method);
  return measure;
}

}  // namespace

struct UsageMeter::State {
  std::map<ProcessId, Life> lives;
  // Of processes that are gone and whose parent is none of ours.
  int64_t gone_cpu = 0, gone_read = 0, gone_written = 0;
  bool io_readable_read = false, io_readable_write = false;
  uint64_t round = 0;
  bool any = false;  // a process was ever seen
  int64_t memory_peak = 0, processes_peak = 0;
  int64_t cpu_before = 0, io_before = 0;  // totals at the sample before
  std::set<int32_t> killed;
  std::set<int32_t> pids, former_pids;

  Points points;

  void take(std::span<const ProcessSample> processes);
  void bury();
  void bury(const ProcessId& id, const Life& life);
  int64_t cpu() const;
  int64_t read() const;
  int64_t written() const;
};

void UsageMeter::State::take(std::span<const ProcessSample> processes) {
  ++round;
  for (const auto& process : processes) {
    auto& life = lives[process.id];
    life.round = round;
    life.parent = process.parent;
    life.cpu = std::max(life.cpu, process.cpu_us);
    io_readable_read |= process.read_bytes.has_value();
    io_readable_write |= process.write_bytes.has_value();
  }
  // Credit for those that are gone comes first, so that what their parents' counters grew by can
  // pay it back.
  bury();
  for (const auto& process : processes) {
    auto& life = lives[process.id];
    life.reaped.update(process.reaped_cpu_us);
    update(life.read, process.read_bytes);
    update(life.written, process.write_bytes);
  }
}

// Credits the processes that are gone to their parents; children before parents, when both are
// gone.
void UsageMeter::State::bury() {
  std::map<ProcessId, int>
      children;  // of those that are gone: how many of their children are gone as well
  for (const auto& [id, life] : lives) {
    if (life.round == round) continue;
    children.try_emplace(id, 0);
    const auto parent = lives.find(life.parent);
    if (parent != lives.end() && parent->second.round != round) ++children[life.parent];
  }
  std::vector<ProcessId> ready;
  for (const auto& [id, count] : children)
    if (count == 0) ready.push_back(id);
  while (!ready.empty()) {
    const auto id = ready.back();
    ready.pop_back();
    const auto node = lives.extract(id);
    bury(id, node.mapped());
    const auto parent = children.find(node.mapped().parent);
    if (parent != children.end() && --parent->second == 0) ready.push_back(parent->first);
  }
}

void UsageMeter::State::bury(const ProcessId& id, const Life& life) {
  const auto cpu = life.cpu + life.reaped.total();
  const auto parent = lives.find(life.parent);
  if (parent == lives.end() || parent->first == id) {
    gone_cpu += cpu;
    gone_read += total(life.read);
    gone_written += total(life.written);
    return;
  }
  parent->second.reaped.ahead += cpu;
  const auto credit = [](std::optional<Absorbing>& counter, int64_t amount) {
    if (amount == 0) return;
    if (!counter) counter.emplace();
    counter->ahead += amount;
  };
  credit(parent->second.read, total(life.read));
  credit(parent->second.written, total(life.written));
}

int64_t UsageMeter::State::cpu() const {
  int64_t sum = gone_cpu;
  for (const auto& [id, life] : lives) sum += life.cpu + life.reaped.total();
  return sum;
}

int64_t UsageMeter::State::read() const {
  int64_t sum = gone_read;
  for (const auto& [id, life] : lives) sum += total(life.read);
  return sum;
}

int64_t UsageMeter::State::written() const {
  int64_t sum = gone_written;
  for (const auto& [id, life] : lives) sum += total(life.written);
  return sum;
}

UsageMeter::UsageMeter() : state_(std::make_unique<State>()) {}
UsageMeter::~UsageMeter() = default;
UsageMeter::UsageMeter(UsageMeter&&) noexcept = default;
UsageMeter& UsageMeter::operator=(UsageMeter&&) noexcept = default;

void UsageMeter::sample(std::span<const ProcessSample> processes, SteadyMicros steady,
                        UnixMicros now) {
  auto& state = *state_;
  if (!state.any && processes.empty()) return;  // nothing has begun yet
  state.any = true;
  state.take(processes);
  int64_t memory = 0, alive = 0;
  state.former_pids = std::exchange(state.pids, {});
  for (const auto& process : processes) {
    memory += process.rss_bytes;
    alive += process.state == 'Z' ? 0 : 1;
    state.pids.insert(process.id.pid);
  }
  state.memory_peak = std::max(state.memory_peak, memory);
  state.processes_peak = std::max(state.processes_peak, alive);
  const auto cpu = state.cpu(), io = state.read() + state.written();
  if (processes.empty()) {
    state.points.add(-1, -1, -1, steady, now);
    return;
  }
  const bool io_known = state.io_readable_read || state.io_readable_write;
  state.points.add(cpu - state.cpu_before, memory,
                   io_known ? std::max<int64_t>(0, io - state.io_before) : -1, steady, now);
  state.cpu_before = cpu;
  state.io_before = std::max(io, state.io_before);
}

void UsageMeter::oom_kill(int32_t pid) {
  if (state_->killed.size() < kMaxKilled) state_->killed.insert(pid);
}

bool UsageMeter::owns(int32_t pid) const {
  return state_->pids.contains(pid) || state_->former_pids.contains(pid);
}

fleet::v1::Usage UsageMeter::summary() const {
  using namespace fleet::v1;
  Usage usage;
  const auto& state = *state_;
  if (!state.killed.empty())
    *usage.mutable_oom_kills() =
        measure(static_cast<int64_t>(state.killed.size()), METHOD_KERNEL_LOG);
  if (!state.any) return usage;
  *usage.mutable_cpu_us() = measure(state.cpu(), METHOD_PROC_LIVE_AND_REAPED);
  *usage.mutable_memory_peak_bytes() = measure(state.memory_peak, METHOD_PROC_LIVE);
  *usage.mutable_processes_peak() = measure(state.processes_peak, METHOD_PROC_LIVE);
  if (state.io_readable_read)
    *usage.mutable_io_read_bytes() = measure(state.read(), METHOD_TASK_IO);
  if (state.io_readable_write)
    *usage.mutable_io_write_bytes() = measure(state.written(), METHOD_TASK_IO);
  *usage.mutable_samples() = state.points.summary();
  return usage;
}

}  // namespace gitaiops::agent
