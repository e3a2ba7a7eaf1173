// Every metric of agent and controller, once: what the daemons declare, and what docs/metrics.md
// and the sample alert rules are checked against.
#pragma once

#include "base/metrics/metrics.h"

namespace gitaiops::metrics {

std::span<const Definition> agent_metrics();
std::span<const Definition> controller_metrics();

}  // namespace gitaiops::metrics
