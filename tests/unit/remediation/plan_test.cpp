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

// "tin 1.0.0 -> 1.2.0 removes A B".
std::vector<std::string> told(const Plan& plan, const Findings& findings) {
  std::vector<std::string> out;
  for (const auto& upgrade : plan.upgrades) {
    std::string line = upgrade.name + " " + upgrade.from + " -> " + upgrade.to + " removes";
    for (const auto i : upgrade.removes) line += " " + findings.all[i].id;
    out.push_back(line + (upgrade.breaking ? ", breaking" : ""));
  }
  return out;
}
std::vector<std::string> stays(const Plan& plan, const Findings& findings) {
  std::vector<std::string> out;
  for (const auto& [finding, why] : plan.stays)
    out.push_back(findings.all[finding].id + ": " + why);
  return out;
}

struct Planned {
  Inventory inventory;
  Findings findings;
  Plan plan;
};

Planned planned(std::map<std::string, std::string> files, const Built& built) {
  Planned out;
  out.inventory = take_inventory(MemoryTree(std::move(files)));
  auto findings = find(out.inventory, *built.index);
  EXPECT_TRUE(findings);
  out.findings = std::move(*findings);
  auto plan = plan_upgrades(out.inventory, out.findings, *built.index);
  EXPECT_TRUE(plan);
  out.plan = std::move(*plan);
  return out;
}

// can (direct) asks for tin, in that range.
std::map<std::string, std::string> npm_tree(const std::string& range) {
  return {{"package.json", R"({"dependencies": {"can": "^1.0.0"}})"},
          {"package-lock.json",
           R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "^1.0.0"}},
               "node_modules/can": {"version": "1.0.0", "dependencies": {"tin": ")" +
               range + R"("}}, "node_modules/tin": {"version": "1.0.0"}}})"}};
}

std::string fixed_in(const std::string& id, const std::string& name, const std::string& version) {
  return record(id, "npm", name, ranges(R"({"introduced":"0"},{"fixed":")" + version + R"("})"));
}

TEST(Plan, TakesTheSmallestVersionThatRemovesMost) {
  const Built built({fixed_in("A", "tin", "1.2.0"), fixed_in("B", "tin", "1.3.0"),
                     fixed_in("C", "tin", "1.3.1")});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("tin 1.0.0 -> 1.3.1 removes A B C"));
  EXPECT_THAT(got.plan.stays, IsEmpty());
  EXPECT_EQ(command_for(got.inventory.sets[0], got.plan.upgrades[0]), "npm update tin");
}

TEST(Plan, StaysInItsLineWhereOneIsFixed) {
  const Built built({fixed_in("A", "can", "1.2.0"), fixed_in("B", "can", "2.0.0")});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("can 1.0.0 -> 1.2.0 removes A"));
  EXPECT_THAT(stays(got.plan, got.findings),
              ElementsAre("B: fixed in 2.0.0, another major version"));
  EXPECT_EQ(got.plan.upgrades[0].range, "^1.0.0");
  EXPECT_EQ(got.plan.upgrades[0].new_range, "^1.2.0");
  EXPECT_EQ(got.plan.upgrades[0].file, "package.json");
}

TEST(Plan, LeavesItsLineOnlyWhereNothingElseHelps) {
  const Built built({fixed_in("A", "can", "2.0.0"), fixed_in("B", "can", "3.0.0")});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(told(got.plan, got.findings),
              ElementsAre("can 1.0.0 -> 3.0.0 removes A B, breaking"));
}

TEST(Plan, VersionsBelowOneAreOneLineForGo) {
  const Built built(
      {record("A", "Go", "a.b/tin", ranges(R"({"introduced":"0"},{"fixed":"0.23.0"})"))});
  std::map<std::string, std::string> files;
  files["go.mod"] = "module m\ngo 1.22\nrequire a.b/tin v0.17.0\n";
  const auto got = planned(files, built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("a.b/tin 0.17.0 -> 0.23.0 removes A"));
}

TEST(Plan, SaysWhoIsInTheWay) {
  const Built built({fixed_in("A", "tin", "2.0.0")});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(got.plan.upgrades, IsEmpty());
  EXPECT_THAT(stays(got.plan, got.findings),
              ElementsAre("A: fixed in 2.0.0; can 1.0.0 asks for ^1.0.0"));
}

TEST(Plan, DoesNotLeaveTheLineOnRangesThatAreNotKnown) {
  const Built built({fixed_in("A", "tin", "2.0.0"), fixed_in("B", "tin", "1.1.0")});
  const auto got = planned(npm_tree("latest"), built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("tin 1.0.0 -> 1.1.0 removes B"));
  EXPECT_TRUE(got.plan.upgrades[0].ranges_unknown);
  EXPECT_THAT(stays(got.plan, got.findings), ElementsAre(HasSubstr("does not say which ranges")));
}

