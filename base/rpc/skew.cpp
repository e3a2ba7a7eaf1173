#include "base/rpc/skew.h"

#include <algorithm>

namespace gitaiops::rpc {

UnixMicros told_time(int64_t micros) {
  constexpr int64_t kLatest = 253'402'300'799 * kMicrosPerSecond;  // 9999-12-31T23:59:59Z
  return {std::clamp<int64_t>(micros, 0, kLatest)};
}

std::string describe_skew(UnixMicros clock, UnixMicros reference) {
  const bool behind = clock < reference;
  const int64_t seconds = (behind ? reference - clock : clock - reference) / kMicrosPerSecond;
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  std::string text;
  if (days > 0) {
    text = std::to_string(days) + " d " + std::to_string(hours % 24) + " h";
  } else if (hours > 0) {
    text = std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
  } else if (minutes > 0) {
    text = std::to_string(minutes) + " min " + std::to_string(seconds % 60) + " s";
  } else {
    text = std::to_string(seconds) + " s";
  }
  return text + (behind ? " behind" : " ahead of");
}

}  // namespace gitaiops::rpc
