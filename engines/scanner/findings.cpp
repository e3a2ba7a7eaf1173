#include "engines/scanner/findings.h"

#include <algorithm>
#include <map>
#include <set>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

// Steps from the project to each package: 1 for direct ones, 0 where no way is known.
std::vector<uint32_t> depths_of(const PackageSet& set) {
  std::vector<uint32_t> depths(set.packages.size());
  std::vector<uint32_t> reached;
  for (uint32_t i = 0; i < set.packages.size(); ++i) {
    if (!set.packages[i].direct) continue;
    depths[i] = 1;
    reached.push_back(i);
  }
  for (std::size_t at = 0; at < reached.size(); ++at) {
    for (const auto next : set.packages[reached[at]].depends_on) {
      if (next >= depths.size() || depths[next] != 0) continue;
      depths[next] = depths[reached[at]] + 1;
      reached.push_back(next);
    }
  }
  return depths;
}

// Whose record tells most to a reader: reviewed databases before numbers, numbers before the rest.
int preference(std::string_view id) {
  if (id.starts_with("GHSA-")) return 0;
  if (id.starts_with("CVE-")) return 2;
  return 1;
}

// All advisories of one group that met one package.
Result<Finding> merged(const Package& package, const std::vector<Hit>& hits, const Index& index) {
  Finding out;
  out.informational = hits.front().informational;
  out.confidence = Confidence::low;
  std::set<std::string> names;
  std::vector<std::pair<std::string, std::string>> fixed;  // order key, version
  const auto key = order_key(package.ecosystem, package.version);
  for (const auto& hit : hits) {
    ASSIGN_OR_RETURN(auto advisory, index.advisory(hit.advisory));
    names.insert(advisory.id);
    names.insert(advisory.aliases.begin(), advisory.aliases.end());
    if (out.id.empty() || preference(advisory.id) < preference(out.id)) {
      out.id = advisory.id;
      if (!advisory.summary.empty() || out.summary.empty()) out.summary = advisory.summary;
    }
    if (hit.score > out.score || out.level == Severity::unknown) {
      out.score = std::max(out.score, hit.score);
      out.level = std::max(out.level, hit.level);
      if (hit.score == advisory.score) out.cvss = advisory.cvss;
    }
    out.confidence = std::max(out.confidence, hit.confidence);
    // One that calls it a vulnerability outweighs one that does not.
    if (hit.informational == Informational::no) out.informational = Informational::no;
    if (advisory.epss) {
      out.epss = std::max(out.epss.value_or(0), *advisory.epss);
      out.epss_percentile =
          std::max(out.epss_percentile.value_or(0), advisory.epss_percentile.value_or(0));
    }
    out.known_exploited = out.known_exploited || advisory.known_exploited;
    out.ransomware = out.ransomware || advisory.ransomware;
    if (hit.place >= advisory.fixed.size()) continue;
    for (auto& version : advisory.fixed[hit.place]) {
      auto other = order_key(package.ecosystem, version);
      if (compare_keys(package.ecosystem, other, key) > 0)
        fixed.emplace_back(std::move(other), std::move(version));
    }
  }
  std::sort(fixed.begin(), fixed.end(), [&](const auto& a, const auto& b) {
    const auto order = compare_keys(package.ecosystem, a.first, b.first);
    return order != 0 ? order < 0 : a.second < b.second;
  });
  for (auto& [unused, version] : fixed)
    if (out.fixed.empty() || out.fixed.back() != version) out.fixed.push_back(std::move(version));
  names.erase(out.id);
  out.aliases.assign(names.begin(), names.end());
  return out;
}

RiskFactors factors_of(const Finding& f, const Package& package) {
  return {f.score,       f.level, f.epss,           f.known_exploited, f.ransomware,
          package.scope, f.depth, !f.fixed.empty(), f.confidence};
}

bool before(const Finding& a, const Finding& b) {
  const bool a_informs = a.informational != Informational::no,
             b_informs = b.informational != Informational::no;
  if (a_informs != b_informs) return b_informs;
  if (a.risk.value != b.risk.value) return a.risk.value > b.risk.value;
  return std::tie(a.set, a.package, a.id) < std::tie(b.set, b.package, b.id);
}

bool concerns(const Ignore& ignore, const Finding& finding, const Package& package) {
  if (!ignore.package.empty() && normalised_name(package.ecosystem, ignore.package) !=
                                     normalised_name(package.ecosystem, package.name))
    return false;
  return ignore.id == finding.id ||
         std::binary_search(finding.aliases.begin(), finding.aliases.end(), ignore.id);
}

}  // namespace

Result<Findings> find(const Inventory& inventory, const Index& index) {
  Findings out;
  for (uint32_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& set = inventory.sets[s];
    std::vector<uint32_t> depths;
    for (uint32_t p = 0; p < set.packages.size(); ++p) {
      const auto& package = set.packages[p];
      if (package.version.empty()) {
        ++out.without_version;
        continue;
      }
      std::map<uint32_t, std::vector<Hit>> groups;
      for (const auto& hit : index.match(package.ecosystem, package.name, package.version))
        groups[hit.group].push_back(hit);
      if (!groups.empty() && depths.empty()) depths = depths_of(set);
      for (const auto& [group, hits] : groups) {
        ASSIGN_OR_RETURN(auto finding, merged(package, hits, index));
        finding.set = s;
        finding.package = p;
        finding.depth = depths[p];
        finding.risk = risk_of(factors_of(finding, package));
        out.all.push_back(std::move(finding));
      }
    }
  }
  std::sort(out.all.begin(), out.all.end(), before);
  return out;
}

IgnoreReport apply_ignores(Findings& findings, const Inventory& inventory,
                           const std::vector<Ignore>& ignores, std::string_view today) {
  IgnoreReport report;
  for (const auto& ignore : ignores) {
    bool met = false;
    const bool over = !ignore.until.empty() && today > ignore.until;
    for (auto& finding : findings.all) {
      const auto& package = inventory.sets[finding.set].packages[finding.package];
      if (!concerns(ignore, finding, package)) continue;
      met = true;
      if (!over && finding.ignored.empty()) finding.ignored = ignore.reason;
    }
    if (over)
      report.expired.push_back(ignore);
    else if (!met)
      report.unused.push_back(ignore);
  }
  return report;
}

Severity highest(const Findings& findings) {
  auto out = Severity::unknown;
  for (const auto& finding : findings.all)
    if (finding.ignored.empty() && finding.informational == Informational::no)
      out = std::max(out, finding.level);
  return out;
}

}  // namespace gitaiops::scanner
