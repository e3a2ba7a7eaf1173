#include "controller/webhooks/route.h"

#include <gtest/gtest.h>

namespace gitaiops::webhooks {
namespace {

constexpr UnixMicros kNow{1'700'000'000'000'000};

store::Settled routed(std::string body, const FetchWork& fetch = {},
                      const CommandWork& command = {}) {
  store::Delivery delivery;
  delivery.id = "d1";
  delivery.instance = "main";
  delivery.body = std::move(body);
  return route(std::move(delivery), fetch, command, kNow);
}

std::optional<store::NewWork> fetch_of_grp(const std::string& instance, const std::string& path,
                                           int64_t project, int64_t job, UnixMicros now) {
  if (path != "grp/app") return std::nullopt;
  store::NewWork work;
  work.kind = "job.fetch";
  work.unique_key = instance + "/" + std::to_string(job);
  work.payload = std::to_string(project);
  work.not_before = now;
  return work;
}

TEST(Route, AFailedJobIsOverAndMayHaveToBeFetched) {
  const auto s =
      routed(R"({"object_kind":"build","build_id":41,"build_status":"failed","project_id":5,
    "project":{"path_with_namespace":"grp/app"}})",
             fetch_of_grp);
  EXPECT_EQ(s.delivery.state, "done");
  EXPECT_EQ(s.delivery.type, "build");
  EXPECT_EQ(s.delivery.object, "job 41");
  EXPECT_EQ(s.delivery.project_path, "grp/app");
  EXPECT_TRUE(s.delivery.body.empty());
  EXPECT_EQ(s.ended_jobs, std::vector<int64_t>{41});
  ASSERT_EQ(s.fetches.size(), 1u);
  EXPECT_EQ(s.fetches[0].unique_key, "main/41");
}

TEST(Route, AJobThatRunsLeadsToNothing) {
  for (const char* status : {"created", "pending", "running", "manual", ""}) {
    const auto s = routed(
        std::string(R"({"object_kind":"build","build_id":41,"project_id":5,"build_status":")") +
            status + "\"}",
        fetch_of_grp);
    EXPECT_EQ(s.delivery.state, "done");
    EXPECT_TRUE(s.ended_jobs.empty() && s.fetches.empty()) << status;
  }
}

TEST(Route, APassedJobIsNotFetched) {
  const auto s =
      routed(R"({"object_kind":"build","build_id":41,"build_status":"success","project_id":5,
    "project":{"path_with_namespace":"grp/app"}})",
             fetch_of_grp);
  EXPECT_EQ(s.ended_jobs.size(), 1u);
  EXPECT_TRUE(s.fetches.empty());
}

TEST(Route, APipelineTellsOfEachOfItsJobsAndOfItsMergeRequest) {
  const auto s =
      routed(R"({"object_kind":"pipeline","project":{"id":5,"path_with_namespace":"grp/app"},
    "object_attributes":{"id":9,"status":"failed"},"merge_request":{"iid":7,"target_project_id":6},
    "builds":[{"id":41,"status":"failed"},{"id":42,"status":"success"},{"id":43,"status":"running"}]})",
             fetch_of_grp);
  EXPECT_EQ(s.ended_jobs, (std::vector<int64_t>{41, 42}));
  EXPECT_EQ(s.fetches.size(), 1u);
  EXPECT_EQ(s.merge_request_project, 6);
  EXPECT_EQ(s.merge_request_iid, 7);
  ASSERT_EQ(s.told.size(), 1u);
  EXPECT_EQ(s.told[0].kind, "pipeline");
  EXPECT_EQ(s.told[0].word, "failed");
}

TEST(Route, AMergeRequestIsRememberedByItsStateAndCommit) {
  const auto s =
      routed(R"({"object_kind":"merge_request","project":{"id":5},"object_attributes":{"iid":7,
    "state":"opened","action":"open","last_commit":{"id":"abc"}}})");
  EXPECT_EQ(s.delivery.object, "merge request 7");
  EXPECT_EQ(s.merge_request_iid, 7);
  EXPECT_EQ(s.sha, "abc");
  ASSERT_EQ(s.told.size(), 1u);
  EXPECT_EQ(s.told[0].word, "opened abc");
}

