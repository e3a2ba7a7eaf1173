// What take_inventory makes of trees: one small example for each rule.
#include <gtest/gtest.h>

#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

const Package* find(const PackageSet& set, std::string_view name) {
  for (const auto& package : set.packages)
    if (package.name == name) return &package;
  return nullptr;
}

std::string way(const PackageSet& set, std::string_view name) {
  std::string out;
  for (const uint32_t i :
       path_to(set, static_cast<uint32_t>(find(set, name) - set.packages.data())))
    out += (out.empty() ? "" : " > ") + set.packages[i].name;
  return out;
}

TEST(Inventory, ManifestAndLockFileAreOneSet) {
  const Inventory inventory = take_inventory(
      MemoryTree({{"web/package.json", R"({"name": "shop", "version": "2.0.0",
  "dependencies": {"ring": "^1.0.0"},
  "devDependencies": {"tester": "~3.0.0"}})"},
                  {"web/package-lock.json", R"({"name": "shop", "lockfileVersion": 3, "packages": {
  "": {"name": "shop", "dependencies": {"ring": "^1.0.0"}, "devDependencies": {"tester": "~3.0.0"}},
  "node_modules/ring": {"version": "1.4.0", "resolved": "https://registry.example/ring/-/ring-1.4.0.tgz",
    "integrity": "sha512-AAAA", "dependencies": {"part": "^1.0.0"}},
  "node_modules/part": {"version": "1.1.0"},
  "node_modules/tester": {"version": "3.0.9", "dev": true, "dependencies": {"part": "^2.0.0"}},
  "node_modules/tester/node_modules/part": {"version": "2.5.0", "dev": true}
}})"}}));
  ASSERT_TRUE(inventory.problems.empty());
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(set.manager, "npm");
  EXPECT_EQ(set.manifest, "web/package.json");
  EXPECT_EQ(set.lock, "web/package-lock.json");
  EXPECT_EQ(set.root, "shop");
  EXPECT_EQ(set.root_version, "2.0.0");
  ASSERT_EQ(set.packages.size(), 4u);
  const auto& ring = *find(set, "ring");
  EXPECT_EQ(ring.version, "1.4.0");
  EXPECT_EQ(ring.range, "^1.0.0");
  EXPECT_TRUE(ring.direct);
  EXPECT_EQ(ring.line, 3u);
  EXPECT_EQ(ring.asked_in, "web/package.json");
  EXPECT_EQ(ring.asked_line, 2u);
  ASSERT_EQ(ring.checksums.size(), 1u);
  EXPECT_EQ(ring.checksums[0].algorithm, "sha512");
  EXPECT_EQ(ring.checksums[0].value, "AAAA");
  // part 1.1.0 hangs on ring, part 2.5.0 on tester.
  EXPECT_EQ(set.packages[0].version, "1.1.0");
  EXPECT_EQ(set.packages[1].scope, Scope::development);
  EXPECT_EQ(path_to(set, 0), (std::vector<uint32_t>{2, 0}));
  EXPECT_EQ(path_to(set, 1), (std::vector<uint32_t>{3, 1}));
  EXPECT_TRUE(path_to(set, 9).empty());
}

