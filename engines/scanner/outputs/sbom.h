// Software bills of material of an inventory: CycloneDX 1.5 and 1.6 (ECMA-424) with the properties
// that GitLab asks for, and SPDX 2.3.
//
// Pure: time and serial number come from the caller. Thread safety: pure functions.
#pragma once

#include <string>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {

enum class CycloneDx { v1_5, v1_6 };

struct SbomContext {
  std::string created;  // "2026-01-31T12:00:00Z"
  std::string uuid;     // of this document, "8-4-4-4-12" digits
  std::string tool_version;
};

// One document of one set, as GitLab takes one a lock file.
std::string as_cyclonedx(const PackageSet& set, CycloneDx version, const SbomContext& context);
// All sets in one document; each component says which file it comes from.
std::string as_cyclonedx(const Inventory& inventory, CycloneDx version, const SbomContext& context);
// The name under which GitLab's runner looks for it: "gl-sbom-npm-yarn.cdx.json".
std::string cyclonedx_file_name(const PackageSet& set);

std::string as_spdx(const Inventory& inventory, const SbomContext& context);

}  // namespace gitaiops::scanner
