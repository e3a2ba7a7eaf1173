#include "engines/project_file/project_file.h"

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
                  "note.failures, note.explanation, note.risk, note.look_at, note.vulnerabilities, "
                  "note.usage, "
                  "note.reviewers, note.guidelines",
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

TEST(ProjectFile, SaysWhatIsLivedWith) {
  const auto file = read(
      "ignore:\n"
      "  - id: CVE-2021-23337\n"
      "    package: lodash\n"
      "    reason: only used by a test\n"
      "    until: 2027-03-31\n"
      "  - {id: GHSA-aaaa-bbbb-cccc, reason: \"not reachable: the parser is off\"}\n");
  EXPECT_THAT(file.mistakes, IsEmpty());
  ASSERT_EQ(file.ignores.size(), 2u);
  EXPECT_EQ(file.ignores[0].id, "CVE-2021-23337");
  EXPECT_EQ(file.ignores[0].package, "lodash");
  EXPECT_EQ(file.ignores[0].reason, "only used by a test");
  EXPECT_EQ(file.ignores[0].until, "2027-03-31");
  EXPECT_EQ(file.ignores[1].reason, "not reachable: the parser is off");
  EXPECT_EQ(file.ignores[1].until, "");
}

TEST(ProjectFile, AnIgnoreThatSaysTooLittleSetsNothingAside) {
  const auto file = read(
      "ignore:\n"
      "  - id: CVE-1\n"
      "  - reason: why not\n"
      "  - id: CVE-2\n"
      "    reason: soon\n"
      "    until: next year\n"
      "  - CVE-3\n"
      "  - id: CVE-4\n"
      "    reason: known\n"
      "    untill: 2027-03-31\n");
  EXPECT_THAT(
      file.mistakes,
      ElementsAre(
          ".gitaiops.yml, line 2: \"CVE-1\" needs a \"reason\": why can it be lived with?",
          ".gitaiops.yml, line 3: it is not said which vulnerability is ignored; add \"id\"",
          ".gitaiops.yml, line 6: \"until\" is a day like 2027-03-31, not \"next year\"",
          ".gitaiops.yml, line 7: each of \"ignore\" has an id and a reason",
          ".gitaiops.yml, line 10: nothing is called \"untill\" here; did you mean \"until\"?"));
  ASSERT_EQ(file.ignores.size(), 0u) << "for ever is not what was meant";
  EXPECT_THAT(read("ignore: all\n").mistakes,
              ElementsAre(".gitaiops.yml, line 1: \"ignore\" is a list; each of it begins with "
                          "\"- id: CVE-…\""));
}

TEST(ProjectFile, ADayHasToBeOneOfTheCalendar) {
  const auto of_day = [](const std::string& day) {
    return read("ignore:\n  - {id: CVE-1, reason: known, until: " + day + "}\n").ignores.size();
  };
  EXPECT_EQ(of_day("2028-02-29"), 1u);
  EXPECT_EQ(of_day("2027-02-29"), 0u);
  EXPECT_EQ(of_day("2027-13-01"), 0u);
  EXPECT_EQ(of_day("2027-00-10"), 0u);
  EXPECT_EQ(of_day("2027-04-00"), 0u);
  EXPECT_EQ(of_day("2027-4-01x"), 0u);
}

TEST(ProjectFile, ASecondDocumentDoesNotCountAndThatIsSaid) {
  const auto file = read("---\nnote: on\n---\nnote: off\n");
  EXPECT_TRUE(file.note);
  EXPECT_THAT(file.mistakes,
              ElementsAre(".gitaiops.yml, line 4: only what stands before the second document "
                          "(\"---\") counts"));
  EXPECT_THAT(read("---\nnote: off\n---\n").mistakes, IsEmpty());
  EXPECT_THAT(read("note: off\n...\n").mistakes, IsEmpty());
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
