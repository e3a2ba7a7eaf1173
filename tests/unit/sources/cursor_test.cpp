#include "agent/sources/cursor.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

TEST(Cursor, RoundTrip) {
  Cursor cursor;
  cursor.file = "usage-log-1.json";
  cursor.position = FilePosition{1, ~0ull, 3, "abcd", 5};
  cursor.journal = "s=1;i=2";
  cursor.runners = {{"tok", "lab"}, {"far", ""}};
  const auto back = decode(encode(cursor));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(cursor));
  EXPECT_EQ(back->position->inode, ~0ull);
  EXPECT_EQ(back->runners.at("tok"), "lab");
}

TEST(Cursor, WhatIsNoneStartsAnew) {
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode("s=1;i=2"));
  EXPECT_FALSE(decode("[1]"));
  const auto odd = decode(R"({"at":{"inode":-1,"offset":"x"},"file":7,"runners":[1]})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->position->inode, 0u);
  EXPECT_EQ(odd->file, "");
}

}  // namespace
}  // namespace gitaiops::agent
