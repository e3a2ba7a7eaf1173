#include "controller/project_file/project_file.h"

#include <gmock/gmock.h>

namespace gitaiops::project_file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST(ProjectFile, SwitchesSections) {
  const auto file = read("note:\n  usage: off\n  risk: No\n  reviewers: true  # please\n");
  EXPECT_TRUE(file.note);
  EXPECT_THAT(file.sections,
              ElementsAre(Pair("reviewers", true), Pair("risk", false), Pair("usage", false)));
  EXPECT_THAT(file.mistakes, IsEmpty());
}

TEST(ProjectFile, SwitchesTheNote) {
  EXPECT_FALSE(read("note: off\n").note);
  EXPECT_TRUE(read("note: on\n").note);
}

TEST(ProjectFile, WhatSaysNothingChangesNothing) {
  for (const auto* text : {"", "# later\n", "---\n", "note:\n", "{}\n"}) {
    const auto file = read(text);
    EXPECT_TRUE(file.note && file.sections.empty()) << text;
    EXPECT_THAT(file.mistakes, IsEmpty()) << text;
  }
}

TEST(ProjectFile, MistakesAreNamedAndTheRestCounts) {
  const auto file =
      read("note:\n  reviewer: off\n  usage: maybe\n  colour: off\n  risk: off\nnotes: off\n");
  EXPECT_THAT(
      file.mistakes,
      ElementsAre(".gitaiops.yml, line 2: nothing is called \"reviewer\" here; did you mean "
                  "\"note.reviewers\"?",
                  ".gitaiops.yml, line 3: \"note.usage\" is on or off, not \"maybe\"",
                  ".gitaiops.yml, line 4: nothing is called \"colour\" here; there is "
                  "note.failures, note.explanation, note.risk, note.vulnerabilities, note.usage, "
                  "note.reviewers",
                  ".gitaiops.yml, line 6: nothing is called \"notes\" here; did you mean "
                  "\"note\"?"));
  EXPECT_THAT(file.sections, ElementsAre(Pair("risk", false)));
  EXPECT_TRUE(file.note);
}

TEST(ProjectFile, WhatIsNoYamlOrOfAnotherShapeIsNamedWithItsLine) {
  EXPECT_THAT(read("note:\n  usage: [off\n").mistakes,
              ElementsAre(StartsWith(".gitaiops.yml, line ")));
  EXPECT_THAT(read("- note\n").mistakes,
              ElementsAre(".gitaiops.yml, line 1: has to begin with a name, like \"note:\""));
  EXPECT_THAT(read("note: [off]\n").mistakes,
              ElementsAre(".gitaiops.yml, line 1: \"note\" is on, off, or names of sections below "
                          "it"));
  EXPECT_THAT(read("note:\n  usage: {a: off}\n").mistakes,
              ElementsAre(".gitaiops.yml, line 2: \"note.usage\" is on or off, not \"\""));
}

TEST(ProjectFile, ThousandsOfMistakesAreAFew) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "x" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(read(text).mistakes.size(), kMaxMistakes);
}

TEST(ProjectFile, TheConfigurationSaysWhatIsUsual) {
  const auto file = read("note:\n  usage: on\n  risk: off\n");
  EXPECT_THAT(unwanted(file, {"usage", "reviewers"}), UnorderedElementsAre("risk", "reviewers"));
  EXPECT_THAT(unwanted({}, {}), IsEmpty());
}

TEST(ProjectFile, WithoutANoteNothingIsWanted) {
  EXPECT_EQ(unwanted(read("note: off\n"), {}).size(), kSections.size());
}

}  // namespace
}  // namespace gitaiops::project_file
