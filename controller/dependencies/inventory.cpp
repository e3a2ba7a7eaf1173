#include <map>
#include <tuple>

#include "controller/dependencies/dependencies.h"

namespace gitaiops::dependencies {
namespace {

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

scanner::Package package_of(const fleet::v1::Package& from, const scanner::PackageSet& set) {
  scanner::Package to;
  to.ecosystem = set.ecosystem;
  to.name = from.name();
  to.version = from.version();
  to.range = from.range();
  to.scope = scope_of(from.scope());
  to.direct = from.direct();
  to.file = from.file().empty() ? (set.lock.empty() ? set.manifest : set.lock) : from.file();
  to.line = from.line();
  to.source = from.source();
  return to;
}

scanner::PackageSet set_of(const fleet::v1::PackageSet& from, scanner::Ecosystem ecosystem) {
  scanner::PackageSet set;
  set.ecosystem = ecosystem;
  set.manager = from.manager();
  set.manifest = from.manifest();
  set.lock = from.lock();
  set.root = from.root();
  for (const auto& package : from.packages()) {
    auto& to = set.packages.emplace_back(package_of(package, set));
    for (const uint32_t position : package.depends_on())
      if (position < static_cast<uint32_t>(from.packages_size())) to.depends_on.push_back(position);
  }
  return set;
}

}  // namespace

scanner::Inventory inventory_of(const fleet::v1::Inventory& message) {
  scanner::Inventory inventory;
  for (const auto& set : message.sets())
    if (const auto ecosystem = scanner::ecosystem_of(set.ecosystem()))
      inventory.sets.push_back(set_of(set, *ecosystem));
  for (const auto& problem : message.problems())
    inventory.problems.push_back({problem.file(), problem.line(), problem.reason()});
  return inventory;
}

scanner::Findings findings_of(const scanner::Inventory& inventory,
                              const std::vector<store::Found>& found,
                              const std::vector<std::string>& reasons) {
  using Key = std::tuple<std::string, std::string, std::string>;  // ecosystem, name, version
  std::map<Key, std::pair<uint32_t, uint32_t>> places;            // the first of each
  for (uint32_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& set = inventory.sets[s];
    for (uint32_t p = 0; p < set.packages.size(); ++p)
      places.try_emplace(
          {std::string(scanner::osv_name(set.ecosystem)),
           scanner::normalised_name(set.ecosystem, set.packages[p].name), set.packages[p].version},
          s, p);
  }
  scanner::Findings out;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& one = found[i];
    const auto place = places.find({one.ecosystem, one.package, one.version});
    if (place == places.end()) continue;
    auto& finding = out.all.emplace_back();
    finding.set = place->second.first;
    finding.package = place->second.second;
    finding.id = one.advisory;
    finding.aliases = one.aliases;
    finding.summary = one.summary;
    finding.score = one.score;
    finding.level = static_cast<scanner::Severity>(one.severity);
    if (!one.fixed.empty()) finding.fixed.push_back(one.fixed);
    finding.known_exploited = one.known_exploited;
    finding.path = scanner::path_to(inventory.sets[finding.set], finding.package);
    finding.risk.value = one.risk;
    finding.ignored = reasons[i];
  }
  return out;
}

}  // namespace gitaiops::dependencies
