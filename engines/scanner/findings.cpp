#include "engines/scanner/findings.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

std::vector<uint32_t> path_from(const std::vector<uint32_t>& ways, uint32_t package) {
  std::vector<uint32_t> path;
  if (ways[package] == kNoWay) return path;
  for (path.push_back(package); ways[path.back()] != path.back();)
    path.push_back(ways[path.back()]);
  std::reverse(path.begin(), path.end());
  return path;
}

// Whose record tells most to a reader: reviewed databases before numbers, numbers before the rest.
int preference(std::string_view id) {
  if (id.starts_with("GHSA-")) return 0;
  if (id.starts_with("CVE-")) return 2;
  return 1;
}

using Texts = std::map<uint32_t, Advisory>;

// Of one package: its advisories, those with one group together.
struct Met {
  uint32_t set, package;
  std::map<uint32_t, std::vector<Hit>> groups;
};

// All advisories of one group that met one package.
Finding merged(const Package& package, const std::vector<Hit>& hits, const Texts& texts) {
  Finding out;
  out.informational = hits.front().informational;
  out.confidence = Confidence::low;
  std::set<std::string> names;
  std::vector<std::pair<std::string, std::string>> fixed;  // order key, version
  const auto key = order_key(package.ecosystem, package.version);
  for (const auto& hit : hits) {
    const Advisory& advisory = texts.at(hit.advisory);
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
    for (const auto& version : advisory.fixed[hit.place]) {
      auto other = order_key(package.ecosystem, version);
      if (compare_keys(package.ecosystem, other, key) > 0)
        fixed.emplace_back(std::move(other), version);
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

// What all the advisories of one group mean together.
std::vector<AffectedSymbols> symbols_of(const std::vector<Hit>& hits, const Texts& texts) {
  std::vector<AffectedSymbols> out;
  for (const auto& hit : hits) {
    const auto& symbols = texts.at(hit.advisory).symbols;
    if (hit.place < symbols.size())
      out.insert(out.end(), symbols[hit.place].begin(), symbols[hit.place].end());
  }
  return out;
}

RiskFactors factors_of(const Finding& f, const Package& package) {
  RiskFactors out;
  out.score = f.score;
  out.level = f.level;
  out.epss = f.epss;
  out.known_exploited = f.known_exploited;
  out.ransomware = f.ransomware;
  out.scope = package.scope;
  out.depth = static_cast<uint32_t>(f.path.size());
  out.fix_known = !f.fixed.empty();
  out.confidence = f.confidence;
  out.reach = f.reach;
  out.symbols = f.symbols;
  return out;
}

bool before(const Finding& a, const Finding& b) {
  const bool a_informs = a.informational != Informational::no,
             b_informs = b.informational != Informational::no;
  if (a_informs != b_informs) return b_informs;
  if (a.risk.value != b.risk.value) return a.risk.value > b.risk.value;
  return std::tie(a.set, a.package, a.id) < std::tie(b.set, b.package, b.id);
}

// People write them in any case; no source has two names that differ by it alone.
bool is_name(std::string_view name, std::string_view written) {
  const auto folded = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(name, written, {}, folded, folded);
}

bool concerns(const Ignore& ignore, const Finding& finding, const Package& package) {
  if (!ignore.package.empty() && normalised_name(package.ecosystem, ignore.package) !=
                                     normalised_name(package.ecosystem, package.name))
    return false;
  return is_name(finding.id, ignore.id) ||
         std::ranges::any_of(finding.aliases,
                             [&](const auto& alias) { return is_name(alias, ignore.id); });
}

}  // namespace

Result<Findings> find(const Inventory& inventory, const Index& index, const Imports* imports) {
  Findings out;
  std::vector<Met> all;
  std::set<uint32_t> numbers;
  for (uint32_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& packages = inventory.sets[s].packages;
    for (uint32_t p = 0; p < packages.size(); ++p) {
      out.without_version += packages[p].version.empty();
      Met met{s, p, {}};
      for (const auto& hit :
           index.match(packages[p].ecosystem, packages[p].name, packages[p].version)) {
        met.groups[hit.group].push_back(hit);
        numbers.insert(hit.advisory);
      }
      if (!met.groups.empty()) all.push_back(std::move(met));
    }
  }
  // In ascending order, so that each block of text is unpacked once.
  Texts texts;
  Index::Block block;
  for (const auto number : numbers) {
    ASSIGN_OR_RETURN(auto advisory, index.advisory(number, block));
    texts.emplace_hint(texts.end(), number, std::move(advisory));
  }
  uint32_t of_set = UINT32_MAX;
  std::vector<uint32_t> ways;
  std::vector<Reach> reach;
  for (const auto& met : all) {
    const auto& set = inventory.sets[met.set];
    if (of_set != met.set) {
      of_set = met.set;
      ways = ways_in(set);
      if (imports) reach = imports->reach_of(set);
    }
    const auto& package = set.packages[met.package];
    for (const auto& [group, hits] : met.groups) {
      Finding finding = merged(package, hits, texts);
      finding.set = met.set;
      finding.package = met.package;
      finding.group = group;
      finding.path = path_from(ways, met.package);
      if (met.package < reach.size()) finding.reach = reach[met.package];
      if (finding.reach == Reach::imported)
        finding.symbols = imports->evidence_of(package.ecosystem, symbols_of(hits, texts));
      finding.risk = risk_of(factors_of(finding, package));
      out.all.push_back(std::move(finding));
    }
  }
  std::sort(out.all.begin(), out.all.end(), before);
  return out;
}

bool is_day(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (kForm[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  const auto number = [&](std::size_t from, std::size_t digits) {
    int out = 0;
    for (const char digit : text.substr(from, digits)) out = out * 10 + (digit - '0');
    return out;
  };
  using namespace std::chrono;
  return (year(number(0, 4)) / number(5, 2) / number(8, 2)).ok();
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
