#include "engines/triage/kind/kind.h"

#include <gmock/gmock.h>

#include "engines/triage/kind/weights.h"
#include "engines/triage/kind/words.h"

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

Change of(std::string title, std::vector<std::string> files = {"src/a.c"}) {
  return {"ann", std::move(files), 0, std::move(title)};
}

TEST(Kind, APrefixIsBelieved) {
  const auto kind = kind_of(of("perf(db)!: read once"));
  EXPECT_EQ(kind->type, Type::performance);
  EXPECT_TRUE(kind->said);
  EXPECT_FALSE(kind_of(of("drivers: read once"))->said);
  EXPECT_EQ(conventional_prefix("Fix: x")->rest, "x");
  EXPECT_FALSE(conventional_prefix("fix(a: x"));
  EXPECT_FALSE(conventional_prefix("fix:x"));
  EXPECT_FALSE(conventional_prefix(""));
}

TEST(Kind, ALabelIsBelieved) {
  auto change = of("Look at it");
  change.labels = {"team::core", "type::bugfix"};
  EXPECT_EQ(kind_of(change)->type, Type::bugfix);
  change.labels = {"status::bug"};
  EXPECT_FALSE(kind_of(change)->said);
  change.labels = {"documentation"};
  EXPECT_EQ(kind_of(change)->type, Type::docs);
}

TEST(Kind, WordsTell) {
  EXPECT_EQ(kind_by_content(of("Fix crash when the list is empty"))->type, Type::bugfix);
  EXPECT_EQ(kind_by_content(of("Add support for signed tags"))->type, Type::feature);
  EXPECT_EQ(kind_by_content(of("Extract the parser into its own class"))->type, Type::refactor);
  EXPECT_EQ(kind_by_content(of("Prevent path traversal vulnerability in uploads"))->type,
            Type::security);
  EXPECT_EQ(kind_by_content(of("Speed up the lookup by caching it"))->type, Type::performance);
  EXPECT_EQ(kind_by_content(of("feat: Fix crash when the list is empty"))->type, Type::bugfix);
}

TEST(Kind, FilesOfOnePartTellMoreThanWords) {
  EXPECT_EQ(kind_by_content(of("Fix it", {"docs/a.md", "README.md"}))->type, Type::docs);
  EXPECT_EQ(kind_by_content(of("Add cases", {"tests/a_test.py"}))->type, Type::test);
  EXPECT_EQ(kind_by_content(of("Speed things up", {".gitlab-ci.yml"}))->type, Type::ci);
  EXPECT_EQ(kind_by_content(of("Go on", {"package.json", "package-lock.json"}))->type, Type::build);
  EXPECT_EQ(kind_by_content(of("", {"docs/a.md"}))->type, Type::docs);
  EXPECT_FALSE(kind_by_content(Change{}));
}

TEST(Kind, WordsAreSplitAndNumbersAreAlike) {
  EXPECT_THAT(title_words("Bump readLine from 1.2 to v1.3"),
              ElementsAre("^bump", "bump", "read", "line", "from", "#", "to", "v#", "bump read",
                          "read line", "line from", "from #", "# #", "# to", "to v#", "v# #"));
  std::string long_one;
  for (int i = 0; i < 1'000; ++i) long_one.append("w ");
  EXPECT_THAT(title_words(long_one), SizeIs(Le(100)));
  EXPECT_THAT(title_words(""), testing::IsEmpty());
}

TEST(Kind, WeightsAreCheckedLineByLine) {
  const auto why = [](std::string_view text) {
    const auto read = KindWeights::read(text);
    return read.ok() ? std::string("accepted") : read.error().to_string();
  };
  EXPECT_EQ(why("// about\nfix\tbugfix:2 docs:-1\n"), "accepted");
  EXPECT_THAT(why("fix bugfix:2"), HasSubstr("line 1: expected a word, a tab and weights"));
  EXPECT_THAT(why("a\tdocs:1\nfix\tbugs!:2"), HasSubstr("line 2: expected type:weight"));
  EXPECT_THAT(why("fix\tbugfix:nan"), HasSubstr("line 1: expected type:weight"));
  EXPECT_THAT(why("fix\tbugfix:1e9"), HasSubstr("line 1: expected type:weight"));
}

}  // namespace
}  // namespace gitaiops::triage
