// Which releases of packages there are and what each of them needs, for those who have a mirror of
// their registry at hand: with it, manifests without a lock file are resolved, and a plan raises
// direct dependencies for what they bring in.
//
// Text, one ecosystem a file (the form in which deps.dev's resolvers write down test universes):
//
//   system: PyPI
//   schema: |
//     ring
//       1.0.0
//         tin@>=1.0,<2
//       2.0.0
//         Dev|lid@*
//
// Needs with an attribute before '|' are for development or optional, and left out.
//
// Thread safety: constant after read().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/scanner/ecosystem.h"
#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {

struct Need {
  std::string name, range;  // "": any version
};
struct Release {
  std::string version;
  std::vector<Need> needs;
};

class Releases {
 public:
  // Adds what a file says; invalid_argument with the line.
  Status read(std::string_view text);
  // Ascending; nullptr when nothing is known of the package.
  const std::vector<Release>* of(Ecosystem ecosystem, std::string_view name) const;
  bool has(Ecosystem ecosystem) const { return packages_.contains(ecosystem); }

 private:
  std::map<Ecosystem, std::map<std::string, std::vector<Release>, std::less<>>> packages_;
};

// ---- Resolving, as pip does: one version a name, each the newest that everything takes ----

struct Resolved {
  std::string name;  // normalised
  const Release* release;
};
// Every package that the roots bring in, by name; nullopt where no choice suits all, or where none
// was found within a bounded search. What is not known at all is left out.
std::optional<std::vector<Resolved>> resolve(const Releases& releases, Ecosystem ecosystem,
                                             const std::vector<Need>& roots);

// Gives the sets of manifests without a lock file the versions and the packages that resolving
// brings, where it succeeds. PyPI only: the other ecosystems' rules need more than this.
void complete(Inventory& inventory, const Releases& releases);
// Whether complete() concerns the set.
bool is_resolved_from(const PackageSet& set, const Releases& releases);
std::vector<Need> roots_of(const PackageSet& set);

}  // namespace gitaiops::scanner
