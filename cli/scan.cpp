#include <ostream>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"
#include "base/crypto/crypto.h"
#include "cli/commands.h"
#include "cli/tree.h"
#include "engines/scanner/outputs/inventory_report.h"
#include "engines/scanner/outputs/sbom.h"

namespace gitaiops::cli {
namespace {

using scanner::CycloneDx;

scanner::SbomContext context_of_now() {
  const UnixMicros now = system_clock().now();
  // SPDX has no fraction of a second.
  return {to_rfc3339(now).substr(0, std::string_view("2026-01-31T12:00:00").size()) + "Z",
          crypto::uuid7(now), GITAIOPS_VERSION};
}

std::string written(const scanner::Inventory& inventory, const std::string& format) {
  if (format == "json") return scanner::as_json(inventory);
  if (format == "cyclonedx")
    return scanner::as_cyclonedx(inventory, CycloneDx::v1_6, context_of_now());
  if (format == "cyclonedx-1.5")
    return scanner::as_cyclonedx(inventory, CycloneDx::v1_5, context_of_now());
  if (format == "spdx") return scanner::as_spdx(inventory, context_of_now());
  return scanner::as_table(inventory);
}

}  // namespace

int scan(const ScanOptions& options, const Terminal& terminal) {
  const auto tree = FolderTree::open(options.path);
  if (!tree.ok()) {
    terminal.err << "gitaiops: " << tree.error().to_string() << "\n";
    return kUsage;
  }
  auto inventory = scanner::take_inventory(*tree);
  inventory.problems.insert(inventory.problems.begin(), tree->problems().begin(),
                            tree->problems().end());
  terminal.out << written(inventory, options.format);
  // A bill of materials has no place for what could not be read.
  if (options.format == "spdx" || options.format.starts_with("cyclonedx")) {
    for (const auto& problem : inventory.problems)
      terminal.err << "gitaiops: could not read " << to_utf8(problem.file)
                   << (problem.line ? " at line " + std::to_string(problem.line) : "") << ": "
                   << to_utf8(problem.reason) << "\n";
  }
  return kDone;
}

}  // namespace gitaiops::cli
