// From readings of containers' groups to usage: of one container over all its lives (the runner
// starts the same container once a stage, and the kernel counts from zero each time), and of all
// containers of a job together. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/usage/cgroup.h"
#include "agent/usage/points.h"
#include "base/clock/clock.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

class ContainerMeter {
 public:
  // The container was started: its group is new. Also noticed by a count that falls.
  void begin_life();
  void sample(const CgroupReading& reading);
  // The engine's record says that it was ended for memory; counts where the kernel's own count
  // could not be read before the group was gone.
  void engine_says_oom() { engine_oom_ = true; }

  bool any() const { return any_ || engine_oom_; }  // there is something to tell
  int64_t cpu_us() const { return cpu_.total(); }
  int64_t io_bytes() const { return read_.total() + written_.total(); }
  bool io_known() const { return read_.known || written_.known; }
  int64_t memory_bytes() const { return memory_now_; }  // at the last reading of this life
  void end_life() { memory_now_ = 0; }                  // it holds nothing any more

  // Without kind, engine and name.
  fleet::v1::ContainerUsage summary() const;

 private:
  struct Counter {
    int64_t before = 0;  // of former lives
    int64_t now = 0;
    bool known = false;
    int64_t total() const { return before + now; }
    void update(std::optional<int64_t> value);
    void bank();
  };
  Counter cpu_, throttled_, oom_kills_, read_, written_;
  Counter cpu_pressure_, memory_pressure_, io_pressure_;
  int64_t memory_now_ = 0, memory_peak_ = 0, memory_limit_ = 0, processes_peak_ = 0;
  bool memory_known_ = false, peak_told_ = false;
  bool processes_known_ = false, processes_told_ = false;
  bool engine_oom_ = false, any_ = false;
};

// The course of a job in containers: what they use and hold together.
class ContainerSum {
 public:
  // Totals since the job began, and what is held now.
  void add(int64_t cpu_us, int64_t memory_bytes, std::optional<int64_t> io_bytes,
           SteadyMicros steady, UnixMicros now);
  // The job's usage from that of its containers.
  fleet::v1::Usage summary(std::vector<fleet::v1::ContainerUsage> containers) const;

 private:
  Points points_;
  int64_t cpu_before_ = 0, io_before_ = 0, memory_peak_ = 0;
};

}  // namespace gitaiops::agent
