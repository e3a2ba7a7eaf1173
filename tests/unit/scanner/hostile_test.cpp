// Content that is not what its name says: a Problem with its place, and the rest is still read.
#include <gtest/gtest.h>

#include "engines/scanner/parsers/formats.h"
#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

const std::vector<std::string> kNames = {"package.json",
                                         "package-lock.json",
                                         "npm-shrinkwrap.json",
                                         "yarn.lock",
                                         "pnpm-lock.yaml",
                                         "bun.lock",
                                         "pyproject.toml",
                                         "poetry.lock",
                                         "uv.lock",
                                         "pdm.lock",
                                         "pylock.toml",
                                         "Pipfile",
                                         "Pipfile.lock",
                                         "requirements.txt",
                                         "pom.xml",
                                         "build.gradle",
                                         "build.gradle.kts",
                                         "gradle.lockfile",
                                         "buildscript-gradle.lockfile",
                                         "verification-metadata.xml",
                                         "libs.versions.toml",
                                         "go.mod",
                                         "go.sum",
                                         "Cargo.toml",
                                         "Cargo.lock",
                                         "composer.json",
                                         "composer.lock",
                                         "Gemfile",
                                         "Gemfile.lock",
                                         "gems.locked",
                                         "app.csproj",
                                         "packages.lock.json",
                                         "packages.config",
                                         "Directory.Packages.props",
                                         "app.deps.json",
                                         "mix.lock",
                                         "pubspec.lock",
                                         "conan.lock",
                                         "renv.lock",
                                         "Package.resolved"};

Inventory read(const std::string& name, const std::string& text) {
  std::map<std::string, std::string> files;
  files.emplace(name, text);
  return take_inventory(MemoryTree(std::move(files)));
}

TEST(Hostile, EveryFormatIsKnown) {
  for (const auto& name : kNames) EXPECT_TRUE(is_manifest("deep/folder/" + name)) << name;
  EXPECT_FALSE(is_manifest("package.json.orig"));
  EXPECT_TRUE(is_manifest("dev-requirements-3.txt"));
}

TEST(Hostile, AWebPageOrAMergeConflictIsTold) {
  for (const auto& name : kNames) {
    const auto page = read(name, "\n<!DOCTYPE html><html><body>Please log in</body></html>");
    ASSERT_EQ(page.problems.size(), 1u) << name;
    EXPECT_EQ(page.problems[0].reason,
              "it is an HTML page (a login or error page saved under this name?)");
    const auto conflict =
        read(name, "{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> other\n}\n");
    ASSERT_EQ(conflict.problems.size(), 1u) << name;
    EXPECT_EQ(conflict.problems[0].line, 2u);
    EXPECT_EQ(conflict.problems[0].reason, "it has merge-conflict markers");
  }
}

TEST(Hostile, NothingIsTooStrange) {
  std::vector<std::string> texts = {"",
                                    " ",
                                    "\n",
                                    "{",
                                    "[",
                                    "null",
                                    "\"",
                                    "{}",
                                    "[]",
                                    "0",
                                    "<",
                                    "<a>",
                                    "<a/>",
                                    "a: [",
                                    "- -",
                                    "&a [*a]",
                                    "{\"packages\": 1}",
                                    "{\"dependencies\": [1, {}]}",
                                    "{\"a\": 1e999999999, \"a\": {}}",
                                    "\xff\xfe{\0}\0",
                                    "\xef\xbb\xbf{}",
                                    "\xff\xff\xff",
                                    std::string(1, '\0'),
                                    std::string(1000, '\xc3'),
                                    "a=1\na=2\n",
                                    "[[package]]\nname = 1\nversion = []\n",
                                    "package = 5\n",
                                    "%{\"a\": {",
                                    "gem",
                                    "gem(",
                                    "GEM\n  specs:\n    (",
                                    ":",
                                    "require (",
                                    "dependencies {",
                                    "dependencies { implementation",
                                    "dependencies { implementation '",
                                    "\\",
                                    "-r",
                                    "-r /etc/passwd",
                                    "-r ../../x"};
  for (const std::string open : {"{\"a\":", "[", "<a>", "{", "(", "- ", "a:\n ", "[[", "\"a\": {",
                                 "dependencies {", "a = [", "%{", "a.", "a=[", "{a.", "${"}) {
    std::string nested;
    while (nested.size() < 60'000) nested += open;
    texts.push_back(nested);
    texts.push_back(nested + "a = 1\n");
  }
  for (const auto& name : kNames)
    for (const auto& text : texts) {
      const auto inventory = read(name, text);
      for (const auto& problem : inventory.problems) EXPECT_FALSE(problem.reason.empty());
    }
}

TEST(Hostile, EveryTruncationIsRead) {
  const std::string lock =
      R"({"name": "shop", "lockfileVersion": 3, "packages": {"": {"dependencies": {"r": "^1"}},
 "node_modules/r": {"version": "1.0.0", "dependencies": {"p": "1"}}, "node_modules/p": {"version": "1.0.1"}}})";
  for (std::size_t end = 0; end < lock.size(); ++end) {
    const auto inventory = read("package-lock.json", lock.substr(0, end));
    EXPECT_EQ(inventory.problems.size(), 1u) << end;
  }
  EXPECT_TRUE(read("package-lock.json", lock).problems.empty());
}

