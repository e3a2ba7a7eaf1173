// Any bytes as any manifest, its first packages raised: what is written differs in one literal for
// each upgrade, and is read again as asking for it.
#include <array>
#include <cstdlib>
#include <string_view>

#include "engines/scanner/remediation/ranges.h"
#include "engines/scanner/remediation/remediation.h"

namespace {
using namespace gitaiops;
using namespace gitaiops::scanner;

constexpr std::array<std::string_view, 12> kNames = {
    "package.json",       "requirements.txt", "pyproject.toml", "Pipfile",
    "Cargo.toml",         "pom.xml",          "build.gradle",   "go.mod",
    "libs.versions.toml", "Gemfile",          "a.csproj",       "composer.json"};

class OneFile final : public Tree {
 public:
  OneFile(std::string name, std::string text) : files_{std::move(name)}, text_(std::move(text)) {}
  const std::vector<std::string>& files() const override { return files_; }
  Result<std::string> read(std::string_view path) const override {
    if (path == files_[0]) return text_;
    return Error(Code::not_found, "none");
  }

 private:
  std::vector<std::string> files_;
  std::string text_;
};

Plan raising_all(const Inventory& inventory) {
  constexpr std::size_t kMost = 4;
  Plan plan;
  for (uint32_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& packages = inventory.sets[s].packages;
    for (uint32_t p = 0; p < packages.size() && plan.upgrades.size() < kMost; ++p) {
      Upgrade upgrade;
      upgrade.set = s;
      upgrade.packages = {p};
      upgrade.name = packages[p].name;
      upgrade.range = packages[p].range;
      upgrade.new_range =
          raised_range(packages[p].ecosystem, upgrade.range, "9.8.7").value_or(upgrade.range);
      upgrade.file = packages[p].file;
      upgrade.line = packages[p].line;
      plan.upgrades.push_back(std::move(upgrade));
    }
  }
  return plan;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string name(kNames[data[0] % kNames.size()]);
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const OneFile tree(name, text);
  const auto inventory = take_inventory(tree);
  const auto plan = raising_all(inventory);
  const auto got = rewrite(tree, inventory, plan);
  if (got.outcomes.size() != plan.upgrades.size() || got.files.size() > 1) std::abort();
  for (const auto& outcome : got.outcomes)
    if (outcome.written == outcome.file.empty() || outcome.written != outcome.why_not.empty())
      std::abort();
  if (got.files.empty()) return 0;
  const OneFile after(name, got.files.begin()->second);
  if (take_inventory(after).problems.size() != inventory.problems.size()) std::abort();
  return 0;
}
