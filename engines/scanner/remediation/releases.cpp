#include "engines/scanner/remediation/releases.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/document.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

// A name's, a version's and a need's lines are told apart by how deep they stand.
enum Depth { kName, kVersion, kNeed };

Need need_of(std::string_view text) {
  const auto at = text.find('@', 1);
  if (at == text.npos) return {std::string(text), {}};
  return {std::string(text.substr(0, at)), std::string(trimmed(text.substr(at + 1)))};
}

}  // namespace

Status Releases::read(std::string_view text) {
  const auto document = documents::read_yaml(text);
  const auto refused = [](uint32_t line, std::string why) {
    return Error(Code::invalid_argument, "line " + std::to_string(line) + ": " + std::move(why));
  };
  if (const auto& fault = document.fault()) return refused(fault->line, fault->reason);
  const auto root = document.root();
  const auto ecosystem = ecosystem_of(root["system"].text());
  if (!ecosystem)
    return refused(root.line(), "\"system\" is no ecosystem as OSV names them (PyPI, npm, …)");
  if (!root["schema"].is_string()) return refused(root.line(), "there is no text \"schema\"");
  auto& packages = packages_[*ecosystem];
  std::vector<Release>* package = nullptr;
  std::vector<std::size_t> indents;
  documents::Lines lines(root["schema"].text());
  while (lines.next()) {
    const auto content = trimmed(lines.text());
    if (content.empty() || content.starts_with('#')) continue;
    const auto indent = lines.text().find_first_not_of(" \t");
    while (!indents.empty() && indents.back() >= indent) indents.pop_back();
    const auto depth = indents.size();
    indents.push_back(indent);
    // The text begins in the line after its key.
    const auto line = root["schema"].line() + lines.number();
    if (depth == kName) {
      package = &packages[normalised_name(*ecosystem, content)];
    } else if (depth == kVersion) {
      package->push_back({std::string(content), {}});
    } else if (depth == kNeed) {
      if (content.find('|') == content.npos) package->back().needs.push_back(need_of(content));
    } else {
      return refused(line, "what a release needs has nothing beneath it");
    }
  }
  for (auto& [name, releases] : packages)
    std::ranges::stable_sort(releases, [&](const Release& a, const Release& b) {
      return compare_versions(*ecosystem, a.version, b.version) < 0;
    });
  return {};
}

const std::vector<Release>* Releases::of(Ecosystem ecosystem, std::string_view name) const {
  const auto packages = packages_.find(ecosystem);
  if (packages == packages_.end()) return nullptr;
  const auto found = packages->second.find(normalised_name(ecosystem, name));
  return found == packages->second.end() ? nullptr : &found->second;
}

}  // namespace gitaiops::scanner