TEST(Hostile, BillionLaughsInXmlYamlAndProperties) {
  std::string xml = "<!DOCTYPE p [<!ENTITY a0 \"ha\">";
  std::string yaml = "a0: &a0 [ha, ha]\n", pom = "<project><properties><a0>ha</a0>";
  for (int i = 1; i < 60; ++i) {
    const std::string n = std::to_string(i), before = std::to_string(i - 1);
    xml += "<!ENTITY a" + n + " \"&a" + before + ";&a" + before + ";\">";
    yaml += "a" + n + ": &a" + n + " [*a" + before + ", *a" + before + "]\n";
    pom += "<a" + n + ">${a" + before + "}${a" + before + "}</a" + n + ">";
  }
  const auto from_xml =
      read("packages.config", xml + "]><packages><package id=\"&a59;\" version=\"1\"/></packages>");
  ASSERT_EQ(from_xml.sets.size(), 1u);
  EXPECT_EQ(from_xml.sets[0].packages[0].name, "&a59;");
  const auto from_yaml = read("pubspec.lock", yaml);
  ASSERT_EQ(from_yaml.problems.size(), 1u);
  EXPECT_EQ(from_yaml.problems[0].reason, "it holds more than 2000000 values");
  const auto from_pom = read(
      "pom.xml",
      pom +
          "</properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>"
          "<version>${a59}</version></dependency></dependencies></project>");
  ASSERT_EQ(from_pom.sets.size(), 1u);
  EXPECT_LT(from_pom.sets[0].packages[0].range.size(), 100'000u);
}

TEST(Hostile, ParentsAndIncludesInACircle) {
  const auto poms = take_inventory(MemoryTree(
      {{"pom.xml",
        "<project><artifactId>a</artifactId><groupId>g</groupId><parent><groupId>g</"
        "groupId><artifactId>b</artifactId><relativePath>b</relativePath></parent></project>"},
       {"b/pom.xml",
        "<project><artifactId>b</artifactId><groupId>g</groupId><parent><groupId>g</"
        "groupId><artifactId>a</artifactId></parent></project>"}}));
  ASSERT_FALSE(poms.problems.empty());
  EXPECT_EQ(poms.problems[0].reason, "its parents form a circle");
  const auto includes = take_inventory(MemoryTree({{"requirements.txt", "-r a.in\n"},
                                                   {"a.in", "-r b.in\none==1\n"},
                                                   {"b.in", "-r a.in\ntwo==2\n"}}));
  ASSERT_EQ(includes.sets.size(), 1u);
  EXPECT_EQ(includes.sets[0].packages.size(), 2u);
}

TEST(Hostile, EncodingsOfOtherMachines) {
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string("ring==1.0\r\n")) utf16 += {c, '\0'};
  const auto inventory = read("requirements.txt", utf16);
  ASSERT_EQ(inventory.sets.size(), 1u);
  EXPECT_EQ(inventory.sets[0].packages[0].version, "1.0");
  const auto marked = read("package.json", "\xef\xbb\xbf{\"dependencies\": {\"ring\": \"1.0.0\"}}");
  ASSERT_EQ(marked.sets.size(), 1u);
  EXPECT_TRUE(marked.problems.empty());
}

TEST(Hostile, ABrokenLockFileLeavesTheManifestAndTheRest) {
  const auto inventory =
      take_inventory(MemoryTree({{"package.json", R"({"dependencies": {"ring": "^1.0.0"}})"},
                                 {"package-lock.json", "{\n  \"packages\": {\n    \"a\": oops\n"},
                                 {"py/requirements.txt", "part==2.0\n"}}));
  ASSERT_EQ(inventory.problems.size(), 1u);
  EXPECT_EQ(inventory.problems[0].file, "package-lock.json");
  EXPECT_EQ(inventory.problems[0].line, 3u);
  ASSERT_EQ(inventory.sets.size(), 2u);
  EXPECT_EQ(inventory.sets[0].packages[0].range, "^1.0.0");
  EXPECT_EQ(inventory.sets[1].packages[0].name, "part");
}

TEST(Hostile, MorePackagesThanAnyFileHas) {
  std::string text;
  for (int i = 0; i < 250'000; ++i) text += "p" + std::to_string(i) + "\n";
  const auto inventory = read("requirements.txt", text);
  ASSERT_EQ(inventory.sets.size(), 1u);
  EXPECT_EQ(inventory.sets[0].packages.size(), 200'001u);
  ASSERT_EQ(inventory.problems.size(), 1u);
}

}  // namespace
}  // namespace gitaiops::scanner
