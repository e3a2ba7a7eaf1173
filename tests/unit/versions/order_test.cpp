// The orders, by versions that each ecosystem's own documentation would name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

// Each comes before the next one, also against all later ones, and both ways round.
void expect_ascending(Ecosystem e, const std::vector<std::string>& versions) {
  for (std::size_t i = 0; i < versions.size(); ++i) {
    EXPECT_TRUE(compare_versions(e, versions[i], versions[i]) == 0) << versions[i];
    for (std::size_t j = i + 1; j < versions.size(); ++j) {
      EXPECT_TRUE(compare_versions(e, versions[i], versions[j]) < 0)
          << versions[i] << " < " << versions[j];
      EXPECT_TRUE(compare_versions(e, versions[j], versions[i]) > 0)
          << versions[j] << " > " << versions[i];
    }
  }
}
void expect_same(Ecosystem e, const std::vector<std::string>& versions) {
  for (const auto& a : versions)
    for (const auto& b : versions) EXPECT_TRUE(compare_versions(e, a, b) == 0) << a << " = " << b;
}

TEST(VersionOrder, SemVerPutsPrereleasesFirstAndLeavesBuildsOut) {
  for (const auto e : {Ecosystem::npm, Ecosystem::crates_io, Ecosystem::hex}) {
    expect_ascending(e, {"4.0.0-0", "4.0.0-9", "4.0.0-10", "4.0.0-dev", "4.0.0-dev.1", "4.0.0",
                         "4.0.9", "4.0.10", "4.1.0", "10.0.0"});
    expect_same(e, {"3.1.4", "v3.1.4", "3.1.4+linux", "3.1.4+mac.7"});
  }
}

TEST(VersionOrder, NumbersOfAnyLengthCompare) {
  const std::string huge(400, '7');
  expect_ascending(Ecosystem::npm, {"9.0.0", "18446744073709551616.0.0", huge + ".0.0",
                                    huge + ".0.1", "8" + huge.substr(1) + ".0.0"});
  expect_ascending(Ecosystem::pypi, {"1", huge, huge + ".1"});
}

TEST(VersionOrder, GoKnowsPseudoVersionsAndShortForms) {
  expect_ascending(Ecosystem::go,
                   {"v0.0.0-20190101000000-aaaaaaaaaaaa", "v0.0.0-20230606000000-000000000000",
                    "v0.1.0", "1.4.1-0.20240102030405-abcdefabcdef", "1.4.1"});
  expect_same(Ecosystem::go, {"v2", "2.0", "2.0.0", "v2.0.0+incompatible"});
  EXPECT_TRUE(is_valid_version(Ecosystem::go, "v1.2"));
  EXPECT_FALSE(is_valid_version(Ecosystem::go, "v1.2-rc1"));
}

TEST(VersionOrder, PythonFollowsPep440) {
  expect_ascending(Ecosystem::pypi,
                   {"unparsable", "7.dev3", "7a1.dev1", "7a1", "7a1.post2", "7b2", "7rc1", "7",
                    "7+local", "7+local.2", "7+9", "7.post1.dev4", "7.post1", "7.0.1", "1!0.1"});
  expect_same(Ecosystem::pypi, {"2.0", "2", "v2.0.0", " 2.0 "});
  expect_same(Ecosystem::pypi, {"1.1c3", "1.1-RC.3", "1.1_preview3", "1.1.pre03"});
  expect_same(Ecosystem::pypi, {"5-2", "5.post2", "5r2", "5.REV.2"});
  EXPECT_FALSE(is_valid_version(Ecosystem::pypi, "1.0-final"));
  EXPECT_FALSE(is_valid_version(Ecosystem::pypi, "1.0+"));
}

TEST(VersionOrder, MavenFollowsItsSpecification) {
  expect_ascending(Ecosystem::maven,
                   {"2.5-alpha-3", "2.5-beta", "2.5-m4", "2.5-cr2", "2.5-SNAPSHOT", "2.5", "2.5-sp",
                    "2.5-jre8", "2.5-1", "2.5.1"});
  expect_same(Ecosystem::maven, {"6", "6.0", "6.0.0-final", "6-GA", "6.Release"});
}

TEST(VersionOrder, MavenItselfReadsADottedWordAsAnother) {
  EXPECT_TRUE(compare_versions(Ecosystem::maven, "3-2", "3.rc2") > 0);
  EXPECT_TRUE(compare_versions(Ecosystem::maven, "3.rc2", "3-rc1") < 0);
  EXPECT_TRUE(*compare_strictly(Ecosystem::maven, "3.rc2", "3-rc1") > 0);
}

TEST(VersionOrder, GemsPutWordsBeforeNumbers) {
  expect_ascending(Ecosystem::rubygems,
                   {"8.1.alpha", "8.1.alpha.2", "8.1.alpha10", "8.1.beta", "8.1", "8.1.0.1"});
  expect_same(Ecosystem::rubygems, {"3.a", "3.0.a", "3.0.0.a"});
  expect_same(Ecosystem::rubygems, {"4-2", "4.pre.2"});
}

