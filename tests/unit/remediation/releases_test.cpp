#include "engines/scanner/remediation/releases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/scanner/remediation/remediation.h"
#include "tests/unit/advisories/built.h"
#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Releases releases() {
  Releases out;
  EXPECT_TRUE(out.read(R"(system: PyPI
schema: |
  # what the mirror has
  can
    1.0.0
      tin@==1.0.0
    2.0.0
      tin@>=2
      Dev|test@*
  lid
    1.0.0
      tin@<2
    1.1.0
      tin@
  Tin
    2.0.0
    1.0.0
)"));
  return out;
}

MemoryTree tree_of(const std::string& path, const std::string& text) {
  std::map<std::string, std::string> files;
  files[path] = text;
  return MemoryTree(std::move(files));
}

std::vector<std::string> told(const std::optional<std::vector<Resolved>>& all) {
  std::vector<std::string> out;
  if (!all) return {"none"};
  for (const auto& one : *all) out.push_back(one.name + " " + one.release->version);
  return out;
}

TEST(Releases, AreOrderedByVersionAndFoundByAnyName) {
  const auto known = releases();
  const auto* tin = known.of(Ecosystem::pypi, "TIN");
  ASSERT_NE(tin, nullptr);
  EXPECT_EQ(tin->at(0).version, "1.0.0");
  EXPECT_EQ(known.of(Ecosystem::npm, "tin"), nullptr);
  EXPECT_EQ(known.of(Ecosystem::pypi, "test"), nullptr);
}

TEST(Releases, AreRefusedWithTheLine) {
  Releases out;
  EXPECT_THAT(out.read("system: nothing\nschema: x\n").error().to_string(), HasSubstr("system"));
  EXPECT_THAT(out.read("system: npm\n").error().to_string(), HasSubstr("schema"));
  EXPECT_THAT(out.read("system: npm\nschema: |\n  a\n    1.0\n      b@1\n        c@1\n")
                  .error()
                  .to_string(),
              HasSubstr("line 6"));
}

TEST(Resolve, TakesTheNewestThatSuitsAll) {
  const auto known = releases();
  EXPECT_THAT(told(resolve(known, Ecosystem::pypi, {{"can", ""}, {"lid", ""}})),
              ElementsAre("can 2.0.0", "lid 1.1.0", "tin 2.0.0"));
  // can 2.0.0 does not go with lid 1.0.0: the older one is tried.
  EXPECT_THAT(told(resolve(known, Ecosystem::pypi, {{"lid", "==1.0.0"}, {"can", ""}})),
              ElementsAre("can 1.0.0", "lid 1.0.0", "tin 1.0.0"));
  EXPECT_THAT(told(resolve(known, Ecosystem::pypi, {{"lid", "==1.0.0"}, {"can", "==2.0.0"}})),
              ElementsAre("none"));
  EXPECT_THAT(told(resolve(known, Ecosystem::pypi, {{"unknown", ">=1"}})), IsEmpty());
}

TEST(Resolve, EndsOnWhatHasNoSolution) {
  std::string text = "system: PyPI\nschema: |\n";
  for (int i = 0; i < 40; ++i) {
    const auto name = "  p" + std::to_string(i) + "\n";
    text += name;
    for (int v = 1; v < 10; ++v)
      text += "    " + std::to_string(v) + "\n      end@==" + std::to_string(v % 2) + "\n";
  }
  text += "  end\n    5\n";
  Releases known;
  ASSERT_TRUE(known.read(text));
  std::vector<Need> roots;
  for (int i = 0; i < 40; ++i) roots.push_back({"p" + std::to_string(i), ""});
  EXPECT_EQ(told(resolve(known, Ecosystem::pypi, roots)), std::vector<std::string>{"none"});
}

TEST(Complete, ManifestsWithoutALockFileAreResolved) {
  auto inventory = take_inventory(tree_of("requirements.txt", "lid==1.0.0\ncan\n"));
  complete(inventory, releases());
  const auto& packages = inventory.sets.at(0).packages;
  ASSERT_EQ(packages.size(), 3u);
  EXPECT_EQ(packages[0].version, "1.0.0");
  EXPECT_EQ(packages[2].name, "tin");
  EXPECT_FALSE(packages[2].direct);
  EXPECT_THAT(packages[0].depends_on, ElementsAre(2));
  EXPECT_THAT(packages[0].depends_ranges, ElementsAre("==1.0.0"));
}

TEST(Plan, TwoThatHoldOnePackageAreRaisedTogether) {
  Releases known;
  ASSERT_TRUE(known.read(R"(system: PyPI
schema: |
  can
    1.0.0
      tin@==1.0.0
    2.0.0
      tin@==2.0.0
  lid
    1.0.0
      tin@==1.0.0
    1.1.0
      tin@==2.0.0
  tin
    1.0.0
    2.0.0
)"));
  const Built built(
      {record("A", "PyPI", "tin", ranges(R"({"introduced":"0"},{"fixed":"2.0.0"})"))});
  const auto tree = tree_of("requirements.txt", "can==1.0.0\nlid~=1.0.0\n");
  auto inventory = take_inventory(tree);
  complete(inventory, known);
  const auto findings = find(inventory, *built.index);
  ASSERT_TRUE(findings);
  ASSERT_EQ(findings->all.size(), 1u);
  const auto plan = plan_upgrades(inventory, *findings, *built.index, &known);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->stays, IsEmpty());
  const auto got = rewrite(tree, inventory, *plan);
  EXPECT_EQ(got.files.at("requirements.txt"), "can==2.0.0\nlid~=1.1.0\n");
}

TEST(Plan, AVersionThatWasNeverPublishedIsNotTaken) {
  Releases known;
  ASSERT_TRUE(known.read("system: npm\nschema: |\n  can\n    1.0.0\n    1.2.1\n"));
  const Built built({record("A", "npm", "can", ranges(R"({"introduced":"0"},{"fixed":"1.2.0"})"))});
  auto inventory = take_inventory(tree_of("package.json", R"({"dependencies":{"can":"1.0.0"}})"));
  const auto findings = find(inventory, *built.index);
  ASSERT_TRUE(findings);
  const auto plan = plan_upgrades(inventory, *findings, *built.index, &known);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->upgrades.size(), 1u);
  EXPECT_EQ(plan->upgrades[0].to, "1.2.1");
}

}  // namespace
}  // namespace gitaiops::scanner
