#include "agent/sources/container_log.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

std::string entry(const std::string& log, const std::string& stream = "stderr",
                  const std::string& time = "2026-11-22T22:16:16.058495123Z") {
  return R"({"log":")" + log + R"(","stream":")" + stream + R"(","time":")" + time + R"("})";
}

TEST(ContainerLog, ALineWithItsMoment) {
  ContainerLogLines lines;
  const auto line = lines.feed(entry("Job succeeded  \\u001b[0;m job=7\\n"));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "Job succeeded  \x1b[0;m job=7");
  EXPECT_EQ(line->stream, "stderr");
  EXPECT_EQ(line->time, *parse_rfc3339("2026-11-22T22:16:16.058495Z"));
  EXPECT_FALSE(lines.halfway());
}

TEST(ContainerLog, ALongLineComesInParts) {
  ContainerLogLines lines;
  EXPECT_FALSE(lines.feed(entry("one ")));
  EXPECT_TRUE(lines.halfway());
  const auto other = lines.feed(entry("of the other stream\\n", "stdout"));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->text, "of the other stream");
  const auto line = lines.feed(entry("two\\n"));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "one two");
  EXPECT_EQ(lines.unreadable(), 0u);
}

TEST(ContainerLog, WhatIsNoEntryIsCounted) {
  ContainerLogLines lines;
  for (const auto* text : {"", "text", "[]", "{}", R"({"log":"a\n","stream":"stderr","time":"x"})",
                           R"({"log":"a\n","time":"2026-11-22T22:16:16Z"})"})
    EXPECT_FALSE(lines.feed(text)) << text;
  EXPECT_EQ(lines.unreadable(), 6u);
  EXPECT_FALSE(lines.halfway());
}

TEST(ContainerLog, ALineWithoutEndIsGivenUp) {
  ContainerLogLines lines;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(lines.feed(entry(std::string(16 << 10, 'x'))));
  EXPECT_EQ(lines.unreadable(), 1u);
}

}  // namespace
}  // namespace gitaiops::agent
