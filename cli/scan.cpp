#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"
#include "base/crypto/crypto.h"
#include "cli/commands.h"
#include "cli/judge.h"
#include "cli/tree.h"
#include "engines/scanner/outputs/inventory_report.h"
#include "engines/scanner/outputs/sbom.h"
#include "engines/scanner/reports/reports.h"

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

// Of larger sources the imports stand in the beginning; all together they must not fill memory.
constexpr std::size_t kMaxSource = 1 << 20;

scanner::Imports imports_of(const FolderTree& tree) {
  scanner::Imports imports;
  for (const auto& path : tree.files()) {
    if (!scanner::language_of(path)) continue;
    if (auto source = tree.read(path)) {
      if (source->size() > kMaxSource) source->resize(kMaxSource);
      imports.add(path, *source);
    }
  }
  return imports;
}

std::string written(const scanner::Inventory& inventory, const scanner::Findings& findings,
                    const std::string& format, const scanner::ReportTimes& times,
                    const Terminal& terminal) {
  if (format == "table") return scanner::findings_text(inventory, findings, terminal.colour);
  if (format == "sarif") return scanner::to_sarif(inventory, findings, GITAIOPS_VERSION) + "\n";
  if (format == "gitlab")
    return scanner::to_gitlab_report(inventory, findings, GITAIOPS_VERSION, times) + "\n";
  if (format != "json") return written(inventory, format);
  auto both = nlohmann::ordered_json::parse(scanner::as_json(inventory));
  both["findings"] =
      nlohmann::ordered_json::parse(scanner::findings_json(inventory, findings))["findings"];
  return both.dump() + "\n";
}

// The formats that have no place for what could not be read.
void tell_problems(const scanner::Inventory& inventory, const Terminal& terminal) {
  for (const auto& problem : inventory.problems)
    terminal.err << "gitaiops: could not read " << to_utf8(problem.file)
                 << (problem.line ? " at line " + std::to_string(problem.line) : "") << ": "
                 << to_utf8(problem.reason) << "\n";
}

Result<int> run(const ScanOptions& options, const Terminal& terminal) {
  const bool judged = !options.advisories.empty();
  if (!judged && (options.format == "sarif" || options.format == "gitlab"))
    return Error(Code::invalid_argument,
                 "--format " + options.format + " reports findings: it needs --advisories");
  const std::string start = now_utc();
  ASSIGN_OR_RETURN(const auto tree, FolderTree::open(options.path));
  auto inventory = scanner::take_inventory(tree);
  inventory.problems.insert(inventory.problems.begin(), tree.problems().begin(),
                            tree.problems().end());
  if (options.format != "json" && (judged || options.format != "table"))
    tell_problems(inventory, terminal);
  if (!judged) {
    terminal.out << written(inventory, options.format);
    return kDone;
  }
  const auto imports = imports_of(tree);
  const JudgeOptions judging{options.advisories, options.ignore_file, options.fail_on};
  ASSIGN_OR_RETURN(const auto findings, judge(inventory, &imports, judging, today_utc(), terminal));
  terminal.out << written(inventory, findings, options.format, {start, now_utc()}, terminal);
  return exit_code(findings, judging);
}

}  // namespace

int scan(const ScanOptions& options, const Terminal& terminal) {
  const auto code = run(options, terminal);
  if (code) return *code;
  terminal.err << "gitaiops: " << code.error().to_string() << "\n";
  return kUsage;
}

}  // namespace gitaiops::cli
