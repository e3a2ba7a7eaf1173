#include <algorithm>
#include <optional>
#include <unordered_map>

#include "engines/scanner/purl.h"
#include "engines/scanner/versions/versions.h"
#include "engines/scanner/vex/vex.h"

namespace gitaiops::scanner {
namespace {

// One that says nothing more than which version of which package.
bool names(const Purl& said, const Purl& package, Ecosystem ecosystem) {
  if (said.type != package.type || said.name_space != package.name_space ||
      said.name != package.name)
    return false;
  return said.version.empty() ||
         equality_key(ecosystem, said.version) == equality_key(ecosystem, package.version);
}

struct Meant {
  VexStatement statement;
  std::vector<Purl> packages, products;
  bool met = false;
};

std::vector<Purl> parsed(const std::vector<std::string>& all) {
  std::vector<Purl> out;
  for (const auto& text : all)
    if (auto purl = parse_purl(text)) out.push_back(std::move(*purl));
  return out;
}

// Empty where its name makes no package URL.
Purl purl_parts(const Package& package) {
  auto purl = parse_purl(purl_of(package));
  return purl ? std::move(*purl) : Purl{};
}

std::string full_name(const Purl& purl) {
  return purl.name_space.empty() ? purl.name : purl.name_space + "/" + purl.name;
}

// The project by its own name, as its manifest has it.
bool is_project(const Meant& meant, const PackageSet& set) {
  if (set.root.empty()) return false;
  for (const auto& text : meant.statement.products)
    if (text == set.root) return true;
  for (const auto& product : meant.products) {
    const auto name = normalised_name(set.ecosystem, full_name(product));
    const auto root = normalised_name(set.ecosystem, set.root);
    const bool same_version =
        product.version.empty() || set.root_version.empty() || product.version == set.root_version;
    if (same_version && (name == root || product.name == set.root)) return true;
  }
  return false;
}

bool concerns(const Meant& meant, const PackageSet& set, const Package& package, const Purl& purl) {
  if (meant.statement.everywhere) return true;
  const auto is_it = [&](const Purl& said) { return names(said, purl, package.ecosystem); };
  if (std::ranges::any_of(meant.packages, is_it)) return true;
  if (!meant.statement.packages.empty()) return false;
  return std::ranges::any_of(meant.products, is_it) || is_project(meant, set);
}

std::string told(const VexStatement& statement, std::string_view document) {
  std::string out = std::string(to_string(statement.status)) + " (" + std::string(document) + ")";
  return statement.why.empty() ? out : out + ": " + statement.why;
}

}  // namespace

std::size_t apply_vex(Findings& findings, const Inventory& inventory,
                      std::vector<VexStatement> statements, std::string_view document) {
  // RFC 3339 times of one zone order as text; the newest comes last and decides.
  std::ranges::stable_sort(statements, {}, &VexStatement::since);
  std::vector<Meant> all;
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_name;
  all.reserve(statements.size());
  for (auto& statement : statements) {
    auto packages = parsed(statement.packages), products = parsed(statement.products);
    all.push_back({std::move(statement), std::move(packages), std::move(products), false});
    for (const auto& name : all.back().statement.names) {
      auto& of_name = by_name[name];
      if (of_name.empty() || of_name.back() != all.size() - 1) of_name.push_back(all.size() - 1);
    }
  }
  for (auto& finding : findings.all) {
    const auto& set = inventory.sets[finding.set];
    const auto& package = set.packages[finding.package];
    std::optional<Purl> purl;
    std::optional<std::size_t> last;
    const auto ask = [&](const std::string& name) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) return;
      if (!purl) purl = purl_parts(package);
      for (const auto i : found->second) {
        if (!concerns(all[i], set, package, *purl)) continue;
        all[i].met = true;
        last = std::max(last.value_or(0), i);
      }
    };
    ask(finding.id);
    for (const auto& alias : finding.aliases) ask(alias);
    if (!last || !finding.ignored.empty()) continue;
    const auto& decides = all[*last].statement;
    if (decides.status == VexStatus::not_affected || decides.status == VexStatus::fixed)
      finding.ignored = told(decides, document);
  }
  return static_cast<std::size_t>(std::ranges::count(all, false, &Meant::met));
}

}  // namespace gitaiops::scanner
