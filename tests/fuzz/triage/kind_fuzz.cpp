// Any text as a title, a path and a file of weights: no crash; confidence is a probability.
#include <cstdlib>

#include "engines/triage/kind/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::triage;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto weights = KindWeights::read(text); weights.ok()) (void)weights->of_title(text);
  Change change{"ann", {text.substr(0, size / 2)}, 0, text, text.substr(size / 2)};
  change.labels = {text.substr(0, 20)};
  for (const auto& kind : {kind_of(change), kind_by_content(change)})
    if (kind && !(kind->confidence >= 0 && kind->confidence <= 1)) std::abort();
  return 0;
}
