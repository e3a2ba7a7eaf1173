#include "agent/usage/points.h"

#include <algorithm>

namespace gitaiops::agent {
namespace {

constexpr int64_t kGap = -1;
constexpr int kMaxPoints = 120;
constexpr int kKeptPoints = 2 * kMaxPoints;  // before neighbours are merged
constexpr int64_t kMaxGapPoints = 1 << 20;   // twelve days at one a second

// Every `group` neighbours become one: a gap only where all of them are.
template <class Merge>
void merge(google::protobuf::RepeatedField<int64_t>& values, int group, Merge combine) {
  int out = 0;
  for (int in = 0; in < values.size(); in += group) {
    int64_t merged = kGap;
    for (int i = in; i < std::min(in + group, values.size()); ++i)
      if (values.Get(i) != kGap)
        merged = merged == kGap ? values.Get(i) : combine(merged, values.Get(i));
    values.Set(out++, merged);
  }
  values.Truncate(out);
}

}  // namespace

void thin(fleet::v1::Samples& samples, int max_points) {
  const int points = samples.cpu_us_size();
  if (points <= max_points || max_points <= 0) return;
  const int group = (points + max_points - 1) / max_points;
  const auto add = [](int64_t a, int64_t b) { return a + b; };
  const auto highest = [](int64_t a, int64_t b) { return std::max(a, b); };
  merge(*samples.mutable_cpu_us(), group, add);
  merge(*samples.mutable_memory_bytes(), group, highest);
  merge(*samples.mutable_io_bytes(), group, add);
  samples.set_interval_us(samples.interval_us() * group);
}

void Points::add(int64_t cpu, int64_t memory, int64_t io, SteadyMicros steady, UnixMicros now) {
  if (slots_ == 0) {
    first_ = last_ = steady;
    points_.set_start_us(now.value);
  } else if (steady > last_) {
    add_gaps(steady);
    last_ = steady;
  }
  put(cpu, memory, io);
}

fleet::v1::Samples Points::summary() const {
  auto samples = points_;
  const auto span = last_ - first_;
  samples.set_interval_us(slots_ > 1 ? span * group_ / (slots_ - 1) : 0);
  thin(samples, kMaxPoints);
  return samples;
}

void Points::put(int64_t cpu, int64_t memory, int64_t io) {
  ++slots_;
  const int at = points_.cpu_us_size() - 1;
  if (at >= 0 && filled_ < group_) {
    const auto merge_in = [at](google::protobuf::RepeatedField<int64_t>& values, int64_t value,
                               auto combine) {
      if (value >= 0) values.Set(at, values.Get(at) < 0 ? value : combine(values.Get(at), value));
    };
    const auto add = [](int64_t a, int64_t b) { return a + b; };
    merge_in(*points_.mutable_cpu_us(), cpu, add);
    merge_in(*points_.mutable_memory_bytes(), memory,
             [](int64_t a, int64_t b) { return std::max(a, b); });
    merge_in(*points_.mutable_io_bytes(), io, add);
    ++filled_;
    return;
  }
  if (at + 1 == kKeptPoints) {
    thin(points_, kMaxPoints);
    group_ *= 2;
  }
  points_.add_cpu_us(cpu);
  points_.add_memory_bytes(memory);
  points_.add_io_bytes(io);
  filled_ = 1;
}

void Points::add_gaps(SteadyMicros steady) {
  const auto distance = steady - last_;
  if (typical_ > 0 && 2 * distance > 5 * typical_) {
    const auto missing = std::min(kMaxGapPoints, (distance + typical_ / 2) / typical_ - 1);
    for (int64_t i = 0; i < missing; ++i) put(-1, -1, -1);
  } else {
    typical_ = typical_ == 0 ? distance : (7 * typical_ + distance) / 8;
  }
}

}  // namespace gitaiops::agent
