// Two versions and a range of any ecosystem: no crash, and the order is the same both ways round.
#include <cstdint>
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/versions.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops;
  using namespace gitaiops::scanner;
  if (size == 0) return 0;
  const auto ecosystem =
      static_cast<Ecosystem>(data[0] % (static_cast<unsigned>(Ecosystem::hackage) + 1));
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto parts = split(text, '\n');
  const auto a = parts[0], b = parts.size() > 1 ? parts[1] : std::string_view();
  const auto there = compare_versions(ecosystem, a, b), back = compare_versions(ecosystem, b, a);
  if ((there < 0) != (back > 0) || (there == 0) != (back == 0)) std::abort();
  if (compare_versions(ecosystem, a, a) != 0) std::abort();
  static_cast<void>(compare_strictly(ecosystem, a, b));
  static_cast<void>(is_prerelease(ecosystem, a));
  static_cast<void>(matches(ecosystem, a, b));
  static_cast<void>(matches(ecosystem, "1.0.0", a, Prereleases::included));
  return 0;
}
