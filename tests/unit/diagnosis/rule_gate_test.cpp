// Which expressions may wait for a word of trouble in the line.
#include "engines/diagnosis/rule_gate.h"

#include <gtest/gtest.h>

#include "engines/diagnosis/builtin.h"

namespace gitaiops::diagnosis {
namespace {

TEST(RuleGate, AWordThatEveryMatchHas) {
  for (const char* expression :
       {"error: ", "^E: Unable to locate", "[Ee]rror in", "(?i)CANNOT open", R"(\bfatal\b)",
        "(?:error|failed) here", "x(?:y|error)+z or error", "ERROR: .*", R"(connection refused\.)",
        "error{2}", "^(?:no )?errors?$"})
    EXPECT_EQ(passage_of(expression), Passage::gated) << expression;
}

TEST(RuleGate, ALiteralOnly) {
  for (const char* expression : {"^Compiling ring", "(?:error)?ring ", "err(?:or)? ring",
                                 "(?:error|ring!) now ", "ring(?:error|b)", "erro[rs] ring",
                                 "errors*ring|ring and more", "erro?r ring", "error{0,2} ring"})
    EXPECT_NE(passage_of(expression), Passage::gated) << expression;
  EXPECT_EQ(passage_of("^Compiling ring"), Passage::literal);
}

TEST(RuleGate, WhatHasNeitherOrIsNotUnderstood) {
  for (const char* expression : {R"(^\d+\) \w)", "^_+ ", "(?:a|error|b)", "(?<x>error)",
                                 "(?=error)", "", "a|error", "[^e]rr.or"})
    EXPECT_EQ(passage_of(expression), Passage::shape) << expression;
}

// The gate is only worth it while few expressions go around it.
TEST(RuleGate, MostBuiltinRulesPassIt) {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  const auto [literals, shapes, gated, doubts] = expressions_of(set, {});
  EXPECT_GT(gated.size(), 1000u);
  EXPECT_LT(shapes.size(), 60u);
}

}  // namespace
}  // namespace gitaiops::diagnosis
