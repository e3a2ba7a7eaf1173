#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "cli/commands.h"
#include "cli/fix.h"
#include "cli/judge.h"
#include "cli/tree.h"
#include "engines/scanner/outputs/inventory_report.h"
#include "engines/scanner/outputs/sbom.h"
#include "engines/scanner/reports/reports.h"

namespace gitaiops::cli {
namespace {

namespace fs = std::filesystem;
using scanner::CycloneDx;

scanner::SbomContext context_of_now() {
  const UnixMicros now = system_clock().now();
  // SPDX has no fraction of a second.
  return {to_rfc3339(now).substr(0, std::string_view("2026-01-31T12:00:00").size()) + "Z",
          crypto::uuid7(now), GITAIOPS_VERSION};
}

std::string written(const scanner::Inventory& inventory, const std::string& format) {
  if (format == "json") return scanner::as_json(inventory);
  if (format == "markdown") return scanner::to_markdown(inventory);
  if (format == "cyclonedx" || format == "gitlab-sbom")
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

struct Judged {
  scanner::Findings findings;
  scanner::Plan plan;
  std::optional<std::vector<scanner::Outcome>> outcomes;  // of --fix

  scanner::ShownPlan shown() const { return {plan, outcomes ? &*outcomes : nullptr}; }
};

std::string written(const scanner::Inventory& inventory, const Judged& judged,
                    const std::string& format, const scanner::ReportTimes& times, bool colour) {
  const auto& findings = judged.findings;
  if (format == "table")
    return scanner::findings_text(inventory, findings, colour) + "\n" +
           scanner::plan_text(inventory, findings, judged.shown());
  if (format == "markdown") return scanner::to_markdown(inventory, findings, judged.shown());
  if (format == "sarif") return scanner::to_sarif(inventory, findings, GITAIOPS_VERSION) + "\n";
  if (format == "gitlab")
    return scanner::to_gitlab_report(inventory, findings, GITAIOPS_VERSION, times) + "\n";
  if (format != "json") return written(inventory, format);
  auto all = nlohmann::ordered_json::parse(scanner::as_json(inventory));
  all["findings"] =
      nlohmann::ordered_json::parse(scanner::findings_json(inventory, findings))["findings"];
  all["plan"] =
      nlohmann::ordered_json::parse(scanner::plan_json(inventory, findings, judged.shown()));
  return all.dump() + "\n";
}

// The formats that have no place for what could not be read.
void tell_problems(const scanner::Inventory& inventory, const Terminal& terminal) {
  for (const auto& problem : inventory.problems)
    terminal.err << "gitaiops: could not read " << to_utf8(problem.file)
                 << (problem.line ? " at line " + std::to_string(problem.line) : "") << ": "
                 << to_utf8(problem.reason) << "\n";
}

// A device or a pipe is written to; a file is there whole or not at all.
Status write_output(const fs::path& path, const std::string& text) {
  std::error_code none;
  const auto kind = fs::status(path, none).type();
  if (kind == fs::file_type::not_found || kind == fs::file_type::regular)
    return write_file_atomic(path, text);
  std::ofstream out(path, std::ios::binary);
  out << text << std::flush;
  if (!out) return Error(Code::invalid_argument, "cannot write to " + path.string());
  return {};
}

// One bill for each lock file, where GitLab's runner looks for it: in the same folder beneath `to`.
Status write_bills(const scanner::Inventory& inventory, const fs::path& to,
                   const Terminal& terminal) {
  std::map<fs::path, int> names;
  for (const auto& set : inventory.sets) {
    const auto folder = to / fs::path(set.lock.empty() ? set.manifest : set.lock).parent_path();
    auto path = folder / scanner::cyclonedx_file_name(set);
    if (const int n = ++names[path]; n > 1) {
      constexpr std::string_view kEnd = ".cdx.json";
      auto name = path.filename().string();
      name.insert(name.size() - kEnd.size(), "-" + std::to_string(n));
      path = folder / name;
    }
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed)
      return Error(Code::invalid_argument,
                   "cannot make " + folder.string() + ": " + failed.message());
    RETURN_IF_ERROR(
        write_output(path, scanner::as_cyclonedx(set, CycloneDx::v1_6, context_of_now())));
    terminal.out << path.string() << "\n";
  }
  return {};
}

Result<scanner::Releases> read_releases(const std::vector<std::string>& files) {
  scanner::Releases out;
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto text, read_file(file));
    RETURN_IF_ERROR(out.read(text), file);
  }
  return out;
}

bool is_folder(const std::string& path) {
  std::error_code none;
  return path.ends_with('/') || fs::is_directory(path, none);
}

Status give(const std::string& text, const ScanOptions& options, const Terminal& terminal) {
  if (!options.output.empty()) return write_output(options.output, text);
  terminal.out << text;
  return {};
}

Result<int> run(const ScanOptions& options, const Terminal& terminal) {
  const bool with_findings = !options.advisories.empty();
  if (!with_findings && (options.format == "sarif" || options.format == "gitlab"))
    return Error(Code::invalid_argument,
                 "--format " + options.format + " reports findings: it needs --advisories");
  const bool bills = options.format == "gitlab-sbom" && is_folder(options.output);
  if (!bills && is_folder(options.output))
    return Error(Code::invalid_argument, "--output " + options.output + " is a folder");
  const std::string start = now_utc();
  ASSIGN_OR_RETURN(const auto releases, read_releases(options.releases));
  ASSIGN_OR_RETURN(const auto tree, FolderTree::open(options.path));
  auto inventory = scanner::take_inventory(tree);
  scanner::complete(inventory, releases);
  inventory.problems.insert(inventory.problems.begin(), tree.problems().begin(),
                            tree.problems().end());
  if (options.format != "json" && options.format != "markdown" &&
      (with_findings || options.format != "table"))
    tell_problems(inventory, terminal);
  if (!with_findings) {
    RETURN_IF_ERROR(bills ? write_bills(inventory, options.output, terminal)
                          : give(written(inventory, options.format), options, terminal));
    return kDone;
  }
  const auto imports = imports_of(tree);
  const JudgeOptions judging{options.advisories, options.ignore_file,
                             options.fail_on,    options.vex,
                             &releases,          options.own_file ? options.path : ""};
  Judged judged;
  ASSIGN_OR_RETURN(auto judgement, judge(inventory, &imports, judging, today_utc(), terminal));
  judged.findings = std::move(judgement.findings);
  judged.plan = std::move(judgement.plan);
  if (options.fix) {
    auto rewriting = scanner::rewrite(tree, inventory, judged.plan);
    write_manifests(options.path, tree, rewriting, terminal);
    judged.outcomes = std::move(rewriting.outcomes);
  }
  RETURN_IF_ERROR(bills ? write_bills(inventory, options.output, terminal)
                        : give(written(inventory, judged, options.format, {start, now_utc()},
                                       terminal.colour && options.output.empty()),
                               options, terminal));
  return exit_code(judged.findings, judging);
}

}  // namespace

int scan(const ScanOptions& options, const Terminal& terminal) {
  const auto code = run(options, terminal);
  if (code) return *code;
  terminal.err << "gitaiops: " << code.error().to_string() << "\n";
  return kUsage;
}

}  // namespace gitaiops::cli
