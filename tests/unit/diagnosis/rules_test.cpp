#include "engines/diagnosis/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::diagnosis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(BuiltinRules, EveryTextIsAccepted) {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::yes, set, problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_GT(set.rules.size(), 100u);
}

TEST(BuiltinRules, EveryExampleIsTrue) {
  EXPECT_THAT(failing_examples(*builtin_rules()), IsEmpty());
}

TEST(BuiltinRules, EveryCauseHasAnExample) {
  for (const Rule& rule : builtin_rules()->all()) EXPECT_FALSE(rule.positive.empty()) << rule.id;
}

}  // namespace
}  // namespace gitaiops::diagnosis
