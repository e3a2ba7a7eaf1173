// Any bytes as any manifest or lock file of a family: packages and problems that can be shown,
// never a crash. The first byte chooses the file's name; a zero byte in the text begins a second
// file, so that manifest and lock, parent and include meet.
#include <array>
#include <cstdlib>

#include "engines/scanner/outputs/inventory_report.h"

namespace {
using namespace gitaiops;
using namespace gitaiops::scanner;
using namespace std::string_view_literals;

[[maybe_unused]] constexpr std::array k_javascript = {
    "package.json"sv, "package-lock.json"sv, "yarn.lock"sv, "pnpm-lock.yaml"sv, "bun.lock"sv};
[[maybe_unused]] constexpr std::array k_python = {
    "requirements.txt"sv, "pyproject.toml"sv, "poetry.lock"sv,  "uv.lock"sv,
    "pdm.lock"sv,         "pylock.toml"sv,    "Pipfile.lock"sv, "Pipfile"sv};
[[maybe_unused]] constexpr std::array k_java = {
    "pom.xml"sv,         "build.gradle"sv,       "build.gradle.kts"sv,
    "gradle.lockfile"sv, "libs.versions.toml"sv, "verification-metadata.xml"sv};
[[maybe_unused]] constexpr std::array k_languages = {
    "go.mod"sv,          "go.sum"sv,          "Cargo.toml"sv,    "Cargo.lock"sv,
    "composer.json"sv,   "composer.lock"sv,   "Gemfile"sv,       "Gemfile.lock"sv,
    "app.csproj"sv,      "packages.config"sv, "app.deps.json"sv, "packages.lock.json"sv,
    "mix.lock"sv,        "pubspec.lock"sv,    "conan.lock"sv,    "renv.lock"sv,
    "Package.resolved"sv};

class TwoFiles final : public Tree {
 public:
  void add(std::string path, std::string_view text) {
    files_.push_back(std::move(path));
    texts_.emplace_back(text);
    if (files_.size() == 2 && files_[1] < files_[0]) {
      std::swap(files_[0], files_[1]);
      std::swap(texts_[0], texts_[1]);
    }
  }
  const std::vector<std::string>& files() const override { return files_; }
  Result<std::string> read(std::string_view path) const override {
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (files_[i] == path) return texts_[i];
    return Error(Code::not_found, "none");
  }

 private:
  std::vector<std::string> files_, texts_;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto& names = GITAIOPS_FAMILY;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  TwoFiles tree;
  const auto cut = text.find('\0');
  tree.add(std::string(names[data[0] % names.size()]), text.substr(0, cut));
  if (cut != text.npos) {
    const auto second = names[data[1] % names.size()];
    const bool same = second == tree.files()[0];
    tree.add((same ? "a/" : "") + std::string(second), text.substr(cut + 1));
  }
  const auto inventory = take_inventory(tree);
  for (const auto& problem : inventory.problems)
    if (problem.reason.empty()) std::abort();
  for (const auto& set : inventory.sets) {
    for (uint32_t i = 0; i < set.packages.size(); ++i) {
      for (const uint32_t to : set.packages[i].depends_on)
        if (to >= set.packages.size()) std::abort();
      if (i < 3 && path_to(set, i).empty()) std::abort();
    }
  }
  if (as_json(inventory).empty() || as_table(inventory).empty()) std::abort();
  return 0;
}
