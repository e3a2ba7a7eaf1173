// What does not count, and why: ignores with a reason and a last day, and VEX documents.
#include <gmock/gmock.h>

#include "controller/dependencies/dependencies.h"

namespace gitaiops::dependencies {
namespace {

using ::testing::ElementsAre;

constexpr UnixMicros kNow{1'700'000'000'000'000};  // 2023-11-14

store::Found found(std::string package, std::string advisory, std::string version = "1.0.0") {
  store::Found f;
  f.ecosystem = "PyPI";
  f.package = std::move(package);
  f.version = std::move(version);
  f.advisory = std::move(advisory);
  f.aliases = {"CVE-" + f.advisory};
  return f;
}

Accepted::Ignore ignore(std::string id, std::string package = "", std::string until = "",
                        std::string project = "grp/*") {
  return {{{"main", std::move(project)}}, {std::move(id), std::move(package), "seen", until}};
}

TEST(Accepted, NothingIsUnlessSaid) {
  EXPECT_THAT(Accepted().reasons("main", "grp/a", {found("jinja2", "X-1")}, kNow), ElementsAre(""));
}

TEST(Accepted, ByAnyNameInThePackageItNames) {
  const Accepted accepted({ignore("CVE-X-1", "Jinja2"), ignore("X-2")}, {});
  EXPECT_THAT(accepted.reasons("main", "grp/a",
                               {found("jinja2", "X-1"), found("flask", "X-1"),
                                found("flask", "X-2"), found("flask", "X-3")},
                               kNow),
              ElementsAre("seen", "", "seen", ""));
}

TEST(Accepted, OnlyInItsProjects) {
  const Accepted accepted({ignore("X-1", "", "", "grp/a")}, {});
  EXPECT_THAT(accepted.reasons("main", "grp/a", {found("flask", "X-1")}, kNow),
              ElementsAre("seen"));
  EXPECT_THAT(accepted.reasons("main", "grp/b", {found("flask", "X-1")}, kNow), ElementsAre(""));
  EXPECT_THAT(accepted.reasons("other", "grp/a", {found("flask", "X-1")}, kNow), ElementsAre(""));
}

TEST(Accepted, UntilTheLastDay) {
  const Accepted accepted({ignore("X-1", "", "2023-11-14"), ignore("X-2", "", "2023-11-13")}, {});
  EXPECT_THAT(
      accepted.reasons("main", "grp/a", {found("flask", "X-1"), found("flask", "X-2")}, kNow),
      ElementsAre("seen", ""));
}

TEST(Accepted, WhatAProjectSaysCountsThereAndOutlivesTheConfiguration) {
  Accepted accepted;
  accepted.set_own("main", 1, "grp/a", {{"X-1", "", "known", ""}});
  Accepted fresh({ignore("X-2")}, {});
  fresh.keep_own_of(accepted);
  const std::vector<store::Found> all = {found("flask", "X-1"), found("flask", "X-2")};
  EXPECT_THAT(fresh.reasons("main", "grp/a", all, kNow), ElementsAre("known", "seen"));
  EXPECT_THAT(fresh.reasons("main", "grp/b", all, kNow), ElementsAre("", "seen"));
  fresh.set_own("main", 1, "grp/c", {{"X-1", "", "known", ""}});
  EXPECT_THAT(fresh.reasons("main", "grp/a", all, kNow), ElementsAre("", "seen")) << "it moved";
  EXPECT_THAT(fresh.reasons("main", "grp/c", all, kNow), ElementsAre("known", "seen"));
  fresh.set_own("main", 2, "grp/c", {});
  EXPECT_THAT(fresh.reasons("main", "grp/c", all, kNow), ElementsAre("", "seen"))
      << "another project has its path now";
}

TEST(Accepted, WhatAVexDocumentSays) {
  const auto vex = scanner::read_vex(R"({
    "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/1", "author": "us",
    "timestamp": "2023-01-01T00:00:00Z", "version": 1, "statements": [
      {"vulnerability": {"name": "CVE-X-1"}, "products": [{"@id": "pkg:pypi/flask@1.0.0"}],
       "status": "not_affected", "justification": "vulnerable_code_not_present"}]})");
  ASSERT_TRUE(vex.ok()) << vex.error().to_string();
  ASSERT_EQ(vex->statements.size(), 1u);
  const Accepted accepted({}, {{{{"*", "grp/a"}}, "us.vex.json", vex->statements}});
  const std::vector<store::Found> all = {found("flask", "X-1"), found("flask", "X-1", "2.0.0"),
                                         found("flask", "X-2")};
  const auto reasons = accepted.reasons("main", "grp/a", all, kNow);
  EXPECT_NE(reasons[0].find("vulnerable_code_not_present"), std::string::npos) << reasons[0];
  EXPECT_EQ(reasons[1], "") << "another version";
  EXPECT_EQ(reasons[2], "") << "another vulnerability";
  EXPECT_THAT(accepted.reasons("main", "grp/b", all, kNow), ElementsAre("", "", ""));
}

TEST(Stored, AnInventoryAsTheScannersOwn) {
  fleet::v1::Inventory message;
  auto& set = *message.add_sets();
  set.set_ecosystem("npm");
  set.set_lock("package-lock.json");
  auto& a = *set.add_packages();
  a.set_name("a");
  a.set_version("1");
  a.set_direct(true);
  a.set_scope(fleet::v1::Package::SCOPE_DEVELOPMENT);
  a.add_depends_on(1);
  a.add_depends_on(2);
  auto& b = *set.add_packages();
  b.set_name("b");
  b.set_version("2");
  b.set_file("other.json");
  message.add_sets()->set_ecosystem("COBOL");
  const auto inventory = inventory_of(message);
  ASSERT_EQ(inventory.sets.size(), 1u) << "an ecosystem that is not ours";
  const auto& packages = inventory.sets[0].packages;
  EXPECT_EQ(packages[0].scope, scanner::Scope::development);
  EXPECT_THAT(packages[0].depends_on, ElementsAre(1)) << "a position beyond the set";
  EXPECT_EQ(packages[0].file, "package-lock.json");
  EXPECT_EQ(packages[1].file, "other.json");

  auto in_b = found("b", "X-1", "2"), gone = found("c", "X-1");
  in_b.ecosystem = gone.ecosystem = "npm";
  const auto findings = findings_of(inventory, {gone, in_b}, {"", "seen"});
  ASSERT_EQ(findings.all.size(), 1u);
  EXPECT_EQ(findings.all[0].package, 1u);
  EXPECT_THAT(findings.all[0].path, ElementsAre(0, 1));
  EXPECT_EQ(findings.all[0].ignored, "seen");
}

}  // namespace
}  // namespace gitaiops::dependencies
