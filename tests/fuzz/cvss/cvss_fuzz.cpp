// Any text: no crash, and a score is between 0 and 10.
#include <cstdint>
#include <cstdlib>

#include "engines/scanner/cvss/cvss.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::scanner;
  const auto score = cvss_score(std::string_view(reinterpret_cast<const char*>(data), size));
  if (score && !(score->base >= 0 && score->base <= 10 && score->with_threat >= 0 &&
                 score->with_threat <= 10))
    std::abort();
  return 0;
}
