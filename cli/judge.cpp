#include "cli/judge.h"

#include <ctime>
#include <filesystem>
#include <ostream>

#include "base/config/config.h"
#include "base/io/files.h"
#include "base/io/mapped_file.h"
#include "engines/project_file/project_file.h"
#include "engines/scanner/vex/vex.h"

namespace gitaiops::cli {
namespace {

using scanner::Ignore;

struct IgnoreFile {
  std::vector<Ignore> ignores;
};

config::Problems problems_of(const IgnoreFile& file) {
  config::Problems out;
  for (std::size_t i = 0; i < file.ignores.size(); ++i) {
    const auto& ignore = file.ignores[i];
    if (trimmed(ignore.reason).empty())
      out.push_back({"ignore.reason", "is empty; say why this can be lived with", i});
    if (!ignore.until.empty() && !scanner::is_day(ignore.until))
      out.push_back({"ignore.until", "expected a date as \"2026-12-31\"", i});
  }
  return out;
}

config::Schema<IgnoreFile> schema() {
  config::Schema<IgnoreFile> out("ignored findings");
  auto item = std::make_shared<config::Schema<Ignore>>("one ignored finding");
  item->key("id", "Any of the finding's names.", &Ignore::id).required();
  item->key("package", "Only in this package; empty: in any.", &Ignore::package);
  item->key("reason", "Why it can be lived with.", &Ignore::reason).required();
  item->key("until", "The last day; empty: for good.", &Ignore::until);
  out.array("ignore", "What is accepted.", &IgnoreFile::ignores, std::move(item));
  return out;
}

std::string formatted(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

std::string named(const Ignore& ignore) {
  return to_utf8(ignore.package.empty() ? ignore.id : ignore.id + " in " + ignore.package);
}

void tell(const scanner::IgnoreReport& report, const std::string& file, const Terminal& terminal) {
  for (const auto& ignore : report.expired)
    terminal.err << "gitaiops: " << file << ": " << named(ignore) << " was ignored until "
                 << ignore.until << " and counts again\n";
  for (const auto& ignore : report.unused)
    terminal.err << "gitaiops: " << file << ": " << named(ignore) << " meets no finding any more\n";
}

// What the tree's own file says that it lives with. Its mistakes are told, the rest counts.
void apply_own_file(scanner::Findings& findings, const scanner::Inventory& inventory,
                    const std::string& tree, std::string_view today, const Terminal& terminal) {
  const auto path = std::filesystem::path(tree) / project_file::kName;
  std::error_code none;
  // Not what a link leads to: that is not of the tree.
  const auto kind = std::filesystem::symlink_status(path, none).type();
  if (tree.empty() || kind != std::filesystem::file_type::regular) return;
  const auto text = read_file(path, project_file::kMaxBytes);
  if (!text.ok()) {
    terminal.err << "gitaiops: " << text.error().to_string() << "; nothing of it counts\n";
    return;
  }
  const auto own = project_file::read(*text);
  for (const auto& mistake : own.mistakes) terminal.err << "gitaiops: " << mistake << "\n";
  tell(scanner::apply_ignores(findings, inventory, own.ignores, today), path.string(), terminal);
}

// What the VEX files say of the findings; a statement that says too little is told, not taken.
Status apply_vex_files(scanner::Findings& findings, const scanner::Inventory& inventory,
                       const std::vector<std::string>& files, const Terminal& terminal) {
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto text, read_file(file));
    ASSIGN_OR_RETURN(auto vex, scanner::read_vex(text), file);
    for (const auto& refused : vex.refused)
      terminal.err << "gitaiops: " << file << ":" << refused.line
                   << ": a statement is not taken: " << refused.reason << "\n";
    const auto all = vex.statements.size();
    const auto name = std::filesystem::path(file).filename().string();
    const auto unmet = scanner::apply_vex(findings, inventory, std::move(vex.statements), name);
    if (unmet > 0)
      terminal.err << "gitaiops: " << file << ": " << unmet << " of " << all
                   << " statements concern no finding\n";
  }
  return {};
}

}  // namespace

std::string today_utc() {
  return formatted("%Y-%m-%d");
}
std::string now_utc() {
  return formatted("%Y-%m-%dT%H:%M:%S");
}

Result<std::vector<Ignore>> read_ignores(const std::string& file) {
  ASSIGN_OR_RETURN(auto read, schema().load_file(file, problems_of));
  return std::move(read.ignores);
}

Result<Judgement> judge(const scanner::Inventory& inventory, const scanner::Imports* imports,
                        const JudgeOptions& options, std::string_view today,
                        const Terminal& terminal) {
  std::vector<Ignore> ignores;
  if (!options.ignore_file.empty()) {
    ASSIGN_OR_RETURN(ignores, read_ignores(options.ignore_file));
  }
  ASSIGN_OR_RETURN(const auto file, MappedFile::open(options.advisories));
  ASSIGN_OR_RETURN(const auto index, scanner::Index::open(file.bytes()), options.advisories);
  ASSIGN_OR_RETURN(auto findings, scanner::find(inventory, index, imports), options.advisories);
  const auto report = scanner::apply_ignores(findings, inventory, ignores, today);
  apply_own_file(findings, inventory, options.tree, today, terminal);
  RETURN_IF_ERROR(apply_vex_files(findings, inventory, options.vex, terminal));
  tell(report, options.ignore_file, terminal);
  ASSIGN_OR_RETURN(auto plan, scanner::plan_upgrades(inventory, findings, index, options.releases),
                   options.advisories);
  return Judgement{std::move(findings), std::move(plan)};
}

int exit_code(const scanner::Findings& findings, const JudgeOptions& options) {
  const auto limit = scanner::severity_of(options.fail_on);
  if (!limit) return kDone;
  return scanner::highest(findings) >= *limit ? kFound : kDone;
}

}  // namespace gitaiops::cli
