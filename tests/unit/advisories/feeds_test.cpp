// EPSS and CISA's catalogue, and records that cannot be used.
#include <gtest/gtest.h>

#include "tests/unit/advisories/built.h"

namespace gitaiops::scanner {
namespace {

TEST(Feeds, WhatIsKnownOfACveIsKnownOfItsAliases) {
  const std::string all = ranges(R"({"introduced":"0"})");
  const Built built(
      {record("T-1", "npm", "tin", all, R"("aliases":["CVE-2026-1"],)"),
       record("T-2", "npm", "can", all)},
      "#model_version:v9,score_date:2026-03-04T12:00:00Z\ncve,epss,percentile\n"
      "CVE-2026-1,0.50000,0.99000\nCVE-2026-2,0.1,0.2\n",
      R"({"title":"x","catalogVersion":"1","dateReleased":"2026-03-05T00:00:00Z","vulnerabilities":[
                      {"cveID":"CVE-2026-1","knownRansomwareCampaignUse":"Known"},
                      {"cveID":"CVE-2026-9","knownRansomwareCampaignUse":"Unknown"}]})");
  const auto one = *built.index->advisory(0), other = *built.index->advisory(1);
  EXPECT_NEAR(one.epss.value(), 0.5, 1e-4);
  EXPECT_NEAR(one.epss_percentile.value(), 0.99, 1e-4);
  EXPECT_TRUE(one.known_exploited);
  EXPECT_TRUE(one.ransomware);
  EXPECT_FALSE(other.epss);
  EXPECT_FALSE(other.known_exploited);
  const auto& info = built.index->info();
  EXPECT_EQ(info.epss_date, "2026-03-04");
  EXPECT_EQ(info.kev_date, "2026-03-05");
  EXPECT_EQ(info.scored_by_epss, 1u);
  EXPECT_EQ(info.known_exploited, 1u);
  EXPECT_EQ(built.counts.epss, 2u);
}

TEST(Feeds, OlderDateFormIsReadToo) {
  IndexBuilder builder;
  EXPECT_TRUE(
      builder.add_epss("#model_version:v1,score_date:2024-01-02T00:00:00+0000\n"
                       "cve,epss,percentile\nCVE-1,1,1\n"));
  EXPECT_EQ(builder.counts().epss, 1u);
}

TEST(Feeds, BrokenOnesSayWhere) {
  const auto refusal = [](std::string_view csv) {
    IndexBuilder builder;
    const auto status = builder.add_epss(csv);
    return status ? "" : status.error().to_string();
  };
  EXPECT_EQ(refusal("<html>\n"), "line 1: \"cve,epss,percentile\" should stand here");
  EXPECT_EQ(refusal("cve,epss,percentile\nCVE-1,2,0\n"), "line 2: not a CVE and two shares");
  EXPECT_EQ(refusal("cve,epss,percentile\nCVE-1,nan,0\n"), "line 2: not a CVE and two shares");
  EXPECT_EQ(refusal(""), "no EPSS scores in it");
  IndexBuilder builder;
  EXPECT_FALSE(builder.add_kev("{}"));
  EXPECT_FALSE(builder.add_kev("["));
}

TEST(Feeds, BrokenRecordsAreRefusedAndChangeNothing) {
  IndexBuilder builder;
  for (const std::string_view text :
       {"", "{", "[]", "null", "{\"id\":7}", "{\"id\":\"T-1\"}", "<html></html>", "\xff\xfe"})
    EXPECT_FALSE(builder.add_osv(text)) << text;
  EXPECT_FALSE(builder.add_osv(std::string(5000, '[')));
  EXPECT_EQ(builder.counts().records, 0u);
  EXPECT_TRUE(builder.add_osv(record("T-1", "npm", "tin", ranges(R"({"introduced":"0"})"))));
  EXPECT_TRUE(builder.finish());
}

TEST(Feeds, OddFieldsAreLeftOutAndTheRestCounts) {
  const Built built(
      {R"({"id":"T-1","aliases":"none","severity":[{"type":"CVSS_V3","score":7}, 3],"affected":[
      7, {"package":{"ecosystem":"Nowhere","name":"tin"}}, {"package":{"ecosystem":"npm"}},
      {"package":{"ecosystem":"npm","name":"tin"},"versions":[1,"1.0.0"],"ranges":[{"type":"SEMVER","events":[{"introduced":3}]}]}]})"});
  EXPECT_TRUE(built.hits(Ecosystem::npm, "tin", "1.0.0"));
  EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "2.0.0"));
}

}  // namespace
}  // namespace gitaiops::scanner
