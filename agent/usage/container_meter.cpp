#include "agent/usage/container_meter.h"

#include <algorithm>
#include <tuple>

namespace gitaiops::agent {
namespace {

using fleet::v1::ContainerUsage;
using fleet::v1::Measure;
using fleet::v1::Method;

constexpr std::size_t kMaxContainers = 32;

Measure told(int64_t value, Method method) {
  Measure measure;
  measure.set_value(value);
  measure.set_method(method);
  return measure;
}

void add(Measure& sum, const Measure& part) {
  sum.set_value(sum.value() + part.value());
  sum.set_method(part.method());
}

}  // namespace

void ContainerMeter::Counter::bank() {
  before += now;
  now = 0;
}

void ContainerMeter::Counter::update(std::optional<int64_t> value) {
  if (!value) return;
  known = true;
  if (*value < now) bank();
  now = *value;
}

void ContainerMeter::begin_life() {
  for (auto* counter : {&cpu_, &throttled_, &oom_kills_, &read_, &written_, &cpu_pressure_,
                        &memory_pressure_, &io_pressure_})
    counter->bank();
  memory_now_ = 0;
}

void ContainerMeter::sample(const CgroupReading& reading) {
  if (reading.empty()) return;
  any_ = true;
  cpu_.update(reading.cpu_us);
  throttled_.update(reading.throttled_us);
  oom_kills_.update(reading.oom_kills);
  read_.update(reading.read_bytes);
  written_.update(reading.write_bytes);
  cpu_pressure_.update(reading.cpu_pressure_us);
  memory_pressure_.update(reading.memory_pressure_us);
  io_pressure_.update(reading.io_pressure_us);
  if (reading.memory_bytes) memory_now_ = *reading.memory_bytes;
  if (reading.memory_limit_bytes) memory_limit_ = *reading.memory_limit_bytes;
  memory_known_ |= reading.memory_bytes || reading.memory_peak_bytes;
  peak_told_ |= reading.memory_peak_bytes.has_value();
  memory_peak_ = std::max({memory_peak_, memory_now_, reading.memory_peak_bytes.value_or(0)});
  processes_known_ |= reading.processes || reading.processes_peak;
  processes_told_ |= reading.processes_peak.has_value();
  processes_peak_ = std::max(
      {processes_peak_, reading.processes.value_or(0), reading.processes_peak.value_or(0)});
}

ContainerUsage ContainerMeter::summary() const {
  using namespace fleet::v1;
  ContainerUsage usage;
  const auto count = [](const Counter& counter, Measure* (ContainerUsage::*field)(),
                        ContainerUsage& to) {
    if (counter.known) *(to.*field)() = told(counter.total(), METHOD_CGROUP);
  };
  count(cpu_, &ContainerUsage::mutable_cpu_us, usage);
  count(throttled_, &ContainerUsage::mutable_cpu_throttled_us, usage);
  count(oom_kills_, &ContainerUsage::mutable_oom_kills, usage);
  count(read_, &ContainerUsage::mutable_io_read_bytes, usage);
  count(written_, &ContainerUsage::mutable_io_write_bytes, usage);
  count(cpu_pressure_, &ContainerUsage::mutable_cpu_pressure_us, usage);
  count(memory_pressure_, &ContainerUsage::mutable_memory_pressure_us, usage);
  count(io_pressure_, &ContainerUsage::mutable_io_pressure_us, usage);
  if (engine_oom_ && oom_kills_.total() == 0) *usage.mutable_oom_kills() = told(1, METHOD_ENGINE);
  const auto peak = [](bool told) { return told ? METHOD_CGROUP : METHOD_CGROUP_SAMPLED; };
  if (memory_known_) *usage.mutable_memory_peak_bytes() = told(memory_peak_, peak(peak_told_));
  if (memory_limit_ > 0) usage.set_memory_limit_bytes(memory_limit_);
  if (processes_known_)
    *usage.mutable_processes_peak() = told(processes_peak_, peak(processes_told_));
  return usage;
}

void ContainerSum::add(int64_t cpu_us, int64_t memory_bytes, std::optional<int64_t> io_bytes,
                       SteadyMicros steady, UnixMicros now) {
  memory_peak_ = std::max(memory_peak_, memory_bytes);
  points_.add(std::max<int64_t>(0, cpu_us - cpu_before_), memory_bytes,
              io_bytes ? std::max<int64_t>(0, *io_bytes - io_before_) : -1, steady, now);
  cpu_before_ = std::max(cpu_before_, cpu_us);
  io_before_ = std::max(io_before_, io_bytes.value_or(0));
}

fleet::v1::Usage ContainerSum::summary(std::vector<ContainerUsage> containers) const {
  fleet::v1::Usage usage;
  const auto sum = [&](auto has, auto get, auto put) {
    for (const auto& part : containers)
      if ((part.*has)()) agent::add(*(usage.*put)(), (part.*get)());
  };
  using C = ContainerUsage;
  using U = fleet::v1::Usage;
  sum(&C::has_cpu_us, &C::cpu_us, &U::mutable_cpu_us);
  sum(&C::has_io_read_bytes, &C::io_read_bytes, &U::mutable_io_read_bytes);
  sum(&C::has_io_write_bytes, &C::io_write_bytes, &U::mutable_io_write_bytes);
  sum(&C::has_oom_kills, &C::oom_kills, &U::mutable_oom_kills);
  sum(&C::has_cpu_throttled_us, &C::cpu_throttled_us, &U::mutable_cpu_throttled_us);
  sum(&C::has_cpu_pressure_us, &C::cpu_pressure_us, &U::mutable_cpu_pressure_us);
  sum(&C::has_memory_pressure_us, &C::memory_pressure_us, &U::mutable_memory_pressure_us);
  sum(&C::has_io_pressure_us, &C::io_pressure_us, &U::mutable_io_pressure_us);
  // What they held together at one moment is only sampled; what one of them held is often told by
  // the kernel. Both are lower bounds of the job's peak: the higher one is nearer.
  auto memory = told(memory_peak_, fleet::v1::METHOD_CGROUP_SAMPLED);
  bool memory_known = false;
  for (const auto& part : containers) {
    memory_known |= part.has_memory_peak_bytes();
    if (part.has_memory_peak_bytes() && part.memory_peak_bytes().value() >= memory.value())
      memory = part.memory_peak_bytes();
    if (part.has_processes_peak() &&
        part.processes_peak().value() >= usage.processes_peak().value())
      *usage.mutable_processes_peak() = part.processes_peak();
  }
  if (memory_known) *usage.mutable_memory_peak_bytes() = memory;
  if (!points_.empty()) *usage.mutable_samples() = points_.summary();
  std::ranges::sort(containers, [](const C& a, const C& b) {
    return std::tuple(-a.cpu_us().value(), a.name()) < std::tuple(-b.cpu_us().value(), b.name());
  });
  if (containers.size() > kMaxContainers) containers.resize(kMaxContainers);
  for (auto& part : containers) *usage.add_containers() = std::move(part);
  return usage;
}

}  // namespace gitaiops::agent
