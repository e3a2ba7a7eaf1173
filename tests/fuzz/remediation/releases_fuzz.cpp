// Any bytes as a list of releases: resolving ends, and what it chooses suits what is asked for.
#include <cstdlib>
#include <string_view>

#include "engines/scanner/remediation/releases.h"
#include "engines/scanner/versions/versions.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner;
  Releases releases;
  if (!releases.read({reinterpret_cast<const char*>(data), size})) return 0;
  const std::vector<Need> roots = {{"can", ""}, {"lid", ">=1"}};
  const auto resolved = resolve(releases, Ecosystem::pypi, roots);
  if (!resolved) return 0;
  for (const auto& one : *resolved)
    if (one.name == "lid" && matches(Ecosystem::pypi, one.release->version, ">=1") != Match::yes)
      std::abort();
  return 0;
}
