#include "engines/scanner/outputs/inventory_report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::scanner {
namespace {

using nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr std::size_t kNameWidth = 48, kVersionWidth = 24;

std::string column(std::string_view text, std::size_t width) {
  std::string out = truncate_utf8(to_utf8(text), width);
  std::size_t shown = 0;
  for (const char c : out) shown += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  if (shown < width) out.append(width - shown, ' ');
  return out;
}

std::string title(const PackageSet& set) {
  std::string out = set.lock.empty() ? set.manifest : set.lock;
  if (!set.lock.empty() && !set.manifest.empty()) out += " and " + set.manifest;
  const auto direct = std::ranges::count(set.packages, true, &Package::direct);
  return to_utf8(out) + " (" + set.manager + ", " + std::to_string(set.packages.size()) +
         " packages, " + std::to_string(direct) + " direct)";
}

ordered_json package_json(const Package& package, uint32_t via, uint32_t position) {
  ordered_json out;
  out["name"] = package.name;
  out["version"] = package.version;
  out["range"] = package.range;
  out["purl"] = purl_of(package);
  out["scope"] = to_string(package.scope);
  out["direct"] = package.direct;
  out["file"] = package.file;
  out["line"] = package.line;
  if (package.asked_line) out["asked"] = {{"file", package.asked_in}, {"line", package.asked_line}};
  if (!package.source.empty()) out["source"] = package.source;
  if (!package.checksums.empty()) {
    auto& sums = out["checksums"] = ordered_json::array();
    for (const auto& sum : package.checksums)
      sums.push_back({{"algorithm", sum.algorithm}, {"value", sum.value}});
  }
  if (!package.depends_on.empty()) out["depends_on"] = package.depends_on;
  if (via != kNoWay && via != position) out["via"] = via;
  return out;
}

}  // namespace

std::string as_table(const Inventory& inventory) {
  std::string out;
  for (const auto& set : inventory.sets) {
    out += title(set) + "\n";
    for (const auto& package : set.packages) {
      out += "  " + column(package.name, kNameWidth) + " " +
             column(package.version.empty() ? package.range : package.version, kVersionWidth) +
             " " + column(to_string(package.scope), 12) + (package.direct ? " direct\n" : "\n");
    }
    out += "\n";
  }
  for (const auto& problem : inventory.problems) {
    out += "could not read " + to_utf8(problem.file) +
           (problem.line ? " at line " + std::to_string(problem.line) : "") + ": " +
           to_utf8(problem.reason) + "\n";
  }
  if (inventory.sets.empty() && inventory.problems.empty())
    out = "No manifest or lock file was found.\n";
  return out;
}

std::string as_json(const Inventory& inventory) {
  ordered_json out;
  out["schema_version"] = kSchema;
  auto& sets = out["sets"] = ordered_json::array();
  for (const auto& set : inventory.sets) {
    ordered_json one;
    one["ecosystem"] = osv_name(set.ecosystem);
    one["manager"] = set.manager;
    one["manifest"] = set.manifest;
    one["lock"] = set.lock;
    one["root"] = {{"name", set.root}, {"version", set.root_version}};
    auto& packages = one["packages"] = ordered_json::array();
    const auto ways = ways_in(set);
    for (uint32_t i = 0; i < set.packages.size(); ++i)
      packages.push_back(package_json(set.packages[i], ways[i], i));
    sets.push_back(std::move(one));
  }
  auto& problems = out["problems"] = ordered_json::array();
  for (const auto& problem : inventory.problems)
    problems.push_back(
        {{"file", problem.file}, {"line", problem.line}, {"reason", problem.reason}});
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace gitaiops::scanner
