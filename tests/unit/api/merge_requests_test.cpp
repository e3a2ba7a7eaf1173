// What merge requests are like, within the token's scope.
#include <gmock/gmock.h>

#include "tests/unit/api/api_fixture.h"

namespace gitaiops::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MergeRequestsTest : public ApiTest {
 protected:
  MergeRequestsTest() {
    store::TriagedMergeRequest one;
    one.instance = "main";
    one.project_id = 42;
    one.iid = 7;
    one.project_path = "grp/a";
    one.title = "Sign in twice";
    one.sha = "abc";
    one.basis = "1,200 labelled changes";
    one.at = {1'700'000'000'000'000};
    auto& t = one.triage;
    t.risk = triage::Risk{triage::Level::high, 93.5, 0.25, true, {"it touches 14 files"}};
    t.size = triage::Size{14, triage::LineCount{300, 20}, 310, triage::Complexity::large, 81.0};
    t.kind = triage::Kind{triage::Type::bugfix, 0.9, true, std::nullopt};
    t.effort = triage::Effort{0.5, 2, true, std::nullopt};
    t.required_reviews = {{"security", {"it touches how people sign in"}, {"lib/auth.c"}}};
    t.priority = triage::Priority::high;
    t.labels = {"risk::high"};
    one.labels.set = {"risk::high"};
    store_.triage.rows = {one};
    auto other = one;
    other.project_path = "grp/b";
    other.project_id = 43;
    other.triage = {};
    store_.triage.rows.push_back(other);
  }
};

TEST_F(MergeRequestsTest, AllThatIsKnownOfOne) {
  store::Note note;
  note.subject = "mr/main/42/7";
  note.instance = "main";
  note.project_path = "grp/a";
  note.gitlab_note_id = 99;
  store_.all_notes = {note};
  reviewers_of_ = [](std::string, int64_t project, int64_t iid) -> Task<Result<Reviewers>> {
    EXPECT_EQ(project, 42);
    EXPECT_EQ(iid, 7);
    Reviewers out;
    out.people = {{"ben", "Ben Ode", "gave 3 of the last 4 reviews in lib"}};
    co_return out;
  };
  store::ReadMergeRequest read;
  read.instance = "main";
  read.project_id = 42;
  read.iid = 7;
  read.project_path = "grp/a";
  read.model = "m-1";
  read.cost_microusd = 1820;
  read.said = store::Reading{triage::Type::security,
                             triage::Level::high,
                             "high",
                             {{"lib/a.c", 11, true, "one too far", ""}}};
  store_.read.rows = {read};
  const auto one = body("/api/v1/merge_requests/main/42/7", "of-a");
  EXPECT_EQ(one["title"], "Sign in twice");
  EXPECT_EQ(one["reading"]["kind"], "security");
  EXPECT_EQ(one["reading"]["cost_usd"], 0.00182);
  EXPECT_EQ(one["reading"]["look_at"][0]["line"], 11);
  EXPECT_TRUE(one["reading"]["look_at"][0]["guideline"].is_null());
  EXPECT_EQ(one["sha"], "abc");
  EXPECT_EQ(one["risk"]["level"], "high");
  EXPECT_EQ(one["risk"]["percentile"], 93.5);
  EXPECT_EQ(one["risk"]["reasons"][0], "it touches 14 files");
  EXPECT_EQ(one["risk"]["basis"], "1,200 labelled changes");
  EXPECT_EQ(one["size"]["complexity"], "large");
  EXPECT_EQ(one["size"]["lines_added"], 300);
  EXPECT_EQ(one["kind"]["type"], "bugfix");
  EXPECT_EQ(one["effort"]["p50_s"], 1800);
  EXPECT_EQ(one["required_reviews"][0]["files"][0], "lib/auth.c");
  EXPECT_EQ(one["priority"], "high");
  EXPECT_EQ(one["labels_set"][0], "risk::high");
  EXPECT_EQ(one["note_id"], 99);
  EXPECT_EQ(one["reviewers"][0]["username"], "ben");
}

TEST_F(MergeRequestsTest, WhatIsNotKnownIsNull) {
  const auto one = body("/api/v1/merge_requests/main/43/7", "of-all");
  for (const auto* member :
       {"risk", "size", "kind", "effort", "note_id", "reviewers", "reading", "web_url"})
    EXPECT_TRUE(one.contains(member) && one[member].is_null()) << member;
}

TEST_F(MergeRequestsTest, OnlyThoseOfTheScope) {
  EXPECT_EQ(status("/api/v1/merge_requests/main/43/7", "of-a"), 404);
  EXPECT_EQ(status("/api/v1/merge_requests/main/42/8", "of-a"), 404);
  EXPECT_EQ(status("/api/v1/merge_requests/main/x/7", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/merge_requests/main/42/7", ""), 401);
  const auto list = body("/api/v1/merge_requests", "of-a");
  ASSERT_EQ(list["merge_requests"].size(), 1u);
  EXPECT_EQ(list["merge_requests"][0]["project_path"], "grp/a");
  EXPECT_TRUE(list["next"].is_null());
}

TEST_F(MergeRequestsTest, ListsAreFilteredByRiskAndProject) {
  body("/api/v1/merge_requests?instance=main&project=grp/a&risk=medium&limit=5", "of-all");
  EXPECT_EQ(store_.triage.asked_filter.instance, "main");
  EXPECT_EQ(store_.triage.asked_filter.project_path, "grp/a");
  EXPECT_EQ(store_.triage.asked_filter.least_risk, triage::Level::medium);
  EXPECT_THAT(ask("/api/v1/merge_requests?risk=huge", "of-all").body,
              HasSubstr("low, medium or high"));
}

}  // namespace
}  // namespace gitaiops::api
