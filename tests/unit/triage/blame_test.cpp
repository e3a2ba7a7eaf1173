#include "engines/triage/blame.h"

#include <gmock/gmock.h>

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kDay = 86'400;
const std::string kFirst = "1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const std::string kSecond = "2222222bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const std::string kThird = "3333333ccccccccccccccccccccccccccccccccc";

Commit commit(const std::string& id, int64_t day, const std::string& message,
              std::vector<std::string> files = {"a.c"}) {
  Commit out;
  out.id = id;
  out.time_s = day * kDay;
  out.author = "ann";
  out.files = std::move(files);
  out.message = message;
  return out;
}

TEST(Blame, ARevertNamesWhatItTakesBack) {
  EXPECT_THAT(
      blames(std::vector{
          commit(kFirst, 1, "Read faster"), commit(kSecond, 2, "Write faster"),
          commit(kThird, 3, "Revert \"Read faster\"\n\nThis reverts commit " + kFirst + ".\n")}),
      ElementsAre(Blame{0, 2, Sign::revert}));
}

TEST(Blame, OfAMessageTitleAndNamesAreKept) {
  EXPECT_EQ(
      title_and_blame(
          "Read the last line, too\n\nIt was lost.\n\nFixes: 1111111aaaaa (\"Read\")\nCc: ann"),
      "Read the last line, too\nFixes: 1111111aaaaa (\"Read\")");
  EXPECT_EQ(title_and_blame(""), "");
}

TEST(Blame, ARevertOfARevertBlamesTheRevert) {
  EXPECT_THAT(blames(std::vector{
                  commit(kFirst, 1, "Read faster"),
                  commit(kSecond, 2, "Revert \"Read faster\"\n\nThis reverts commit " + kFirst),
                  commit(kThird, 3, "Revert \"Revert …\"\n\nThis reverts commit " + kSecond)}),
              ElementsAre(Blame{0, 1, Sign::revert}, Blame{1, 2, Sign::revert}));
}

TEST(Blame, ATrailerMayAbbreviate) {
  EXPECT_THAT(blames(std::vector{
                  commit(kFirst, 1, "Read faster"),
                  commit(kSecond, 400,
                         "Read the last line, too\n\nFixes: 1111111aaaaa (\"Read faster\")")}),
              ElementsAre(Blame{0, 1, Sign::fixes}));
}

TEST(Blame, AnIssuesNumberIsNoCommit) {
  EXPECT_THAT(
      named_in("Repair it\n\nFixes: #1234567\nFixes: 12345678\nFixes: deadbeefx\nFixes: abc12"),
      IsEmpty());
}

TEST(Blame, AHotfixBlamesTheNewestChangeOfItsFiles) {
  const auto found = blames(std::vector{commit(kFirst, 1, "Read faster", {"a.c"}),
                                        commit(kSecond, 2, "Docs", {"b.md"}),
                                        commit(kThird, 3, "Hotfix: do not crash", {"a.c", "c.c"})});
  EXPECT_THAT(found, ElementsAre(Blame{0, 2, Sign::hotfix}));
}

TEST(Blame, AHotfixLooksTwoWeeksBackOnly) {
  EXPECT_THAT(
      blames(std::vector{commit(kFirst, 1, "Read faster"), commit(kSecond, 16, "hotfix: again")}),
      IsEmpty());
  EXPECT_FALSE(is_hotfix("Document the process\n\nFor a hotfix, do this."));
}

TEST(Blame, WhatCouldBeEitherBlamesNobody) {
  EXPECT_THAT(blames(std::vector{commit("abcdef1000", 1, "a"), commit("abcdef1001", 1, "b"),
                                 commit(kThird, 2, "c\n\nFixes: abcdef1")}),
              IsEmpty());
}

TEST(Blame, OnlyTheNewestAreRemembered) {
  Blamer blamer(1);
  blamer.add(commit(kFirst, 1, "a"));
  blamer.add(commit(kSecond, 1, "b"));
  EXPECT_THAT(blamer.add(commit(kThird, 2, "c\n\nFixes: " + kFirst)), IsEmpty());
  EXPECT_THAT(blamer.add(commit("4444444d", 2, "d\n\nFixes: " + kThird)),
              ElementsAre(Blame{2, 3, Sign::fixes}));
}

}  // namespace
}  // namespace gitaiops::triage
