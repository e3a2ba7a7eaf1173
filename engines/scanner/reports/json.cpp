#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "engines/scanner/reports/reports.h"

namespace gitaiops::scanner {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const PackageSet& set_of(const Inventory& inventory, const Finding& f) {
  return inventory.sets[f.set];
}
const Package& package_of(const Inventory& inventory, const Finding& f) {
  return set_of(inventory, f).packages[f.package];
}
std::string file_of(const Inventory& inventory, const Finding& f) {
  const auto& package = package_of(inventory, f);
  if (!package.file.empty()) return package.file;
  const auto& set = set_of(inventory, f);
  return set.lock.empty() ? set.manifest : set.lock;
}

std::string title_of(const Inventory& inventory, const Finding& f) {
  const auto& package = package_of(inventory, f);
  return (f.summary.empty() ? f.id : f.summary) + " (" + package.name + " " + package.version + ")";
}

std::string advice_of(const Inventory& inventory, const Finding& f) {
  const auto& name = package_of(inventory, f).name;
  if (f.fixed.empty()) return "No fixed version of " + name + " is known.";
  return "Upgrade " + name + " to " + f.fixed.front() + " or later.";
}

// The same for the same finding in every run: FNV-1a over what makes it one.
std::string fingerprint_of(const Inventory& inventory, const Finding& f) {
  const auto& package = package_of(inventory, f);
  uint64_t hash = 0xcbf29ce484222325;
  for (const auto& text : {file_of(inventory, f), package.name, package.version, f.id}) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  }
  std::string bytes(reinterpret_cast<const char*>(&hash), sizeof hash);
  return hex_encode(as_bytes(bytes));
}

// Numbers first: what other tools know as well.
std::vector<std::string> names_of(const Finding& f) {
  std::vector<std::string> out{f.id};
  out.insert(out.end(), f.aliases.begin(), f.aliases.end());
  std::stable_partition(out.begin(), out.end(),
                        [](const std::string& id) { return id.starts_with("CVE-"); });
  return out;
}

Json finding_json(const Inventory& inventory, const Finding& f) {
  const auto& package = package_of(inventory, f);
  const auto& set = set_of(inventory, f);
  Json out;
  out["id"] = f.id;
  out["aliases"] = f.aliases;
  out["summary"] = f.summary;
  out["severity"] = to_string(f.level);
  out["score"] = f.score < 0 ? Json(nullptr) : Json(f.score);
  out["cvss"] = f.cvss.empty() ? Json(nullptr) : Json(f.cvss);
  out["epss"] = f.epss ? Json(*f.epss) : Json(nullptr);
  out["epss_percentile"] = f.epss_percentile ? Json(*f.epss_percentile) : Json(nullptr);
  out["known_exploited"] = f.known_exploited;
  out["ransomware"] = f.ransomware;
  out["informational"] =
      f.informational == Informational::no ? Json(nullptr) : Json(to_string(f.informational));
  out["confidence"] = f.confidence == Confidence::high ? "high" : "low";
  out["reach"] = to_string(f.reach);
  out["symbols"] = to_string(f.symbols.use);
  out["symbol"] = f.symbols.which.empty() ? Json(nullptr) : Json(f.symbols.which);
  out["fixed"] = f.fixed;
  out["risk"] = {{"value", f.risk.value}, {"reasons", f.risk.reasons}};
  out["package"] = {{"ecosystem", osv_name(package.ecosystem)},
                    {"name", package.name},
                    {"version", package.version},
                    {"scope", to_string(package.scope)},
                    {"direct", package.direct}};
  out["file"] = file_of(inventory, f);
  out["line"] = package.line == 0 ? Json(nullptr) : Json(package.line);
  out["path"] = Json::array();
  for (const auto at : f.path)
    out["path"].push_back(set.packages[at].name + "@" + set.packages[at].version);
  out["ignored"] = f.ignored.empty() ? Json(nullptr) : Json(f.ignored);
  return out;
}

std::string_view gitlab_severity(const Finding& f) {
  if (f.informational != Informational::no) return "Info";
  switch (f.level) {
    case Severity::none:
      return "Info";
    case Severity::low:
      return "Low";
    case Severity::medium:
      return "Medium";
    case Severity::high:
      return "High";
    case Severity::critical:
      return "Critical";
    case Severity::unknown:
      break;
  }
  return "Unknown";
}

Json gitlab_identifier(const std::string& id) {
  const std::string type = id.starts_with("CVE-")    ? "cve"
                           : id.starts_with("GHSA-") ? "ghsa"
                                                     : "osv";
  return {{"type", type}, {"name", id}, {"value", id}, {"url", url_of(id)}};
}

