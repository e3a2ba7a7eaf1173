#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/diagnosis/builtin.h"

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

// Without this the engine would compile at every start, and nobody would notice but the clock.
TEST(BuiltinRules, TheBytesMadeAtBuildTimeAreTaken) {
  const auto scanners = unpack(builtin_database());
  ASSERT_TRUE(scanners.ok()) << scanners.error().to_string();
  int hits = 0;
  const OnHit count = [](void* n, const Hit&) { ++*static_cast<int*>(n); };
  for (const auto& gate : (*scanners)->gated)
    gate->scan("src/ring.c:3:1: error: expected ';'\n", count, &hits);
  EXPECT_GT(hits, 0);
}

TEST(BuiltinRules, BytesOfAnotherLibraryAreRefused) {
  std::string bytes(builtin_database());
  EXPECT_FALSE(unpack(bytes.substr(0, 4)).ok());
  EXPECT_FALSE(unpack(bytes.substr(0, bytes.size() / 2)).ok());
  uint64_t expressions = 0;
  std::memcpy(&expressions, bytes.data() + 8, sizeof expressions);
  // The version follows the database's magic number.
  bytes[8 + 8 + expressions * Scanner::kMeaningBytes + 4] ^= 0x20;
  EXPECT_FALSE(unpack(bytes).ok());
}

TEST(OwnRules, HitsComeInTheOrderOfTheText) {
  std::vector<std::string> problems;
  const auto rules = with_rules({{"own.toml", R"(
[[rule]]
id = "ring_is_round"
category = "compile_error"
weight = 0.9
match = ['^ring is round']
positive = ['ring is round']
)"}},
                                &problems);
  EXPECT_THAT(problems, IsEmpty());
  std::vector<std::pair<std::size_t, std::string>> hits;
  struct Into {
    const Rules* rules;
    decltype(hits)* out;
  } into{rules.get(), &hits};
  rules->scan(
      "\nring is round\nSegmentation fault\nring is round\n",
      [](void* context, const Hit& hit) {
        const auto* i = static_cast<Into*>(context);
        i->out->push_back({hit.end, i->rules->all()[hit.rule].id});
      },
      &into);
  EXPECT_THAT(hits, ElementsAre(std::pair(14u, "ring_is_round"), std::pair(33u, "crash_signal"),
                                std::pair(47u, "ring_is_round")));
}

TEST(OwnRules, OneWhoseExampleFailsIsRefusedAlone) {
  std::vector<std::string> problems;
  const auto rules = with_rules({{"own.toml", R"(
[[rule]]
id = "good"
category = "compile_error"
weight = 0.9
match = ['ring is round']
[[rule]]
id = "bad"
category = "compile_error"
weight = 0.9
match = ['ring is flat']
positive = ['ring is round']
)"}},
                                &problems);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("bad")));
  EXPECT_EQ(rules->all().size(), builtin_rules()->all().size() + 1);
  EXPECT_EQ(rules->all().back().id, "good");
}

}  // namespace
}  // namespace gitaiops::diagnosis
