// What the log tells of a request that failed: its id, which the caller has too, and never its
// token.
#include "base/log/log.h"

#include <gmock/gmock.h>

#include "tests/unit/api/api_fixture.h"

namespace gitaiops::api {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ApiTest, AFaultIsLoggedWithTheRequestsIdAndWithoutItsToken) {
  log::configure(log::Level::info, log::Format::json);
  store_.broken = Error(Code::internal, "disk on fire");
  testing::internal::CaptureStderr();
  const auto response = ask("/api/v1/jobs?outcome=failed", "of-all");
  const std::string logged = testing::internal::GetCapturedStderr();
  log::configure(log::Level::info, log::Format::text);
  EXPECT_EQ(response.status, 500);
  const auto id = response.headers.get("X-Request-Id");
  ASSERT_TRUE(id);
  const auto line = nlohmann::json::parse(logged);
  EXPECT_EQ(line.at("request"), std::string(*id));
  EXPECT_EQ(line.at("path"), "/api/v1/jobs");
  EXPECT_EQ(line.at("level"), "error");
  EXPECT_THAT(logged, Not(HasSubstr("of-all")));
  EXPECT_THAT(response.body, Not(HasSubstr("on fire"))) << "the log says it, not the answer";
}

}  // namespace
}  // namespace gitaiops::api
