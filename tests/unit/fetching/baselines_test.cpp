// What an agent is told of a job's name and passing runs.
#include "controller/baselines/baselines.h"

#include <gtest/gtest.h>

#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::baselines {
namespace {

using gitaiops::testing::await;

class BaselinesTest : public ::testing::Test {
 protected:
  BaselinesTest() {
    gitlab::Project demo;
    demo.id = 42;
    demo.path = "grp/demo";
    gitlab_.projects[42] = demo;
    gitlab::Job job;
    job.id = 9;
    job.name = "unit";
    job.status = "running";
    gitlab_.jobs[9] = job;
    store::Agent agent;
    agent.scope = {{"main", "grp/*"}};
    store_.agents_by_id["agent"] = agent;
    request_.mutable_key()->set_instance("main");
    request_.mutable_key()->set_project_path("grp/demo");
    request_.mutable_key()->set_job_id(9);
  }
  store::MemoryStore store_;
  gitlab::FakeGitlab gitlab_;
  Baselines baselines_{store_, {{"main", &gitlab_}}};
  fleet::v1::BaselineRequest request_;
};

TEST_F(BaselinesTest, TheNameIsGitlabsAndIsAskedForOnce) {
  const auto first = await(baselines_.answer("agent", request_));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->job_name(), "unit");
  EXPECT_EQ(first->templates_size(), 0);
  EXPECT_FALSE(first->whole());
  gitlab_.failures.insert_or_assign("job", Error(Code::unavailable, "away"));
  request_.set_templates(true);
  const auto second = await(baselines_.answer("agent", request_));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->whole());
}

TEST_F(BaselinesTest, OnlyOfProjectsTheAgentMaySpeakFor) {
  store_.agents_by_id["agent"].scope = {{"main", "other/*"}};
  EXPECT_FALSE(await(baselines_.answer("agent", request_)));
  EXPECT_FALSE(await(baselines_.answer("nobody", request_)));
  store_.agents_by_id["agent"].scope = store::everything();
  EXPECT_TRUE(await(baselines_.answer("agent", request_)));
  store_.agents_by_id["agent"].revoked_at = UnixMicros{1};
  EXPECT_FALSE(await(baselines_.answer("agent", request_)));
}

TEST_F(BaselinesTest, NoAnswerWhereGitlabHasNone) {
  gitlab_.hint = std::chrono::seconds(1);
  EXPECT_FALSE(await(baselines_.answer("agent", request_))) << "left alone";
  gitlab_.hint = {};
  gitlab_.jobs.clear();
  EXPECT_FALSE(await(baselines_.answer("agent", request_)));
  request_.mutable_key()->set_instance("strange");
  EXPECT_FALSE(await(baselines_.answer("agent", request_)));
}

}  // namespace
}  // namespace gitaiops::baselines
