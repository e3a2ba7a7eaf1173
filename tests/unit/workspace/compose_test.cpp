#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/workspace/workspace.h"
#include "base/crypto/crypto.h"
#include "base/zstd/zstd.h"

namespace gitaiops::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

fleet::v1::Inventory unpacked(const fleet::v1::InventoryReport& report) {
  fleet::v1::Inventory inventory;
  EXPECT_TRUE(
      inventory.ParseFromString(zstd::decompress(report.inventory_zstd(), 8 << 20).value()));
  return inventory;
}

scanner::Package package(std::string name, std::string version) {
  scanner::Package p;
  p.name = std::move(name);
  p.version = std::move(version);
  return p;
}

TreeReading with(scanner::PackageSet set) {
  TreeReading reading;
  reading.commit = std::string(40, 'a');
  reading.content_hash = std::string(64, 'b');
  reading.inventory.sets.push_back(std::move(set));
  return reading;
}

TEST(Compose, SaysWhatTheTreeDependsOn) {
  scanner::PackageSet set;
  set.ecosystem = scanner::Ecosystem::npm;
  set.manager = "npm";
  set.manifest = "web/package.json";
  set.lock = "web/package-lock.json";
  set.root = "shop";
  auto express = package("express", "4.18.2");
  express.range = "^4.0.0";
  express.direct = true;
  express.file = "web/package-lock.json";
  express.line = 7;
  express.depends_on = {1};
  set.packages = {express, package("qs", "6.11.0")};
  set.packages[1].scope = scanner::Scope::optional;
  set.packages[1].file = "elsewhere.json";

  const auto report = compose(with(std::move(set)));
  EXPECT_EQ(report.commit_sha(), std::string(40, 'a'));
  EXPECT_EQ(report.content_hash(), std::string(64, 'b'));
  EXPECT_THAT(report.trimmed(), IsEmpty());
  const auto inventory = unpacked(report);
  ASSERT_THAT(inventory.sets(), SizeIs(1));
  const auto& sent = inventory.sets(0);
  EXPECT_EQ(sent.ecosystem(), "npm");
  EXPECT_EQ(sent.lock(), "web/package-lock.json");
  EXPECT_EQ(sent.root(), "shop");
  ASSERT_THAT(sent.packages(), SizeIs(2));
  EXPECT_EQ(sent.packages(0).range(), "^4.0.0");
  EXPECT_TRUE(sent.packages(0).direct());
  EXPECT_EQ(sent.packages(0).file(), "") << "the lock's path is not repeated";
  EXPECT_EQ(sent.packages(0).line(), 7u);
  EXPECT_THAT(sent.packages(0).depends_on(), ElementsAre(1));
  EXPECT_EQ(sent.packages(1).scope(), fleet::v1::Package::SCOPE_OPTIONAL);
  EXPECT_EQ(sent.packages(1).file(), "elsewhere.json");
}

TEST(Compose, NoCredentialOfARegistryLeaves) {
  scanner::PackageSet set;
  auto own = package("own", "1.0");
  own.source = "https://build:hunter2secret@registry.example/own-1.0.tgz";
  own.range = "git+https://oauth2:glpat-abcdefghij0123456789@git.example/own.git";
  set.packages = {own};
  auto reading = with(std::move(set));
  reading.inventory.problems.push_back(
      {".npmrc", 3,
       "could not read //r.example/:_authToken=npm_0123456789abcdefghijABCDEFGHIJ012345"});
  const auto text = unpacked(compose(reading)).SerializeAsString();
  EXPECT_THAT(text, HasSubstr("registry.example"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2secret")));
  EXPECT_THAT(text, Not(HasSubstr("glpat-abcdefghij0123456789")));
  EXPECT_THAT(text, Not(HasSubstr("npm_0123456789abcdefghij")));
}

TEST(Compose, ALargeTreeIsTrimmedInTheWrittenOrderAndFits) {
  scanner::PackageSet set;
  for (int i = 0; i < 40'000; ++i) {
    // Nothing here repeats, so little of it can be packed away.
    const auto noise = crypto::sha256_hex(std::to_string(i));
    auto p = package("package-" + noise.substr(0, 20), noise.substr(20, 8));
    p.source = "https://registry.example/" + noise + ".tgz";
    p.depends_on = {static_cast<uint32_t>(i / 2), static_cast<uint32_t>(i / 3)};
    p.line = static_cast<uint32_t>(i);
    set.packages.push_back(std::move(p));
  }
  const auto report = compose(with(std::move(set)));
  EXPECT_LE(report.ByteSizeLong(), 64u << 10);
  EXPECT_THAT(report.trimmed(), ElementsAre("edges", "sources", "places", "packages"));
  const auto inventory = unpacked(report);
  EXPECT_GT(inventory.sets(0).packages_size(), 1'000);
  EXPECT_THAT(inventory.sets(0).packages(0).depends_on(), IsEmpty());
}

TEST(Compose, MorePackagesThanAReportHoldsAreSaid) {
  auto reading = with({});
  reading.inventory.sets.push_back({});
  reading.inventory.sets[1].lock = "huge/package-lock.json";
  reading.inventory.sets[1].packages.resize(60'000);
  const auto inventory = unpacked(compose(reading));
  EXPECT_THAT(inventory.sets(), SizeIs(1));
  ASSERT_THAT(inventory.problems(), SizeIs(1));
  EXPECT_EQ(inventory.problems(0).file(), "huge/package-lock.json");
}

TEST(NamesCheckoutOf, OnlyWhatEndsInTheProjectsPath) {
  EXPECT_TRUE(names_checkout_of("/builds/x/0/grp/demo", "grp/demo"));
  EXPECT_TRUE(names_checkout_of("/builds/x/0/grp/demo/", "grp/demo"));
  EXPECT_FALSE(names_checkout_of("/builds/x/0/other/demo", "grp/demo"));
  EXPECT_FALSE(names_checkout_of("/builds/x/0/agrp/demo", "grp/demo"));
  EXPECT_FALSE(names_checkout_of("grp/demo", "grp/demo"));
  EXPECT_FALSE(names_checkout_of("/home", ""));
}

}  // namespace
}  // namespace gitaiops::agent
