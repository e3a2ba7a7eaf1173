// A job's course over time, in at most 120 points of one distance: as it grows, neighbours are
// merged. Where samples are missing (the agent was down, the host asleep) the points stay on the
// time axis, as gaps.
#pragma once

#include "base/clock/clock.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

class Points {
 public:
  // What was used since the sample before, and what is held now; -1 where it is not known. `steady`
  // orders the points, `now` stamps the first one.
  void add(int64_t cpu_us, int64_t memory_bytes, int64_t io_bytes, SteadyMicros steady,
           UnixMicros now);
  bool empty() const { return slots_ == 0; }
  fleet::v1::Samples summary() const;

 private:
  void put(int64_t cpu, int64_t memory, int64_t io);
  void add_gaps(SteadyMicros steady);

  fleet::v1::Samples points_;
  int group_ = 1;   // samples a point
  int filled_ = 0;  // samples in the last point
  SteadyMicros first_{}, last_{};
  int64_t typical_ = 0;  // distance of two samples
  int64_t slots_ = 0;    // samples and gaps so far
};

// Merges neighbouring points until at most `max_points` remain: CPU and IO add up, memory keeps the
// highest.
void thin(fleet::v1::Samples& samples, int max_points);

}  // namespace gitaiops::agent