Json gitlab_vulnerability(const Inventory& inventory, const Finding& f) {
  constexpr std::size_t kMaxName = 255;
  const auto& package = package_of(inventory, f);
  Json out;
  out["id"] = fingerprint_of(inventory, f);
  out["name"] = truncate_utf8(to_utf8(title_of(inventory, f)), kMaxName);
  std::string description = f.summary.empty() ? f.id : f.summary;
  for (const auto& reason : f.risk.reasons) description += "\n- " + reason;
  out["description"] = description;
  out["severity"] = gitlab_severity(f);
  out["solution"] = advice_of(inventory, f);
  out["identifiers"] = Json::array();
  for (const auto& id : names_of(f)) out["identifiers"].push_back(gitlab_identifier(id));
  out["links"] = Json::array({{{"url", url_of(f.id)}}});
  out["location"] = {
      {"file", file_of(inventory, f)},
      {"dependency", {{"package", {{"name", package.name}}}, {"version", package.version}}}};
  return out;
}

Json sarif_rule(const Finding& f) {
  Json out;
  out["id"] = f.id;
  out["shortDescription"] = {{"text", f.summary.empty() ? f.id : f.summary}};
  out["helpUri"] = url_of(f.id);
  out["properties"] = {{"tags", {"security", "dependency"}}};
  if (f.score >= 0) {
    char score[16];
    std::snprintf(score, sizeof score, "%.1f", f.score);
    out["properties"]["security-severity"] = score;
  }
  return out;
}

// A relative reference (RFC 3986): what is no plain character is escaped.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/@+";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kPlain.find(c) != kPlain.npos;
    if (plain)
      out += c;
    else
      (out += '%') += hex_encode(as_bytes(std::string_view(&c, 1)));
  }
  return out;
}

Json sarif_result(const Inventory& inventory, const Finding& f, std::size_t rule) {
  const bool informs = f.informational != Informational::no;
  Json out;
  out["ruleId"] = f.id;
  out["ruleIndex"] = rule;
  out["level"] = informs || f.level < Severity::medium ? "note"
                 : f.level < Severity::high            ? "warning"
                                                       : "error";
  out["message"] = {{"text", title_of(inventory, f) + ". " + advice_of(inventory, f)}};
  Json place = {{"artifactLocation", {{"uri", uri_of(file_of(inventory, f))}}}};
  if (const auto line = package_of(inventory, f).line; line > 0)
    place["region"] = {{"startLine", line}};
  out["locations"] = Json::array({{{"physicalLocation", place}}});
  out["partialFingerprints"] = {{"gitaiopsFinding/v1", fingerprint_of(inventory, f)}};
  if (!f.ignored.empty())
    out["suppressions"] = Json::array({{{"kind", "external"}, {"justification", f.ignored}}});
  out["properties"] = {{"risk", f.risk.value}, {"reasons", f.risk.reasons}};
  return out;
}

}  // namespace

std::string url_of(std::string_view id) {
  if (id.starts_with("CVE-")) return "https://nvd.nist.gov/vuln/detail/" + uri_of(id);
  if (id.starts_with("GHSA-")) return "https://github.com/advisories/" + uri_of(id);
  return "https://osv.dev/vulnerability/" + uri_of(id);
}

std::string findings_json(const Inventory& inventory, const Findings& findings) {
  Json out;
  out["schema"] = "gitaiops.findings/1";
  out["without_version"] = findings.without_version;
  out["findings"] = Json::array();
  for (const auto& f : findings.all) out["findings"].push_back(finding_json(inventory, f));
  return dumped(out);
}

std::string to_sarif(const Inventory& inventory, const Findings& findings,
                     std::string_view version) {
  std::map<std::string, std::size_t> rules;
  Json rule_list = Json::array(), results = Json::array();
  for (const auto& f : findings.all) {
    const auto [at, added] = rules.try_emplace(f.id, rules.size());
    if (added) rule_list.push_back(sarif_rule(f));
    results.push_back(sarif_result(inventory, f, at->second));
  }
  Json out;
  out["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  out["version"] = "2.1.0";
  out["runs"] = Json::array(
      {{{"tool", {{"driver", {{"name", "GitAIOps"}, {"version", version}, {"rules", rule_list}}}}},
        {"results", results}}});
  return dumped(out, 2);
}

std::string to_gitlab_report(const Inventory& inventory, const Findings& findings,
                             std::string_view version, const ReportTimes& times) {
  const Json program = {{"id", "gitaiops"},
                        {"name", "GitAIOps"},
                        {"version", version},
                        {"vendor", {{"name", "GitAIOps"}}}};
  Json out;
  out["version"] = "15.2.1";
  out["scan"] = {{"analyzer", program},           {"scanner", program},
                 {"type", "dependency_scanning"}, {"start_time", times.start},
                 {"end_time", times.end},         {"status", "success"}};
  out["vulnerabilities"] = Json::array();
  for (const auto& f : findings.all)
    if (f.ignored.empty()) out["vulnerabilities"].push_back(gitlab_vulnerability(inventory, f));
  return dumped(out, 2);
}

}  // namespace gitaiops::scanner
