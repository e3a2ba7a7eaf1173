#include "controller/settings.h"

#include <map>

#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/state_folder.h"

namespace gitaiops::controller {
namespace {

constexpr std::size_t kLargestVex = 64 << 20;
constexpr std::size_t kLargestRules = 256 << 10;

}  // namespace

acting::Options acting_options(const Config& config) {
  acting::Options out;
  for (const auto& rule : config.retry)
    out.retry.push_back({.project = {rule.gitlab, rule.project},
                         .owners = rule.owners,
                         .categories = rule.categories,
                         .max_per_hour = rule.max_per_hour,
                         .backoff_us = rule.backoff.micros});
  out.hosts = {config.hosts.window.micros, config.hosts.jobs, config.hosts.projects,
               config.hosts.pause_runners};
  return out;
}

int note_severity(const Config& config) {
  static const std::map<std::string, int> kSeverities = {
      {"low", 2}, {"medium", 3}, {"high", 4}, {"critical", 5}, {"never", 6}};
  return kSeverities.at(config.advisories.note_severity);
}

Result<dependencies::Accepted> accepted_of(const Config& config) {
  std::vector<dependencies::Accepted::Ignore> ignores;
  for (const auto& one : config.ignore)
    ignores.push_back({{{one.gitlab, one.project}}, {one.id, one.package, one.reason, one.until}});
  std::vector<dependencies::Accepted::Statements> vex;
  for (const auto& one : config.vex) {
    ASSIGN_OR_RETURN(const auto text, read_file(one.file, kLargestVex), "vex.file");
    ASSIGN_OR_RETURN(auto document, scanner::read_vex(text), "vex.file: " + one.file.string());
    for (const auto& refused : document.refused)
      log::warning("a statement of a VEX document is not taken",
                   {{"file", one.file.string()}, {"line", refused.line}, {"why", refused.reason}});
    vex.push_back({{{one.gitlab, one.project}},
                   one.file.filename().string(),
                   std::move(document.statements)});
  }
  return dependencies::Accepted(std::move(ignores), std::move(vex));
}

Result<triage::Rules> triage_rules_of(const Config& config) {
  triage::Rules rules = triage::Rules::usual();
  if (!config.triage.rules.empty()) {
    ASSIGN_OR_RETURN(const auto text, read_file(config.triage.rules, kLargestRules),
                     "triage.rules");
    ASSIGN_OR_RETURN(rules, triage::Rules::read(text, config.triage.rules.string()));
  }
  rules.allowed_labels = config.triage.labels;
  return rules;
}

Result<std::string> triage_version(const Config& config) {
  std::string all(triage::Rules::usual_text());
  if (!config.triage.rules.empty()) {
    ASSIGN_OR_RETURN(all, read_file(config.triage.rules, kLargestRules), "triage.rules");
  }
  for (const auto& label : config.triage.labels) all += "\n" + label;
  return crypto::sha256_hex(all);
}

std::filesystem::path index_of_advisories(const Config& config) {
  if (config.advisories.sources.empty()) return config.advisories.index;
  return folder_of_advisories(config) / "index.gdb";
}

}  // namespace gitaiops::controller
