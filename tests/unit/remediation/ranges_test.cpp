#include "engines/scanner/remediation/ranges.h"

#include <gtest/gtest.h>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

struct Case {
  Ecosystem ecosystem;
  std::string range, to, expected;  // expected "": refused
};

TEST(RaisedRange, KeepsTheWordsOfTheManifest) {
  using enum Ecosystem;
  const std::vector<Case> cases = {
      {npm, "^1.2.0", "1.4.3", "^1.4.3"},
      {npm, "~1.2.0", "1.2.9", "~1.2.9"},
      {npm, "1.2.0", "1.2.9", "1.2.9"},
      {npm, "1.x", "1.4.3", "^1.4.3"},
      {npm, "1.2.*", "1.2.9", "~1.2.9"},
      {npm, ">=1.2.0 <2", "1.4.3", ">=1.4.3 <2"},
      {npm, ">= 1.2.0 < 2.0.0", "2.1.0", ">= 2.1.0 < 3.0.0"},
      {npm, "<2", "1.4.3", ">=1.4.3 <2"},
      {npm, "^1.2 || ^2.1", "1.4.3", "^1.4.3 || ^2.1"},
      {npm, "^1.2 || ^2.1", "2.4.3", "^2.4.3"},
      {npm, "1.2 - 1.9", "2.4.3", "^2.4.3"},
      {npm, "latest", "1.4.3", ""},
      {npm, "*", "1.4.3", ""},
      {npm, "", "1.4.3", ""},
      {npm, "github:owner/part#v1", "1.4.3", ""},
      {pypi, "==1.0.0", "2.0.0", "==2.0.0"},
      {pypi, " == 1.0.0", "2.0.0", "== 2.0.0"},
      {pypi, "~=1.0.0", "2.0.0", "~=2.0.0"},
      {pypi, "~=1.0", "1.4.3", ">=1.4.3,<2"},
      {pypi, ">=1.0.0,<2.0.0", "2.0.0", ">=2.0.0,<3.0.0"},
      {pypi, ">=1.0.0, !=1.3, <2", "1.4.3", ">=1.4.3, !=1.3, <2"},
      {pypi, "==1.*", "2.1", ">=2.1,<3"},
      {pypi, "^2.1", "2.4.1", "^2.4.1"},
      {pypi, "===weird", "2.4.1", ""},
      {pypi, "2", "2", ""},
      {maven, "1.0", "1.1", "1.1"},
      {maven, "[1.0,2.0)", "1.1", "[1.1,2.0)"},
      {maven, "[1.0,2.0)", "2.1", "[2.1,3.0)"},
      {maven, "[1.0]", "1.1", "[1.1]"},
      {maven, "${part.version}", "1.1", ""},
      {nuget, "[1.0.0, 2.0.0)", "1.1.0", "[1.1.0, 2.0.0)"},
      {nuget, "1.0.0", "1.1.0", "1.1.0"},
      {go, "v1.2.3", "1.2.4", "v1.2.4"},
      {go, "v2.0.0+incompatible", "2.1.0", "v2.1.0+incompatible"},
      {crates_io, "1.2", "1.4.3", "1.4.3"},
      {crates_io, "=1.2.3", "1.4.3", "=1.4.3"},
      {crates_io, ">=1.2, <2", "1.4.3", ">=1.4.3, <2"},
      {rubygems, "~> 1.2", "1.4.3", ">= 1.4.3, < 2"},
      {rubygems, "~> 1.2.0", "1.4.3", "~> 1.4.3"},
      {rubygems, ">= 1.2", "1.4.3", ">= 1.4.3"},
      {packagist, "^1.2", "1.4.3", "^1.4.3"},
      {packagist, "^1.2|^2.0", "2.4.3", "^2.4.3"},
      {packagist, "dev-main", "2.4.3", ""},
  };
  for (const auto& one : cases)
    EXPECT_EQ(raised_range(one.ecosystem, one.range, one.to).value_or(""), one.expected)
        << osv_name(one.ecosystem) << " " << one.range << " to " << one.to;
}

TEST(SameLine, IsWhatSemverPromises) {
  EXPECT_TRUE(same_line("1.2.3", "1.9.0"));
  EXPECT_FALSE(same_line("1.2.3", "2.0.0"));
  EXPECT_TRUE(same_line("0.2.3", "0.2.9"));
  EXPECT_FALSE(same_line("0.2.3", "0.3.0"));
  EXPECT_FALSE(same_line("0.9.0", "1.0.0"));
  EXPECT_TRUE(same_line("2022.12.7", "2023.7.22"));
  EXPECT_FALSE(same_line("20020520", "1.9.4"));
  EXPECT_TRUE(same_line("v1.2.0", "1.2.1"));
  EXPECT_FALSE(same_line("", "1.2.1"));
}

}  // namespace
}  // namespace gitaiops::scanner
