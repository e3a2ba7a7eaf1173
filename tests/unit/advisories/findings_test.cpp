#include "engines/scanner/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/advisories/built.h"

namespace gitaiops::scanner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Package package(std::string name, std::string version) {
  Package out;
  out.name = std::move(name);
  out.version = std::move(version);
  return out;
}

const std::string kCritical =
    R"("severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],)";

// app → can (direct) → tin; dev-only: lid.
Inventory inventory() {
  PackageSet set;
  set.packages = {package("can", "1.0.0"), package("lid", "1.0.0"), package("tin", "1.0.0"),
                  package("unknown", "")};
  set.packages[0].direct = true;
  set.packages[0].depends_on = {2};
  set.packages[1].direct = true;
  set.packages[1].scope = Scope::development;
  Inventory out;
  out.sets.push_back(set);
  return out;
}

TEST(Findings, AliasesAreOneFinding) {
  const Built built(
      {record("PYSEC-1", "npm", "tin", ranges(R"({"introduced":"0"},{"fixed":"1.2.0"})"),
              R"("aliases":["CVE-1"],)"),
       record(
           "GHSA-1", "npm", "tin",
           ranges(
               R"({"introduced":"0"},{"fixed":"0.9.0"},{"introduced":"1.0.0"},{"fixed":"1.1.0"})"),
           R"("summary":"Tin cuts","aliases":["CVE-1"],)" + kCritical)});
  const auto found = find(inventory(), *built.index);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->without_version, 1u);
  ASSERT_EQ(found->all.size(), 1u);
  const auto& finding = found->all[0];
  EXPECT_EQ(finding.id, "GHSA-1");
  EXPECT_THAT(finding.aliases, ElementsAre("CVE-1", "PYSEC-1"));
  EXPECT_EQ(finding.summary, "Tin cuts");
  EXPECT_DOUBLE_EQ(finding.score, 9.8);
  EXPECT_THAT(finding.cvss, HasSubstr("CVSS:3.1/"));
  EXPECT_THAT(finding.fixed, ElementsAre("1.1.0", "1.2.0"));
  EXPECT_THAT(finding.path, ElementsAre(0, 2));
}

TEST(Findings, TheRiskiestComesFirstAndInformationalOnesLast) {
  const std::string all = ranges(R"({"introduced":"0"},{"fixed":"2.0.0"})");
  const Built built(
      {record("A", "npm", "lid", all, kCritical), record("B", "npm", "can", all, kCritical),
       record("C", "npm", "tin", all + R"(,"database_specific":{"informational":"unsound"})",
              kCritical)});
  const auto found = find(inventory(), *built.index);
  ASSERT_EQ(found->all.size(), 3u);
  EXPECT_EQ(found->all[0].id, "B");
  EXPECT_EQ(found->all[1].id, "A");
  EXPECT_EQ(found->all[2].id, "C");
  EXPECT_GT(found->all[0].risk.value, found->all[1].risk.value);
  EXPECT_THAT(found->all[1].risk.reasons, ::testing::Contains("only for development"));
  EXPECT_EQ(highest(*found), Severity::critical);
}

TEST(Findings, InformationalOnesAloneDoNotCount) {
  const Built built({record(
      "C", "npm", "tin",
      ranges(R"({"introduced":"0"})") + R"(,"database_specific":{"informational":"notice"})",
      kCritical)});
  EXPECT_EQ(highest(*find(inventory(), *built.index)), Severity::unknown);
}

TEST(Findings, IgnoresHoldUntilTheirDay) {
  const Built built({record("GHSA-1", "npm", "tin", ranges(R"({"introduced":"0"})"),
                            R"("aliases":["CVE-1"],)" + kCritical)});
  const std::vector<Ignore> ignores = {{"cve-1", "tin", "not reached", "2026-10-04"},
                                       {"CVE-1", "can", "another package", ""},
                                       {"CVE-7", "", "gone", ""}};
  auto found = *find(inventory(), *built.index);
  auto report = apply_ignores(found, inventory(), ignores, "2026-10-04");
  EXPECT_EQ(found.all[0].ignored, "not reached");
  EXPECT_EQ(highest(found), Severity::unknown);
  EXPECT_TRUE(report.expired.empty());
  ASSERT_EQ(report.unused.size(), 2u);

  found = *find(inventory(), *built.index);
  report = apply_ignores(found, inventory(), ignores, "2026-10-05");
  EXPECT_EQ(found.all[0].ignored, "");
  EXPECT_EQ(highest(found), Severity::critical);
  ASSERT_EQ(report.expired.size(), 1u);
}