TEST(Route, WhatNothingReactsToIsKeptAndSaidSo) {
  for (const char* kind :
       {"push", "tag_push", "note", "issue", "deployment", "release", "weather"}) {
    const auto s = routed(std::string(R"({"object_kind":")") + kind + R"(","project_id":5})");
    EXPECT_EQ(s.delivery.state, "ignored") << kind;
    EXPECT_FALSE(s.delivery.detail.empty());
    EXPECT_EQ(s.delivery.type, kind);
  }
}

TEST(Route, WhatCannotBeReadSaysWhy) {
  for (const char* body :
       {"", "[]", R"({"object_kind":"merge_request"})", R"({"object_kind":"build"})",
        R"({"object_kind":"pipeline","object_attributes":[]})"}) {
    const auto s = routed(body);
    EXPECT_EQ(s.delivery.state, "unreadable") << body;
    EXPECT_FALSE(s.delivery.detail.empty());
    EXPECT_TRUE(s.ended_jobs.empty() && s.told.empty() && s.merge_request_iid == 0);
  }
}

TEST(Route, ATokenThatExpiresIsToldOf) {
  const auto s = routed(R"({"object_kind":"access_token","event_name":"expiring_access_token",
    "object_attributes":{"name":"bot","expires_at":"2026-12-01"}})");
  EXPECT_EQ(s.delivery.state, "done");
  EXPECT_EQ(s.delivery.detail, "the access token \"bot\" expires on 2026-12-01: renew it");
}

TEST(Route, PeopleWaitForTheirMergeRequestsFirst) {
  EXPECT_EQ(priority_of("Merge Request Hook"), 0);
  EXPECT_EQ(priority_of("Job Hook"), 0);
  EXPECT_EQ(priority_of("Push Hook"), 1);
  EXPECT_EQ(priority_of("System Hook"), 2);
  EXPECT_EQ(priority_of(""), 1);
}

store::NewWork command_of(const Comment& c, UnixMicros now) {
  return {"command.run",
          c.instance + "/" + std::to_string(c.project_id) + "/" + std::to_string(c.note),
          std::to_string(c.merge_request) + " " + c.discussion, now};
}

std::string note_hook(const std::string& body, const std::string& action = "create") {
  return R"({"object_kind":"note","project_id":5,"object_attributes":{"id":31,"action":")" +
         action + R"(","discussion_id":"abc123","note":")" + body +
         R"("},"merge_request":{"iid":7,"target_project_id":6}})";
}

TEST(Route, ANewCommentWithACommandIsCarriedOut) {
  const auto s = routed(note_hook("Look.\\n/gitaiops retry"), {}, command_of);
  EXPECT_EQ(s.delivery.state, "done");
  EXPECT_EQ(s.delivery.object, "note 31");
  ASSERT_EQ(s.work.size(), 1u);
  EXPECT_EQ(s.work[0].unique_key, "main/6/31");
  EXPECT_EQ(s.work[0].payload, "7 abc123");
  EXPECT_EQ(s.work[0].not_before, kNow);
}

TEST(Route, OtherCommentsAreIgnored) {
  for (const auto& body :
       {note_hook("See /gitaiops retry"), note_hook("/gitaiops retry", "update"), note_hook(""),
        std::string(R"({"object_kind":"note","project_id":5,"object_attributes":{"id":31,
          "action":"create","note":"/gitaiops retry","noteable_type":"Issue"}})")}) {
    const auto s = routed(body, {}, command_of);
    EXPECT_EQ(s.delivery.state, "ignored") << body;
    EXPECT_TRUE(s.work.empty()) << body;
  }
  EXPECT_TRUE(routed(note_hook("/gitaiops retry")).work.empty()) << "nobody knows any command";
}

}  // namespace
}  // namespace gitaiops::webhooks
