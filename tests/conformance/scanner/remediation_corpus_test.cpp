// Golden cases of guided remediation that other tools publish: for each, no plan of ours removes
// less than the best of the published patches that add no finding, and none adds one.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engines/scanner/advisories/builder.h"
#include "engines/scanner/remediation/remediation.h"
#include "tests/corpus.h"
#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string text_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

std::string index_of(const fs::path& vulnerabilities) {
  IndexBuilder builder;
  auto content = json::parse(text_of(vulnerabilities));
  for (auto& record : content.at("vulns")) {
    record.emplace("modified", "2026-01-01T00:00:00Z");
    EXPECT_TRUE(builder.add_osv(record.dump()));
  }
  auto bytes = builder.finish();
  EXPECT_TRUE(bytes);
  return std::move(*bytes);
}

// "id name version" of one finding that is gone.
using Removed = std::set<std::string>;

// What the published patches remove that add nothing, of each package the best.
std::map<std::string, Removed> published(const json& patches, const Index& index,
                                         Ecosystem ecosystem) {
  std::map<std::string, Removed> best;
  for (const auto& patch : patches) {
    if (patch.contains("introduced")) continue;
    std::set<uint32_t> added;
    for (const auto& update : patch.at("packageUpdates")) {
      std::set<uint32_t> before;
      const auto name = update.at("name").get<std::string>();
      for (const auto& hit :
           index.match(ecosystem, name, update.at("versionFrom").get<std::string>()))
        before.insert(hit.group);
      for (const auto& hit :
           index.match(ecosystem, name, update.at("versionTo").get<std::string>()))
        if (!before.contains(hit.group)) added.insert(hit.group);
    }
    if (!added.empty()) continue;
    Removed removed;
    std::string package;
    for (const auto& fixed : patch.at("fixed"))
      for (const auto& of : fixed.at("packages")) {
        package = of.at("name").get<std::string>() + " " + of.at("version").get<std::string>();
        removed.insert(fixed.at("id").get<std::string>() + " " + package);
      }
    if (removed.size() > best[package].size()) best[package] = removed;
  }
  return best;
}

std::string named(const Inventory& inventory, const Finding& finding) {
  const auto& package = inventory.sets[finding.set].packages[finding.package];
  return package.name + " " + package.version;
}

fs::path nearest(fs::path folder, const std::string& name) {
  while (!fs::exists(folder / name) && folder.has_relative_path()) folder = folder.parent_path();
  return folder / name;
}

void check(const fs::path& folder, Ecosystem ecosystem) {
  const auto bytes = index_of(nearest(folder, "vulnerabilities.json"));
  const auto index = Index::open(as_bytes(bytes));
  ASSERT_TRUE(index);
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_manifest(entry.path().filename().string()))
      files[entry.path().filename().string()] = text_of(entry.path());
  Releases releases;
  ASSERT_TRUE(releases.read(text_of(nearest(folder, "universe.yaml"))));
  auto inventory = take_inventory(MemoryTree(files));
  complete(inventory, releases);
  const auto findings = find(inventory, *index);
  ASSERT_TRUE(findings);
  const auto plan = plan_upgrades(inventory, *findings, *index, &releases);
  ASSERT_TRUE(plan);

  Removed removed;
  for (const auto& upgrade : plan->upgrades) {
    std::set<uint32_t> before;
    for (const auto& hit : index->match(ecosystem, upgrade.name, upgrade.from))
      before.insert(hit.group);
    for (const auto& hit : index->match(ecosystem, upgrade.name, upgrade.to))
      EXPECT_TRUE(before.contains(hit.group)) << upgrade.name << " " << upgrade.to;
    for (const auto i : upgrade.removes)
      removed.insert(findings->all[i].id + " " + named(inventory, findings->all[i]));
  }
  // Manifests without a lock file are written, and resolved and judged again.
  const auto written = rewrite(MemoryTree(files), inventory, *plan);
  for (const auto& [path, text] : written.files) files[path] = text;
  auto again = take_inventory(MemoryTree(files));
  complete(again, releases);
  const auto after = find(again, *index);
  ASSERT_TRUE(after);
  std::set<std::string> before;
  for (const auto& f : findings->all)
    before.insert(f.id + " " + inventory.sets[f.set].packages[f.package].name);
  for (const auto& f : after->all)
    EXPECT_TRUE(before.contains(f.id + " " + again.sets[f.set].packages[f.package].name)) << f.id;
  if (inventory.sets.at(0).lock.empty()) {
    EXPECT_LE(after->all.size(), findings->all.size() - removed.size());
  }

  const auto patches = json::parse(text_of(folder / "patches.json"));
  for (const auto& [package, wanted] : published(patches, *index, ecosystem)) {
    const auto ours = std::ranges::count_if(
        removed, [&](const std::string& one) { return one.ends_with(" " + package); });
    EXPECT_GE(static_cast<std::size_t>(ours), wanted.size()) << folder << " " << package;
  }
}

TEST(RemediationCorpus, NoGoldenCaseIsBetter) {
  const auto root = corpus("scanner");
  if (!root || !fs::exists(*root / "remediation"))
    GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS to its folder";
  int cases = 0;
  for (const auto& entry : fs::recursive_directory_iterator(*root / "remediation")) {
    if (entry.path().filename() != "patches.json") continue;
    const auto folder = entry.path().parent_path();
    SCOPED_TRACE(folder.string());
    check(folder, fs::exists(folder / "pom.xml")            ? Ecosystem::maven
                  : fs::exists(folder / "requirements.txt") ? Ecosystem::pypi
                                                            : Ecosystem::npm);
    ++cases;
  }
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace gitaiops::scanner
