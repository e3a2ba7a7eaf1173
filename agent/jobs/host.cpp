#include "agent/jobs/host.h"

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::agent {
namespace {

// "MemAvailable:   123 kB" → bytes.
std::optional<int64_t> meminfo(std::string_view text, std::string_view name) {
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    auto value = trimmed(line.substr(name.size()));
    if (!value.ends_with(" kB")) return std::nullopt;
    value.remove_suffix(3);
    const auto kib = parse_int(trimmed(value));
    return kib ? std::optional(*kib * 1024) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

fleet::v1::HostSamples HostMeter::sample(UnixMicros now) {
  fleet::v1::HostSamples samples;
  samples.set_at_us(now.value);
  if (const auto text = read_file(proc_root_ / "loadavg"); text.ok()) {
    if (const auto load = parse_double(std::string_view(*text).substr(0, text->find(' '))))
      samples.set_load1(*load);
  }
  if (const auto text = read_file(proc_root_ / "meminfo"); text.ok()) {
    if (const auto total = meminfo(*text, "MemTotal:")) samples.set_memory_total_bytes(*total);
    if (const auto available = meminfo(*text, "MemAvailable:"))
      samples.set_memory_available_bytes(*available);
  }
  if (const auto text = read_file(proc_root_ / "stat"); text.ok() && text->starts_with("cpu ")) {
    // user nice system idle iowait irq softirq steal …
    uint64_t total = 0, idle = 0;
    int column = 0;
    for (const auto field : split(std::string_view(*text).substr(4, text->find('\n') - 4), ' ')) {
      const auto ticks = parse_uint(field);
      if (!ticks || column > 7) continue;
      total += *ticks;
      if (column == 3 || column == 4) idle += *ticks;
      ++column;
    }
    const uint64_t busy = total - idle;
    if (before_ && total > before_->total && busy >= before_->busy)
      samples.set_cpu_busy_ratio(static_cast<double>(busy - before_->busy) /
                                 static_cast<double>(total - before_->total));
    before_ = Ticks{busy, total};
  }
  return samples;
}

}  // namespace gitaiops::agent