TEST(Inventory, ScopesFollowWhoNeedsAPackage) {
  const Inventory inventory = take_inventory(
      MemoryTree({{"Cargo.toml",
                   "[package]\nname = \"app\"\nversion = \"0.1.0\"\n[dependencies]\nserial = "
                   "\"1\"\n[dev-dependencies]\nbencher = { version = \"2\" }\n"},
                  {"Cargo.lock", R"(version = 3
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["serial", "bencher"]
[[package]]
name = "bencher"
version = "2.1.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "ab"
dependencies = ["chart", "common"]
[[package]]
name = "chart"
version = "0.3.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "common"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "serial"
version = "1.2.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["common"]
)"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(find(set, "serial")->scope, Scope::runtime);
  EXPECT_EQ(find(set, "common")->scope, Scope::runtime);
  EXPECT_EQ(find(set, "bencher")->scope, Scope::development);
  EXPECT_EQ(find(set, "chart")->scope, Scope::development);
  EXPECT_EQ(find(set, "chart")->line, 13u);
  EXPECT_EQ(way(set, "chart"), "bencher > chart");
}

TEST(Inventory, AWorkspacesManifestsBelongToItsLockFile) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"Cargo.lock",
        "[[package]]\nname = \"core-part\"\nversion = \"0.1.0\"\n[[package]]\nname = "
        "\"serial\"\nversion = \"1.2.0\"\n"
        "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"},
       {"Cargo.toml",
        "[workspace]\nmembers = [\"core\"]\n[workspace.dependencies]\nserial = \"1.1\"\n"},
       {"core/Cargo.toml",
        "[package]\nname = \"core-part\"\nversion = \"0.1.0\"\n[dependencies]\nserial = { "
        "workspace = true }\n"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& serial = *find(inventory.sets[0], "serial");
  EXPECT_EQ(serial.version, "1.2.0");
  EXPECT_EQ(serial.range, "1.1");
  EXPECT_TRUE(serial.direct);
  EXPECT_EQ(serial.asked_in, "core/Cargo.toml");
}

TEST(Inventory, RequirementsWithIncludesConstraintsMarkersAndHashes) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"requirements.txt",
        "# pinned\n-r more.in\n-c constraints.txt\n"
        "Ring_Part[fast]==1.2 ; python_version >= \"3.8\" --hash=sha256:aa \\\n  --hash=sha256:bb\n"
        "open-one\nlocal @ https://files.example/local-1.zip\n-e "
        "git+https://git.example/egg.git#egg=hatched\nwrong one 1.0\n"},
       {"more.in", "included>=2,<3\n-r requirements.txt\n"},
       {"constraints.txt", "open_one==7.0\nunused==1.0\n"},
       {"requirements-dev.txt", "-r requirements.txt\nchecker~=1.4\n"}}));
  ASSERT_EQ(inventory.sets.size(), 2u);
  const auto& development = inventory.sets[0];
  ASSERT_EQ(development.packages.size(), 1u);
  EXPECT_EQ(development.packages[0].scope, Scope::development);
  const auto& set = inventory.sets[1];
  ASSERT_EQ(set.packages.size(), 5u);
  EXPECT_EQ(find(set, "Ring_Part")->version, "1.2");
  EXPECT_EQ(find(set, "Ring_Part")->line, 4u);
  EXPECT_EQ(find(set, "Ring_Part")->checksums.size(), 2u);
  EXPECT_EQ(find(set, "included")->file, "more.in");
  EXPECT_EQ(find(set, "included")->range, ">=2,<3");
  EXPECT_EQ(find(set, "open-one")->version, "7.0");
  EXPECT_EQ(find(set, "local")->source, "https://files.example/local-1.zip");
  EXPECT_EQ(find(set, "hatched")->source, "git+https://git.example/egg.git");
  ASSERT_EQ(inventory.problems.size(), 1u);
  EXPECT_EQ(inventory.problems[0].line, 9u);
  EXPECT_EQ(inventory.problems[0].reason, "\"wrong one 1.0\" is no requirement");
}

TEST(Inventory, MavenTakesParentsPropertiesAndBomsFromTheTree) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"pom.xml",
        R"(<project><groupId>org.shop</groupId><artifactId>parent</artifactId><version>${revision}</version>
<properties><revision>3.1</revision><ring.version>1.0</ring.version></properties>
<dependencyManagement><dependencies>
  <dependency><groupId>org.shop</groupId><artifactId>bom</artifactId><version>3.1</version><type>pom</type><scope>import</scope></dependency>
  <dependency><groupId>org.ring</groupId><artifactId>core</artifactId><version>${ring.version}</version></dependency>
