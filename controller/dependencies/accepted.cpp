#include <algorithm>
#include <iterator>

#include "controller/dependencies/dependencies.h"
#include "engines/scanner/vex/vex.h"

namespace gitaiops::dependencies {
namespace {

// Each vulnerability with its package alone, one set each: what they are judged by.
scanner::Inventory packages_of(const std::vector<store::Found>& found) {
  scanner::Inventory out;
  for (const auto& one : found) {
    auto& set = out.sets.emplace_back();
    set.ecosystem = scanner::ecosystem_of(one.ecosystem).value_or(scanner::Ecosystem::npm);
    auto& package = set.packages.emplace_back();
    package.ecosystem = set.ecosystem;
    package.name = one.package;
    package.version = one.version;
  }
  return out;
}

scanner::Findings findings_alone(const std::vector<store::Found>& found) {
  scanner::Findings out;
  for (uint32_t i = 0; i < found.size(); ++i) {
    auto& finding = out.all.emplace_back();
    finding.set = i;
    finding.id = found[i].advisory;
    finding.aliases = found[i].aliases;
  }
  return out;
}

}  // namespace

void Accepted::set_own(const std::string& instance, int64_t project_id, const std::string& path,
                       std::vector<scanner::Ignore> own) {
  std::erase_if(own_, [&](const auto& one) {
    return one.first.first == instance &&
           (one.second.project_id == project_id || one.first.second == path);
  });
  if (!own.empty()) own_[{instance, path}] = {project_id, std::move(own)};
}

std::vector<std::string> Accepted::reasons(const std::string& instance, const std::string& path,
                                           const std::vector<store::Found>& found,
                                           UnixMicros now) const {
  std::vector<std::string> out(found.size());
  std::vector<scanner::Ignore> ignores;
  for (const auto& one : ignores_)
    if (store::allows(one.projects, instance, path)) ignores.push_back(one.ignore);
  if (const auto own = own_.find({instance, path}); own != own_.end())
    ignores.insert(ignores.end(), own->second.ignores.begin(), own->second.ignores.end());
  const bool has_vex = std::ranges::any_of(
      vex_, [&](const Statements& one) { return store::allows(one.projects, instance, path); });
  if (found.empty() || (ignores.empty() && !has_vex)) return out;

  const auto packages = packages_of(found);
  auto findings = findings_alone(found);
  constexpr std::size_t kDay = std::string_view("2026-12-31").size();
  scanner::apply_ignores(findings, packages, ignores, to_rfc3339(now).substr(0, kDay));
  for (const auto& one : vex_)
    if (store::allows(one.projects, instance, path))
      scanner::apply_vex(findings, packages, one.statements, one.document);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::move(findings.all[i].ignored);
  return out;
}

}  // namespace gitaiops::dependencies
