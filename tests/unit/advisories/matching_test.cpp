// The OSV evaluation, one rule a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/advisories/built.h"

namespace gitaiops::scanner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Matching, IntroducedIsInAndFixedIsOut) {
  const Built built(
      {record("T-1", "npm", "tin", ranges(R"({"introduced":"1.2.0"},{"fixed":"1.4.0"})"))});
  EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "1.1.9"));
  EXPECT_TRUE(built.hits(Ecosystem::npm, "tin", "1.2.0"));
  EXPECT_TRUE(built.hits(Ecosystem::npm, "tin", "1.4.0-rc.1"));
  EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "1.4.0"));
}

TEST(Matching, ZeroIsBeforeEverything) {
  const Built built({record("T-1", "PyPI", "tin", ranges(R"({"introduced":"0"},{"fixed":"1"})"))});
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin", "0.dev0"));
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin", "no version at all"));
  EXPECT_FALSE(built.hits(Ecosystem::pypi, "tin", ""));
}

TEST(Matching, LastAffectedIsIn) {
  const Built built(
      {record("T-1", "Maven", "g:tin", ranges(R"({"introduced":"0"},{"last_affected":"2.1"})"))});
  EXPECT_TRUE(built.hits(Ecosystem::maven, "g:tin", "2.1.0"));
  EXPECT_FALSE(built.hits(Ecosystem::maven, "g:tin", "2.1.1"));
}

TEST(Matching, SeveralPairsInAnyOrder) {
  const Built built({record(
      "T-1", "Go", "example.org/tin",
      ranges(R"({"fixed":"2.0.3"},{"introduced":"2.0.0"},{"fixed":"1.0.9"},{"introduced":"0"})",
             "SEMVER"))});
  EXPECT_TRUE(built.hits(Ecosystem::go, "example.org/tin", "v1.0.8"));
  EXPECT_FALSE(built.hits(Ecosystem::go, "example.org/tin", "v1.5.0"));
  EXPECT_TRUE(built.hits(Ecosystem::go, "example.org/tin", "2.0.2"));
  EXPECT_FALSE(built.hits(Ecosystem::go, "example.org/tin", "2.0.3"));
}

TEST(Matching, ARangeThatEndsWhereItBeginsIsEmpty) {
  const Built built({record("T-1", "crates.io", "tin",
                            ranges(R"({"introduced":"1.0.0"},{"fixed":"1.0.0"})", "SEMVER"))});
  EXPECT_FALSE(built.hits(Ecosystem::crates_io, "tin", "1.0.0"));
}

TEST(Matching, LimitsBound) {
  const Built built(
      {record("T-1", "npm", "tin", ranges(R"({"introduced":"1.0.0"},{"limit":"1.5.0"})")),
       record("T-2", "npm", "tin", ranges(R"({"introduced":"1.0.0"},{"limit":"*"})"))});
  EXPECT_THAT(built.ids(Ecosystem::npm, "tin", "1.4.9"), ElementsAre("T-1", "T-2"));
  EXPECT_THAT(built.ids(Ecosystem::npm, "tin", "1.5.0"), ElementsAre("T-2"));
}

TEST(Matching, ListedVersionsOrRanges) {
  const Built built(
      {record("T-1", "PyPI", "tin",
              R"("versions":["0.3","1.0.0rc1"],)" + ranges(R"({"introduced":"2.0"})"))});
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin", "0.3"));
  EXPECT_FALSE(built.hits(Ecosystem::pypi, "tin", "0.4"));
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin", "2.7"));
}

