// What projects depend on, and what is wrong with it, as JSON.
#include "controller/api/json.h"
#include "controller/api/render.h"
#include "engines/scanner/cvss/cvss.h"

namespace gitaiops::api {
namespace {

void add_found(Json& json, const store::Found& found, const std::string& reason) {
  json["ecosystem"] = found.ecosystem;
  json["package"] = found.package;
  json["version"] = found.version;
  json["advisory"] = found.advisory;
  json["aliases"] = found.aliases;
  json["summary"] = text_or_null(found.summary);
  json["severity"] =
      std::string(scanner::to_string(static_cast<scanner::Severity>(found.severity)));
  json["score"] = found.score < 0 ? Json(nullptr) : Json(found.score);
  json["fixed_version"] = text_or_null(found.fixed);
  json["risk"] = found.risk;
  json["known_exploited"] = found.known_exploited;
  json["path"] = found.path;
  json["accepted"] = text_or_null(reason);
}

Json side(const store::Matched& matched) {
  return {{"ref", text_or_null(matched.ref)},
          {"sha", matched.commit_sha},
          {"seen_at", time_or_null(matched.received_at.value)}};
}

Json all_found(const std::vector<store::Found>& found, const Reasons& reasons) {
  Json out = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    Json json = Json::object();
    add_found(json, found[i], reasons[i]);
    out.push_back(std::move(json));
  }
  return out;
}

}  // namespace

std::string packages_json(const store::Page<store::PackageUse>& page) {
  Json json = {{"packages", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& use : page.items)
    json["packages"].push_back({{"instance", use.instance},
                                {"project_id", id_or_null(use.project_id)},
                                {"project_path", use.project_path},
                                {"ref", text_or_null(use.ref)},
                                {"sha", use.commit_sha},
                                {"version", text_or_null(use.version)},
                                {"direct", use.direct},
                                {"seen_at", time_or_null(use.received_at.value)}});
  return dump(json);
}

std::string vulnerabilities_json(const store::Page<store::Vulnerability>& page,
                                 const Reasons& reasons) {
  Json json = {{"vulnerabilities", Json::array()}, {"next", text_or_null(page.next)}};
  for (std::size_t i = 0; i < page.items.size(); ++i) {
    const auto& v = page.items[i];
    Json one = {{"instance", v.instance},
                {"project_id", id_or_null(v.project_id)},
                {"project_path", v.project_path},
                {"ref", text_or_null(v.ref)},
                {"sha", v.commit_sha}};
    add_found(one, v.found, reasons[i]);
    one["first_seen_at"] = time_or_null(v.first_seen.value);
    json["vulnerabilities"].push_back(std::move(one));
  }
  return dump(json);
}

std::string changes_json(const store::Matched& from, const store::Matched& to,
                         const dependencies::Comparison& found, const Reasons& of_added,
                         const Reasons& of_removed, const store::PackageChanges& packages) {
  Json changed = Json::array();
  for (const auto& one : packages.listed)
    changed.push_back({{"ecosystem", one.ecosystem},
                       {"package", one.name},
                       {"versions_before", one.before},
                       {"versions_after", one.after}});
  return dump({{"from", side(from)},
               {"to", side(to)},
               {"vulnerabilities_added", all_found(found.added, of_added)},
               {"vulnerabilities_removed", all_found(found.removed, of_removed)},
               {"packages_added", packages.added},
               {"packages_removed", packages.removed},
               {"packages_changed", packages.changed},
               {"packages", changed}});
}

}  // namespace gitaiops::api
