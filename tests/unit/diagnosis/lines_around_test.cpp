#include "engines/diagnosis/lines_around.h"

#include <gtest/gtest.h>

namespace gitaiops::diagnosis {
namespace {

Result<Excerpt> around(std::string_view log, uint64_t line, uint32_t before, uint32_t after,
                       std::size_t step = 7) {
  LinesAround lines(line, before, after);
  CleanLines clean([&](uint64_t number, const std::string& text) { lines.take(number, text); });
  for (std::size_t at = 0; at < log.size(); at += step) clean.feed(log.substr(at, step));
  clean.finish();
  return lines.excerpt();
}

TEST(LinesAround, CountAsInTheOriginalAndEndWithTheLog) {
  const std::string_view log = "one\ntwo\nthree\nfour\nfive\n";
  const auto middle = around(log, 3, 1, 1);
  ASSERT_TRUE(middle.ok());
  EXPECT_EQ(middle->first_line, 2u);
  EXPECT_EQ(middle->last_line, 4u);
  EXPECT_EQ(middle->text, "two\nthree\nfour");
  EXPECT_EQ(around(log, 1, 5, 0)->text, "one");
  EXPECT_EQ(around(log, 5, 0, 9)->last_line, 5u);
  EXPECT_EQ(around(log, 6, 1, 1).error().code(), Code::not_found);
  EXPECT_EQ(around("", 1, 1, 1).error().code(), Code::not_found);
  EXPECT_EQ(around("no newline", 1, 0, 0)->text, "no newline");
}

TEST(LinesAround, MarkersLeaveAnEmptyLineSoThatNumbersStayTrue) {
  const auto found = around(
      "a\nsection_start:1700000000:step_script\r\x1b[0K\nb\n10%\r50%\r100% done\nc\n", 4, 3, 1);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->text, "a\n\nb\n100% done\nc");
}

TEST(LinesAround, SecretsAreFoundWhereTerminalCodesHideThem) {
  const auto found =
      around("pass\x1b[31mword=hunter2hunter2\nglp\x1b[0mat-abcdefghij0123456789\n", 1, 0, 1);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->text.find("hunter2"), std::string::npos) << found->text;
  EXPECT_EQ(found->text.find("abcdefghij"), std::string::npos) << found->text;
}

TEST(LinesAround, APrivateKeyThatBeganBeforeIsHidden) {
  std::string log = "-----BEGIN RSA PRIVATE KEY-----\n";
  for (int i = 0; i < 20; ++i)
    log += "MIIEpAIBAAKCAQEA7Vw2Pp0c8n5tZ3aQxB1yK9mR4uE6sD0fGhJkLzXcVbNmQwEr\n";
  log += "-----END RSA PRIVATE KEY-----\nafter\n";
  const auto found = around(log, 12, 2, 11);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->text.find("MIIEpAIB"), std::string::npos) << found->text;
  EXPECT_TRUE(found->text.ends_with("after")) << found->text;
}

TEST(LinesAround, WhatIsTooLongGoesFromTheEnds) {
  std::string log;
  for (int i = 1; i <= 300; ++i) log += std::to_string(i) + " " + std::string(900, 'x') + "\n";
  const auto found = around(log, 150, 100, 100, 4096);
  ASSERT_TRUE(found.ok());
  EXPECT_LE(found->text.size(), LinesAround::kMaxBytes);
  EXPECT_LT(found->first_line, 150u);
  EXPECT_GT(found->last_line, 150u);
  const auto lines = split(found->text, '\n');
  EXPECT_EQ(lines.size(), found->last_line - found->first_line + 1);
  EXPECT_TRUE(lines[150 - found->first_line].starts_with("150 "));
}

TEST(LinesAround, HostileNumbersAskForNoMoreThanThereIs) {
  EXPECT_EQ(around("a\nb\n", UINT64_MAX, UINT32_MAX, UINT32_MAX).error().code(), Code::not_found);
  EXPECT_EQ(around("a\nb\n", 0, 0, 0)->text, "a");
  EXPECT_EQ(around("a\nb\n", 1, UINT32_MAX, UINT32_MAX)->text, "a\nb");
}

}  // namespace
}  // namespace gitaiops::diagnosis
