// Any bytes as a package URL: what is accepted builds a text that means the same.
#include <cstdlib>

#include "engines/scanner/purl.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner;
  const auto parsed = parse_purl({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) return 0;
  const auto built = build_purl(*parsed);
  if (!built.ok()) std::abort();
  const auto again = parse_purl(*built);
  if (!again.ok()) std::abort();
  const auto rebuilt = build_purl(*again);
  if (!rebuilt.ok() || *rebuilt != *built) std::abort();
  return 0;
}
