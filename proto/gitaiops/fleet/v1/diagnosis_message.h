// The engine's Diagnosis as the message of the contract: mapped here once, for the agent and for a
// controller that diagnoses a log itself. Pure.
#pragma once

#include "engines/diagnosis/diagnosis.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::fleet::v1 {

// Within the contract's limits of single fields; the whole may still have to be trimmed.
Diagnosis message_of(const diagnosis::Diagnosis& d);

}  // namespace gitaiops::fleet::v1
