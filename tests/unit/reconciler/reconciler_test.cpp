// What webhooks lost is found once, whatever happens meanwhile. Over the store that ships, with the
// router behind.
#include "controller/reconciler/reconciler.h"

#include <gmock/gmock.h>

#include "controller/webhooks/webhooks.h"
#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::reconciler {
namespace {

using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = kMicrosPerSecond;

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    auto opened = store::open_sqlite({.path = folder_ / "controller.db"}, clock_);
    if (!opened.ok()) throw std::runtime_error(opened.error().to_string());
    store_ = std::move(*opened);
    webhooks_ = std::move(*webhooks::Webhooks::make({}, store_->inbox(), clock_));
    reconciler_ = std::make_unique<Reconciler>(
        store_->inbox(), clock_, std::map<std::string, Source>{{"main", {&gitlab_}}},
        [this](std::string_view, std::string_view kind, int64_t count) {
          found_.push_back(std::string(kind) + " " + std::to_string(count));
        });
    tell("first",
         R"({"object_kind":"push","project_id":5,"project":{"path_with_namespace":"grp/app"}})");
  }

  // As a webhook.
  void tell(const std::string& key, const std::string& body) {
    store::Delivery d;
    d.id = "id-" + key;
    d.instance = "main";
    d.key = key;
    d.source = "webhook";
    d.received_at = clock_.now();
    d.body = body;
    ASSERT_TRUE(await(store_->inbox().accept_delivery(d)).ok());
    ASSERT_TRUE(await(webhooks_->read_some()).ok());
  }
  Status look() { return await(reconciler_->look("main")); }
  std::vector<std::string> delivered() {
    while (*await(webhooks_->read_some()) > 0) {
    }
    const auto page = await(store_->inbox().deliveries({}, {"", 200}));
    std::vector<std::string> out;
    for (const auto& d : page->items)
      if (d.source == "reconciler") out.push_back(d.object + ": " + d.state);
    return out;
  }
  static gitlab::MergeRequest request(int64_t iid, std::string state, std::string sha) {
    gitlab::MergeRequest m;
    m.iid = iid;
    m.project_id = 5;
    m.state = std::move(state);
    m.sha = std::move(sha);
    return m;
  }
  static gitlab::Pipeline pipeline(int64_t id, std::string status) {
    gitlab::Pipeline p;
    p.id = id;
    p.status = std::move(status);
    return p;
  }

  TemporaryFolder folder_{TemporaryFolder::Where::memory};
  FakeClock clock_;
  gitlab::FakeGitlab gitlab_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<webhooks::Webhooks> webhooks_;
  std::unique_ptr<Reconciler> reconciler_;
  std::vector<std::string> found_;
};

TEST_F(ReconcilerTest, WhatNobodyToldOfIsFoundOnce) {
  gitlab_.changed[5] = {request(7, "opened", "abc")};
  gitlab_.ended[5] = {pipeline(9, "success")};
  ASSERT_TRUE(look().ok());
  EXPECT_THAT(delivered(), ElementsAre("pipeline 9: done", "merge request 7: done"));
  EXPECT_THAT(found_, ElementsAre("merge_request 1", "pipeline 1"));
  clock_.advance(600 * kSecond);
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(delivered().size(), 2u);
  EXPECT_EQ(found_.size(), 2u);
}

TEST_F(ReconcilerTest, WhatAWebhookToldOfIsNoNews) {
  tell("mr", R"({"object_kind":"merge_request","project":{"id":5},
    "object_attributes":{"iid":7,"state":"opened","last_commit":{"id":"abc"}}})");
  tell(
      "p",
      R"({"object_kind":"pipeline","project":{"id":5},"object_attributes":{"id":9,"status":"failed"}})");
  gitlab_.changed[5] = {request(7, "opened", "abc"), request(8, "merged", "def")};
  gitlab_.ended[5] = {pipeline(9, "failed")};
  ASSERT_TRUE(look().ok());
  EXPECT_THAT(delivered(), ElementsAre("merge request 8: done"));
  EXPECT_THAT(found_, ElementsAre("merge_request 1"));
}

