// Manifests of every kind, rewritten: one literal changes, all other bytes stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/scanner/remediation/remediation.h"
#include "tests/unit/advisories/built.h"
#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::map<std::string, std::string>;

std::string affected(const std::string& ecosystem, const std::string& name,
                     const std::string& fixed) {
  return record("A-" + name, ecosystem, name,
                ranges(R"({"introduced":"0"},{"fixed":")" + fixed + R"("})"));
}

Rewriting rewritten(const Files& files, const std::vector<std::string>& records) {
  const Built built(records);
  const MemoryTree tree(files);
  const auto inventory = take_inventory(tree);
  const auto findings = find(inventory, *built.index);
  EXPECT_TRUE(findings);
  const auto plan = plan_upgrades(inventory, *findings, *built.index);
  EXPECT_TRUE(plan);
  EXPECT_FALSE(plan->upgrades.empty());
  return rewrite(tree, inventory, *plan);
}

struct Case {
  std::string name, file, before, after, ecosystem, package, fixed;
  Files beside = {};
};

class Manifest : public testing::TestWithParam<Case> {};

TEST_P(Manifest, ChangesOneLiteralOnly) {
  const auto& one = GetParam();
  Files files = one.beside;
  files[one.file] = one.before;
  const auto got = rewritten(files, {affected(one.ecosystem, one.package, one.fixed)});
  ASSERT_EQ(got.outcomes.size(), 1u);
  EXPECT_EQ(got.outcomes[0].why_not, "");
  ASSERT_EQ(got.files.size(), 1u);
  EXPECT_EQ(got.files.begin()->second, one.after);
}

