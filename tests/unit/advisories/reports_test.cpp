#include "engines/scanner/reports/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gitaiops::scanner {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Inventory inventory() {
  PackageSet set;
  set.lock = "web app/package-lock.json";
  Package can, tin;
  can.name = "can";
  can.version = "1.0.0";
  can.direct = true;
  can.depends_on = {1};
  tin.name = "tin";
  tin.version = "2.0.0";
  tin.file = set.lock;
  tin.line = 7;
  set.packages = {can, tin};
  Inventory out;
  out.sets.push_back(set);
  return out;
}

Findings findings() {
  Finding tin;
  tin.package = 1;
  tin.id = "GHSA-aaaa";
  tin.aliases = {"CVE-2026-1", "PYSEC-1"};
  tin.summary = "Tin\ncuts \x1b[31mfingers";
  tin.score = 9.8;
  tin.level = Severity::critical;
  tin.fixed = {"2.0.1"};
  tin.path = {0, 1};
  tin.risk = {60.6, {"CVSS 9.8", "known to be exploited"}};
  Finding can;
  can.id = "RUSTSEC-1";
  can.informational = Informational::unmaintained;
  can.risk = {10, {"severity unknown, no CVSS vector"}};
  Findings out;
  out.all = {tin, can};
  out.without_version = 2;
  return out;
}

TEST(FindingsText, SaysWhatWhereAndWhatToDo) {
  const auto text = findings_text(inventory(), findings(), false);
  EXPECT_THAT(text, HasSubstr("web app/package-lock.json\n"));
  EXPECT_THAT(text, HasSubstr("critical 9.8 tin 2.0.0 (fixed in 2.0.1)  GHSA-aaaa CVE-2026-1"));
  EXPECT_THAT(text, HasSubstr("through can > tin"));
  EXPECT_THAT(text, HasSubstr("risk 61: CVSS 9.8; known to be exploited"));
  EXPECT_THAT(text, HasSubstr("unmaintained can 1.0.0"));
  EXPECT_THAT(text, HasSubstr("1 critical, 1 informational; 2 packages have no exact version"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(findings_text(inventory(), findings(), true), HasSubstr("\x1b[1;31mcritical 9.8"));
  EXPECT_EQ(findings_text(inventory(), {}, true), "No known vulnerabilities\n");
}

TEST(FindingsJson, HasEverythingThatIsKnown) {
  const auto json = Json::parse(findings_json(inventory(), findings()));
  EXPECT_EQ(json["schema"], "gitaiops.findings/1");
  const auto& tin = json["findings"][0];
  EXPECT_EQ(tin["package"]["name"], "tin");
  EXPECT_EQ(tin["path"], Json({"can@1.0.0", "tin@2.0.0"}));
  EXPECT_EQ(tin["line"], 7);
  EXPECT_EQ(tin["score"], 9.8);
  EXPECT_EQ(json["findings"][1]["score"], nullptr);
  EXPECT_EQ(json["findings"][1]["informational"], "unmaintained");
}

TEST(Sarif, OneRuleAnAdvisoryAndIgnoredOnesSuppressed) {
  auto all = findings();
  all.all.push_back(all.all[0]);
  all.all[2].package = 0;
  all.all[2].ignored = "not reached";
  const auto run = Json::parse(to_sarif(inventory(), all, "1.2"))["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 2u);
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["properties"]["security-severity"], "9.8");
  ASSERT_EQ(run["results"].size(), 3u);
  EXPECT_EQ(run["results"][0]["level"], "error");
  EXPECT_EQ(run["results"][1]["level"], "note");
  const auto place = run["results"][0]["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "web%20app/package-lock.json");
  EXPECT_EQ(place["region"]["startLine"], 7);
  EXPECT_EQ(run["results"][2]["suppressions"][0]["justification"], "not reached");
  EXPECT_NE(run["results"][0]["partialFingerprints"], run["results"][2]["partialFingerprints"]);
}

TEST(GitLabReport, HasWhatTheSchemaRequires) {
  auto all = findings();
  all.all[0].summary = std::string(400, 'x');
  const ReportTimes times{"2026-10-04T12:00:00", "2026-10-04T12:00:01"};
  const auto report = Json::parse(to_gitlab_report(inventory(), all, "1.2", times));
  EXPECT_THAT(report["version"].get<std::string>(), ::testing::StartsWith("15.2."));
  EXPECT_EQ(report["scan"]["type"], "dependency_scanning");
  EXPECT_EQ(report["scan"]["start_time"], "2026-10-04T12:00:00");
  EXPECT_EQ(report["scan"]["analyzer"]["vendor"]["name"], "GitAIOps");
  const auto& tin = report["vulnerabilities"][0];
  EXPECT_EQ(tin["severity"], "Critical");
  EXPECT_LE(tin["name"].get<std::string>().size(), 255u);
  EXPECT_EQ(tin["identifiers"][0]["type"], "cve");
  EXPECT_EQ(tin["identifiers"][1]["type"], "ghsa");
  EXPECT_EQ(tin["identifiers"][2]["type"], "osv");
  EXPECT_EQ(tin["location"]["dependency"]["package"]["name"], "tin");
  EXPECT_EQ(tin["location"]["file"], "web app/package-lock.json");
  EXPECT_EQ(tin["solution"], "Upgrade tin to 2.0.1 or later.");
  EXPECT_EQ(report["vulnerabilities"][1]["severity"], "Info");
  all.all[0].ignored = "not reached";
  EXPECT_EQ(Json::parse(to_gitlab_report(inventory(), all, "1.2", times))["vulnerabilities"].size(),
            1u);
}

TEST(Reports, OddBytesBreakNothing) {
  auto odd = inventory();
  odd.sets[0].packages[1].name = "t\xffn\"<\n";
  const auto all = findings();
  EXPECT_TRUE(Json::accept(findings_json(odd, all)));
  EXPECT_TRUE(Json::accept(to_sarif(odd, all, "1")));
  EXPECT_TRUE(Json::accept(to_gitlab_report(odd, all, "1", {})));
  EXPECT_THAT(findings_text(odd, all, false), Not(HasSubstr("\xff")));
}

}  // namespace
}  // namespace gitaiops::scanner
