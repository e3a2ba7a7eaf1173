// /proc/PID/cgroup and the files of groups, whatever is in them: places stay below their folder,
// counts are bounded.
#include <cstdlib>

#include "agent/usage/cgroup.h"

using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bounded = [](std::optional<int64_t> value) {
    if (value && (*value < 0 || *value > (int64_t{1} << 53))) std::abort();
  };
  const auto inside = [](const std::string& path) {
    if (!path.empty() && (path[0] != '/' || (path + "/").find("/../") != std::string::npos))
      std::abort();
    if (!path.empty() && path.find("id") == std::string::npos) std::abort();
  };
  if (const auto place = place_of(text, "id")) {
    inside(place->unified);
    for (const auto& [controller, legacy] : place->legacy) {
      inside(legacy.path);
      if (legacy.hierarchy.find('/') != std::string::npos) std::abort();
    }
  }
  bounded(parse_count(text));
  bounded(parse_keyed(text, "oom_kill"));
  bounded(parse_pressure(text));
  for (const auto& io : {parse_io_stat(text), parse_io_service_bytes(text)}) {
    bounded(io.read);
    bounded(io.written);
  }
  return 0;
}
