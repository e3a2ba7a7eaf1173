#include "engines/triage/rules/rules.h"

#include <gmock/gmock.h>

#include "engines/triage/rules/labels.h"

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Change of(std::vector<std::string> files, std::string added = "") {
  Change change{"ann", std::move(files), 0};
  change.added_text = std::move(added);
  return change;
}

std::vector<std::string> areas(const Change& change, std::optional<Type> type = std::nullopt) {
  std::vector<std::string> out;
  for (const auto& one : required_reviews(change, type, Rules::usual())) out.push_back(one.area);
  return out;
}

TEST(Glob, MatchesAsInCodeowners) {
  EXPECT_TRUE(Glob("*.sql").matches("db/x/a.SQL"));
  EXPECT_TRUE(Glob("Dockerfile*").matches("a/b/Dockerfile.dev"));
  EXPECT_FALSE(Glob("Dockerfile").matches("a/Dockerfile/x"));
  EXPECT_TRUE(Glob("**/auth/**").matches("auth/a.c"));
  EXPECT_TRUE(Glob("**/auth/**").matches("x/y/auth/z/a.c"));
  EXPECT_FALSE(Glob("**/auth/**").matches("x/author/a.c"));
  EXPECT_TRUE(Glob("docs/").matches("docs/a/b.md"));
  EXPECT_FALSE(Glob("docs/").matches("x/docs/b.md"));
  EXPECT_TRUE(Glob("/src/*.c").matches("src/a.c"));
  EXPECT_FALSE(Glob("src/*.c").matches("src/b/a.c"));
  EXPECT_TRUE(Glob("a?c").matches("x/abc"));
  EXPECT_FALSE(Glob("a*b*c").matches("acb"));
  EXPECT_TRUE(Glob("**").matches("any/thing"));
}

TEST(Glob, ManyStarsAndLongPathsEnd) {
  const std::string path(4000, 'a');
  EXPECT_FALSE(Glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b").matches(path));
  std::string folders;
  for (int i = 0; i < 2000; ++i) folders += "a/";
  EXPECT_FALSE(Glob("**/a/**/a/**/a/**/a/**/b").matches(folders + "a"));
}

TEST(RequiredReviews, FollowFromPathsWordsTypesAndSize) {
  EXPECT_THAT(areas(of({"src/auth/login.go"})), ElementsAre("security"));
  EXPECT_THAT(areas(of({"db/migrate/20240101_users.rb"})), ElementsAre("database"));
  EXPECT_THAT(areas(of({"proto/fleet.proto"})), ElementsAre("architecture"));
  EXPECT_THAT(areas(of({"src/a.py"}, "x = yaml.load(text)")), ElementsAre("security"));
  EXPECT_THAT(areas(of({"src/a.py"}, "alter table users add x int;")), ElementsAre("database"));
  EXPECT_THAT(areas(of({"src/a.py"}), Type::performance), ElementsAre("performance"));
  EXPECT_THAT(areas(of(std::vector<std::string>(200, "src/a.c"))), ElementsAre("architecture"));
  EXPECT_THAT(areas(of({".gitlab-ci.yml"})), ElementsAre("security"));
  EXPECT_THAT(
      areas(of({"src/a.py", "docs/auth/howto.md", "tests/auth/test_login.py"}, "the filesystem")),
      IsEmpty());
  EXPECT_THAT(areas(Change{}), IsEmpty());
}

TEST(RequiredReviews, SayWhyAndWhere) {
  const auto found = required_reviews(
      of({"src/auth/a.go", "src/auth/b.go", "src/auth/c.go", "src/auth/d.go", "certs/ca.pem"}),
      std::nullopt, Rules::usual());
  ASSERT_EQ(found.size(), 1);
  EXPECT_THAT(found[0].reasons, ElementsAre("it touches how people sign in or what they may do",
                                            "it touches cryptography or certificates"));
  EXPECT_THAT(found[0].files, ElementsAre("src/auth/a.go", "src/auth/b.go", "src/auth/c.go"));
}

TEST(Rules, ATeamsOwnReplaceTheUsualOnes) {
  const auto rules = Rules::read(R"(
[[review]]
area = "legal"
reason = "it adds foreign code"
paths = ["third/**", "!third/ours/**"]
text = ["Copyright"]
[labels]
allow = ["risk::high"]
)",
                                 "triage.toml");
  ASSERT_TRUE(rules.ok()) << rules.error().to_string();
  EXPECT_EQ(required_reviews(of({"third/x.c"}, "// copyright 2020"), std::nullopt, *rules).size(),
            1);
  EXPECT_THAT(required_reviews(of({"third/x.c"}, "// copyrighted"), std::nullopt, *rules),
              IsEmpty());
  EXPECT_THAT(required_reviews(of({"third/ours/x.c"}, "// copyright"), std::nullopt, *rules),
              IsEmpty());
  EXPECT_THAT(rules->allowed_labels, ElementsAre("risk::high"));
}

