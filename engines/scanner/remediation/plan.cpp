#include <algorithm>
#include <optional>
#include <tuple>

#include "engines/scanner/remediation/direct.h"
#include "engines/scanner/remediation/ranges.h"
#include "engines/scanner/remediation/remediation.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

// More fixed versions than the advisories of any one package name.
constexpr std::size_t kMaxCandidates = 512;

using Groups = std::vector<uint32_t>;  // of advisories, ascending

Groups groups_of(const std::vector<Hit>& hits) {
  Groups out;
  for (const auto& hit : hits) out.push_back(hit.group);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool is_date(std::string_view version) {
  constexpr std::size_t kDigits = 8;  // 20020520
  return version.size() >= kDigits &&
         version.substr(0, kDigits).find_first_not_of("0123456789") == version.npos &&
         (version.starts_with("19") || version.starts_with("20"));
}

// Some projects publish one version for each of several platforms, under one name, with a
// qualifier: advisories name the fix of one of them.
struct Flavours {
  std::string_view name;
  std::string_view usual;  // what those without a qualifier go on with
  std::string_view others;
};
constexpr Flavours kFlavours[] = {{"com.google.guava:guava", "-jre", "-android"}};

std::string in_flavour(const Package& package, const std::string& version) {
  for (const auto& [name, usual, others] : kFlavours) {
    if (package.name != name) continue;
    for (const auto qualifier : {usual, others}) {
      if (!version.ends_with(qualifier)) continue;
      const auto own = package.version.ends_with(others) ? others : usual;
      return version.substr(0, version.size() - qualifier.size()) + std::string(own);
    }
  }
  return version;
}

// Members of a workspace stand in its lock file, too; what they ask for is ours to change.
bool is_own(const Package& package) {
  for (const auto start : {"workspace:", "file:", "link:"})
    if (package.source.starts_with(start)) return true;
  return !package.source.empty() && package.source.find(':') == package.source.npos;
}

// Go's major version from 2 on is part of the module's name, and its tools take v0 for one line.
bool stays_in_line(const Package& package, std::string_view version) {
  const bool both_early = package.version.starts_with("0.") && version.starts_with("0.");
  return (package.ecosystem == Ecosystem::go && both_early) || same_line(package.version, version);
}

// Who asks for a package, and in which range.
struct Dependent {
  uint32_t package;
  std::string_view range;  // empty: not known
};

struct Candidate {
  std::string version;
  Groups removed;
  std::optional<uint32_t> added;  // an advisory that the package does not have now
  std::string in_the_way;         // who does not take it
  bool breaking = false, prerelease = false, unknown = false;

  bool possible() const { return !added && in_the_way.empty() && !removed.empty(); }
};

class Planner {
 public:
  Planner(const Inventory& inventory, const Findings& findings, const Index& index,
          const Releases* releases)
      : inventory_(inventory), findings_(findings), index_(index), releases_(releases) {}

  Result<Plan> plan() {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < findings_.all.size(); ++i)
      if (findings_.all[i].ignored.empty()) order.push_back(i);
    std::ranges::sort(order, {}, [this](uint32_t i) {
      return std::tuple(findings_.all[i].set, findings_.all[i].package, i);
    });
    for (std::size_t first = 0, end; first < order.size(); first = end) {
      const auto& one = findings_.all[order[first]];
      const bool together = releases_ && is_resolved_from(inventory_.sets[one.set], *releases_);
      for (end = first + 1; end < order.size(); ++end) {
        const auto& other = findings_.all[order[end]];
        if (other.set != one.set || (!together && other.package != one.package)) break;
      }
      const std::vector<uint32_t> mine(order.begin() + static_cast<std::ptrdiff_t>(first),
                                       order.begin() + static_cast<std::ptrdiff_t>(end));
      if (together) {
        plan_directs(inventory_, findings_, index_, *releases_, one.set, mine, plan_);
      } else {
        RETURN_IF_ERROR(of_package(mine));
      }
    }
    sort();
    return std::move(plan_);
  }

 private:
  // `mine`: the findings of one package.
  Status of_package(const std::vector<uint32_t>& mine) {
    const auto& finding = findings_.all[mine.front()];
    enter(finding.set);
    const auto& package = inventory_.sets[finding.set].packages[finding.package];
    ASSIGN_OR_RETURN(const auto candidates, candidates_of(package, finding.package, mine));
    const Candidate* best = nullptr;
    for (const auto& candidate : candidates)
      if (candidate.possible() && (!best || better(package.ecosystem, candidate, *best)))
        best = &candidate;
    if (best) upgrade(finding.set, finding.package, *best, mine);
    for (const auto i : mine)
      if (!best || !std::ranges::binary_search(best->removed, findings_.all[i].group))
        plan_.stays.push_back({i, why_stays(package, findings_.all[i], candidates, best)});
    return {};
  }

  void enter(uint32_t set) {
    if (set_ == set) return;
    set_ = set;
    const auto& packages = inventory_.sets[set].packages;
    dependents_.assign(packages.size(), {});
    for (uint32_t from = 0; from < packages.size(); ++from) {
      if (is_own(packages[from])) continue;
      const auto& ranges = packages[from].depends_ranges;
      for (std::size_t i = 0; i < packages[from].depends_on.size(); ++i)
        if (const auto to = packages[from].depends_on[i]; to < packages.size())
          dependents_[to].push_back({from, i < ranges.size() ? ranges[i] : std::string_view()});
    }
  }

  Result<std::vector<Candidate>> candidates_of(const Package& package, uint32_t at,
                                               const std::vector<uint32_t>& mine) {
    const auto hits = index_.match(package.ecosystem, package.name, package.version);
    std::vector<std::string> versions;
    for (const auto i : mine)
      for (const auto& version : findings_.all[i].fixed)
        versions.push_back(in_flavour(package, version));
    if (is_date(package.version)) RETURN_IF_ERROR(add_numbered(hits, versions));
    std::ranges::sort(versions);
    versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
    if (versions.size() > kMaxCandidates) versions.resize(kMaxCandidates);
    keep_published(package, versions);
    const auto now = groups_of(hits);
    std::vector<Candidate> out;
    for (auto& version : versions) out.push_back(judged(package, at, std::move(version), now));
    return out;
  }

  // Where releases are known they are the candidates; advisories name some that never were.
  void keep_published(const Package& package, std::vector<std::string>& versions) const {
    const auto* releases = releases_ ? releases_->of(package.ecosystem, package.name) : nullptr;
    if (!releases || versions.empty()) return;
    const auto lowest = *std::ranges::min_element(versions, [&](const auto& a, const auto& b) {
      return compare_versions(package.ecosystem, a, b) < 0;
    });
    versions.clear();
    for (const auto& release : *releases)
      if (compare_versions(package.ecosystem, release.version, lowest) >= 0)
        versions.push_back(release.version);
  }

  // Projects that once named versions by dates went on with numbers, which order before the dates.
  Status add_numbered(const std::vector<Hit>& hits, std::vector<std::string>& versions) {
    for (const auto& hit : hits) {
      ASSIGN_OR_RETURN(const auto advisory, index_.advisory(hit.advisory));
      if (hit.place >= advisory.fixed.size()) continue;
      for (const auto& version : advisory.fixed[hit.place])
        if (!is_date(version)) versions.push_back(version);
    }
    return {};
  }

  Candidate judged(const Package& package, uint32_t at, std::string version, const Groups& now) {
    Candidate out;
    const auto then = groups_of(index_.match(package.ecosystem, package.name, version));
    std::ranges::set_difference(now, then, std::back_inserter(out.removed));
    Groups added;
    std::ranges::set_difference(then, now, std::back_inserter(added));
    if (!added.empty()) out.added = added.front();
    out.breaking = !stays_in_line(package, version);
    out.prerelease = is_prerelease(package.ecosystem, version) &&
                     !is_prerelease(package.ecosystem, package.version);
    for (const auto& dependent : dependents_[at]) {
      const auto met = dependent.range.empty() ? Match::invalid
                                               : matches(package.ecosystem, version,
                                                         dependent.range, Prereleases::included);
      if (met == Match::no && out.in_the_way.empty()) out.in_the_way = told(dependent);
      out.unknown = out.unknown || met == Match::invalid;
    }
    // Of a range that is not known, the least is assumed: that it takes the same line.
    if (out.unknown && out.breaking && !package.direct && out.in_the_way.empty())
      out.in_the_way =
          "another major version, and the lock file does not say which ranges its "
          "dependents take";
    out.version = std::move(version);
    return out;
  }

  std::string told(const Dependent& dependent) const {
    const auto& by = inventory_.sets[set_].packages[dependent.package];
    return by.name + (by.version.empty() ? "" : " " + by.version) + " asks for " +
           std::string(dependent.range);
  }

  static bool better(Ecosystem ecosystem, const Candidate& a, const Candidate& b) {
    if (a.breaking != b.breaking) return b.breaking;
    if (a.prerelease != b.prerelease) return b.prerelease;
    if (a.removed.size() != b.removed.size()) return a.removed.size() > b.removed.size();
    return compare_versions(ecosystem, a.version, b.version) < 0;
  }

  void upgrade(uint32_t set, uint32_t at, const Candidate& best,
               const std::vector<uint32_t>& mine) {
    const auto& packages = inventory_.sets[set];
    const auto& package = packages.packages[at];
    Upgrade out;
    out.set = set;
    out.packages = {at};
    out.name = package.name;
    out.from = package.version;
    out.to = best.version;
    out.direct = package.direct;
    out.breaking = best.breaking;
    out.ranges_unknown = best.unknown;
    // go.mod names what dependencies need, too, and is where their versions are raised.
    const bool asked = package.direct || package.ecosystem == Ecosystem::go;
    const bool in_lock = package.asked_line == 0 && package.file == packages.lock;
    out.file = package.asked_line ? package.asked_in : package.file;
    out.line = package.asked_line ? package.asked_line : package.line;
    if (asked && !in_lock) {
      out.range = package.range.empty() ? package.version : package.range;
      if (package.ecosystem == Ecosystem::go && package.range.empty() && package.name != "stdlib" &&
          package.name != "toolchain")
        out.range = "v" + out.range;
      out.new_range = raised_range(package.ecosystem, out.range, out.to).value_or(out.range);
    }
    for (const auto i : mine)
      if (std::ranges::binary_search(best.removed, findings_.all[i].group))
        out.removes.push_back(i);
    // Several places of one lock file may hold one version.
    for (auto& other : plan_.upgrades) {
      if (other.set != set || other.name != out.name || other.from != out.from ||
          other.to != out.to)
        continue;
      other.packages.push_back(at);
      other.removes.insert(other.removes.end(), out.removes.begin(), out.removes.end());
      return;
    }
    plan_.upgrades.push_back(std::move(out));
  }

  std::string why_stays(const Package& package, const Finding& finding,
                        const std::vector<Candidate>& candidates, const Candidate* best) {
    const Candidate* nearest = nullptr;
    for (const auto& candidate : candidates) {
      if (!std::ranges::binary_search(candidate.removed, finding.group)) continue;
      const auto rank = [](const Candidate& c) {
        return std::tuple(c.added.has_value(), !c.in_the_way.empty(), c.breaking);
      };
      if (!nearest || rank(candidate) < rank(*nearest) ||
          (rank(candidate) == rank(*nearest) &&
           compare_versions(package.ecosystem, candidate.version, nearest->version) < 0))
        nearest = &candidate;
    }
    if (!nearest) return "no fixed version is known";
    const std::string fixed = "fixed in " + nearest->version;
    if (nearest->added) return fixed + ", which has " + name_of(*nearest->added, package, *nearest);
    if (!nearest->in_the_way.empty()) return fixed + "; " + nearest->in_the_way;
    if (nearest->breaking) return fixed + ", another major version";
    // Both are possible: the one that was chosen removes another instead.
    Groups kept;
    if (best)
      std::ranges::set_difference(best->removed, nearest->removed, std::back_inserter(kept));
    return kept.empty() ? fixed
                        : fixed + ", which keeps " + name_of(kept.front(), package, *nearest);
  }

  // The advisory of a group that a version would bring.
  std::string name_of(uint32_t group, const Package& package, const Candidate& candidate) {
    for (const auto& hit : index_.match(package.ecosystem, package.name, candidate.version))
      if (hit.group == group)
        if (const auto advisory = index_.advisory(hit.advisory)) return advisory->id;
    return "another vulnerability";
  }

  void sort() {
    std::ranges::sort(plan_.upgrades, [](const Upgrade& a, const Upgrade& b) {
      if (a.breaking != b.breaking) return b.breaking;
      if (a.removes.size() != b.removes.size()) return a.removes.size() > b.removes.size();
      return std::tie(a.set, a.name, a.from) < std::tie(b.set, b.name, b.from);
    });
    std::ranges::sort(plan_.stays, {}, &Stays::finding);
  }

  const Inventory& inventory_;
  const Findings& findings_;
  const Index& index_;
  const Releases* releases_;
  Plan plan_;
  uint32_t set_ = UINT32_MAX;
  std::vector<std::vector<Dependent>> dependents_;  // of set_, by package
};

}  // namespace

Result<Plan> plan_upgrades(const Inventory& inventory, const Findings& findings, const Index& index,
                           const Releases* releases) {
  return Planner(inventory, findings, index, releases).plan();
}

}  // namespace gitaiops::scanner
