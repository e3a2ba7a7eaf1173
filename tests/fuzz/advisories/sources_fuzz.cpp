// Archives and packed scores as a server may send them: taken or refused, never more.
#include <cstddef>
#include <cstdint>

#include "engines/scanner/advisories/sources.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::scanner;
  if (size == 0) return 0;
  static constexpr const char* kNames[] = {"all.zip", "scores.csv.gz", "scores.csv", "a.json"};
  const gitaiops::Bytes bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  IndexBuilder builder;
  std::vector<Skipped> skipped;
  (void)add_source(kNames[data[0] % 4], bytes, builder, skipped);
  if (builder.counts().records > 0) (void)builder.finish();
  return 0;
}
