// How much a finding matters, from what is known of it, with the reasons in words.
//
//   risk = 100 × severity × threat × exposure
//
// severity: the CVSS base score, or the level's middle where no vector is given (0 to 1).
// threat: from 0.3 for what nobody is known to try up to 1, growing with the square root of EPSS'
// probability, so that 0.01 and 0.1 differ as much as they do to a defender; 1 for what CISA's
// catalogue lists as exploited.
// exposure: less for what is only developed or built with, for what stands deeper in the tree, for
// what the project's own code does not import or does not name the affected functions of, for an
// uncertain match and, a little, for what no fix is known for (there is nothing to do at once).
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/scanner/advisories/index.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/reachability/reachability.h"

namespace gitaiops::scanner {

struct RiskFactors {
  double score = -1;  // CVSS; below 0: none
  Severity level = Severity::unknown;
  std::optional<double> epss;
  bool known_exploited = false, ransomware = false;
  Scope scope = Scope::runtime;
  uint32_t depth = 1;  // 1: asked for by the project itself; 0: unknown
  bool fix_known = false;
  Confidence confidence = Confidence::high;
  Reach reach = Reach::unknown;
  SymbolEvidence symbols;
};

struct Risk {
  double value = 0;  // 0 to 100
  std::vector<std::string> reasons;
};
Risk risk_of(const RiskFactors& factors);

}  // namespace gitaiops::scanner
