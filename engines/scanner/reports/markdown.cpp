// Everything that comes from files stands in code spans or has each character that could mean
// something in Markdown or HTML written as an entity: a package's name must not make a link, close
// a table or mention a person.
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/bytes/bytes.h"
#include "engines/scanner/reports/reports.h"

namespace gitaiops::scanner {
namespace {

// GitLab cuts notes at a million characters; nobody reads a tenth of it.
constexpr std::size_t kMaxRows = 200;
constexpr std::size_t kMaxText = 300;

std::string one_line(std::string_view text) {
  std::string out = truncate_utf8(to_utf8(text, Controls::replace), kMaxText);
  for (char& c : out)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return out;
}

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    const bool quiet = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == ' ' || c == ',' || c == ';' || static_cast<unsigned char>(c) >= 0x80;
    if (quiet || c == '.' || c == '-' || c == '/')
      out += c;
    else
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
  }
  return out;
}

std::string code(std::string_view text) {
  std::string out = "`";
  for (const char c : one_line(text)) {
    if (c == '`')
      out += '\'';
    else if (c == '|')
      out += "\\|";
    else
      out += c;
  }
  return out.size() == 1 ? std::string() : out + "`";
}

std::string level_of(const Finding& f) {
  if (f.informational != Informational::no) return std::string(to_string(f.informational));
  std::string out(to_string(f.level));
  char score[16];
  if (f.score >= 0) {
    std::snprintf(score, sizeof score, " %.1f", f.score);
    out += score;
  }
  return out + (f.known_exploited ? ", exploited" : "");
}

bool is_link(std::string_view id) {
  return std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::string named(const std::string& id) {
  return is_link(id) ? "[" + id + "](" + url_of(id) + ")" : code(id);
}

std::string through(const PackageSet& set, const Finding& f) {
  if (f.path.size() < 2) return f.path.empty() ? "" : "direct";
  return code(set.packages[f.path.front()].name);
}

std::string more(std::size_t all) {
  return all > kMaxRows ? "\nAnd " + std::to_string(all - kMaxRows) + " more.\n" : "\n";
}

std::string table_of(const Inventory& inventory, const std::vector<const Finding*>& findings) {
  std::string out =
      "| severity | package | fixed in | advisory | what | through | file |\n"
      "|---|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < findings.size() && i < kMaxRows; ++i) {
    const auto& f = *findings[i];
    const auto& set = inventory.sets[f.set];
    const auto& package = set.packages[f.package];
    out += "| " + level_of(f) + " | " + code(package.name + " " + package.version) + " | " +
           (f.fixed.empty() ? "" : code(f.fixed.front())) + " | " + named(f.id) + " | " +
           plain(f.summary) + " | " + through(set, f) + " | " + code(package.file) + " |\n";
  }
  return out + more(findings.size());
}

std::string where(const PackageSet& set, const Upgrade& upgrade, const Outcome* outcome) {
  std::string out;
  if (!upgrade.range.empty() && upgrade.range != upgrade.new_range)
    out = code(upgrade.file) + ": " + code(upgrade.range) + " → " + code(upgrade.new_range);
  if (outcome && !outcome->written) return out + " " + plain(outcome->why_not);
  const auto command = command_for(set, upgrade);
  if (!command.empty()) out += (out.empty() ? "" : ", ") + code(command);
  return out;
}

std::string upgrades_of(const Inventory& inventory, const Findings& findings,
                        const ShownPlan& shown) {
  const auto& upgrades = shown.plan.upgrades;
  if (upgrades.empty()) return {};
  std::string out =
      "### What to upgrade\n\n| package | to | removes | where |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < upgrades.size() && i < kMaxRows; ++i) {
    const auto& upgrade = upgrades[i];
    std::string removes;
    for (const auto f : upgrade.removes)
      removes += (removes.empty() ? "" : ", ") + named(findings.all[f].id);
    out += "| " + code(upgrade.name + " " + upgrade.from) + " | " + code(upgrade.to) +
           (upgrade.breaking ? ", another major version" : "") + " | " + removes + " | " +
           where(inventory.sets[upgrade.set], upgrade,
                 shown.outcomes ? &(*shown.outcomes)[i] : nullptr) +
           " |\n";
  }
  return out + more(upgrades.size());
}

std::string stays_of(const Inventory& inventory, const Findings& findings, const Plan& plan) {
  if (plan.stays.empty()) return {};
  std::string out = "### What stays\n\n";
  for (std::size_t i = 0; i < plan.stays.size() && i < kMaxRows; ++i) {
    const auto& f = findings.all[plan.stays[i].finding];
    const auto& package = inventory.sets[f.set].packages[f.package];
    out += "- " + named(f.id) + " in " + code(package.name + " " + package.version) + ": " +
           plain(plan.stays[i].why) + "\n";
  }
  return out + more(plan.stays.size());
}

std::string set_aside(const Inventory& inventory, const Findings& findings) {
  std::string out;
  for (const auto& f : findings.all) {
    if (f.ignored.empty()) continue;
    const auto& package = inventory.sets[f.set].packages[f.package];
    out += "- " + named(f.id) + " in " + code(package.name + " " + package.version) + ": " +
           plain(f.ignored) + "\n";
  }
  return out.empty() ? out : "### Set aside\n\n" + out + "\n";
}

std::string problems_of(const Inventory& inventory) {
  if (inventory.problems.empty()) return {};
  std::string out = "### What could not be read\n\n";
  for (std::size_t i = 0; i < inventory.problems.size() && i < kMaxRows; ++i) {
    const auto& problem = inventory.problems[i];
    out += "- " + code(problem.file) +
           (problem.line ? " line " + std::to_string(problem.line) : "") + ": " +
           plain(problem.reason) + "\n";
  }
  return out + more(inventory.problems.size());
}

}  // namespace

std::string to_markdown(const Inventory& inventory) {
  std::string out =
      "## Dependencies\n\n| file | manager | packages | direct |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < inventory.sets.size() && i < kMaxRows; ++i) {
    const auto& set = inventory.sets[i];
    const auto direct = std::ranges::count(set.packages, true, &Package::direct);
    out += "| " + code(set.lock.empty() ? set.manifest : set.lock) + " | " + set.manager + " | " +
           std::to_string(set.packages.size()) + " | " + std::to_string(direct) + " |\n";
  }
  return out + more(inventory.sets.size()) + problems_of(inventory);
}

std::string to_markdown(const Inventory& inventory, const Findings& findings,
                        const ShownPlan& shown) {
  std::vector<const Finding*> counting;
  std::set<std::pair<uint32_t, uint32_t>> packages;
  for (const auto& f : findings.all) {
    if (!f.ignored.empty()) continue;
    counting.push_back(&f);
    packages.emplace(f.set, f.package);
  }
  std::string out = "## Dependencies: ";
  if (counting.empty()) {
    out += "nothing known\n\n";
  } else {
    out += std::to_string(counting.size()) + (counting.size() == 1 ? " finding" : " findings") +
           " in " + std::to_string(packages.size()) +
           (packages.size() == 1 ? " package" : " packages") + "\n\n" +
           table_of(inventory, counting);
  }
  out += upgrades_of(inventory, findings, shown) + stays_of(inventory, findings, shown.plan) +
         set_aside(inventory, findings) + problems_of(inventory);
  if (findings.without_version > 0)
    out += std::to_string(findings.without_version) +
           (findings.without_version == 1 ? " package has" : " packages have") +
           " no exact version and could not be judged.\n";
  return out;
}

}  // namespace gitaiops::scanner
