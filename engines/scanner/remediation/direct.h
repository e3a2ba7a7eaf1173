// Upgrades of direct dependencies for the sake of what they bring in, where releases are known.
// Private to this folder.
#pragma once

#include "engines/scanner/remediation/releases.h"
#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::scanner {

// Adds to the plan what removes findings of one set (`mine`, positions in Findings::all), and what
// stays. Each try is resolved anew, so that the whole set is known to have no finding more.
void plan_directs(const Inventory& inventory, const Findings& findings, const Index& index,
                  const Releases& releases, uint32_t set, const std::vector<uint32_t>& mine,
                  Plan& plan);

}  // namespace gitaiops::scanner
