#include <map>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "engines/scanner/reports/reports.h"

namespace gitaiops::scanner {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(std::string_view text) {
  std::string out = to_utf8(text, Controls::replace);
  for (char& c : out)
    if (c == '\n' || c == '\t') c = ' ';
  return out;
}

std::string ids_of(const Findings& findings, const Upgrade& upgrade) {
  constexpr std::size_t kShown = 4;
  std::string out;
  for (std::size_t i = 0; i < upgrade.removes.size() && i < kShown; ++i)
    out += (i ? ", " : "") + shown(findings.all[upgrade.removes[i]].id);
  if (upgrade.removes.size() > kShown)
    out += " and " + std::to_string(upgrade.removes.size() - kShown) + " more";
  return out;
}

std::string upgrade_text(const Findings& findings, const Upgrade& upgrade, const Outcome* outcome) {
  const std::string indent(15, ' ');
  std::string out = "  " + shown(upgrade.name) + " " + shown(upgrade.from) + " -> " +
                    shown(upgrade.to) + (upgrade.breaking ? " (another major version)" : "") +
                    "  removes " + ids_of(findings, upgrade) + "\n";
  if (!upgrade.range.empty() && upgrade.new_range != upgrade.range) {
    out += indent + shown(upgrade.file) + ":" + std::to_string(upgrade.line) + ": " +
           shown(upgrade.range) + " -> " + shown(upgrade.new_range);
    if (outcome) out += outcome->written ? "  written" : "  not written";
    out += "\n";
    for (std::size_t i = 0; outcome && i < outcome->also.size(); ++i)
      if (outcome->also[i] != upgrade.file)
        out += indent + shown(outcome->also[i]) + ": also written\n";
    if (outcome && !outcome->written) out += indent + shown(outcome->why_not) + "\n";
  }
  if (upgrade.ranges_unknown && !upgrade.direct)
    out += indent + "if its dependents take it: the lock file does not say\n";
  return out;
}

// What brings the upgrades into the lock files, by folder.
std::string commands_text(const Inventory& inventory, const Plan& plan) {
  std::map<uint32_t, std::vector<const Upgrade*>> of_sets;
  for (const auto& upgrade : plan.upgrades)
    if (!inventory.sets[upgrade.set].lock.empty()) of_sets[upgrade.set].push_back(&upgrade);
  std::string out;
  for (const auto& [number, upgrades] : of_sets) {
    const auto& lock = inventory.sets[number].lock;
    const auto slash = lock.rfind('/');
    const auto where = slash == lock.npos ? "" : "in " + shown(lock.substr(0, slash)) + ": ";
    for (const auto& command : commands_for(inventory.sets[number], upgrades))
      out += "  " + where + command + "\n";
  }
  return out.empty() ? out : "Then run\n" + out + "\n";
}

Json ids_json(const Findings& findings, const std::vector<uint32_t>& which) {
  auto out = Json::array();
  for (const auto i : which) out.push_back(findings.all[i].id);
  return out;
}

}  // namespace

std::string plan_text(const Inventory& inventory, const Findings& findings,
                      const ShownPlan& shown_plan) {
  const auto& plan = shown_plan.plan;
  std::string out;
  if (!plan.upgrades.empty()) out += "What to upgrade\n";
  uint32_t set = UINT32_MAX;
  for (std::size_t i = 0; i < plan.upgrades.size(); ++i) {
    const auto& upgrade = plan.upgrades[i];
    const auto& of = inventory.sets[upgrade.set];
    if (inventory.sets.size() > 1 && set != upgrade.set)
      out += " " + shown(of.lock.empty() ? of.manifest : of.lock) + "\n";
    set = upgrade.set;
    out +=
        upgrade_text(findings, upgrade, shown_plan.outcomes ? &(*shown_plan.outcomes)[i] : nullptr);
  }
  if (!plan.upgrades.empty()) out += "\n" + commands_text(inventory, plan);
  if (!plan.stays.empty()) out += "What stays\n";
  for (const auto& [finding, why] : plan.stays) {
    const auto& f = findings.all[finding];
    const auto& package = inventory.sets[f.set].packages[f.package];
    out += "  " + shown(f.id) + " in " + shown(package.name) + " " + shown(package.version) + ": " +
           shown(why) + "\n";
  }
  if (!plan.stays.empty()) out += "\n";
  return out;
}

std::string plan_json(const Inventory& inventory, const Findings& findings,
                      const ShownPlan& shown_plan) {
  const auto& plan = shown_plan.plan;
  Json out = {{"upgrades", Json::array()}, {"stays", Json::array()}};
  for (std::size_t i = 0; i < plan.upgrades.size(); ++i) {
    const auto& upgrade = plan.upgrades[i];
    const auto& set = inventory.sets[upgrade.set];
    const auto command = command_for(set, upgrade);
    Json one = {{"ecosystem", osv_name(set.ecosystem)},
                {"name", upgrade.name},
                {"from", upgrade.from},
                {"to", upgrade.to},
                {"direct", upgrade.direct},
                {"breaking", upgrade.breaking},
                {"ranges_unknown", upgrade.ranges_unknown},
                {"range", upgrade.range.empty() ? Json(nullptr) : Json(upgrade.range)},
                {"new_range", upgrade.range.empty() ? Json(nullptr) : Json(upgrade.new_range)},
                {"file", upgrade.file},
                {"line", upgrade.line == 0 ? Json(nullptr) : Json(upgrade.line)},
                {"command", command.empty() ? Json(nullptr) : Json(command)},
                {"removes", ids_json(findings, upgrade.removes)}};
    if (shown_plan.outcomes) {
      const auto& outcome = (*shown_plan.outcomes)[i];
      one["written"] = outcome.written;
      one["also_written"] = outcome.also;
      one["why_not"] = outcome.written ? Json(nullptr) : Json(outcome.why_not);
    }
    out["upgrades"].push_back(std::move(one));
  }
  for (const auto& [finding, why] : plan.stays) {
    const auto& f = findings.all[finding];
    const auto& package = inventory.sets[f.set].packages[f.package];
    out["stays"].push_back(
        {{"id", f.id}, {"name", package.name}, {"version", package.version}, {"why", why}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gitaiops::scanner