TEST(Plan, AddsNoFinding) {
  const Built built({fixed_in("A", "can", "1.2.0"),
                     record("NEW", "npm", "can", ranges(R"({"introduced":"1.1.0"})"))});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(got.plan.upgrades, IsEmpty());
  EXPECT_THAT(stays(got.plan, got.findings), ElementsAre("A: fixed in 1.2.0, which has NEW"));
}

TEST(Plan, SaysWhatTheChosenVersionKeeps) {
  const Built built(
      {fixed_in("A", "can", "1.3.0"),
       record("B", "npm", "can",
              ranges(R"({"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"1.3.0"})"))});
  const auto got = planned(npm_tree("^1.0.0"), built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("can 1.0.0 -> 1.2.0 removes B"));
  EXPECT_THAT(stays(got.plan, got.findings), ElementsAre("A: fixed in 1.3.0, which keeps B"));
}

TEST(Plan, WhatIsIgnoredAsksForNothing) {
  const Built built({fixed_in("A", "can", "1.2.0")});
  auto inventory = take_inventory(MemoryTree(npm_tree("^1.0.0")));
  auto findings = find(inventory, *built.index);
  ASSERT_TRUE(findings);
  apply_ignores(*findings, inventory, {{.id = "A", .package = {}, .reason = "r", .until = {}}},
                "2026-01-01");
  const auto plan = plan_upgrades(inventory, *findings, *built.index);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->upgrades, IsEmpty());
  EXPECT_THAT(plan->stays, IsEmpty());
}

TEST(Plan, VersionsThatWereDatesGoOnWithNumbers) {
  const Built built(
      {record("A", "Maven", "org.ring:part",
              ranges(R"({"introduced":"0"},{"fixed":"1.9.4"},{"introduced":"20020520"})"))});
  const auto got = planned(
      {{"pom.xml",
        "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><dependencies>"
        "<dependency><groupId>org.ring</groupId><artifactId>part</artifactId><version>20020520"
        "</version></dependency></dependencies></project>"}},
      built);
  EXPECT_THAT(told(got.plan, got.findings),
              ElementsAre("org.ring:part 20020520 -> 1.9.4 removes A, breaking"));
}

TEST(Plan, OneVersionAtTwoPlacesIsOneUpgrade) {
  const Built built({fixed_in("A", "tin", "1.2.0")});
  const auto got = planned(
      {{"package-lock.json",
        R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "1", "lid": "1"}},
            "node_modules/can": {"version": "1.0.0", "dependencies": {"tin": "^1"}},
            "node_modules/lid": {"version": "1.0.0", "dependencies": {"tin": "^1"}},
            "node_modules/can/node_modules/tin": {"version": "1.0.0"},
            "node_modules/lid/node_modules/tin": {"version": "1.0.0"}}})"}},
      built);
  EXPECT_THAT(told(got.plan, got.findings), ElementsAre("tin 1.0.0 -> 1.2.0 removes A"));
}

TEST(Command, IsNotMadeOfWhatAShellWouldRun) {
  PackageSet set;
  set.manager = "npm";
  Upgrade upgrade;
  upgrade.name = "x; rm -r ~";
  upgrade.from = "1";
  upgrade.to = "2";
  EXPECT_EQ(command_for(set, upgrade), "");
  upgrade.name = "@ring/part";
  EXPECT_EQ(command_for(set, upgrade), "npm update @ring/part");
}

TEST(Command, IsOneForAllWhereThePackageManagerTakesMany) {
  Upgrade a, b;
  a.name = "can", a.from = "1.0", a.to = "1.2";
  b.name = "tin", b.from = "2.0", b.to = "2.1";
  PackageSet set;
  const auto commands = [&](const std::string& manager) {
    set.manager = manager;
    return commands_for(set, {&a, &b});
  };
  EXPECT_THAT(commands("npm"), ElementsAre("npm update can tin"));
  EXPECT_THAT(commands("uv"),
              ElementsAre("uv lock --upgrade-package can==1.2 --upgrade-package tin==2.1"));
  EXPECT_THAT(commands("go"), ElementsAre("go get can@v1.2 tin@v2.1"));
  EXPECT_THAT(commands("cargo"), ElementsAre("cargo update --precise 1.2 can@1.0",
                                             "cargo update --precise 2.1 tin@2.0"));
  EXPECT_THAT(commands("maven"), IsEmpty());
}

}  // namespace
}  // namespace gitaiops::scanner
