#include <algorithm>

#include "agent/usage/usage.h"

namespace gitaiops::agent {
namespace {

constexpr int64_t kGap = -1;

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

}  // namespace gitaiops::agent