TEST(VersionOrder, PackagistComparesAsPhpDoesAndStrictlyAsComposer) {
  expect_ascending(Ecosystem::packagist, {"6.0whatever", "6.0-dev", "6.0-alpha2", "6.0b1", "6.0RC1",
                                          "6.0", "6.0.0", "6.0.1", "6.1", "6.1pl1"});
  EXPECT_TRUE(*compare_strictly(Ecosystem::packagist, "6.0", "v6.0.0.0") == 0);
  EXPECT_TRUE(*compare_strictly(Ecosystem::packagist, "6.x-dev", "6.99.1") > 0);
  EXPECT_FALSE(compare_strictly(Ecosystem::packagist, "6.0", "six"));
}

TEST(VersionOrder, NuGetHasFourNumbersAndNoLetterCase) {
  expect_ascending(Ecosystem::nuget, {"5.0.0-RC.2", "5.0.0-rc.11", "5.0.0", "5.0.0.1"});
  expect_same(Ecosystem::nuget, {"5.1", "5.1.0.0", "5.01.0", "5.1.0+sha"});
  expect_same(Ecosystem::nuget, {"5.1-Beta", "5.1-bETA"});
}

TEST(VersionOrder, PubCountsBuildsToo) {
  expect_ascending(Ecosystem::pub, {"2.0.0-x", "2.0.0-x+1", "2.0.0", "2.0.0+1", "2.0.0+b"});
}

TEST(VersionOrder, NumbersOnly) {
  expect_ascending(Ecosystem::cran, {"0.9-2", "0.9-10", "0.10", "0.10.0"});
  expect_ascending(Ecosystem::hackage, {"1.2", "1.2.0", "1.10"});
}

TEST(VersionOrder, DebianTildesAndEpochs) {
  expect_ascending(Ecosystem::debian, {"4.2~~", "4.2~rc1-1", "4.2-0ubuntu1", "4.2-1~deb12u1",
                                       "4.2-1", "4.2-1+b1", "4.2a", "4.2+dfsg", "4.10", "1:0.1"});
  expect_same(Ecosystem::debian, {"7", "0:7", "7-0", "7-00"});
}

TEST(VersionOrder, AlpineSuffixesAndRevisions) {
  expect_ascending(Ecosystem::alpine,
                   {"3.1_alpha2-r0", "3.1_beta-r1", "3.1_rc1-r0", "3.1-r0", "3.1-r2",
                    "3.1_git20240101-r0", "3.1_p1-r0", "3.1a-r0", "3.1.1-r0"});
  expect_ascending(Ecosystem::alpine, {"1.05", "1.1", "1.10"});
}

TEST(VersionOrder, RpmTildesCaretsAndEpochs) {
  expect_ascending(Ecosystem::red_hat,
                   {"9.1~beta-1", "9.1-1.el9", "9.1^20240101-1", "9.1.1-1", "9.10-1", "1:0.2-1"});
  expect_same(Ecosystem::red_hat, {"8.02-1", "8.2-01", "0:8_2-1"});
}

TEST(VersionOrder, AnythingHasItsPlace) {
  const std::vector<std::string> odd = {"",         "latest", "1..2", "-", std::string("1\0b", 3),
                                        "\xff\xfe", "1.0.0-", "v",    "+", "1.2.3.4.5.6"};
  for (int e = 0; e <= static_cast<int>(Ecosystem::hackage); ++e) {
    const auto ecosystem = static_cast<Ecosystem>(e);
    for (const auto& a : odd) {
      for (const auto& b : odd) {
        const auto there = compare_versions(ecosystem, a, b);
        EXPECT_TRUE((there < 0) == (compare_versions(ecosystem, b, a) > 0)) << e << a << b;
      }
    }
  }
}

TEST(VersionOrder, PrereleasesAreKnown) {
  EXPECT_TRUE(is_prerelease(Ecosystem::npm, "1.0.0-next.1"));
  EXPECT_FALSE(is_prerelease(Ecosystem::npm, "1.0.0"));
  EXPECT_TRUE(is_prerelease(Ecosystem::pypi, "1.0.dev1"));
  EXPECT_FALSE(is_prerelease(Ecosystem::pypi, "1.0.post1"));
  EXPECT_TRUE(is_prerelease(Ecosystem::maven, "1.0-rc1"));
  EXPECT_FALSE(is_prerelease(Ecosystem::maven, "31.1-jre"));
  EXPECT_TRUE(is_prerelease(Ecosystem::rubygems, "2.0.pre"));
  EXPECT_TRUE(is_prerelease(Ecosystem::packagist, "2.0-RC1"));
  EXPECT_FALSE(is_prerelease(Ecosystem::packagist, "2.0-p1"));
}

}  // namespace
}  // namespace gitaiops::scanner
