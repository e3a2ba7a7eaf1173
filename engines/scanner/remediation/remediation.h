// The few upgrades that remove most of what is wrong, from the lock file, its ranges and the
// versions in which advisories are fixed; nothing is asked of a registry.
//
//   const Plan plan = plan_upgrades(inventory, findings, index);
//   const Rewriting done = rewrite(tree, inventory, plan);      // for `--fix`
//
// For each package that something is wrong with, every version that its advisories name as fixed is
// tried against all advisories; one that would bring a finding which the package does not have now
// is never taken. Of the others: rather one of the same line (same_line), then the one that removes
// most, then the smallest. A version has to suit the ranges of all that depend on the package;
// where it does not, the plan says who is in the way.
//
// What cannot be known without releases.h: whether a version was ever published (advisories
// sometimes name one that was not), and what a newer release of a package needs itself.
//
// Thread safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/findings.h"
#include "engines/scanner/remediation/releases.h"

namespace gitaiops::scanner {

struct Upgrade {
  uint32_t set = 0;
  std::vector<uint32_t> packages;  // positions in the set: one name and version
  std::string name, from, to;
  bool direct = false;    // the project itself asks for it
  bool breaking = false;  // another line of versions
  // The lock file does not say in which ranges its dependents ask for it.
  bool ranges_unknown = false;
  // What the manifest asks for and has to ask for; equal where the manifest can stay as it is and
  // only the lock file has to be made anew. Empty where no manifest asks for it.
  std::string range, new_range;
  std::string file;  // the manifest, or where no manifest asks for it the lock file
  uint32_t line = 0;
  std::vector<uint32_t> removes;  // positions in Findings::all
};

// A finding that no upgrade removes.
struct Stays {
  uint32_t finding = 0;  // position in Findings::all
  std::string why;
};

struct Plan {
  std::vector<Upgrade> upgrades;  // by what they remove for what they may break, then by name
  std::vector<Stays> stays;       // in the order of the findings
};

// Findings that are ignored are neither removed nor reported as staying. With `releases` (of an
// inventory that complete() was given), only versions that exist are taken where the package is
// known, and direct dependencies of manifests without a lock file are raised for what they bring
// in. data_loss when the index is damaged.
Result<Plan> plan_upgrades(const Inventory& inventory, const Findings& findings, const Index& index,
                           const Releases* releases = nullptr);

// The package manager's command that brings the upgrade into its lock file; empty where there is
// none.
std::string command_for(const PackageSet& set, const Upgrade& upgrade);
// The same for many at once, in as few commands as there can be.
std::vector<std::string> commands_for(const PackageSet& set,
                                      const std::vector<const Upgrade*>& upgrades);

// ---- Manifests ----

// What became of each upgrade of a plan, at the same places.
struct Outcome {
  bool written = false;
  std::string file;               // that was changed: the manifest, or one that it refers to
  std::vector<std::string> also;  // other manifests of the workspace that asked for it, changed
  std::string why_not;            // empty when written
};
struct Rewriting {
  std::map<std::string, std::string> files;  // path → all its new bytes
  std::vector<Outcome> outcomes;
};

// Changes the one literal that asks for each version, nothing else of the file's bytes. Each change
// is proven by reading the file again: the package now asks for the new range, and everything else
// in the file means what it meant; else it is not made. The other manifests of a workspace that ask
// for the version which is left behind are changed as well.
Rewriting rewrite(const Tree& tree, const Inventory& inventory, const Plan& plan);

}  // namespace gitaiops::scanner
