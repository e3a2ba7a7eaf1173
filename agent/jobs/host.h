// Figures of the host as a whole, from /proc. What cannot be read stays absent.
#pragma once

#include <filesystem>
#include <optional>

#include "base/clock/clock.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

class HostMeter {
 public:
  explicit HostMeter(std::filesystem::path proc_root) : proc_root_(std::move(proc_root)) {}
  // Load, memory, CPU busy since the call before. Blocking reads of three small files of the
  // kernel.
  fleet::v1::HostSamples sample(UnixMicros now);

 private:
  std::filesystem::path proc_root_;
  struct Ticks {
    uint64_t busy, total;
  };
  std::optional<Ticks> before_;  // at the sample before
};

}  // namespace gitaiops::agent
