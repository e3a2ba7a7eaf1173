#include "base/bytes/bytes.h"

#include <array>

#include <gtest/gtest.h>

namespace gitaiops {
namespace {

TEST(Bytes, Numbers) {
  EXPECT_EQ(parse_int("-42"), -42);
  EXPECT_EQ(parse_int("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_int(" 1"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_uint("-1"), std::nullopt);
  EXPECT_EQ(parse_double("7.05"), 7.05);
}

TEST(Bytes, Hex) {
  EXPECT_EQ(hex_encode(as_bytes("\x01\xfe")), "01fe");
  EXPECT_EQ(hex_decode("01FE"), "\x01\xfe");
  EXPECT_EQ(hex_decode("0"), std::nullopt);
  EXPECT_EQ(hex_decode("+1"), std::nullopt);
}

TEST(Bytes, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(to_utf8("a\xff\xfe"
                    "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(to_utf8("\xC0\x80"), "\xEF\xBF\xBD");        // overlong NUL
  EXPECT_EQ(to_utf8("\xED\xA0\x80x"), "\xEF\xBF\xBDx");  // surrogate
  EXPECT_EQ(to_utf8("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
  EXPECT_EQ(to_utf8(std::string_view("\0\x1b[1m", 5)), "\xEF\xBF\xBD\xEF\xBF\xBD[1m");
  EXPECT_EQ(to_utf8("\x1b", Controls::keep), "\x1b");
}

TEST(Bytes, TruncationKeepsCharactersWhole) {
  EXPECT_EQ(truncate_utf8("short", 10), "short");
  EXPECT_EQ(truncate_utf8("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 6), "\xC3\xBC\xE2\x80\xA6");
  EXPECT_EQ(truncate_utf8("abcdef", 2), "");
}

TEST(Bytes, NearestWord) {
  constexpr std::array<std::string_view, 3> keys{"max_bytes", "path", "interval"};
  EXPECT_EQ(nearest("max_byte", keys), "max_bytes");
  EXPECT_EQ(nearest("intervall", keys), "interval");
  EXPECT_EQ(nearest("zzz", keys), std::nullopt);
}

TEST(Bytes, Split) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(trimmed(" \t x y \r\n"), "x y");
}

}  // namespace
}  // namespace gitaiops
