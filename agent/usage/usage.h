// From periodic process samples of one job to its usage: CPU as live times plus reaped children's,
// sampled peak memory, IO, processes, at most 120 points. Pure: samples and times come in, a
// message comes out.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "agent/observer/observer.h"
#include "agent/usage/cgroup.h"
#include "agent/usage/container_meter.h"
#include "agent/usage/kernel_log.h"
#include "agent/usage/points.h"
#include "base/clock/clock.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

class UsageMeter {
 public:
  UsageMeter();
  ~UsageMeter();
  UsageMeter(UsageMeter&&) noexcept;
  UsageMeter& operator=(UsageMeter&&) noexcept;

  // All live processes of the job at one moment; empty spans mark a moment without processes
  // (between stages). `steady` orders the points, `now` stamps the first one.
  void sample(std::span<const ProcessSample> processes, SteadyMicros steady, UnixMicros now);
  // The kernel killed a process of this job for memory. Counted once a pid.
  void oom_kill(int32_t pid);
  // True while a process of this pid was in the last or the last but one sample: whose a kill in
  // the kernel's log is.
  bool owns(int32_t pid) const;

  fleet::v1::Usage summary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gitaiops::agent