TEST_F(ReconcilerTest, AFailedPipelineBringsItsJobs) {
  gitlab_.ended[5] = {pipeline(9, "failed")};
  gitlab_.pipelines[9].emplace_back().id = 41;
  gitlab_.pipelines[9][0].status = "failed";
  fleet::v1::JobReport report;
  report.set_report_id("r");
  report.mutable_key()->set_instance("main");
  report.mutable_key()->set_project_id(5);
  report.mutable_key()->set_project_path("grp/app");
  report.mutable_key()->set_job_id(41);
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  ASSERT_TRUE(*await(store_->keep_fetched(report, clock_.now())));
  const auto before = await(store_->events_after(0, 100))->size();
  ASSERT_TRUE(look().ok());
  delivered();
  const auto events = *await(store_->events_after(before, 100));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, "job.told");
}

TEST_F(ReconcilerTest, AfterAnOutageItAsksFromWhereItStopped) {
  ASSERT_TRUE(look().ok());
  gitlab_.failures.emplace("changed_merge_requests", Error(Code::unavailable, "down"));
  for (int hour = 0; hour < 3; ++hour) {
    clock_.advance(3600 * kSecond);
    EXPECT_FALSE(look().ok());
  }
  gitlab_.failures.clear();
  gitlab_.changed[5] = {request(7, "opened", "abc")};
  ASSERT_TRUE(look().ok());
  ASSERT_EQ(gitlab_.asked_of.size(), 2u);
  EXPECT_LT(gitlab_.asked_of[1].first, gitlab_.asked_of[0].second) << "no gap";
  EXPECT_EQ(delivered().size(), 1u);
}

TEST_F(ReconcilerTest, AHalfReadProjectIsReadAgain) {
  gitlab_.changed[5] = {request(7, "opened", "abc")};
  gitlab_.failures.emplace("changed_pipelines", Error(Code::unavailable, "down"));
  EXPECT_FALSE(look().ok());
  EXPECT_THAT(delivered(), IsEmpty());
  gitlab_.failures.clear();
  EXPECT_TRUE(look().ok());
  EXPECT_EQ(delivered().size(), 1u);
}

TEST_F(ReconcilerTest, AProjectThatIsGoneHoldsNobodyUp) {
  tell("other",
       R"({"object_kind":"push","project_id":6,"project":{"path_with_namespace":"grp/b"}})");
  gitlab_.failures.emplace("changed_merge_requests", Error(Code::not_found, "404"));
  EXPECT_TRUE(look().ok());
}

TEST_F(ReconcilerTest, TheSameStateAgainIsNewsAfterAnother) {
  gitlab_.changed[5] = {request(7, "opened", "abc")};
  ASSERT_TRUE(look().ok());
  delivered();
  for (const char* state : {"closed", "opened"}) {
    clock_.advance(600 * kSecond);
    gitlab_.changed[5] = {request(7, state, "abc")};
    gitlab_.changed[5][0].updated_at = clock_.now();
    ASSERT_TRUE(look().ok());
    delivered();
  }
  EXPECT_EQ(delivered().size(), 3u);
}

TEST_F(ReconcilerTest, TheTokensEndIsKnown) {
  EXPECT_FALSE(reconciler_->token_expiry("main"));
  gitlab_.expiry = clock_.now() + 100 * kSecond;
  await(reconciler_->look_at_token("main"));
  EXPECT_EQ(reconciler_->token_expiry("main"), gitlab_.expiry);
  gitlab_.expiry.reset();
  await(reconciler_->look_at_token("main"));
  EXPECT_FALSE(reconciler_->token_expiry("main")) << "renewed without an end";
}

}  // namespace
}  // namespace gitaiops::reconciler
