// Any bytes as a record, a catalogue and scores; what was taken in must give an index that opens.
#include <cstdint>
#include <cstdlib>

#include "engines/scanner/advisories/builder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops;
  using namespace gitaiops::scanner;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  IndexBuilder builder;
  static_cast<void>(builder.add_osv(text));
  static_cast<void>(builder.add_kev(text));
  static_cast<void>(builder.add_epss(text));
  const auto bytes = builder.finish();
  if (!bytes) return 0;
  const auto index = Index::open(as_bytes(*bytes));
  if (!index) std::abort();
  for (uint32_t i = 0; i < index->size(); ++i)
    if (!index->advisory(i)) std::abort();
  return 0;
}