const Case kCases[] = {
    {"npm_with_crlf_and_mark", "package.json",
     "\xef\xbb\xbf{\r\n  \"name\": \"1.0.0\",\r\n\t\"dependencies\": {\"other\": \"1.0.0\", "
     "\"can\": \"1.0.0\"}\r\n}",
     "\xef\xbb\xbf{\r\n  \"name\": \"1.0.0\",\r\n\t\"dependencies\": {\"other\": \"1.0.0\", "
     "\"can\": \"1.2.0\"}\r\n}",
     "npm", "can", "1.2.0"},
    {"npm_alias", "package.json", R"({"dependencies": {"tin": "npm:can@1.0.0", "x": "1.0.0"}})",
     R"({"dependencies": {"tin": "npm:can@1.2.0", "x": "1.0.0"}})", "npm", "can", "1.2.0"},
    {"requirements", "requirements.txt",
     "# can==1.0.0\nother==1.0.0 ; python_version > '3'\ncan[x] ==1.0.0  # can==1.0.0\n",
     "# can==1.0.0\nother==1.0.0 ; python_version > '3'\ncan[x] ==1.2.0  # can==1.0.0\n", "PyPI",
     "can", "1.2.0"},
    {"name_that_ends_in_a_digit", "requirements.txt", "lid1==1.0.0\ncan10==1.0.0\n",
     "lid1==1.0.0\ncan10==1.2.0\n", "PyPI", "can10", "1.2.0"},
    {"requirements_continued", "requirements-dev.txt", "can \\\n  ==1.0.0\n", "can \\\n  ==1.2.0\n",
     "PyPI", "can", "1.2.0"},
    {"pipfile", "Pipfile", "[packages]\ncan = '==1.0.0' # pinned\nlid = \"==1.0.0\"\n",
     "[packages]\ncan = '==1.2.0' # pinned\nlid = \"==1.0.0\"\n", "PyPI", "can", "1.2.0"},
    {"pyproject", "pyproject.toml",
     "[project]\nname = \"x\"\nversion = \"1.0.0\"\ndependencies = [\n  \"lid==1.0.0\",\n  "
     "\"can==1.0.0\", # why\n]\n",
     "[project]\nname = \"x\"\nversion = \"1.0.0\"\ndependencies = [\n  \"lid==1.0.0\",\n  "
     "\"can==1.2.0\", # why\n]\n",
     "PyPI", "can", "1.2.0"},
    {"cargo", "Cargo.toml",
     "[package]\nname = \"x\"\nversion = \"1.0.0\"\n[dependencies]\nlid = \"=1.0.0\"\n"
     "can = { version = \"=1.0.0\", features = [\"a\"] }\n",
     "[package]\nname = \"x\"\nversion = \"1.0.0\"\n[dependencies]\nlid = \"=1.0.0\"\n"
     "can = { version = \"=1.2.0\", features = [\"a\"] }\n",
     "crates.io", "can", "1.2.0"},
    {"cargo_table", "Cargo.toml",
     "[dependencies.lid]\nversion = \"=1.0.0\"\n[dependencies.can]\nversion = \"=1.0.0\"\n",
     "[dependencies.lid]\nversion = \"=1.0.0\"\n[dependencies.can]\nversion = \"=1.2.0\"\n",
     "crates.io", "can", "1.2.0"},
    {"go", "go.mod",
     "module m\n\ngo 1.22\n\nrequire (\n\ta.b/lid v1.0.0\n\ta.b/can v1.0.0 // indirect\n)\n",
     "module m\n\ngo 1.22\n\nrequire (\n\ta.b/lid v1.0.0\n\ta.b/can v1.2.0 // indirect\n)\n", "Go",
     "a.b/can", "1.2.0"},
    {"maven_literal", "pom.xml",
     "<project>\n <groupId>g</groupId><artifactId>a</artifactId><version>1.0.0</version>\n"
     "<dependencies>\n<dependency><groupId>g</groupId><artifactId>lid</artifactId>\n"
     "<version>1.0.0</version></dependency>\n<dependency><groupId>g</groupId>\n"
     "<artifactId>can</artifactId><version> 1.0.0 </version></dependency></dependencies></project>",
     "<project>\n <groupId>g</groupId><artifactId>a</artifactId><version>1.0.0</version>\n"
     "<dependencies>\n<dependency><groupId>g</groupId><artifactId>lid</artifactId>\n"
     "<version>1.0.0</version></dependency>\n<dependency><groupId>g</groupId>\n"
     "<artifactId>can</artifactId><version> 1.2.0 </version></dependency></dependencies></project>",
     "Maven", "g:can", "1.2.0"},
    {"maven_property", "pom.xml",
     "<project><groupId>g</groupId><artifactId>a</artifactId><version>1.0.0</version><properties>"
     "<c>1.0.0</c></properties>\n<dependencies><dependency><groupId>g</groupId>"
     "<artifactId>can</artifactId><version>${c}</version></dependency></dependencies></project>",
     "<project><groupId>g</groupId><artifactId>a</artifactId><version>1.0.0</version><properties>"
     "<c>1.2.0</c></properties>\n<dependencies><dependency><groupId>g</groupId>"
     "<artifactId>can</artifactId><version>${c}</version></dependency></dependencies></project>",
     "Maven", "g:can", "1.2.0"},
    {"gradle", "build.gradle",
     "version = '1.0.0'\ndependencies {\n  implementation 'g:lid:1.0.0'\n  implementation "
     "'g:can:1.0.0' // g:can:1.0.0\n}\n",
     "version = '1.0.0'\ndependencies {\n  implementation 'g:lid:1.0.0'\n  implementation "
     "'g:can:1.2.0' // g:can:1.0.0\n}\n",
     "Maven", "g:can", "1.2.0"},
    {"gemfile", "Gemfile",
     "source 'https://rubygems.org'\ngem 'lid', '1.0.0'\ngem \"can\", \"1.0.0\"\n",
     "source 'https://rubygems.org'\ngem 'lid', '1.0.0'\ngem \"can\", \"1.2.0\"\n", "RubyGems",
     "can", "1.2.0"},
    {"composer", "composer.json", "{\"require\": {\n\"a/lid\": \"1.0.0\",\n\"a/can\": \"1.0.0\"}}",
     "{\"require\": {\n\"a/lid\": \"1.0.0\",\n\"a/can\": \"1.2.0\"}}", "Packagist", "a/can",
     "1.2.0"},
    {"nuget", "app.csproj",
     "<Project>\r\n<ItemGroup><PackageReference Include=\"Lid\" Version=\"1.0.0\" />\r\n"
     "<PackageReference Include=\"Can\" Version=\"1.0.0\" /></ItemGroup></Project>",
     "<Project>\r\n<ItemGroup><PackageReference Include=\"Lid\" Version=\"1.0.0\" />\r\n"
     "<PackageReference Include=\"Can\" Version=\"1.2.0\" /></ItemGroup></Project>",
     "NuGet", "Can", "1.2.0"},
};
INSTANTIATE_TEST_SUITE_P(All, Manifest, testing::ValuesIn(kCases),
                         [](const auto& one) { return one.param.name; });

TEST(Rewrite, ARangeFollowsWhatTheLockFileHas) {
  const Files files = {
      {"package.json", R"({"dependencies": {"can": "^1.0.0"}})"},
      {"package-lock.json",
       R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "^1.0.0"}},
           "node_modules/can": {"version": "1.0.7"}}})"}};
  const auto got = rewritten(files, {affected("npm", "can", "1.2.0")});
  EXPECT_EQ(got.files.at("package.json"), R"({"dependencies": {"can": "^1.2.0"}})");
  EXPECT_EQ(got.files.size(), 1u);
}