TEST(Matching, ListedVersionsAreKnownInEverySpelling) {
  const Built built({record("T-1", "PyPI", "tin", R"("versions":["1.0.0rc1"])"),
                     record("T-2", "Maven", "g:tin", R"("versions":["1.0-ga"])"),
                     record("T-3", "Packagist", "v/tin", R"("versions":["v1.2"])"),
                     record("T-4", "NuGet", "Tin", R"("versions":["1.2.0-Beta"])"),
                     record("T-5", "RubyGems", "tin", R"("versions":["1.a"])")});
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin", "1-RC.1"));
  EXPECT_TRUE(built.hits(Ecosystem::maven, "g:tin", "1.0.0"));
  EXPECT_TRUE(built.hits(Ecosystem::packagist, "v/tin", "1.2.0"));
  EXPECT_TRUE(built.hits(Ecosystem::nuget, "tin", "1.2-beta"));
  EXPECT_TRUE(built.hits(Ecosystem::rubygems, "tin", "1.0.a"));
  EXPECT_FALSE(built.hits(Ecosystem::maven, "g:tin", "1.0.1"));
}

TEST(Matching, CommitRangesAreSkippedAndTheNextOneCounts) {
  const Built built(
      {record(
           "T-1", "PyPI", "tin",
           R"("ranges":[{"type":"GIT","repo":"https://x","events":[{"introduced":"0"},{"fixed":"abc"}]},)"
           R"({"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.5"}]}])"),
       record("T-2", "PyPI", "tin",
              R"("ranges":[{"type":"GIT","repo":"https://x","events":[{"introduced":"0"}]}])")});
  EXPECT_THAT(built.ids(Ecosystem::pypi, "tin", "1.0"), ElementsAre("T-1"));
  EXPECT_THAT(built.ids(Ecosystem::pypi, "tin", "1.5"), IsEmpty());
}

TEST(Matching, NamesAreNormalised) {
  const std::string all = ranges(R"({"introduced":"0"})");
  const Built built({record("T-1", "PyPI", "Tin_Can.x", all),
                     record("T-2", "NuGet", "Tin.Can", all), record("T-3", "npm", "Tin", all),
                     record("T-4", "Debian:12", "tin", all)});
  EXPECT_TRUE(built.hits(Ecosystem::pypi, "tin-can-X", "1"));
  EXPECT_TRUE(built.hits(Ecosystem::nuget, "tin.can", "1"));
  EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "1.0.0"));
  EXPECT_TRUE(built.hits(Ecosystem::debian, "tin", "1"));
}

TEST(Matching, GoStandardLibraryAndToolchain) {
  const Built built({record("T-1", "Go", "stdlib",
                            ranges(R"({"introduced":"0"},{"fixed":"1.21.4"})", "SEMVER"))});
  EXPECT_TRUE(built.hits(Ecosystem::go, "stdlib", "go1.21.3"));
  EXPECT_FALSE(built.hits(Ecosystem::go, "stdlib", "1.21.4"));
}

TEST(Matching, CustomRangesOfGoLowerTheConfidence) {
  const Built built({record(
      "T-1", "Go", "example.org/tin",
      ranges(R"({"introduced":"0"})", "SEMVER") +
          R"(,"ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.1"}]}]})")});
  const auto within = built.index->match(Ecosystem::go, "example.org/tin", "v3.0.9");
  ASSERT_EQ(within.size(), 1u);
  EXPECT_EQ(within[0].confidence, Confidence::high);
  const auto beyond = built.index->match(Ecosystem::go, "example.org/tin", "v3.1.0");
  ASSERT_EQ(beyond.size(), 1u);
  EXPECT_EQ(beyond[0].confidence, Confidence::low);
}

TEST(Matching, WithdrawnOnesAreGone) {
  const Built built({record("T-1", "npm", "tin", ranges(R"({"introduced":"0"})"),
                            R"("withdrawn":"2026-01-01T00:00:00Z",)")});
  EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "1.0.0"));
  EXPECT_EQ(built.counts.withdrawn, 1u);
}

TEST(Matching, AliasGroupsAreSymmetricAndTransitive) {
  const std::string all = ranges(R"({"introduced":"0"})");
  const Built built({record("T-1", "npm", "tin", all, R"("aliases":["CVE-1"],)"),
                     record("T-2", "npm", "tin", all),
                     record("T-3", "npm", "tin", all, R"("aliases":["CVE-1","T-2"],)"),
                     record("T-4", "npm", "tin", all, R"("upstream":["T-1"],"related":["T-2"],)")});
  const auto hits = built.index->match(Ecosystem::npm, "tin", "1.0.0");
  ASSERT_EQ(hits.size(), 4u);
  EXPECT_EQ(hits[0].group, hits[1].group);
  EXPECT_EQ(hits[0].group, hits[2].group);
  EXPECT_NE(hits[0].group, hits[3].group);
}

