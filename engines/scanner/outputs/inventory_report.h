// An inventory for a person at a terminal and for programs.
//
// Thread safety: pure functions. What files say is shown as valid UTF-8 without control characters.
#pragma once

#include <string>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {

std::string as_table(const Inventory& inventory);
// docs/scanner.md describes the fields.
std::string as_json(const Inventory& inventory);

}  // namespace gitaiops::scanner
