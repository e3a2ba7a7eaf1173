// A hostile index: opened, asked for packages, and every text of it read.
#include <cstdint>

#include "engines/scanner/advisories/index.h"
#include "engines/scanner/advisories/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops;
  using namespace gitaiops::scanner;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  static_cast<void>(read_seal(bytes));
  const auto index = Index::open(bytes);
  if (!index) return 0;
  for (const auto ecosystem : {Ecosystem::npm, Ecosystem::pypi, Ecosystem::maven})
    for (const std::string_view name : {"tin", "g:can"})
      for (const auto& hit : index->match(ecosystem, name, "1.0.0"))
        static_cast<void>(index->advisory(hit.advisory));
  constexpr uint32_t kTexts = 50;
  for (uint32_t i = 0; i < index->size() && i < kTexts; ++i) static_cast<void>(index->advisory(i));
  return 0;
}
