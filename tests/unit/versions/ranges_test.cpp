#include <gtest/gtest.h>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

struct Case {
  std::string_view range;
  std::vector<std::string> in, out;
};

void expect(Ecosystem e, const std::vector<Case>& cases,
            Prereleases prereleases = Prereleases::as_the_tool_does) {
  for (const auto& c : cases) {
    for (const auto& v : c.in)
      EXPECT_EQ(matches(e, v, c.range, prereleases), Match::yes) << v << " in " << c.range;
    for (const auto& v : c.out)
      EXPECT_EQ(matches(e, v, c.range, prereleases), Match::no) << v << " not in " << c.range;
  }
}
void expect_invalid(Ecosystem e, const std::vector<std::pair<std::string, std::string>>& cases) {
  for (const auto& [version, range] : cases)
    EXPECT_EQ(matches(e, version, range), Match::invalid) << version << " | " << range;
}

TEST(VersionRanges, Npm) {
  expect(Ecosystem::npm,
         {{"^3.4.1", {"3.4.1", "3.99.0"}, {"3.4.0", "4.0.0", "3.5.0-beta", "4.0.0-0"}},
          {"^0.4.1", {"0.4.1", "0.4.9"}, {"0.5.0"}},
          {"^0.0.4", {"0.0.4"}, {"0.0.5"}},
          {"^0.0", {"0.0.7"}, {"0.1.0"}},
          {"~3.4", {"3.4.0", "3.4.9"}, {"3.5.0"}},
          {"~ 3", {"3.9.1"}, {"4.0.0"}},
          {"3.x || 5.*", {"3.0.1", "5.5.5"}, {"4.0.0"}},
          {">3.4", {"3.5.0"}, {"3.4.9"}},
          {"<=3.4", {"3.4.9"}, {"3.5.0"}},
          {"<3", {"2.9.9"}, {"3.0.0"}},
          {">= 1.0.0 < 2", {"1.5.0"}, {"2.0.0"}},
          {"1.2 - 2.3", {"1.2.0", "2.3.99"}, {"2.4.0"}},
          {"1.2.3 - 2.3.4", {"2.3.4"}, {"2.3.5"}},
          {">=4.0.0-rc.2", {"4.0.0-rc.3", "4.1.0"}, {"4.0.0-rc.1", "4.1.0-rc.3"}},
          {"=v1.2.3", {"1.2.3"}, {"1.2.4"}},
          {"", {"0.0.1"}, {"1.0.0-a"}},
          {"*", {"7.0.0"}, {"7.0.0-a"}}});
  expect(Ecosystem::npm,
         {{"^3.4.1", {"3.5.0-beta"}, {"4.0.0-0", "3.4.1-a"}}, {"*", {"7.0.0-a"}, {}}},
         Prereleases::included);
  expect_invalid(Ecosystem::npm,
                 {{"1.0.0", "next"}, {"1.0", "*"}, {"1.0.0", "^"}, {"1.0.0", ">01"}});
}

TEST(VersionRanges, Python) {
  expect(Ecosystem::pypi, {{"~=4.2", {"4.2", "4.9"}, {"5.0", "4.1"}},
                           {"~=4.2.1", {"4.2.8"}, {"4.3"}},
                           {"==4.2.*", {"4.2", "4.2.7.post1"}, {"4.3", "4.20"}},
                           {"!=4.2.*", {"4.3"}, {"4.2.1"}},
                           {"==4.2", {"4.2.0", "4.2+deb1"}, {"4.2.post1"}},
                           {"==4.2+deb1", {"4.2+deb1"}, {"4.2", "4.2+deb2"}},
                           {">4.2", {"4.2.1"}, {"4.2.post1", "4.2+deb1"}},
                           {"<4.2", {"4.1"}, {"4.2rc1"}},
                           {">=4,<5,!=4.5", {"4.4"}, {"4.5", "5"}},
                           {">=4.2rc1", {"4.2rc2", "4.3a1"}, {}},
                           {"===4.2.0", {"4.2.0"}, {"4.2"}},
                           {"", {"1.0"}, {"1.0a1"}}});
  expect(Ecosystem::pypi, {{"<4.2", {"4.1.dev1"}, {"4.2.dev1"}}, {"", {"1.0a1"}, {}}},
         Prereleases::included);
  expect_invalid(Ecosystem::pypi, {{"1.0", "=1.0"}, {"1.0", "<=1.*"}, {"1.0", "~=1"}, {"x", ""}});
}

