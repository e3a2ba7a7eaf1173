// Which word every match of an expression contains, so that only lines that have one are looked at.
#include "engines/diagnosis/rule_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/diagnosis/builtin.h"

namespace gitaiops::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(RuleGate, ManyExpressionsShareAWordOfTrouble) {
  EXPECT_THAT(words_of("something was [Rr]efused"), ElementsAre("refused"));
  EXPECT_THAT(words_of("(?i)PERMISSION to do it"), ElementsAre("permission"));
  EXPECT_THAT(words_of("(?:refused|forbidden) here"), ElementsAre("refused", "forbidden"));
}

TEST(RuleGate, AWordOfItsOwn) {
  EXPECT_THAT(words_of("ring(?:\\w+|.) .*closed"), ElementsAre("closed"));
  EXPECT_THAT(words_of("(?:upper|lower\\d) \\w+"),
              UnorderedElementsAre("upper ", "lower0 ", "lower1 ", "lower2 ", "lower3 ", "lower4 ",
                                   "lower5 ", "lower6 ", "lower7 ", "lower8 ", "lower9 "));
  EXPECT_THAT(words_of("rings*closed"), ElementsAre("closed"));
  EXPECT_THAT(words_of("rings+closed"), ElementsAre("sclosed"));
  EXPECT_THAT(words_of("a ring(?:s|let)? closed"),
              UnorderedElementsAre("a ring closed", "a rings closed", "a ringlet closed"));
  EXPECT_THAT(words_of("ring{3}closed"), ElementsAre("ringggclosed"));
  EXPECT_THAT(words_of("rin{2,}g closed"), ElementsAre("ng closed"));
  EXPECT_THAT(words_of("ring{closed}"), ElementsAre("ring{closed}"));
  EXPECT_THAT(words_of("refused|closed"), UnorderedElementsAre("refused", "closed"));
}

TEST(RuleGate, TheEndsOfALineAreLetters) {
  EXPECT_THAT(words_of("^\\*\\*\\* "), ElementsAre("\n*** "));
  EXPECT_THAT(words_of("_rings_$"), ElementsAre("_rings_\n"));
  EXPECT_THAT(words_of("^!+ "), ElementsAre("\n!"));
}

TEST(RuleGate, FewLettersAreWrittenOut) {
  EXPECT_THAT(words_of("x[-_]ring"), UnorderedElementsAre("x-ring", "x_ring"));
  EXPECT_THAT(words_of("x[a-c]ring"), UnorderedElementsAre("xaring", "xbring", "xcring"));
  EXPECT_THAT(words_of("x[]q]ring"), UnorderedElementsAre("x]ring", "xqring"));
  EXPECT_THAT(words_of("x[a-z]rings"), ElementsAre("rings"));
  EXPECT_THAT(words_of("x[^a]rings"), ElementsAre("rings"));
}

TEST(RuleGate, WhatHasNoWordOrIsNotUnderstood) {
  for (const char* expression :
       {R"(\w+: \w)", "(?:a|error|b)", "(?<x>error)", "(?=error)", "", "a|error", "(?:error)?",
        "error{0}", "(?x)er ror", R"(\x65rror)", R"(\Qerror\E)", "[[:alpha:]]error", "error)",
        "(error", "[error", "error\\"})
    EXPECT_THAT(words_of(expression), IsEmpty()) << expression;
}

// The gates are only worth it while next to nothing goes around them.
TEST(RuleGate, BuiltinRulesPassThem) {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  const auto expressions = expressions_of(set, {});
  EXPECT_LT(expressions.everywhere.size(), 12u);
  EXPECT_LT(expressions.words.size(), 3000u);
}

}  // namespace
}  // namespace gitaiops::diagnosis
