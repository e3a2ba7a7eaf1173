#include "engines/project_file/guidelines.h"

#include <gmock/gmock.h>

#include "engines/project_file/project_file.h"

namespace gitaiops::project_file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool is_about(const std::vector<std::string>& patterns, std::string_view path) {
  return Guideline("name", patterns, "text").is_about(path);
}

TEST(Guidelines, PatternsAreThoseOfGitLab) {
  EXPECT_TRUE(is_about({"*.rb"}, "rakefile.rb"));
  EXPECT_FALSE(is_about({"*.rb"}, "lib/a.rb")) << "of the root only";
  EXPECT_TRUE(is_about({"**/*.rb"}, "rakefile.rb"));
  EXPECT_TRUE(is_about({"**/*.rb"}, "lib/deep/a.rb"));
  EXPECT_TRUE(is_about({"lib/**/*.rb"}, "lib/a.rb"));
  EXPECT_FALSE(is_about({"lib/**/*.rb"}, "app/a.rb"));
  EXPECT_TRUE(is_about({"**/*.{rb,ts}"}, "web/a.ts"));
  EXPECT_TRUE(is_about({"{app,lib}/**/*.{rb,{ts,js}}"}, "lib/x/a.js"));
  EXPECT_FALSE(is_about({"**/*.{rb,ts}"}, "web/a.css"));
  EXPECT_TRUE(is_about({"**/{x"}, "a/{x")) << "half a brace is a brace";
}

TEST(Guidelines, ExclusionsAndNoPatternAtAll) {
  EXPECT_FALSE(is_about({"**/*.rb", "!spec/**"}, "spec/a.rb"));
  EXPECT_TRUE(is_about({"**/*.rb", "!spec/**"}, "lib/a.rb"));
  EXPECT_TRUE(is_about({"!spec/**"}, "lib/a.rb"));
  EXPECT_FALSE(is_about({"!spec/**"}, "spec/a.rb"));
  EXPECT_TRUE(is_about({}, "anything"));
}

TEST(Guidelines, UnionsAreWrittenOutToALimit) {
  std::string many = "**/";
  for (int i = 0; i < 20; ++i) many += "{a,b}";
  EXPECT_FALSE(is_about({many}, "x"));
}

std::vector<std::string> names(const std::vector<Guideline>& all) {
  std::vector<std::string> out;
  for (const auto& one : all) out.push_back(one.name());
  return out;
}

TEST(Guidelines, AreReadFromGitLabsFileAndChosenByWhatIsTouched) {
  const auto all = read_review_instructions(
      "instructions:\n"
      "  - name: Schema\n"
      "    fileFilters:\n"
      "      - \"db/**/*.sql\"\n"
      "    instructions: |\n"
      "      1. Every table has a key\n"
      "      2. No lock is held for long\n"
      "  - name: Pages\n"
      "    fileFilters: [\"web/**\", \"!web/vendor/**\"]\n"
      "    instructions: Works without a mouse\n"
      "  - name: All\n"
      "    instructions: Reads well\n"
      "  - name: Nothing to say\n"
      "  - instructions: nameless\n");
  EXPECT_THAT(names(all), ElementsAre("Schema", "Pages", "All"));
  EXPECT_EQ(all[0].text(), "1. Every table has a key\n2. No lock is held for long");
  EXPECT_THAT(names(about(all, {"db/2026/a.sql"})), ElementsAre("Schema", "All"));
  EXPECT_THAT(names(about(all, {"web/vendor/a.js", "web/a.js"})), ElementsAre("Pages", "All"));
  EXPECT_THAT(names(about(all, {})), IsEmpty());
}

TEST(Guidelines, WhatIsNoSuchFileHasNone) {
  for (const auto* text : {"", "instructions: 7\n", "- a\n", "instructions: [a, {name: b}]\n", "{"})
    EXPECT_THAT(read_review_instructions(text), IsEmpty()) << text;
}

TEST(Guidelines, OfTheProjectsOwnFile) {
  const auto file = read(
      "guidelines:\n"
      "  - name: SQL\n"
      "    files: [\"**/*.sql\"]\n"
      "    text: Has it an index?\n"
      "  - name: no text\n"
      "  - name: x\n"
      "    files: \"**\"\n"
      "    text: y\n");
  EXPECT_THAT(names(file.guidelines), ElementsAre("SQL"));
  EXPECT_THAT(file.mistakes,
              ElementsAre(".gitaiops.yml, line 5: each of \"guidelines\" has a name and a text",
                          ".gitaiops.yml, line 7: \"files\" is a list of patterns like "
                          "[\"**/*.sql\"]"));
}

}  // namespace
}  // namespace gitaiops::project_file
