#include "engines/scanner/ecosystem.h"

#include <gtest/gtest.h>

namespace gitaiops::scanner {
namespace {

TEST(Ecosystem, IsFoundByItsOsvName) {
  EXPECT_EQ(osv_name(Ecosystem::swift), "SwiftURL");
  EXPECT_EQ(osv_name(Ecosystem::hackage), "Hackage");
  EXPECT_EQ(ecosystem_of("PyPI"), Ecosystem::pypi);
  EXPECT_EQ(ecosystem_of("pypi"), Ecosystem::pypi);
  EXPECT_EQ(ecosystem_of("Debian:12"), Ecosystem::debian);
  EXPECT_EQ(ecosystem_of("Red Hat:enterprise_linux:9::appstream"), Ecosystem::red_hat);
  EXPECT_EQ(ecosystem_of("Homebrew"), std::nullopt);
  EXPECT_EQ(ecosystem_of(""), std::nullopt);
  EXPECT_EQ(ecosystem_of(":12"), std::nullopt);
}

TEST(Ecosystem, KnowsItsPurlType) {
  EXPECT_EQ(purl_type(Ecosystem::go), "golang");
  EXPECT_EQ(purl_type(Ecosystem::crates_io), "cargo");
  EXPECT_EQ(purl_type(Ecosystem::packagist), "composer");
  EXPECT_EQ(purl_type(Ecosystem::rubygems), "gem");
}

TEST(Ecosystem, ComparesNamesAsTheirRegistryDoes) {
  EXPECT_EQ(normalised_name(Ecosystem::pypi, "Zope.Interface"), "zope-interface");
  EXPECT_EQ(normalised_name(Ecosystem::pypi, "ruamel__.yaml"), "ruamel-yaml");
  EXPECT_EQ(normalised_name(Ecosystem::nuget, "Newtonsoft.Json"), "newtonsoft.json");
  EXPECT_EQ(normalised_name(Ecosystem::packagist, "Monolog/Monolog"), "monolog/monolog");
  EXPECT_EQ(normalised_name(Ecosystem::crates_io, "Inflector_2"), "inflector-2");
  EXPECT_EQ(normalised_name(Ecosystem::npm, "JSONStream"), "JSONStream");
  EXPECT_EQ(normalised_name(Ecosystem::maven, "org.Ring:Part"), "org.Ring:Part");
  EXPECT_EQ(normalised_name(Ecosystem::go, "github.com/BurntSushi/toml"),
            "github.com/BurntSushi/toml");
}

TEST(Ecosystem, SwiftPackagesAreNamedByTheirPlace) {
  for (const char* name : {"https://github.com/Ring/Part.git", "git@github.com:ring/part.git",
                           "ssh://git@github.com/ring/part", "github.com/ring/part/"})
    EXPECT_EQ(normalised_name(Ecosystem::swift, name), "github.com/ring/part") << name;
  EXPECT_EQ(normalised_name(Ecosystem::swift, ""), "");
}

}  // namespace
}  // namespace gitaiops::scanner
