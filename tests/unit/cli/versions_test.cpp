#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

class Versions : public testing::Test {
 protected:
  std::string compared(VersionOptions options) {
    out_.str("");
    code_ = compare_two_versions(options, {out_, err_, false});
    return out_.str();
  }
  std::string matched(VersionOptions options) {
    out_.str("");
    code_ = match_version(options, {out_, err_, false});
    return out_.str();
  }
  std::ostringstream out_, err_;
  int code_ = -1;
};

TEST_F(Versions, OrderAndStrictOrder) {
  EXPECT_EQ(compared({.ecosystem = "PyPI", .first = "1.0rc1", .second = "1.0"}), "<\n");
  EXPECT_EQ(compared({.ecosystem = "npm", .first = "1.0", .second = "1.0.0"}), "=\n");
  EXPECT_EQ(compared({.ecosystem = "npm", .first = "1.0", .second = "1.0.0", .strict = true}),
            "invalid\n");
  EXPECT_EQ(code_, kDone);
}

TEST_F(Versions, Ranges) {
  EXPECT_EQ(matched({.ecosystem = "npm", .first = "1.2.0", .second = "^1"}), "true\n");
  EXPECT_EQ(matched({.ecosystem = "npm", .first = "1.2.0-a", .second = "^1"}), "false\n");
  EXPECT_EQ(matched({.ecosystem = "npm", .first = "1.2.0-a", .second = "^1", .prereleases = true}),
            "true\n");
  EXPECT_EQ(matched({.ecosystem = "Maven", .first = "1", .second = "2"}), "recommended=2\n");
  EXPECT_EQ(matched({.ecosystem = "npm", .first = "1.2.0", .second = "next"}), "invalid\n");
}

TEST_F(Versions, WhatCannotBeAskedIsTold) {
  compared({.ecosystem = "npn", .first = "1", .second = "2"});
  EXPECT_EQ(code_, kUsage);
  EXPECT_THAT(err_.str(), testing::HasSubstr("unknown ecosystem \"npn\""));
  compared({.ecosystem = "npm", .first = "1"});
  EXPECT_EQ(code_, kUsage);
}

TEST_F(Versions, ScoresOfVectors) {
  EXPECT_EQ(score_cvss("AV:N/AC:L/Au:N/C:C/I:C/A:C", {out_, err_, false}), kDone);
  EXPECT_EQ(out_.str(), "10.0 critical\n");
  EXPECT_EQ(score_cvss("high", {out_, err_, false}), kUsage);
}

}  // namespace
}  // namespace gitaiops::cli
