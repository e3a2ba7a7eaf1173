// From the request to the outbox, over the store that ships.
#include "controller/webhooks/webhooks.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/sqlite/await.h"

namespace gitaiops::webhooks {
namespace {

using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;

class WebhooksTest : public ::testing::Test {
 protected:
  WebhooksTest() {
    write_secret("secret");
    reopen();
  }

  void write_secret(const std::string& text) {
    const auto file = folder_ / "secret";
    std::ofstream(file) << text << "\n";
    ::chmod(file.c_str(), 0600);
  }

  void reopen() {
    webhooks_.reset();
    store_.reset();
    auto opened = store::open_sqlite({.path = folder_ / "controller.db"}, clock_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = std::move(*opened);
    Options options;
    options.secrets["main"] = {folder_ / "secret"};
    options.secrets["quiet"] = {};
    options.max_in_flight = 2;
    options.on_request = [this](std::string_view, std::string_view result) {
      results_.emplace_back(result);
    };
    auto made = Webhooks::make(std::move(options), store_->inbox(), clock_);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    webhooks_ = std::move(*made);
  }

  static http::Request request(std::string body, std::string key, std::string token = "secret") {
    http::Request out;
    out.method = "POST";
    out.body = std::move(body);
    if (!token.empty()) out.headers.add("X-Gitlab-Token", std::move(token));
    if (!key.empty()) out.headers.add("Idempotency-Key", std::move(key));
    out.headers.add("X-Gitlab-Event", "Job Hook");
    out.headers.add("X-Gitlab-Webhook-UUID", "hook-1");
    return out;
  }
  int take(http::Request r, const std::string& instance = "main") {
    return await(webhooks_->take(instance, std::move(r))).status;
  }
  std::vector<store::Delivery> deliveries() {
    const auto page = await(store_->inbox().deliveries({}, {"", 200}));
    return page.ok() ? page->items : std::vector<store::Delivery>();
  }
  std::size_t read_all() {
    std::size_t total = 0;
    for (;;) {
      const auto some = await(webhooks_->read_some());
      EXPECT_TRUE(some.ok());
      if (!some.ok() || *some == 0) return total;
      total += *some;
    }
  }

  TemporaryFolder folder_{TemporaryFolder::Where::memory};
  FakeClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Webhooks> webhooks_;
  std::vector<std::string> results_;
};

constexpr const char* kJob =
    R"({"object_kind":"build","build_id":41,"build_status":"failed","project_id":5,
       "project":{"path_with_namespace":"grp/app"}})";

TEST_F(WebhooksTest, WhatIsAnsweredIsThereAfterAnEndWithoutWarning) {
  EXPECT_EQ(take(request(kJob, "k1")), 200);
  reopen();
  const auto kept = deliveries();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].state, "waiting");
  EXPECT_EQ(kept[0].bytes, static_cast<int64_t>(std::string(kJob).size()));
  EXPECT_EQ(await(store_->inbox().delivery(kept[0].id))->body, kJob) << "as it came";
}

TEST_F(WebhooksTest, TheSameDeliveryIsKeptOnce) {
  EXPECT_EQ(take(request(kJob, "k1")), 200);
  EXPECT_EQ(take(request(kJob, "k1")), 200) << "GitLab must not take it for a failure";
  EXPECT_EQ(deliveries().size(), 1u);
  EXPECT_EQ(take(request(kJob, "k2")), 200);
  EXPECT_EQ(deliveries().size(), 2u);
  EXPECT_EQ(results_, (std::vector<std::string>{"stored", "known", "stored"}));
}

TEST_F(WebhooksTest, AnOlderGitlabsDeliveriesAreKnownByHookAndBody) {
  EXPECT_EQ(take(request(kJob, "")), 200);
  EXPECT_EQ(take(request(kJob, "")), 200);
  EXPECT_EQ(deliveries().size(), 1u);
  EXPECT_EQ(take(request("{}", "")), 200);
  EXPECT_EQ(deliveries().size(), 2u);
  EXPECT_EQ(take(request("{}", std::string(5000, 'k'))), 200) << "a key that is none";
  EXPECT_EQ(deliveries().size(), 3u);
}

