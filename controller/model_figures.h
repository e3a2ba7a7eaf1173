// What models were asked and cost, as metrics.
#pragma once

#include "base/metrics/metrics.h"
#include "controller/models/models.h"

namespace gitaiops::controller {

void show_model_figures(const models::Explainer& explainer, metrics::Registry& metrics);

}  // namespace gitaiops::controller
