#include "engines/triage/code_owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "section: @owner …" for each section that owns the path.
std::vector<std::string> owners(const CodeOwners& file, std::string_view path) {
  std::vector<std::string> out;
  for (const auto& [section, entry] : file.of(path)) {
    std::string line = section->name + ":";
    for (const auto& owner : entry->owners)
      line += (owner.kind == CodeOwner::Kind::account ? " @"
               : owner.kind == CodeOwner::Kind::role  ? " @@"
                                                      : " ") +
              owner.name;
    out.push_back(line);
  }
  return out;
}

struct Case {
  const char *pattern, *path;
  bool matches;
};

TEST(OwnerPattern, AsFnmatchWithPathsAndDots) {
  for (const auto& [pattern, path, matches] :
       std::vector<Case>{{"*", "a", true},
                         {"*", "a/b/.c", true},
                         {"README.md", "README.md", true},
                         {"README.md", "docs/README.md", true},
                         {"/README.md", "docs/README.md", false},
                         {"*.rb", "app/models/user.rb", true},
                         {"/*.rb", "app/user.rb", false},
                         {"/*.rb", ".hidden.rb", true},
                         {"docs/", "docs/a/b.md", true},
                         {"docs/", "src/docs/b.md", true},
                         {"/docs/", "src/docs/b.md", false},
                         {"/docs/", "docs", false},
                         {"/docs", "docs/a.md", false},
                         {"/docs", "docs", true},
                         {"/docs/*", "docs/a.md", true},
                         {"/docs/*", "docs/a/b.md", false},
                         {"/docs/**/*.md", "docs/a.md", true},
                         {"/docs/**/*.md", "docs/a/b/c.md", true},
                         {"/docs/**/*.md", "docs/a/b/c.txt", false},
                         {"/docs/**", "docs/a", true},  // two stars at the end are one
                         {"/docs/**", "docs/a/b", false},
                         {"a/**/b/**/c", "x/a/1/b/2/3/c", true},
                         {"a/**/b/**/c", "x/a/1/2/3/c", false},
                         {"/lib/[ab]?.c", "lib/a1.c", true},
                         {"/lib/[!ab]?.c", "lib/a1.c", false},
                         {"/lib/[^ab]?.c", "lib/c1.c", true},
                         {"/lib/[a-c].c", "lib/b.c", true},
                         {"/lib/[a.c", "lib/a.c", false},
                         {"/lib/\\*.c", "lib/*.c", true},
                         {"/lib/\\*.c", "lib/a.c", false},
                         {"/path\\ with\\ spaces/", "path with spaces/a", true},
                         {"\\#file", "#file", true},
                         {"/a*b*c", "aXbYbZc", true},
                         {"/a*b*c", "aXbY", false},
                         {"/ä?", "äx", true}})
    EXPECT_EQ(owner_pattern_matches(pattern, path), matches) << pattern << " " << path;
}

TEST(CodeOwnersFile, TheLastMatchOfASectionCounts) {
  const CodeOwners file(
      "# comment\n* @all\n*.rb @ruby @ann\n/lib/ ben@Example.org\n/lib/free.rb\n");
  EXPECT_THAT(owners(file, "a.txt"), ElementsAre(": @all"));
  EXPECT_THAT(owners(file, "a/b.rb"), ElementsAre(": @ruby @ann"));
  EXPECT_THAT(owners(file, "lib/b.rb"), ElementsAre(": ben@example.org"));
  EXPECT_THAT(owners(file, "lib/free.rb"), IsEmpty());
}

TEST(CodeOwnersFile, SectionsWithTheirApprovalsDefaultsAndOptions) {
  const CodeOwners file(
      "* @all\n"
      "[Database][2] @dba @group/sub\n*.sql\n/db/ @ann\n"
      "^[Docs]\n*.md @@maintainers @@Developer @@nobody nonsense @-bad\n"
      "[DATABASE][9] @late\n/more/\n"
      "[zero][0]\nx @a\n");
  EXPECT_THAT(owners(file, "a.sql"), ElementsAre(": @all", "Database: @dba @group/sub"));
  EXPECT_THAT(owners(file, "db/a.sql"), ElementsAre(": @all", "Database: @ann"));
  EXPECT_THAT(owners(file, "more/x.c"), ElementsAre(": @all", "Database: @late"));
  EXPECT_THAT(owners(file, "a.md"), ElementsAre(": @all", "Docs: @@maintainer @@developer"));
  ASSERT_EQ(file.sections().size(), 4u);
  EXPECT_EQ(file.sections()[1].approvals, 2);
  EXPECT_FALSE(file.sections()[1].optional);
  EXPECT_TRUE(file.sections()[2].optional);
  EXPECT_EQ(file.sections()[3].approvals, 1);
}

TEST(CodeOwnersFile, ExclusionsHoldToTheSectionsEnd) {
  const CodeOwners file("*.rb @ruby\n!/gen/\n/gen/keep.rb @late\n[Other]\n*.rb @other\n");
  EXPECT_THAT(owners(file, "a.rb"), ElementsAre(": @ruby", "Other: @other"));
  EXPECT_THAT(owners(file, "gen/a.rb"), ElementsAre("Other: @other"));
  EXPECT_THAT(owners(file, "gen/keep.rb"), ElementsAre("Other: @other"));
}

TEST(CodeOwnersFile, WhatIsNoSectionIsAnEntry) {
  const CodeOwners file("[unclosed @a\n[ ] @b\n[ab].c @d\n");
  EXPECT_THAT(owners(file, "a.c"), ElementsAre(": @d"));
  EXPECT_EQ(file.sections().size(), 1u);
}

TEST(CodeOwnersFile, AWindowsFileReadsAlike) {
  EXPECT_THAT(owners(CodeOwners("\xEF\xBB\xBF[A] @x\r\n*.c\r\n"), "a.c"), ElementsAre("A: @x"));
}

TEST(OwnerPattern, ManyStarsTakeNoTime) {
  std::string pattern = "/", path;
  for (int i = 0; i < 500; ++i) pattern += "**/a*a*", path += "aaaa/";
  EXPECT_FALSE(owner_pattern_matches(pattern + "/b", path + "c"));
}

}  // namespace
}  // namespace gitaiops::triage
