// What is wrong with the packages of an inventory: one finding for each package and each thing that
// is wrong with it, by whatever names the advisories call it.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/advisories/index.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/reachability/reachability.h"
#include "engines/scanner/risk.h"

namespace gitaiops::scanner {

struct Finding {
  uint32_t set = 0, package = 0;     // positions in the inventory and in its set
  uint32_t group = 0;                // of its advisories in the index: names of one thing
  std::string id;                    // of the advisory that tells most
  std::vector<std::string> aliases;  // all other names, sorted
  std::string summary;
  double score = -1;  // the highest CVSS base score of its advisories; below 0: none
  Severity level = Severity::unknown;
  std::string cvss;                // the vector of that score
  std::vector<std::string> fixed;  // versions after this one that are fixed, ascending
  std::optional<double> epss, epss_percentile;
  bool known_exploited = false, ransomware = false;
  Confidence confidence = Confidence::high;
  Informational informational = Informational::no;
  // The shortest way from a package that the project asks for to this one, both included, as
  // positions in the set; empty: nothing is known of how it came.
  std::vector<uint32_t> path;
  Reach reach = Reach::unknown;
  SymbolEvidence symbols;  // of what the project's own code imports itself
  Risk risk;
  // Why it does not count; empty: it counts.
  std::string ignored;
};

struct Findings {
  // Vulnerabilities before informational ones, by risk, then by package and id.
  std::vector<Finding> all;
  // Packages of which only a range is known, or nothing: they could not be judged.
  uint32_t without_version = 0;
};

// `imports`: what the project's own code imports, when that was read. data_loss when the index is
// damaged.
Result<Findings> find(const Inventory& inventory, const Index& index,
                      const Imports* imports = nullptr);

// What a person decided to live with, for a time.
struct Ignore {
  std::string id;       // any of a finding's names, in any case
  std::string package;  // as written or normalised; empty: any
  std::string reason;
  std::string until;  // "2026-12-31", that day included; empty: for good
  bool operator==(const Ignore&) const = default;
};
bool is_day(std::string_view text);  // of the calendar, as "2026-12-31"
// Marks what is ignored on that day ("2026-10-04"); gives the ignores that are over, and those that
// met nothing.
struct IgnoreReport {
  std::vector<Ignore> expired, unused;
};
IgnoreReport apply_ignores(Findings& findings, const Inventory& inventory,
                           const std::vector<Ignore>& ignores, std::string_view today);

// The highest level of those that count; unknown when none does. Informational ones do not.
Severity highest(const Findings& findings);

}  // namespace gitaiops::scanner
