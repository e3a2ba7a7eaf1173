// Depth first: the first package that is asked for and not yet chosen gets its newest version that
// suits everything chosen so far; where that leads nowhere, the next older one.
#include <algorithm>
#include <map>

#include "engines/scanner/remediation/releases.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

constexpr int kMaxSteps = 20'000;
constexpr std::size_t kMaxPackages = 2'000;  // also how deep the search goes

class Resolver {
 public:
  Resolver(const Releases& releases, Ecosystem ecosystem, const std::vector<Need>& roots)
      : releases_(releases), ecosystem_(ecosystem) {
    for (const auto& root : roots) asked_.push_back(&root);
  }

  std::optional<std::vector<Resolved>> solve() {
    if (!choose(0)) return std::nullopt;
    std::vector<Resolved> out;
    for (const auto& [name, release] : chosen_) out.push_back({name, release});
    return out;
  }

 private:
  bool takes(std::string_view range, std::string_view version) const {
    return range.empty() ||
           matches(ecosystem_, version, range, Prereleases::as_the_tool_does) == Match::yes;
  }

  // Everything asked for before `next` is chosen.
  bool choose(std::size_t next) {
    for (; next < asked_.size(); ++next) {
      const auto name = normalised_name(ecosystem_, asked_[next]->name);
      const auto* known = releases_.of(ecosystem_, name);
      if (known && !chosen_.contains(name)) return try_each(name, *known, next);
    }
    return true;
  }

  bool try_each(const std::string& name, const std::vector<Release>& releases, std::size_t next) {
    if (chosen_.size() == kMaxPackages) return false;
    for (auto release = releases.rbegin(); release != releases.rend(); ++release) {
      if (++steps_ > kMaxSteps) return false;
      if (!suits_all(name, release->version) || !suits_chosen(*release)) continue;
      const auto before = asked_.size();
      chosen_[name] = &*release;
      for (const auto& need : release->needs) asked_.push_back(&need);
      if (choose(next + 1)) return true;
      chosen_.erase(name);
      asked_.resize(before);
    }
    return false;
  }

  bool suits_all(const std::string& name, const std::string& version) const {
    return std::ranges::all_of(asked_, [&](const Need* need) {
      return normalised_name(ecosystem_, need->name) != name || takes(need->range, version);
    });
  }

  bool suits_chosen(const Release& release) const {
    return std::ranges::all_of(release.needs, [&](const Need& need) {
      const auto found = chosen_.find(normalised_name(ecosystem_, need.name));
      return found == chosen_.end() || takes(need.range, found->second->version);
    });
  }

  const Releases& releases_;
  const Ecosystem ecosystem_;
  std::vector<const Need*> asked_;
  std::map<std::string, const Release*> chosen_;
  int steps_ = 0;
};

void complete_set(PackageSet& set, const Releases& releases) {
  const auto resolved = resolve(releases, set.ecosystem, roots_of(set));
  if (!resolved) return;
  std::map<std::string, const Release*> chosen;
  for (const auto& one : *resolved) chosen[one.name] = one.release;
  for (const auto& one : *resolved) {
    bool known = false;
    for (auto& package : set.packages) {
      if (normalised_name(set.ecosystem, package.name) != one.name) continue;
      known = true;
      if (package.version.empty()) package.version = one.release->version;
    }
    if (known) continue;
    Package package;
    package.ecosystem = set.ecosystem;
    package.name = one.name;
    package.version = one.release->version;
    package.file = set.manifest;
    set.packages.push_back(std::move(package));
  }
  std::ranges::stable_sort(set.packages, {}, [](const Package& p) {
    return std::tie(p.name, p.version, p.file, p.line);
  });
  std::map<std::string, uint32_t> at;
  for (uint32_t i = 0; i < set.packages.size(); ++i)
    at.emplace(normalised_name(set.ecosystem, set.packages[i].name), i);
  for (auto& package : set.packages) {
    const auto release = chosen.find(normalised_name(set.ecosystem, package.name));
    if (release == chosen.end()) continue;
    package.depends_on.clear();
    package.depends_ranges.clear();
    for (const auto& need : release->second->needs) {
      const auto to = at.find(normalised_name(set.ecosystem, need.name));
      if (to == at.end()) continue;
      package.depends_on.push_back(to->second);
      package.depends_ranges.push_back(need.range);
    }
  }
}

}  // namespace

std::optional<std::vector<Resolved>> resolve(const Releases& releases, Ecosystem ecosystem,
                                             const std::vector<Need>& roots) {
  return Resolver(releases, ecosystem, roots).solve();
}

std::vector<Need> roots_of(const PackageSet& set) {
  std::vector<Need> out;
  for (const auto& package : set.packages)
    if (package.direct) out.push_back({package.name, package.range});
  return out;
}

bool is_resolved_from(const PackageSet& set, const Releases& releases) {
  return set.ecosystem == Ecosystem::pypi && set.lock.empty() && releases.has(set.ecosystem);
}

void complete(Inventory& inventory, const Releases& releases) {
  for (auto& set : inventory.sets)
    if (is_resolved_from(set, releases)) complete_set(set, releases);
}

}  // namespace gitaiops::scanner
