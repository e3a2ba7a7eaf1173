// What somebody says of a vulnerability in a product: OpenVEX (openvex/spec, v0.0.1 to v0.2.0) and
// the analyses of CycloneDX (1.4 on, "vulnerabilities").
//
//   ASSIGN_OR_RETURN(const auto vex, read_vex(text));
//   apply_vex(findings, inventory, vex.statements, "release.vex.json");
//
// A statement of "not affected" or "fixed" sets a finding aside, with its justification; it stays
// in every report. Nothing else is done: what is affected counts as it did, and of several
// statements about one finding the newest decides.
//
// Thread safety: pure functions. Any bytes are accepted; time grows with statements × their names
// and with the findings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/findings.h"

namespace gitaiops::scanner {

enum class VexStatus : uint8_t { affected, under_investigation, not_affected, fixed };
std::string_view to_string(VexStatus status);

struct VexStatement {
  std::vector<std::string> names;     // the vulnerability's
  std::vector<std::string> packages;  // package URLs, with or without a version
  // The products that contain the packages, or that are them, as the document names them.
  std::vector<std::string> products;
  bool everywhere = false;  // it names no product and no package
  VexStatus status = VexStatus::affected;
  std::string why;    // justification and what is said about it
  std::string since;  // RFC 3339, as written; empty: not told
  uint32_t line = 0;
};

struct VexDocument {
  std::vector<VexStatement> statements;
  std::vector<Problem> refused;  // statements that say too little, by line
};
// invalid_argument when the text is no VEX document, with the line.
Result<VexDocument> read_vex(std::string_view text);

// Marks what is set aside (Finding::ignored). A statement concerns a finding when it has one of the
// finding's names and either names its package, or names no package and its product is the package
// or the project that the package's set belongs to. Gives how many statements concern no finding.
std::size_t apply_vex(Findings& findings, const Inventory& inventory,
                      std::vector<VexStatement> statements, std::string_view document);

}  // namespace gitaiops::scanner
