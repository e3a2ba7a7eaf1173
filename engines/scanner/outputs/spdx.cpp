// SPDX 2.3 as JSON (spdx.github.io/spdx-spec/v2.3). Licences are not known from lock files and say
// NOASSERTION, as the format has it.
#include <nlohmann/json.hpp>

#include "engines/scanner/outputs/sbom.h"

namespace gitaiops::scanner {
namespace {

using nlohmann::ordered_json;

std::string package_id(std::size_t set, std::size_t package) {
  return "SPDXRef-Package-" + std::to_string(set) + "-" + std::to_string(package);
}

// A URL or NOASSERTION: paths and short forms are no download locations.
std::string download_location(const Package& package) {
  const bool url = package.source.find("://") != std::string::npos &&
                   package.source.find(' ') == std::string::npos;
  return url ? package.source : "NOASSERTION";
}

ordered_json package_json(const std::string& id, const Package& package) {
  ordered_json out;
  out["SPDXID"] = id;
  out["name"] = package.name;
  if (!package.version.empty()) out["versionInfo"] = package.version;
  out["downloadLocation"] = download_location(package);
  out["filesAnalyzed"] = false;
  out["licenseConcluded"] = out["licenseDeclared"] = "NOASSERTION";
  out["copyrightText"] = "NOASSERTION";
  out["sourceInfo"] =
      "found in " + package.file + (package.line ? " at line " + std::to_string(package.line) : "");
  out["externalRefs"] = {{{"referenceCategory", "PACKAGE-MANAGER"},
                          {"referenceType", "purl"},
                          {"referenceLocator", purl_of(package)}}};
  return out;
}

ordered_json relation(std::string_view from, std::string_view kind, std::string_view to) {
  return {{"spdxElementId", from}, {"relationshipType", kind}, {"relatedSpdxElement", to}};
}

std::string_view dependency_kind(Scope scope) {
  switch (scope) {
    case Scope::development:
      return "DEV_DEPENDENCY_OF";
    case Scope::optional:
      return "OPTIONAL_DEPENDENCY_OF";
    case Scope::build:
      return "BUILD_DEPENDENCY_OF";
    default:
      return "RUNTIME_DEPENDENCY_OF";
  }
}

}  // namespace

std::string as_spdx(const Inventory& inventory, const SbomContext& context) {
  ordered_json out;
  out["spdxVersion"] = "SPDX-2.3";
  out["dataLicense"] = "CC0-1.0";
  out["SPDXID"] = "SPDXRef-DOCUMENT";
  out["name"] = "gitaiops-inventory";
  out["documentNamespace"] = "urn:uuid:" + context.uuid;
  out["creationInfo"] = {{"created", context.created},
                         {"creators", {"Tool: gitaiops-" + context.tool_version}}};
  auto& packages = out["packages"] = ordered_json::array();
  auto& relations = out["relationships"] = ordered_json::array();
  for (std::size_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& set = inventory.sets[s];
    const std::string root = "SPDXRef-Set-" + std::to_string(s);
    const auto& file = set.lock.empty() ? set.manifest : set.lock;
    packages.push_back({{"SPDXID", root},
                        {"name", set.root.empty() ? file : set.root},
                        {"downloadLocation", "NOASSERTION"},
                        {"filesAnalyzed", false},
                        {"sourceInfo", "from " + file}});
    relations.push_back(relation("SPDXRef-DOCUMENT", "DESCRIBES", root));
    for (std::size_t i = 0; i < set.packages.size(); ++i) {
      const auto& package = set.packages[i];
      packages.push_back(package_json(package_id(s, i), package));
      if (package.direct)
        relations.push_back(relation(package_id(s, i), dependency_kind(package.scope), root));
      for (const uint32_t to : package.depends_on)
        relations.push_back(relation(package_id(s, i), "DEPENDS_ON", package_id(s, to)));
    }
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace gitaiops::scanner