</dependencies></dependencyManagement>
<profiles><profile><dependencies><dependency><groupId>off</groupId><artifactId>off</artifactId><version>1</version></dependency></dependencies></profile></profiles>
</project>)"},
       {"bom/pom.xml",
        R"(<project><groupId>org.shop</groupId><artifactId>bom</artifactId><version>3.1</version>
<dependencyManagement><dependencies>
  <dependency><groupId>org.ring</groupId><artifactId>core</artifactId><version>0.1</version></dependency>
  <dependency><groupId>org.ring</groupId><artifactId>from-bom</artifactId><version>5.0</version></dependency>
</dependencies></dependencyManagement></project>)"},
       {"app/pom.xml",
        R"(<project><parent><groupId>org.shop</groupId><artifactId>parent</artifactId><version>3.1</version></parent>
<artifactId>app</artifactId>
<properties><ring.version>1.5</ring.version></properties>
<dependencies>
  <dependency><groupId>org.ring</groupId><artifactId>core</artifactId></dependency>
  <dependency><groupId>org.ring</groupId><artifactId>from-bom</artifactId><scope>test</scope></dependency>
  <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version></dependency>
  <dependency><groupId>org.ring</groupId><artifactId>lost</artifactId><version>${nowhere}</version></dependency>
</dependencies></project>)"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(set.root, "org.shop:app");
  EXPECT_EQ(set.root_version, "3.1");
  EXPECT_EQ(find(set, "org.ring:core")->version, "1.5");
  EXPECT_EQ(find(set, "org.ring:from-bom")->version, "5.0");
  EXPECT_EQ(find(set, "org.ring:from-bom")->scope, Scope::development);
  EXPECT_EQ(find(set, "org.shop:sibling")->version, "3.1");
  EXPECT_EQ(find(set, "org.ring:lost")->version, "");
  ASSERT_EQ(inventory.problems.size(), 1u);
  EXPECT_EQ(inventory.problems[0].line, 8u);
}

TEST(Inventory, GoBefore117TakesTheRestFromGoSum) {
  const std::map<std::string, std::string> files{
      {"go.mod", "module shop\n\ngo 1.16\n\nrequire org.example/ring v1.2.0\n"},
      {"go.sum",
       "org.example/ring v1.2.0 h1:aa=\norg.example/ring v1.2.0/go.mod h1:bb=\n"
       "org.example/deep v0.3.0 h1:cc=\norg.example/unused v0.1.0/go.mod h1:dd=\n"}};
  const Inventory inventory = take_inventory(MemoryTree(files));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(set.lock, "go.sum");
  ASSERT_EQ(set.packages.size(), 3u);
  EXPECT_EQ(find(set, "org.example/ring")->checksums[0].value, "aa=");
  EXPECT_EQ(find(set, "org.example/deep")->file, "go.sum");
  EXPECT_EQ(find(set, "stdlib")->version, "1.16");
}

TEST(Inventory, GemfileGroupsAndLock) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"Gemfile",
        "source 'https://gems.example'\ngem 'ring', '~> 1.0'\ngroup :development, :test do\n  gem "
        "\"tester\", require: false\nend\n"
        "gem 'gitty', git: 'https://git.example/g.git'\n"},
       {"Gemfile.lock",
        "GIT\n  remote: https://git.example/g.git\n  revision: abc\n  specs:\n    gitty (0.1)\n\n"
        "GEM\n  remote: https://gems.example/\n  specs:\n    part (2.0)\n    ring "
        "(1.4-x86_64-linux)\n      part (>= 1)\n    tester (3.0)\n\n"
        "DEPENDENCIES\n  gitty!\n  ring (~> 1.0)\n  tester\n\nCHECKSUMS\n  part (2.0) "
        "sha256=ff\n"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(find(set, "ring")->version, "1.4");
  EXPECT_EQ(find(set, "ring")->range, "~> 1.0");
  EXPECT_EQ(find(set, "tester")->scope, Scope::development);
  EXPECT_EQ(find(set, "gitty")->source, "https://git.example/g.git#abc");
  EXPECT_EQ(find(set, "part")->checksums[0].value, "ff");
  EXPECT_EQ(way(set, "part"), "ring > part");
}

