// What models cost: by scope and strictly asked.
#include "tests/unit/api/api_fixture.h"

namespace gitaiops::api {
namespace {

TEST_F(ApiTest, ModelUsageIsThatOfTheScope) {
  store::ModelUse use{19'675, "main", 1, "grp/a", "m", 2, 900, 100, 50, 1820, 3, 5460};
  store_.models.use.push_back(use);
  use.project_path = "grp/b";
  use.model = "";
  store_.models.use.push_back(use);
  const auto answer =
      body("/api/v1/models/usage?from=2023-11-14&to=2023-11-15&project=grp/a", "of-a");
  EXPECT_EQ(answer, nlohmann::json::parse(R"({"next":null,"usage":[{"day":"2023-11-14",
    "instance":"main","project_id":1,"project":"grp/a","model":"m","requests":2,
    "prompt_tokens":900,"cached_tokens":100,"output_tokens":50,"cost_usd":0.00182,"reused":3,
    "saved_usd":0.00546}]})"));
  EXPECT_EQ(store_.models.asked.from_day, 19'675);
  EXPECT_EQ(store_.models.asked.to_day, 19'676);
  EXPECT_EQ(store_.models.asked.project_path, "grp/a");
  EXPECT_EQ(status("/api/v1/models/usage", ""), 401);
  EXPECT_EQ(status("/api/v1/models/usage?from=yesterday", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/models/usage?model=m", "of-a"), 400);
}

}  // namespace
}  // namespace gitaiops::api
