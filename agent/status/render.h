// A snapshot in the forms it is shown in. Private to agent/status.
//
// Thread safety: pure functions.
#pragma once

#include "agent/status/status.h"

namespace gitaiops::agent {

std::string to_json(const StatusSnapshot& snapshot);
// data_loss: not what to_json() makes. Members that a newer agent adds are ignored, missing ones
// keep their defaults.
Result<StatusSnapshot> snapshot_from_json(const std::string& json);

std::string to_text(const StatusSnapshot& snapshot);
std::string to_html(const StatusSnapshot& snapshot);

// Brings the figures of metrics::agent_metrics() up to date.
void to_metrics(const StatusSnapshot& snapshot, metrics::Registry& registry);

}  // namespace gitaiops::agent