TEST(Inventory, CentralVersionsOfDotnet) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"Directory.Packages.props",
        "<Project><PropertyGroup><Ring>4.2.0</Ring></PropertyGroup><ItemGroup>\n"
        "<PackageVersion Include=\"Ring.Core\" Version=\"$(Ring)\" /></ItemGroup></Project>"},
       {"src/App.csproj",
        "<Project><ItemGroup>\n<PackageReference Include=\"ring.core\" />\n"
        "<PackageReference Include=\"Part\" Version=\"[1.0,2.0)\" />\n<PackageReference "
        "Include=\"Lost\" /></ItemGroup></Project>"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  ASSERT_EQ(set.packages.size(), 2u);
  EXPECT_EQ(find(set, "ring.core")->version, "4.2.0");
  EXPECT_EQ(find(set, "Part")->version, "");
  EXPECT_EQ(find(set, "Part")->range, "[1.0,2.0)");
  ASSERT_EQ(inventory.problems.size(), 1u);
  EXPECT_EQ(inventory.problems[0].reason, "the version of Lost stands nowhere");
}

TEST(Inventory, WhatTheLockFileLacksKeepsItsRange) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"composer.json",
        R"({"require": {"php": ">=8", "ext-json": "*", "a/new": "^2.0", "a/old": "^1.0"}})"},
       {"composer.lock",
        R"({"packages": [{"name": "a/old", "version": "v1.3.0", "dist": {"url": "https://x", "shasum": "ab"}}]})"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  ASSERT_EQ(set.packages.size(), 2u);
  EXPECT_EQ(set.packages[0].name, "a/new");
  EXPECT_EQ(set.packages[0].version, "");
  EXPECT_EQ(set.packages[0].range, "^2.0");
  EXPECT_EQ(set.packages[1].version, "v1.3.0");
  EXPECT_TRUE(set.packages[1].direct);
}

TEST(Inventory, LowestVersionOfARange) {
  EXPECT_EQ(lowest_version("^1.2.3"), "1.2.3");
  EXPECT_EQ(lowest_version(">=1.2, <2"), "1.2");
  EXPECT_EQ(lowest_version("[1.0,2.0)"), "1.0");
  EXPECT_EQ(lowest_version("~> 2.0"), "2.0");
  EXPECT_EQ(lowest_version("1.2.*"), "");
  EXPECT_EQ(lowest_version("latest"), "");
  EXPECT_EQ(lowest_version(""), "");
}

TEST(Inventory, PackageUrls) {
  const auto purl = [](Ecosystem ecosystem, std::string name, std::string version) {
    Package package;
    package.ecosystem = ecosystem;
    package.name = std::move(name);
    package.version = std::move(version);
    return purl_of(package);
  };
  EXPECT_EQ(purl(Ecosystem::npm, "@ring/part", "1.0.0"), "pkg:npm/%40ring/part@1.0.0");
  EXPECT_EQ(purl(Ecosystem::maven, "org.ring:part", "1.0"), "pkg:maven/org.ring/part@1.0");
  EXPECT_EQ(purl(Ecosystem::pypi, "Ring_Part", "1.0"), "pkg:pypi/ring-part@1.0");
  EXPECT_EQ(purl(Ecosystem::go, "github.com/ring/part", "1.0.0"),
            "pkg:golang/github.com/ring/part@v1.0.0");
  EXPECT_EQ(purl(Ecosystem::go, "stdlib", "1.22"), "pkg:golang/stdlib@1.22");
  EXPECT_EQ(purl(Ecosystem::packagist, "Ring/Part", ""), "pkg:composer/ring/part");
  EXPECT_EQ(purl(Ecosystem::swift, "github.com/ring/part", "2.0.0"),
            "pkg:swift/github.com/ring/part@2.0.0");
}

}  // namespace
}  // namespace gitaiops::scanner
