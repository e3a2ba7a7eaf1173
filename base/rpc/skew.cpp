#include "base/rpc/skew.h"

namespace gitaiops::rpc {

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