TEST(Matching, SeverityOfTheEntryOverridesTheRecords) {
  const std::string vector_high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
  const std::string vector_low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
  const Built built(
      {record("T-1", "npm", "tin",
              ranges(R"({"introduced":"0"})") + R"(,"severity":[{"type":"CVSS_V3","score":")" +
                  vector_low + R"("}])",
              R"("severity":[{"type":"CVSS_V3","score":")" + vector_high + R"("}],)"),
       record("T-2", "npm", "can", ranges(R"({"introduced":"0"})"),
              R"("database_specific":{"severity":"MODERATE"},)")});
  const auto low = built.index->match(Ecosystem::npm, "tin", "1.0.0").at(0);
  EXPECT_DOUBLE_EQ(low.score, 1.8);
  EXPECT_EQ(low.level, Severity::low);
  EXPECT_DOUBLE_EQ(built.index->advisory(low.advisory)->score, 9.8);
  const auto words = built.index->match(Ecosystem::npm, "can", "1.0.0").at(0);
  EXPECT_LT(words.score, 0);
  EXPECT_EQ(words.level, Severity::medium);
}

TEST(Matching, InformationalOnesAreAClassOfTheirOwn) {
  const Built built({record("T-1", "crates.io", "tin",
                            ranges(R"({"introduced":"0.0.0-0"})", "SEMVER") +
                                R"(,"database_specific":{"informational":"unmaintained"})")});
  EXPECT_EQ(built.index->match(Ecosystem::crates_io, "tin", "1.0.0").at(0).informational,
            Informational::unmaintained);
}

TEST(Matching, TheTextComesBack) {
  const Built built({record(
      "T-1", "npm", "tin",
      ranges(R"({"introduced":"0"},{"fixed":"1.4.0"},{"introduced":"2.0.0"},{"fixed":"2.0.1"})"),
      R"("summary":"Tin cuts fingers","aliases":["CVE-2026-1"],)")});
  const auto advisory = built.index->advisory(0);
  ASSERT_TRUE(advisory);
  EXPECT_EQ(advisory->summary, "Tin cuts fingers");
  EXPECT_THAT(advisory->aliases, ElementsAre("CVE-2026-1"));
  EXPECT_THAT(advisory->fixed, ElementsAre(ElementsAre("1.4.0", "2.0.1")));
  EXPECT_EQ(built.index->advisory(1).error().code(), Code::not_found);
}

TEST(Matching, TheSameRecordsGiveTheSameBytes) {
  const std::string all = ranges(R"({"introduced":"0"})");
  const auto a = record("T-1", "npm", "tin", all, R"("aliases":["CVE-1"],)");
  const auto b = record("T-2", "PyPI", "can", all, R"("aliases":["CVE-1"],)");
  EXPECT_EQ(Built({a, b}).bytes, Built({b, a, a}).bytes);
}

TEST(Matching, TheNewerOfTwoRecordsWithOneIdStays) {
  const std::string old =
      R"({"id":"T-1","modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"tin"},"versions":["1.0.0"]}]})";
  const auto fresh = record("T-1", "npm", "tin", R"("versions":["2.0.0"])");
  for (const auto& records : {std::vector{old, fresh}, std::vector{fresh, old}}) {
    const Built built(records);
    EXPECT_FALSE(built.hits(Ecosystem::npm, "tin", "1.0.0"));
    EXPECT_TRUE(built.hits(Ecosystem::npm, "tin", "2.0.0"));
    EXPECT_EQ(built.counts.repeated, 1u);
  }
}

}  // namespace
}  // namespace gitaiops::scanner
