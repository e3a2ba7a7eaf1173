// Any text as labelled changes: no crash; whatever was read can be learnt from.
#include <cstdlib>

#include "engines/triage/risk/labelled_csv.h"
#include "engines/triage/risk/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::triage::risk;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto labels : {Labels::needed, Labels::ignored}) {
    const auto examples = read_labelled(text, labels);
    if (!examples.ok() || examples->empty()) continue;
    const auto model = train(*examples);
    const double p = model.probability(examples->front().features);
    if (!(p >= 0 && p <= 1)) std::abort();
  }
  return 0;
}
