#include "cli/rule_folders.h"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "base/io/files.h"

namespace gitaiops::cli {
namespace {

constexpr std::size_t kRuleFileMax = 4 << 20;

Result<std::vector<std::filesystem::path>> rule_files(const std::string& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".toml") files.push_back(at->path());
  }
  if (error) return Error(Code::invalid_argument, folder + ": " + error.message());
  if (files.empty()) return Error(Code::not_found, folder + ": no *.toml in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<diagnosis::RuleText> read_rule_file(const std::string& file) {
  ASSIGN_OR_RETURN(auto text, read_file(file, kRuleFileMax));
  return diagnosis::RuleText{file, std::move(text)};
}

Result<std::shared_ptr<const diagnosis::Rules>> read_rules(const std::vector<std::string>& folders,
                                                           const Terminal& terminal) {
  if (folders.empty()) return diagnosis::builtin_rules();
  std::vector<diagnosis::RuleText> texts;
  for (const auto& folder : folders) {
    ASSIGN_OR_RETURN(const auto files, rule_files(folder));
    for (const auto& file : files) {
      ASSIGN_OR_RETURN(auto text, read_rule_file(file.string()));
      texts.push_back(std::move(text));
    }
  }
  std::vector<std::string> problems;
  auto rules = diagnosis::with_rules(texts, &problems);
  for (const auto& problem : problems) terminal.err << "gitaiops: refused: " << problem << "\n";
  return rules;
}

}  // namespace gitaiops::cli