TEST_F(WebhooksTest, WhoCannotProveItIsRefusedAndNothingIsKept) {
  EXPECT_EQ(take(request(kJob, "k1", "guess")), 401);
  EXPECT_EQ(take(request(kJob, "k1", "")), 401);
  EXPECT_EQ(take(request(kJob, "k1"), "other"), 404);
  EXPECT_EQ(take(request(kJob, "k1"), "quiet"), 404) << "no secret, no webhooks";
  EXPECT_TRUE(deliveries().empty());
  EXPECT_EQ(results_, (std::vector<std::string>{"forged", "unproven", "refused", "refused"}));
}

TEST_F(WebhooksTest, AChangedSecretIsReadWithoutARestart) {
  write_secret("newer");
  EXPECT_EQ(take(request(kJob, "k1", "newer")), 401) << "read a moment ago";
  clock_.advance(2 * kMicrosPerSecond);
  EXPECT_EQ(take(request(kJob, "k1", "newer")), 200);
  EXPECT_EQ(take(request(kJob, "k2", "secret")), 401);
}

TEST_F(WebhooksTest, OnlyWhoIsKnownMaySendMuch) {
  EXPECT_EQ(webhooks_->body_limit("main", request("", "k").headers), 10u << 20);
  EXPECT_EQ(webhooks_->body_limit("main", request("", "k", "guess").headers), 64u << 10);
  EXPECT_EQ(webhooks_->body_limit("other", request("", "k").headers), 64u << 10);
}

TEST_F(WebhooksTest, EachDeliveryIsReadOnceAndSaysWhatCameOfIt) {
  for (const auto& [body, key] : std::vector<std::pair<std::string, std::string>>{
           {kJob, "a"}, {"not json", "b"}, {R"({"object_kind":"weather"})", "c"}})
    EXPECT_EQ(take(request(body, key)), 200);
  EXPECT_EQ(read_all(), 3u);
  EXPECT_EQ(read_all(), 0u);
  std::set<std::string> states;
  for (const auto& d : deliveries()) states.insert(d.type + ": " + d.state);
  EXPECT_EQ(states,
            (std::set<std::string>{"Job Hook: unreadable", "build: done", "weather: ignored"}));
}

TEST_F(WebhooksTest, AJobThatWaitsForGitlabsWordHearsItOnce) {
  fleet::v1::JobReport report;
  report.set_report_id("r1");
  report.mutable_key()->set_instance("main");
  report.mutable_key()->set_project_id(5);
  report.mutable_key()->set_project_path("grp/app");
  report.mutable_key()->set_job_id(41);
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  ASSERT_TRUE(*await(store_->keep_fetched(report, clock_.now())));
  const auto before = await(store_->events_after(0, 100))->size();
  EXPECT_EQ(take(request(kJob, "a")), 200);
  read_all();
  auto events = *await(store_->events_after(before, 100));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, "job.told");
  const auto job = await(store_->job_by_key(store::everything(), "main", 41));
  EXPECT_EQ(events[0].subject, job->id);

  store::GitlabFacts facts;
  facts.status = "failed";
  ASSERT_TRUE(await(store_->set_gitlab_facts(job->id, 5, facts)).ok());
  const auto known = events[0].number + 1;  // "job.updated"
  EXPECT_EQ(take(request(kJob, "again")), 200);
  read_all();
  EXPECT_TRUE(await(store_->events_after(known, 100))->empty()) << "it is known by now";
}

TEST_F(WebhooksTest, ReplayedItIsReadAgain) {
  EXPECT_EQ(take(request("not json", "a")), 200);
  read_all();
  const auto id = deliveries()[0].id;
  store::AuditRecord record;
  record.act = "event.replay";
  ASSERT_TRUE(await(store_->inbox().replay_delivery(id, record)).ok());
  EXPECT_EQ(read_all(), 1u);
  EXPECT_EQ(await(store_->audit(10))->size(), 1u);
  EXPECT_EQ(await(store_->inbox().replay_delivery("none", record)).error().code(), Code::not_found);
  EXPECT_EQ(await(store_->audit(10))->size(), 1u) << "nothing was done, nothing is told of";
}

}  // namespace
}  // namespace gitaiops::webhooks