TEST(Rewrite, AllManifestsOfAWorkspaceFollow) {
  const Files files = {
      {"package.json", R"({"workspaces": ["a", "b", "c"], "dependencies": {"can": "^1.0.0"}})"},
      {"a/package.json", R"({"name": "a", "dependencies": {"can": "~1.0.0"}})"},
      {"b/package.json", R"({"name": "b", "dependencies": {"can": "^3.0.0"}})"},
      {"c/package.json", R"({"name": "c", "dependencies": {"can": "1.0.7"},
                             "devDependencies": {"can": "^1.0.1"}})"},
      {"other/package.json", R"({"name": "other", "dependencies": {"can": "^1.0.0"}})"},
      {"other/package-lock.json",
       R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "^1.0.0"}},
           "node_modules/can": {"version": "1.9.0"}}})"},
      {"package-lock.json",
       R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "^1.0.0"}},
           "node_modules/can": {"version": "1.0.7"},
           "a": {"version": "1.0.0", "dependencies": {"can": "~1.0.0"}},
           "c": {"version": "1.0.0", "dependencies": {"can": "1.0.7"}}}})"}};
  const auto got = rewritten(files, {affected("npm", "can", "1.0.9")});
  EXPECT_EQ(got.files.at("package.json"),
            R"({"workspaces": ["a", "b", "c"], "dependencies": {"can": "^1.0.9"}})");
  EXPECT_EQ(got.files.at("a/package.json"), R"({"name": "a", "dependencies": {"can": "~1.0.9"}})");
  EXPECT_THAT(got.files.at("c/package.json"), HasSubstr(R"("can": "1.0.9")"));
  EXPECT_THAT(got.files.at("c/package.json"), HasSubstr(R"("can": "^1.0.9")"));
  EXPECT_EQ(got.files.size(), 3u);
}

TEST(Rewrite, AParentsPropertyIsChangedInTheParent) {
  const Files files = {
      {"pom.xml",
       "<project><groupId>g</groupId><artifactId>up</artifactId><version>1</version><properties>"
       "<c>1.0.0</c></properties></project>"},
      {"app/pom.xml",
       "<project><parent><groupId>g</groupId><artifactId>up</artifactId><version>1</version>"
       "</parent><artifactId>app</artifactId><dependencies><dependency><groupId>g</groupId>"
       "<artifactId>can</artifactId><version>${c}</version></dependency></dependencies></"
       "project>"}};
  const auto got = rewritten(files, {affected("Maven", "g:can", "1.2.0")});
  EXPECT_EQ(got.outcomes[0].file, "pom.xml");
  EXPECT_THAT(got.files.at("pom.xml"), HasSubstr("<c>1.2.0</c>"));
}

TEST(Rewrite, APropertyOfTwoPackagesIsRaisedOnce) {
  const Files files = {
      {"pom.xml",
       "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties>"
       "<c>1.0.0</c></properties><dependencies>\n<dependency><groupId>g</groupId>"
       "<artifactId>can</artifactId><version>${c}</version></dependency>\n<dependency><groupId>g"
       "</groupId><artifactId>lid</artifactId><version>${c}</version></dependency></dependencies>"
       "</project>"}};
  const auto got =
      rewritten(files, {affected("Maven", "g:can", "1.2.0"), affected("Maven", "g:lid", "1.2.0")});
  EXPECT_TRUE(got.outcomes[0].written && got.outcomes[1].written);
  EXPECT_THAT(got.files.at("pom.xml"), HasSubstr("<c>1.2.0</c>"));
}

TEST(Rewrite, HashesOfTheOldVersionAreNotLeftBesideTheNew) {
  const auto got =
      rewritten({{"requirements.txt", "can==1.0.0 --hash=sha256:" + std::string(64, 'a') + "\n"}},
                {affected("PyPI", "can", "1.2.0")});
  EXPECT_THAT(got.files, IsEmpty());
  EXPECT_THAT(got.outcomes[0].why_not, HasSubstr("compile them anew"));
}

TEST(Rewrite, WhatNoManifestAsksForIsSaid) {
  const auto got =
      rewritten({{"package-lock.json",
                  R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"can": "1"}},
            "node_modules/can": {"version": "1.0.0", "dependencies": {"tin": "^1.0.0"}},
            "node_modules/tin": {"version": "1.0.0"}}})"}},
                {affected("npm", "tin", "1.2.0")});
  EXPECT_FALSE(got.outcomes[0].written);
  EXPECT_EQ(got.outcomes[0].why_not, "no manifest asks for it");
}

TEST(Rewrite, ATextThatIsComputedIsLeftAlone) {
  const auto got = rewritten({{"package.json", "{\"dependencies\": {\"can\": \"1.0.\\u0030\"}}"}},
                             {affected("npm", "can", "1.2.0")});
  EXPECT_THAT(got.files, IsEmpty());
  EXPECT_EQ(got.outcomes[0].why_not,
            "the text \"1.0.0\" that asks for it was not found in package.json");
}

}  // namespace
}  // namespace gitaiops::scanner
