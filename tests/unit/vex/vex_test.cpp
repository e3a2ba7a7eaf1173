#include "engines/scanner/vex/vex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::scanner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Inventory shop() {
  PackageSet set;
  set.root = "shop";
  set.root_version = "1.0.0";
  for (const std::string name : {"@ring/part", "tin"}) {
    Package package;
    package.name = name;
    package.version = "1.2.0";
    set.packages.push_back(package);
  }
  Inventory out;
  out.sets.push_back(std::move(set));
  return out;
}

// CVE-1 (GHSA-1) in @ring/part and CVE-1 in tin.
Findings found() {
  Findings out;
  for (uint32_t i = 0; i < 2; ++i) {
    Finding finding;
    finding.package = i;
    finding.id = "GHSA-1";
    finding.aliases = {"CVE-1"};
    out.all.push_back(finding);
  }
  return out;
}

// What is set aside of the two, and how many statements met nothing.
struct Applied {
  std::vector<std::string> aside;
  std::size_t unmet = 0;
};
Applied applied(const std::string& text) {
  const auto vex = read_vex(text);
  EXPECT_TRUE(vex) << (vex ? "" : vex.error().to_string());
  auto findings = found();
  Applied out;
  out.unmet = apply_vex(findings, shop(), vex->statements, "v.json");
  for (const auto& finding : findings.all) out.aside.push_back(finding.ignored);
  return out;
}

std::string openvex(const std::string& statements) {
  return R"({"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z",
             "statements": [)" +
         statements + "]}";
}

TEST(OpenVex, SetsAsideWhatIsNotAffectedInThatPackage) {
  const auto got = applied(openvex(
      R"({"vulnerability": {"name": "CVE-1"}, "products": [{"@id": "pkg:npm/%40ring/part@1.2.0"}],
          "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
          "impact_statement": "no caller"})"));
  EXPECT_THAT(
      got.aside,
      ElementsAre("not affected (v.json): vulnerable_code_not_in_execute_path: no caller", ""));
  EXPECT_EQ(got.unmet, 0u);
}

TEST(OpenVex, SubcomponentsAreThePackagesOfAProduct) {
  const auto got = applied(openvex(
      R"({"vulnerability": {"name": "X", "aliases": ["GHSA-1"]}, "status": "fixed", "products": [
          {"@id": "pkg:oci/shop", "subcomponents": [{"identifiers": {"purl": "pkg:npm/tin"}}]}]})"));
  EXPECT_THAT(got.aside, ElementsAre("", "fixed (v.json)"));
}

TEST(OpenVex, TheProjectsOwnNameMeansAllOfIt) {
  const auto got = applied(openvex(
      R"({"vulnerability": "CVE-1", "products": ["pkg:npm/shop@1.0.0"], "status": "not_affected",
          "impact_statement": "behind a wall"})"));
  EXPECT_THAT(got.aside, ElementsAre("not affected (v.json): behind a wall",
                                     "not affected (v.json): behind a wall"));
}

TEST(OpenVex, OtherVersionsAndProductsMeetNothing) {
  const auto got = applied(openvex(
      R"({"vulnerability": "CVE-1", "products": ["pkg:npm/tin@1.3.0"], "status": "fixed"},
         {"vulnerability": "CVE-1", "products": ["pkg:npm/shop@2.0.0"], "status": "fixed"},
         {"vulnerability": "CVE-1", "products": ["pkg:pypi/tin"], "status": "fixed"},
         {"vulnerability": "CVE-2", "products": ["pkg:npm/tin"], "status": "fixed"})"));
  EXPECT_THAT(got.aside, ElementsAre("", ""));
  EXPECT_EQ(got.unmet, 4u);
}

TEST(OpenVex, TheNewestStatementDecides) {
  const std::string old =
      R"({"vulnerability": "CVE-1", "products": ["pkg:npm/tin"], "status": "fixed",
          "timestamp": "2026-01-02T00:00:00Z"})";
  const std::string later =
      R"({"vulnerability": "CVE-1", "products": ["pkg:npm/tin"], "status": "affected",
          "timestamp": "2026-01-03T00:00:00Z"})";
  EXPECT_THAT(applied(openvex(old)).aside, ElementsAre("", "fixed (v.json)"));
  EXPECT_THAT(applied(openvex(later + "," + old)).aside, ElementsAre("", ""));
}

TEST(OpenVex, AStatementWithoutAReasonIsRefused) {
  const auto vex =
      read_vex(openvex("\n"
                       R"({"vulnerability": "CVE-1", "products": ["pkg:npm/tin"],
          "status": "not_affected"}, {"vulnerability": "CVE-1", "status": "fixed"},
          {"products": ["pkg:npm/tin"], "status": "fixed"},
          {"vulnerability": "CVE-1", "products": ["pkg:npm/tin"], "status": "fine"})"));
  ASSERT_TRUE(vex);
  EXPECT_TRUE(vex->statements.empty());
  ASSERT_EQ(vex->refused.size(), 4u);
  EXPECT_EQ(vex->refused[0].line, 3u);
  EXPECT_THAT(vex->refused[0].reason, HasSubstr("needs a justification"));
  EXPECT_EQ(vex->refused[1].reason, "it names no product");
  EXPECT_EQ(vex->refused[2].reason, "it names no vulnerability");
}

TEST(CycloneDxVex, AnalysesSetAside) {
  const auto got = applied(
      R"({"bomFormat": "CycloneDX", "specVersion": "1.5",
          "metadata": {"component": {"bom-ref": "root"}},
          "components": [{"bom-ref": "c1", "purl": "pkg:npm/tin@1.2.0"}],
          "vulnerabilities": [{"id": "CVE-1", "affects": [{"ref": "urn:cdx:a-b/1#c1"}],
            "analysis": {"state": "not_affected", "justification": "code_not_reachable",
                         "detail": "never called"}},
           {"id": "CVE-1", "affects": [{"ref": "pkg:npm/%40ring/part@1.2.0#package-lock.json:0"}],
            "analysis": {"state": "resolved"}},
           {"id": "CVE-1", "affects": [{"ref": "c1"}]}]})");
  EXPECT_THAT(got.aside, ElementsAre("fixed (v.json): resolved",
                                     "not affected (v.json): code_not_reachable: never called"));
  EXPECT_EQ(got.unmet, 0u);
}

TEST(CycloneDxVex, TheRootAndNoPlaceMeanAll) {
  for (const std::string affects : {R"("affects": [{"ref": "root"}],)", ""})
    EXPECT_THAT(
        applied(R"({"bomFormat": "CycloneDX", "metadata": {"component": {"bom-ref": "root"}},
                            "vulnerabilities": [{"id": "X", "references": [{"id": "CVE-1"}], )" +
                affects + R"("analysis": {"state": "false_positive"}}]})")
            .aside,
        ElementsAre("not affected (v.json): false_positive",
                    "not affected (v.json): false_positive"));
}

TEST(Vex, OtherTextIsRefusedWithItsPlace) {
  EXPECT_THAT(read_vex("{\n\"a\": ]").error().to_string(), HasSubstr("line 2"));
  EXPECT_THAT(read_vex("{}").error().to_string(), HasSubstr("neither OpenVEX"));
  EXPECT_FALSE(read_vex("").ok());
  EXPECT_FALSE(read_vex("[1]").ok());
}

}  // namespace
}  // namespace gitaiops::scanner
