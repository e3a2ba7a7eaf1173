#include "controller/note/markdown.h"

#include <gtest/gtest.h>

namespace gitaiops::note {
namespace {

TEST(CodeSpan, HoldsWhatWouldBeLiveInText) {
  EXPECT_EQ(code_span("unit @all #1 !2 ~bug %v1 <b>"), "`unit @all #1 !2 ~bug %v1 <b>`");
  EXPECT_EQ(code_span("a`b"), "``a`b``");
  EXPECT_EQ(code_span("`a`"), "`` `a` ``");
  EXPECT_EQ(code_span("a``b`c"), "```a``b`c```");
  EXPECT_EQ(code_span("x | y"), "`x ¦ y`");
  EXPECT_EQ(code_span("two\nlines"), "`two lines`");
  EXPECT_EQ(code_span(" \n\u200b"), "`(unnamed)`");
}

TEST(Cleaned, TakesAwayWhatCannotBeSeen) {
  EXPECT_EQ(cleaned("a\u202eb\u200bc\u2066d\ufeffe\U000e0041f", 100), "abcdef");
  EXPECT_EQ(cleaned(std::string_view("a\0b\x1b[31mc\x7f", 10), 100), "ab[31mc");
  EXPECT_EQ(cleaned("\xff\xfe ok", 100), "\ufffd ok");
  EXPECT_EQ(cleaned("größer 日本 🚀", 100), "größer 日本 🚀");
  EXPECT_EQ(cleaned("0123456789", 8), "01234…");
}

TEST(Fenced, IsLongerThanWhatItHolds) {
  EXPECT_EQ(fenced({{9, false, "```"}, {10, true, "/approve"}, {0, false, "… (3 lines)"}}),
            "````text\n"
            "   9 | ```\n"
            "> 10 | /approve\n"
            "     | … (3 lines)\n"
            "````\n");
}

TEST(Word, SaysWhatItKnowsAndQuotesTheRest) {
  EXPECT_EQ(word("test_failure"), "test failure");
  EXPECT_EQ(word("@all"), "`@all`");
  EXPECT_EQ(word(""), "`(unnamed)`");
}

TEST(Link, OnlyToPlainAddresses) {
  EXPECT_EQ(link("Log", "https://g.example/a/-/jobs/9#L4"),
            "[Log](https://g.example/a/-/jobs/9#L4)");
  EXPECT_EQ(link("Log", "javascript:alert(1)"), "Log");
  EXPECT_EQ(link("Log", "https://g.example/a) @all"), "Log");
  EXPECT_EQ(link("Log", ""), "Log");
}

TEST(Units, AreShort) {
  EXPECT_EQ(duration(4'230'000), "4.2 s");
  EXPECT_EQ(duration(9'960'000), "10 s");
  EXPECT_EQ(duration(63'000'000), "1 min 3 s");
  EXPECT_EQ(duration(59'600'000), "1 min 0 s");
  EXPECT_EQ(duration(7'500'000'000), "2 h 5 min");
  EXPECT_EQ(bytes(512 << 20), "512 MiB");
  EXPECT_EQ(bytes(int64_t{1536} << 20), "1.5 GiB");
  EXPECT_EQ(bytes(1 << 20), "1.0 MiB");
}

}  // namespace
}  // namespace gitaiops::note