TEST(RiskScore, ReasonsAndOrder) {
  RiskFactors base;
  base.score = 9.8;
  base.fix_known = true;
  const auto plain = risk_of(base);
  auto exploited = base;
  exploited.known_exploited = true;
  auto likely = base;
  likely.epss = 0.5;
  auto deep = base;
  deep.depth = 4;
  auto unused = base;
  unused.reach = Reach::not_found;
  EXPECT_LT(risk_of(unused).value, plain.value);
  auto unfixed = base;
  unfixed.fix_known = false;
  EXPECT_DOUBLE_EQ(risk_of(exploited).value, 98.0);
  EXPECT_GT(risk_of(likely).value, plain.value);
  EXPECT_LT(risk_of(deep).value, plain.value);
  EXPECT_LT(risk_of(unfixed).value, plain.value);
  EXPECT_THAT(risk_of(exploited).reasons, ElementsAre("CVSS 9.8", "known to be exploited"));
  EXPECT_THAT(risk_of(deep).reasons, ElementsAre("CVSS 9.8", "3 steps below a direct dependency"));
}

TEST(Findings, FunctionsThatTheCodeDoesNotNameWeighLess) {
  const Built built({record(
      "GO-1", "Go", "a.b/yaml",
      R"("ecosystem_specific":{"imports":[{"path":"a.b/yaml","symbols":["Decoder.Decode","hidden"]}]},)" +
          ranges(R"({"introduced":"0"},{"fixed":"1.2.0"})", "SEMVER"))});
  PackageSet set;
  set.ecosystem = Ecosystem::go;
  set.packages = {package("a.b/yaml", "1.0.0")};
  set.packages[0].ecosystem = Ecosystem::go;
  set.packages[0].direct = true;
  Inventory inventory;
  inventory.sets.push_back(set);
  const auto found_with = [&](const std::string& call) {
    Imports imports;
    imports.add("a.go", "package a\nimport \"a.b/yaml\"\nfunc f() { " + call + " }\n");
    auto found = find(inventory, *built.index, &imports);
    EXPECT_TRUE(found && found->all.size() == 1);
    return found->all.at(0);
  };
  const auto named = found_with("d.Decode(x)"), other = found_with("yaml.Encode(x)");
  EXPECT_THAT(named.risk.reasons,
              ::testing::Contains("a.b/yaml.Decode is named in the project's own code"));
  EXPECT_EQ(other.symbols.use, SymbolUse::not_named);
  EXPECT_LT(other.risk.value, named.risk.value);
  const auto told = built.index->advisory(0);
  ASSERT_TRUE(told);
  ASSERT_EQ(told->symbols.size(), 1u);
  EXPECT_THAT(told->symbols[0][0].names, ElementsAre("Decode"));
}

TEST(Findings, RustSecsFunctionsAreRead) {
  const Built built({record(
      "RUSTSEC-1", "crates.io", "small-vec",
      R"("ecosystem_specific":{"affects":{"functions":["small_vec::V::drain","small_vec::f"]}},)" +
          ranges(R"({"introduced":"0"})", "SEMVER"))});
  const auto told = built.index->advisory(0);
  ASSERT_TRUE(told);
  ASSERT_EQ(told->symbols.at(0).size(), 1u);
  EXPECT_EQ(told->symbols[0][0].path, "small_vec");
  EXPECT_THAT(told->symbols[0][0].names, ElementsAre("drain", "f"));
}

}  // namespace
}  // namespace gitaiops::scanner
