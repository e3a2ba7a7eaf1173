#include "base/rpc/enrollment_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rpc/skew.h"

namespace gitaiops::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";
const std::string kPin(64, 'a');

TEST(EnrollmentToken, IsOneStringWithSecretAndPin) {
  const auto token = EnrollmentToken::parse("  gio1_" + kSecret + "." + kPin + "\n");
  ASSERT_TRUE(token.ok()) << token.error().to_string();
  EXPECT_EQ(token->secret, kSecret);
  EXPECT_EQ(token->ca_pin, "sha256:" + kPin);
  EXPECT_EQ(token->text(), "gio1_" + kSecret + "." + kPin);
  EXPECT_EQ(token->sent(), "gio1_" + kSecret);
}

TEST(EnrollmentToken, WhatIsStoredIsTheHashOfTheSecretAlone) {
  EXPECT_EQ(EnrollmentToken::parse("gio1_" + kSecret)->secret_sha256(),
            EnrollmentToken::parse("gio1_" + kSecret + "." + kPin)->secret_sha256());
  // printf %s AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE | sha256sum
  EXPECT_EQ(EnrollmentToken::parse("gio1_" + kSecret)->secret_sha256(),
            "b247256873be366d3ca8d06ccf98652d0b49257194f6220d4bfdffb3063ca122");
}

TEST(EnrollmentToken, RefusesAnythingElseWithoutRepeatingIt) {
  for (const auto& wrong :
       {std::string(), "glrt-" + kSecret, "gio1_" + kSecret.substr(1), "gio1_" + kSecret + "x",
        "gio1_" + kSecret + ".", "gio1_" + kSecret + "." + kPin + "0",
        "gio1_" + kSecret + "." + std::string(64, 'g'), "gio1_!" + kSecret.substr(1)}) {
    const auto token = EnrollmentToken::parse(wrong);
    ASSERT_FALSE(token.ok()) << wrong;
    EXPECT_THAT(token.error().to_string(), HasSubstr("not an enrolment token"));
    EXPECT_THAT(token.error().to_string(), Not(HasSubstr("AbCdEf")));
  }
}

TEST(Skew, ATimeThatWasToldCannotOverflowWhatIsReckonedWithIt) {
  EXPECT_EQ(told_time(1'700'000'000'000'000).value, 1'700'000'000'000'000);
  EXPECT_EQ(told_time(INT64_MIN).value, 0);
  EXPECT_EQ(to_rfc3339(told_time(INT64_MAX)), "9999-12-31T23:59:59.000000Z");
  EXPECT_EQ(describe_skew(told_time(INT64_MIN), told_time(INT64_MAX)), "2932896 d 23 h behind");
}

TEST(Skew, IsSaidInWords) {
  const UnixMicros noon{1'900'000'000'000'000};
  EXPECT_EQ(describe_skew(noon + -(3 * 3600 + 2 * 60) * kMicrosPerSecond, noon),
            "3 h 2 min behind");
  EXPECT_EQ(describe_skew(noon + 28 * 3600 * kMicrosPerSecond, noon), "1 d 4 h ahead of");
  EXPECT_EQ(describe_skew(noon + -61 * kMicrosPerSecond, noon), "1 min 1 s behind");
  EXPECT_EQ(describe_skew(noon + 12 * kMicrosPerSecond, noon), "12 s ahead of");
}

}  // namespace
}  // namespace gitaiops::rpc