TEST(Rules, MistakesAreNamedWithLineAndCure) {
  const auto why = [](std::string_view toml) {
    const auto read = Rules::read(toml, "t.toml");
    return read.ok() ? std::string("accepted") : read.error().to_string();
  };
  const std::string begun = "[[review]]\narea = \"a\"\nreason = \"b\"\n";
  EXPECT_EQ(why(""), "accepted");
  EXPECT_EQ(why(begun + "path = [\"x\"]\n"),
            "t.toml:4: unknown key \"path\"; did you mean \"paths\"?");
  EXPECT_EQ(why("[[review]]\nreason = \"b\"\n"), "t.toml:1: \"area\" is missing");
  EXPECT_EQ(why(begun),
            "t.toml:1: the rule names no condition: add paths, text, types or min_files");
  EXPECT_EQ(why(begun + "paths = \"x\"\n"),
            "t.toml:4: \"paths\" is a list of 1 to 200 texts: [\"…\", \"…\"]");
  EXPECT_EQ(why(begun + "paths = [\"!x\"]\n"),
            "t.toml:4: \"paths\" only takes away; add what it takes from, or \"**\"");
  EXPECT_THAT(why(begun + "types = [\"bugs!\"]\n"),
              HasSubstr("t.toml:4: \"bugs!\" is no type; known are feature"));
  EXPECT_EQ(why(begun + "min_files = 0\n"), "t.toml:4: \"min_files\" is a number from 1");
  EXPECT_EQ(why(begun + "text = [1]\n"), "t.toml:4: \"text\" needs text of 1 to 256 bytes");
  EXPECT_EQ(why("[labels]\nallow = [\"a,b\"]\n"),
            "t.toml:2: a label has at most 255 bytes and no comma");
  EXPECT_EQ(why("review = 3\n"), "t.toml:1: rules are written as [[review]], at most 200 of them");
  EXPECT_THAT(why("[[review]\n"), HasSubstr("t.toml:1: "));
  EXPECT_THAT(why(std::string(300 << 10, '#')), HasSubstr("larger than 256 KiB"));
}

TEST(Labels, OnlyAllowedOnesAreAddedAndOnlyOursRemoved) {
  EXPECT_EQ(label_changes({"bug", "risk::low"}, {"risk::low"}, {"risk::high", "type::docs"},
                          {"risk::low", "risk::high"}),
            (LabelChanges{{"risk::high"}, {"risk::low"}}));
  EXPECT_EQ(label_changes({"bug"}, {}, {}, {"bug"}), (LabelChanges{}));
  EXPECT_EQ(label_changes({"risk::high"}, {"risk::high"}, {"risk::high"}, {"risk::high"}),
            (LabelChanges{}));
}

TEST(Labels, APersonsScopedLabelStays) {
  EXPECT_EQ(label_changes({"risk::low"}, {}, {"risk::high"}, {"risk::high"}), (LabelChanges{}));
  EXPECT_EQ(label_changes({"a::b::c"}, {}, {"a::d", "a::b::e"}, {"a::d", "a::b::e"}),
            (LabelChanges{{"a::d"}, {}}));
  EXPECT_EQ(label_changes({}, {}, {"risk::high", "risk::low"}, {"risk::high", "risk::low"}),
            (LabelChanges{{"risk::high"}, {}}));
}

TEST(Labels, WhatIsNoLongerAllowedGoesWhenItIsOurs) {
  EXPECT_EQ(label_changes({"size::huge", "size::mine"}, {"size::huge"}, {}, {}),
            (LabelChanges{{}, {"size::huge"}}));
}

}  // namespace
}  // namespace gitaiops::triage
