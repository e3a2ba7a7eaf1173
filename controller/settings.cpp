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

Result<models::Settings> model_settings(const Config& config, UnixMicros now) {
  const auto microusd = [](double usd) { return static_cast<int64_t>(usd * 1e6); };
  constexpr int64_t kDay = 24 * 3600 * kMicrosPerSecond;
  const auto& from = config.models;
  models::Settings out;
  out.provider = from.provider;
  out.models = from.names;
  out.google_project = from.google_project;
  out.location = from.location;
  out.url = from.url;
  out.credentials_file = from.credentials_file;
  out.api_key_file = from.api_key_file;
  out.ca_file = from.ca_file;
  for (const auto& project : from.projects) out.projects.push_back({from.gitlab, project});
  out.limits = {microusd(from.usd_per_day), from.tokens_per_day, microusd(from.usd_per_day_project),
                from.tokens_per_day_project};
  for (const auto& price : config.model_price) {
    const auto day = parse_rfc3339(price.from + "T00:00:00Z").value_or(UnixMicros());
    out.prices.push_back({price.model, day.value / kDay, price.above_tokens, price.input,
                          price.cached_input, price.output});
  }
  for (const auto& name : from.names)
    if (from.provider != "none" && !models::has_price(out.prices, name, now))
      return Error(Code::invalid_argument,
                   "what \"" + name +
                       "\" costs is not known here; say it in a [[model_price]] (0 for a server "
                       "of your own)");
  return out;
}

Status check_model_settings(const Config& config, UnixMicros now) {
  ASSIGN_OR_RETURN(const auto settings, model_settings(config, now));
  return models::check_credentials(settings);
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
