// Which expressions may wait for a word of trouble in the line.
#include "engines/diagnosis/rule_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/diagnosis/builtin.h"

namespace gitaiops::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RuleGate, AWordOfTroubleThatEveryMatchHas) {
  for (const char* expression : {"error: ", "[Ee]rror in", "(?i)CANNOT open", R"(\bfatal\b)",
                                 "(?:error|failed) here", "x(?:y|error)+z or error", "ERROR: .*",
                                 R"(connection refused\.)", "error{2}", "^(?:no )?errors?$"}) {
    EXPECT_EQ(way_of(expression).passage, Passage::gated) << expression;
    EXPECT_THAT(way_of(expression).words, IsEmpty()) << expression;
  }
}

TEST(RuleGate, AWordOfItsOwn) {
  EXPECT_THAT(way_of("^Compiling ring").words, ElementsAre("compiling ring"));
  EXPECT_THAT(way_of("(?:error)?ring closed").words, ElementsAre("ring closed"));
  EXPECT_THAT(way_of("ring(?:left|right) .*closed").words, ElementsAre("closed"));
  EXPECT_THAT(way_of("(?:upper|lower) \\w+").words, ElementsAre("upper", "lower"));
  EXPECT_THAT(way_of("rings*closed").words, ElementsAre("closed"));
  EXPECT_THAT(way_of("rings+closed").words, ElementsAre("closed"));
  EXPECT_THAT(way_of("error|closed").words, ElementsAre("closed"));
}

TEST(RuleGate, WhatHasNoWordOrIsNotUnderstood) {
  for (const char* expression :
       {R"(^\d+\) \w)", "^_+ ", "(?:a|error|b)", "(?<x>error)", "(?=error)", "", "a|error",
        "[^e]rr.or", "(?:error)?", "error{0,2}", "er*r?or"})
    EXPECT_EQ(way_of(expression).passage, Passage::shape) << expression;
}

// The gate is only worth it while few expressions go around it.
TEST(RuleGate, MostBuiltinRulesPassIt) {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  const auto [literals, shapes, gated, doubts] = expressions_of(set, {});
  EXPECT_GT(gated.size(), 1300u);
  EXPECT_LT(shapes.size(), 80u);
}

}  // namespace
}  // namespace gitaiops::diagnosis
