// Any text as a risk model: no crash; what is accepted gives probabilities and reads back the same.
#include <cstdlib>

#include "engines/triage/risk/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::triage::risk;
  const auto model = Model::read({reinterpret_cast<const char*>(data), size});
  if (!model.ok()) return 0;
  for (const double value : {0.0, 3.0, 1e9}) {
    Features features;
    features.fill(value);
    const auto score = model->score(features);
    if (!(score.probability >= 0 && score.probability <= 1)) std::abort();
    if (!(score.percentile >= 0 && score.percentile <= 100)) std::abort();
  }
  const auto again = Model::read(model->to_text());
  if (!again.ok() || again->to_text() != model->to_text()) std::abort();
  return 0;
}
