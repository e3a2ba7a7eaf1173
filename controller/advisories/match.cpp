#include <algorithm>
#include <set>
#include <tuple>

#include "base/bytes/bytes.h"
#include "controller/advisories/advisories.h"

namespace gitaiops::advisories {
namespace {

// Longer is cut: what an advisory may say is not for us to store whole.
constexpr std::size_t kMaxSummary = 256;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMostAliases = 20;
constexpr std::size_t kLongestPath = 12;  // packages; the ends of a longer way tell most

scanner::Scope scope_of(fleet::v1::Package::Scope scope) {
  switch (scope) {
    case fleet::v1::Package::SCOPE_DEVELOPMENT:
      return scanner::Scope::development;
    case fleet::v1::Package::SCOPE_OPTIONAL:
      return scanner::Scope::optional;
    case fleet::v1::Package::SCOPE_BUILD:
      return scanner::Scope::build;
    default:
      return scanner::Scope::runtime;
  }
}

// The agent's word: positions beyond the set are left out.
scanner::PackageSet set_of(const fleet::v1::PackageSet& from, scanner::Ecosystem ecosystem) {
  scanner::PackageSet set;
  set.ecosystem = ecosystem;
  for (const auto& package : from.packages()) {
    auto& to = set.packages.emplace_back();
    to.ecosystem = ecosystem;
    to.name = package.name();
    to.version = package.version();
    to.scope = scope_of(package.scope());
    to.direct = package.direct();
    for (const uint32_t position : package.depends_on())
      if (position < static_cast<uint32_t>(from.packages_size())) to.depends_on.push_back(position);
  }
  return set;
}

scanner::Inventory inventory_of(const fleet::v1::Inventory& from) {
  scanner::Inventory inventory;
  for (const auto& set : from.sets())
    if (const auto ecosystem = scanner::ecosystem_of(set.ecosystem()))
      inventory.sets.push_back(set_of(set, *ecosystem));
  return inventory;
}

std::vector<std::string> path_of(const scanner::PackageSet& set, const scanner::Finding& finding) {
  std::vector<std::string> out;
  for (const uint32_t position : finding.path) {
    const auto& package = set.packages[position];
    out.push_back(package.version.empty() ? package.name : package.name + "@" + package.version);
  }
  if (out.size() > kLongestPath) {
    const auto half = static_cast<std::ptrdiff_t>(kLongestPath / 2);
    out.erase(out.begin() + half, out.end() - half);
    out.insert(out.begin() + half, "…");
  }
  return out;
}

store::Found found_of(const scanner::PackageSet& set, const scanner::Finding& finding) {
  const auto& package = set.packages[finding.package];
  store::Found out;
  out.ecosystem = scanner::osv_name(set.ecosystem);
  out.package = scanner::normalised_name(set.ecosystem, package.name);
  out.version = package.version;
  out.advisory = truncate_utf8(to_utf8(finding.id), kMaxName);
  for (const auto& alias : finding.aliases) {
    if (out.aliases.size() == kMostAliases) break;
    out.aliases.push_back(truncate_utf8(to_utf8(alias), kMaxName));
  }
  out.summary = truncate_utf8(to_utf8(finding.summary), kMaxSummary);
  out.severity = static_cast<int>(finding.level);
  out.score = finding.score;
  if (!finding.fixed.empty()) out.fixed = truncate_utf8(to_utf8(finding.fixed.front()), kMaxName);
  out.risk = finding.risk.value;
  out.known_exploited = finding.known_exploited;
  out.path = path_of(set, finding);
  return out;
}

}  // namespace

Result<std::vector<store::Found>> match(const fleet::v1::Inventory& inventory,
                                        const scanner::Index& index) {
  const auto known = inventory_of(inventory);
  ASSIGN_OR_RETURN(const auto findings, scanner::find(known, index));
  std::vector<store::Found> out;
  // A package may stand in several lock files: its riskiest place comes first.
  std::set<std::tuple<std::string, std::string, std::string, std::string>> told;
  for (const auto& finding : findings.all) {
    if (finding.informational != scanner::Informational::no) continue;
    if (out.size() == kMostFound) break;
    auto found = found_of(known.sets[finding.set], finding);
    if (told.emplace(found.ecosystem, found.package, found.version, found.advisory).second)
      out.push_back(std::move(found));
  }
  return out;
}

}  // namespace gitaiops::advisories
