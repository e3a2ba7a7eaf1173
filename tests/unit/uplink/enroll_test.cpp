// `enroll` against a real enrolment listener. It blocks, so the controller's loop runs on a thread
// of its own here.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/uplink/identity.h"
#include "agent/uplink/uplink.h"
#include "base/tls/tls.h"
#include "tests/unit/fleet/controller.h"

namespace gitaiops::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EnrollTest : public ::testing::Test {
 protected:
  // Runs enroll() on another thread while this one drives the controller.
  Result<Enrolled> enroll_here(const EnrollOptions& options, const Clock& clock) {
    std::optional<Result<Enrolled>> result;
    std::atomic<bool> done = false;
    std::thread agent([&] {
      result = enroll(options, clock);
      done = true;
    });
    loop_.until([&] { return done.load(); });
    agent.join();
    return *std::move(result);
  }
  EnrollOptions options(std::string token) {
    return {controller_.enrollment_address(),  std::move(token), "",
            folder_.path() / "agent/identity", "build-1",        "0.1.0"};
  }

  testing::TemporaryFolder folder_;
  testing::Loop loop_;
  FakeClock clock_{system_clock().now().value};
  testing::FakeStore store_;
  testing::Controller controller_{loop_, store_, clock_, folder_.path(), {}};
};

TEST_F(EnrollTest, TheFleetPortIsToldFromTheEnrolmentPort) {
  auto mistaken = options(controller_.new_token());
  mistaken.controller = controller_.address();
  const auto enrolled = enroll_here(mistaken, clock_);
  ASSERT_FALSE(enrolled.ok());
  EXPECT_THAT(enrolled.error().to_string(), HasSubstr("is this the port of its fleet listener"));
  EXPECT_THAT(enrolled.error().to_string(), HasSubstr("7462"));
}

TEST_F(EnrollTest, OneTokenMakesAnIdentityOnDisk) {
  const auto enrolled = enroll_here(options(controller_.new_token()), clock_);
  ASSERT_TRUE(enrolled.ok()) << enrolled.error().to_string();
  EXPECT_THAT(enrolled->project_globs, ElementsAre("*"));
  EXPECT_TRUE(store_.agents_by_id.contains(enrolled->agent_id));
  const auto identity = load_identity(folder_.path() / "agent/identity");
  ASSERT_TRUE(identity.ok()) << identity.error().to_string();
  EXPECT_EQ(identity->agent_id, enrolled->agent_id);
  EXPECT_EQ(identity->not_after, enrolled->not_after);
  struct stat about{};
  for (const auto* file : {"key.pem", "cert.pem", "ca.pem", "identity.json"}) {
    ASSERT_EQ(stat((folder_.path() / "agent/identity" / file).c_str(), &about), 0) << file;
    EXPECT_EQ(about.st_mode & 07777, 0600u) << file;
  }
}

TEST_F(EnrollTest, AWrongPinIsNoticedBeforeTheTokenIsSent) {
  auto token = controller_.new_token();
  token.replace(token.size() - 64, 64, std::string(64, 'a'));
  const auto refused = enroll_here(options(token), clock_);
  EXPECT_EQ(refused.error().code(), Code::permission_denied);
  EXPECT_THAT(refused.error().to_string(), HasSubstr("is not the controller this token is for"));
  EXPECT_THAT(refused.error().to_string(), HasSubstr("sha256:" + std::string(64, 'a')));
  EXPECT_THAT(refused.error().to_string(), HasSubstr("the token was not sent"));
  EXPECT_EQ(store_.tokens.begin()->second.uses_left, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "agent/identity"));
}

TEST_F(EnrollTest, AnExpiredOrUsedTokenSaysSo) {
  const auto token = controller_.new_token();
  ASSERT_TRUE(enroll_here(options(token), clock_).ok());
  EXPECT_THAT(enroll_here(options(token), clock_).error().to_string(), HasSubstr("used up"));
  const auto old = controller_.new_token(60 * kMicrosPerSecond);
  clock_.advance(61 * kMicrosPerSecond);
  EXPECT_THAT(enroll_here(options(old), clock_).error().to_string(), HasSubstr("expired"));
}

TEST_F(EnrollTest, AClockThatIsFarOffIsNamedWithTheDistance) {
  const FakeClock behind(clock_.now().value - 3 * enrollment::kHour);
  const auto early = enroll_here(options(controller_.new_token()), behind);
  EXPECT_EQ(early.error().code(), Code::invalid_argument);
  EXPECT_THAT(early.error().to_string(), HasSubstr("at least 2 h 5"));
  const FakeClock ahead(clock_.now().value + 10 * 60 * kMicrosPerSecond);
  EXPECT_THAT(enroll_here(options(controller_.new_token()), ahead).error().to_string(),
              HasSubstr("10 min 0 s ahead of the controller's"));
  for (const auto& [hash, token] : store_.tokens) EXPECT_EQ(token.uses_left, 1);
}

TEST_F(EnrollTest, OptionsThatCannotWorkAreNamed) {
  EXPECT_THAT(enroll(options("nonsense"), clock_).error().to_string(),
              HasSubstr("not an enrolment token"));
  auto no_pin = options(controller_.new_token());
  no_pin.token.resize(no_pin.token.find('.'));
  EXPECT_THAT(enroll(no_pin, clock_).error().to_string(), HasSubstr("no pin"));
  auto two_pins = options(controller_.new_token());
  two_pins.ca_pin = "sha256:" + std::string(64, 'b');
  EXPECT_THAT(enroll(two_pins, clock_).error().to_string(), HasSubstr("not the one in the token"));
  auto nowhere = options(controller_.new_token());
  nowhere.controller = "no port";
  EXPECT_THAT(enroll(nowhere, clock_).error().to_string(), HasSubstr("host:port"));
}

}  // namespace
}  // namespace gitaiops::agent
