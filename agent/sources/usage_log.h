// One line of the runner's usage log (one JSON object a finished job) → facts. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "agent/sources/fact.h"
#include "agent/sources/instances.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// Appends the facts of one record. not_found: of a GitLab that is not configured; invalid_argument:
// not a record. `late_us`: see Fact.
Status parse_usage_record(std::string_view line, const InstanceMap& instances, UnixMicros seen,
                          int64_t late_us, uint64_t order, std::vector<Fact>& out);

}  // namespace gitaiops::agent
