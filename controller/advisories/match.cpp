#include <algorithm>
#include <set>
#include <tuple>

#include "base/bytes/bytes.h"
#include "controller/advisories/advisories.h"
#include "controller/dependencies/dependencies.h"

namespace gitaiops::advisories {
namespace {

// Longer is cut: what an advisory may say is not for us to store whole.
constexpr std::size_t kMaxSummary = 256;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMostAliases = 20;
constexpr std::size_t kLongestPath = 12;  // packages; the ends of a longer way tell most

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
  const auto known = dependencies::inventory_of(inventory);
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
