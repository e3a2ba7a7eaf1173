#include "engines/project_file/guidelines.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/document.h"
#include "engines/scanner/documents/text.h"

namespace gitaiops::project_file {
namespace {

// "*.{rb,ts}" → "*.rb", "*.ts". A brace without its other half stands for itself.
std::vector<std::string> without_unions(const std::string& pattern) {
  std::vector<std::string> open = {pattern}, out;
  while (!open.empty() && out.size() < kMaxPatterns) {
    const std::string one = std::move(open.back());
    open.pop_back();
    const auto end = one.find('}');
    const auto begin = end == one.npos ? one.npos : one.rfind('{', end);
    if (begin == one.npos || open.size() >= kMaxPatterns) {
      out.push_back(one);
      continue;
    }
    for (const auto choice : split(std::string_view(one).substr(begin + 1, end - begin - 1), ','))
      open.push_back(one.substr(0, begin) + std::string(choice) + one.substr(end + 1));
  }
  return out;
}

// GitLab's "*.rb" is a file of the root, unlike that of CODEOWNERS.
triage::Glob glob_of(const std::string& pattern) {
  return triage::Glob(pattern.find('/') == pattern.npos ? "/" + pattern : pattern);
}

}  // namespace

Guideline::Guideline(std::string name, const std::vector<std::string>& patterns, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  for (const auto& given : patterns) {
    const auto pattern = trimmed(given);
    const bool excluded = pattern.starts_with('!');
    for (const auto& one : without_unions(std::string(pattern.substr(excluded ? 1 : 0))))
      if (of_.size() + not_of_.size() < kMaxPatterns && !one.empty())
        (excluded ? not_of_ : of_).push_back(glob_of(one));
  }
}

bool Guideline::is_about(std::string_view path) const {
  const auto fits = [&](const triage::Glob& glob) { return glob.matches(path); };
  return (of_.empty() || std::ranges::any_of(of_, fits)) && std::ranges::none_of(not_of_, fits);
}

std::vector<Guideline> read_review_instructions(std::string_view bytes) {
  const std::string text = scanner::documents::decoded(std::string(bytes));
  const auto document = scanner::documents::read_yaml(text);
  std::vector<Guideline> out;
  if (document.fault()) return out;
  for (const auto item : document.root()["instructions"]) {
    if (out.size() >= kMaxGuidelines) break;
    std::vector<std::string> patterns;
    for (const auto pattern : item["fileFilters"])
      if (patterns.size() < kMaxPatterns) patterns.emplace_back(pattern.text());
    const auto name = trimmed(item["name"].text()), words = trimmed(item["instructions"].text());
    if (!name.empty() && !words.empty())
      out.emplace_back(std::string(name), patterns, std::string(words));
  }
  return out;
}

std::vector<Guideline> about(const std::vector<Guideline>& all,
                             const std::vector<std::string>& paths) {
  std::vector<Guideline> out;
  for (const auto& one : all)
    if (std::ranges::any_of(paths, [&](const std::string& path) { return one.is_about(path); }))
      out.push_back(one);
  return out;
}

}  // namespace gitaiops::project_file