TEST(VersionRanges, Maven) {
  expect(Ecosystem::maven, {{"[3,4)", {"3", "3.9"}, {"4", "2.9"}},
                            {"(,3],[5,)", {"1", "3.0", "5"}, {"4"}},
                            {"[3.1]", {"3.1", "3.1.0"}, {"3.1.1"}}});
  EXPECT_EQ(matches(Ecosystem::maven, "1", "2.0"), Match::recommended);
  expect_invalid(Ecosystem::maven,
                 {{"1", "[2,1]"}, {"1", "[1,3],[2,4]"}, {"1", "(1)"}, {"1", "[1"}, {"1", ""}});
}

TEST(VersionRanges, Gems) {
  expect(Ecosystem::rubygems, {{"~> 5.1", {"5.1", "5.9"}, {"6.0", "6.0.a"}},
                               {"~> 5.1.2", {"5.1.9"}, {"5.2"}},
                               {"~> 5", {"5.9"}, {"6"}},
                               {">= 3, < 4.a", {"3.5"}, {"4.0"}},
                               {"2.2", {"2.2.0"}, {"2.2.1"}},
                               {"!= 2.2", {"2.3"}, {"2.2"}}});
  expect_invalid(Ecosystem::rubygems, {{"1", "=> 2"}, {"a", "> 1"}, {"1", "1,,2"}});
}

TEST(VersionRanges, Composer) {
  expect(Ecosystem::packagist, {{"^7.2", {"7.2.0", "7.9.1", "7.2.0-beta1"}, {"8.0.0", "7.1.9"}},
                                {"^0.3.2", {"0.3.9"}, {"0.4.0"}},
                                {"~7.2", {"7.9"}, {"8.0"}},
                                {"~7.2.1", {"7.2.9"}, {"7.3"}},
                                {"7.2.*", {"7.2.5"}, {"7.3.0"}},
                                {"7.0 - 7.2", {"7.2.9"}, {"7.3.0"}},
                                {"7.0 - 7.2.1", {"7.2.1"}, {"7.2.2"}},
                                {">=7 <8 | 9.0.1", {"7.5", "9.0.1"}, {"8.0", "9.0.2"}},
                                {"dev-main", {"dev-main"}, {"1.0.0", "dev-next"}},
                                {"!=1.0", {"1.1"}, {"1.0.0"}}});
  expect_invalid(Ecosystem::packagist, {{"1.0", "~>1.0"}, {"1.0", ""}, {"one", "*"}});
}

TEST(VersionRanges, Cargo) {
  expect(Ecosystem::crates_io, {{"1.4", {"1.4.0", "1.9.0"}, {"2.0.0", "1.3.9", "1.9.0-rc.1"}},
                                {"0.4.2", {"0.4.9"}, {"0.5.0", "0.4.1"}},
                                {"0.0.3", {"0.0.3"}, {"0.0.4"}},
                                {"~1.4.2", {"1.4.9"}, {"1.5.0"}},
                                {"=1.4", {"1.4.7"}, {"1.5.0"}},
                                {"1.*", {"1.9.9"}, {"2.0.0"}},
                                {"*", {"3.0.0"}, {"3.0.0-a"}},
                                {">1.4, <=2", {"1.5.0", "2.7.0"}, {"1.4.9", "3.0.0"}},
                                {"1.0.0-rc.1", {"1.0.0-rc.2", "1.0.0"}, {"1.0.1-rc.2"}}});
  expect_invalid(Ecosystem::crates_io, {{"1.0", "1"}, {"1.0.0", ""}, {"1.0.0", "one"}});
}

TEST(VersionRanges, NuGetHexPubAndGo) {
  expect(Ecosystem::nuget, {{"6.1", {"6.1.0", "9.0.0"}, {"6.0.9"}},
                            {"[6.1]", {"6.1.0"}, {"6.1.1"}},
                            {"(6.1,7.0)", {"6.2.0"}, {"6.1.0", "7.0.0"}},
                            {"6.*", {"6.0.0"}, {"5.9.0"}}});
  expect(Ecosystem::hex, {{"~> 1.4", {"1.9.0"}, {"2.0.0", "1.3.0"}},
                          {"~> 1.4.2", {"1.4.9"}, {"1.5.0"}},
                          {">= 1.0.0 and < 1.2.0 or == 2.0.0", {"1.1.0", "2.0.0"}, {"1.2.0"}}});
  expect(Ecosystem::pub, {{"^1.4.2", {"1.9.0"}, {"2.0.0", "1.4.1"}},
                          {">=1.0.0 <2.0.0", {"1.5.0"}, {"2.0.0", "2.0.0-a"}},
                          {"any", {"0.0.1"}, {}}});
  expect(Ecosystem::go, {{"v1.4.0", {"1.4.0"}, {"v1.4.1"}}});
}

}  // namespace
}  // namespace gitaiops::scanner
