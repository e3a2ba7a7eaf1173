#include "controller/fleet/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::fleet {
namespace {

using ::testing::HasSubstr;

v1::ConnectRequest hello(uint32_t minor) {
  v1::ConnectRequest message;
  message.mutable_hello()->set_protocol_minor(minor);
  message.mutable_hello()->set_agent_version("0.9.1");
  message.mutable_hello()->set_epoch(7);
  return message;
}

TEST(Hello, ServesItsOwnMinorAndTheTwoBefore) {
  for (const uint32_t minor : {5u, 4u, 3u}) {
    const auto opening = open_with(hello(minor), 5);
    EXPECT_FALSE(opening.refused) << minor;
    EXPECT_EQ(opening.minor, minor);
  }
  // A newer agent speaks what we speak.
  EXPECT_EQ(open_with(hello(9), 5).minor, 5u);
  EXPECT_FALSE(open_with(hello(1), 1).refused);
}

TEST(Hello, RefusesAnOlderOneWithVersionsAndTheCure) {
  const auto opening = open_with(hello(2), 5);
  ASSERT_TRUE(opening.refused);
  EXPECT_EQ(opening.refused->reason(), v1::Refusal::REASON_TOO_OLD);
  EXPECT_EQ(opening.refused->message(),
            "agent 0.9.1 speaks protocol 1.2; this controller serves 1.3 to 1.5: upgrade "
            "gitaiops-agent on this host to the "
            "controller's version");
  EXPECT_EQ(open_with(hello(0), 1).refused->reason(), v1::Refusal::REASON_TOO_OLD);
}

TEST(Hello, RefusesWhatIsNoHello) {
  EXPECT_EQ(open_with(v1::ConnectRequest(), 1).refused->reason(), v1::Refusal::REASON_BAD_HELLO);
  auto no_epoch = hello(1);
  no_epoch.mutable_hello()->clear_epoch();
  EXPECT_THAT(open_with(no_epoch, 1).refused->message(), HasSubstr("epoch"));
  auto backwards = hello(1);
  backwards.mutable_hello()->set_oldest_seq(9);
  backwards.mutable_hello()->set_newest_seq(8);
  EXPECT_THAT(open_with(backwards, 1).refused->message(), HasSubstr("oldest_seq"));
}

TEST(Hello, TextOfTheHostIsCleanAndCut) {
  auto message = hello(1);
  message.mutable_hello()->set_host_name("a\x1b[31mb" + std::string(300, 'x'));
  message.mutable_hello()->set_observation(std::string(600, 'o'));
  const auto opening = open_with(message, 1);
  EXPECT_EQ(opening.hello.host_name().find('\x1b'), std::string::npos);
  EXPECT_LE(opening.hello.host_name().size(), 253u);
  EXPECT_LE(opening.hello.observation().size(), 512u);
}

}  // namespace
}  // namespace gitaiops::fleet
