// Bills of material, GitLab's report and changes, from what is stored.
#include "api_fixture.h"

namespace gitaiops::api {
namespace {

class DependenciesApi : public ApiTest {
 protected:
  DependenciesApi() {
    add_token("of-b", {"read"}, {{"main", "grp/b"}});
    store::Inventory inventory;
    inventory.instance = "main";
    inventory.project_id = 1;
    inventory.project_path = "grp/a";
    inventory.commit_sha = "c0ffee";
    inventory.content_hash = "abc";
    inventory.ref = "main";
    inventory.received_at = {1'700'000'000'000'000};
    auto& set = *inventory.body.add_sets();
    set.set_ecosystem("npm");
    set.set_manager("npm");
    set.set_manifest("web/package.json");
    set.set_lock("web/package-lock.json");
    auto& express = *set.add_packages();
    express.set_name("express");
    express.set_version("4.17.1");
    express.set_direct(true);
    express.add_depends_on(1);
    express.add_depends_on(99);
    auto& qs = *set.add_packages();
    qs.set_name("qs");
    qs.set_version("6.7.0");
    qs.set_line(12);
    inventory.body.add_sets()->set_ecosystem("COBOL");
    auto topic = inventory;
    topic.ref = "topic";
    topic.commit_sha = "beef";
    store_.inventories = {inventory, topic};

    store::Found found;
    found.ecosystem = "npm";
    found.package = "qs";
    found.version = "6.7.0";
    found.advisory = "GHSA-hrpp-h998-j3pp";
    found.aliases = {"CVE-2022-24999"};
    found.summary = "qs can be stopped";
    found.severity = 4;
    found.fixed = "6.7.3";
    store::Matched matched;
    matched.n = 1;
    matched.project_path = "grp/a";
    matched.ref = "main";
    matched.commit_sha = "c0ffee";
    matched.received_at = inventory.received_at;
    auto of_topic = matched;
    of_topic.n = 2;
    of_topic.ref = "topic";
    of_topic.commit_sha = "beef";
    of_topic.found = {found};
    store_.vulnerable.matched = {matched, of_topic};
  }
  const std::string project_ = "/api/v1/projects/main/1/";
};

TEST_F(DependenciesApi, ABillInEachFormat) {
  const auto answer = ask(project_ + "sbom", "of-a");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/vnd.cyclonedx+json; version=1.6");
  const auto bill = nlohmann::json::parse(answer.body);
  EXPECT_EQ(bill["specVersion"], "1.6");
  EXPECT_EQ(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
  ASSERT_EQ(bill["components"].size(), 2u);
  EXPECT_EQ(bill["components"][1]["purl"], "pkg:npm/qs@6.7.0");
  EXPECT_NE(bill.dump().find("web/package-lock.json"), std::string::npos);
  EXPECT_EQ(ask(project_ + "sbom", "of-a").body, answer.body) << "the same commit, the same bill";
  EXPECT_NE(body(project_ + "sbom?sha=beef", "of-a")["serialNumber"], bill["serialNumber"]);
  EXPECT_EQ(body(project_ + "sbom?format=cyclonedx-1.5", "of-a")["specVersion"], "1.5");
  EXPECT_EQ(body(project_ + "sbom?format=spdx&ref=topic", "of-a")["spdxVersion"], "SPDX-2.3");
  EXPECT_EQ(ask(project_ + "sbom?format=spdx", "of-a").headers.get("Content-Type"),
            "application/spdx+json");
}

TEST_F(DependenciesApi, WhereNothingIsKnownItSaysSo) {
  for (const std::string& target :
       {project_ + "sbom?ref=gone", std::string("/api/v1/projects/main/2/sbom"),
        project_ + "dependency_scanning_report?ref=gone"}) {
    const auto answer = ask(target, "of-a");
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
    EXPECT_NE(answer.body.find("no checkout of that project"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(status(project_ + "sbom", "of-b"), 404) << "another project's token";
  EXPECT_EQ(status(project_ + "sbom", ""), 401);
  EXPECT_EQ(status(project_ + "sbom?format=xml", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/projects/main/x/sbom", "of-a"), 400);
  store_.vulnerable.matched.clear();
  const auto unmatched = ask(project_ + "dependency_scanning_report", "of-a");
  EXPECT_EQ(unmatched.status, 404);
  EXPECT_NE(unmatched.body.find("not matched against advisories yet"), std::string::npos);
}

TEST_F(DependenciesApi, GitlabsReport) {
  const auto report = body(project_ + "dependency_scanning_report?ref=topic", "of-a");
  EXPECT_EQ(report["version"], "15.2.1");
  EXPECT_EQ(report["scan"]["start_time"], "2023-11-14T22:13:20");
  ASSERT_EQ(report["vulnerabilities"].size(), 1u);
  const auto& one = report["vulnerabilities"][0];
  EXPECT_EQ(one["severity"], "High");
  EXPECT_EQ(one["location"]["file"], "web/package-lock.json");
  EXPECT_EQ(one["location"]["dependency"]["package"]["name"], "qs");
  EXPECT_EQ(
      body(project_ + "dependency_scanning_report?ref=main", "of-a")["vulnerabilities"].size(), 0u);
}

TEST_F(DependenciesApi, ChangesFromOneRefToAnother) {
  store_.vulnerable.changes.changed = 1;
  store_.vulnerable.changes.listed = {{"npm", "qs", {"6.7.3"}, {"6.7.0"}}};
  const auto changes = body(project_ + "dependency_changes?from=main&to=topic", "of-a");
  EXPECT_EQ(changes["from"]["sha"], "c0ffee");
  EXPECT_EQ(changes["to"]["ref"], "topic");
  ASSERT_EQ(changes["vulnerabilities_added"].size(), 1u);
  EXPECT_EQ(changes["vulnerabilities_added"][0]["advisory"], "GHSA-hrpp-h998-j3pp");
  EXPECT_EQ(changes["vulnerabilities_removed"].size(), 0u);
  EXPECT_EQ(changes["packages_changed"], 1);
  EXPECT_EQ(changes["packages"][0]["versions_after"][0], "6.7.0");
  EXPECT_TRUE(changes["vulnerabilities_added"][0]["accepted"].is_null());
  const auto back = body(project_ + "dependency_changes?from=topic&to=main", "of-a");
  EXPECT_EQ(back["vulnerabilities_removed"].size(), 1u);
  EXPECT_EQ(status(project_ + "dependency_changes?from=main", "of-a"), 400);
  EXPECT_EQ(status(project_ + "dependency_changes?from=main&to=gone", "of-a"), 404);
  EXPECT_EQ(status(project_ + "dependency_changes?from=main&to=topic", "of-b"), 404);
}

}  // namespace
}  // namespace gitaiops::api
