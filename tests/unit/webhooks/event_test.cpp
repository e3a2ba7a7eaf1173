#include "controller/webhooks/event.h"

#include <gtest/gtest.h>

namespace gitaiops::webhooks {
namespace {

HookEvent read(std::string_view body) {
  auto event = read_event(body);
  EXPECT_TRUE(event.ok()) << body;
  return event.ok() ? *event : HookEvent();
}

TEST(Payload, AMergeRequestIsOfItsTargetProject) {
  const auto e =
      read(R"({"object_kind":"merge_request","project":{"id":4,"path_with_namespace":"grp/app"},
    "object_attributes":{"iid":7,"target_project_id":5,"source_project_id":9,"source_branch":"fix","state":"opened",
    "action":"update","oldrev":"aaa","last_commit":{"id":"bbb"}}})");
  EXPECT_EQ(e.kind, Kind::merge_request);
  EXPECT_EQ(e.number, 7);
  EXPECT_EQ(e.project_id, 5);
  EXPECT_EQ(e.project_path, "grp/app");
  EXPECT_EQ(e.action, "update");
  EXPECT_EQ(e.state, "opened");
  EXPECT_EQ(e.sha, "bbb");
  EXPECT_EQ(e.old_sha, "aaa");
  EXPECT_FALSE(e.system);
}

TEST(Payload, ASystemHookMayLeaveTheProjectsNumberOut) {
  const auto e = read(R"({"object_kind":"merge_request","project":{"path_with_namespace":"grp/app"},
    "object_attributes":{"iid":1,"target_project_id":14,"state":"merged","system":true}})");
  EXPECT_EQ(e.project_id, 14);
  EXPECT_TRUE(e.system);
}

TEST(Payload, AJobIsCalledABuildAndItsCommitIsAPipeline) {
  const auto e =
      read(R"({"object_kind":"build","build_id":41,"build_name":"unit","build_status":"failed",
    "project_id":5,"commit":{"id":9,"sha":"ccc"},"sha":"ccc","project":{"path_with_namespace":"grp/app"}})");
  EXPECT_EQ(e.kind, Kind::job);
  EXPECT_EQ(e.number, 41);
  EXPECT_EQ(e.pipeline_id, 9);
  EXPECT_EQ(e.state, "failed");
}

TEST(Payload, APipelineBringsItsJobsAndItsMergeRequest) {
  const auto e =
      read(R"({"object_kind":"pipeline","project":{"id":5,"path_with_namespace":"grp/app"},
    "object_attributes":{"id":9,"status":"failed","ref":"fix","sha":"ccc"},
    "merge_request":{"iid":7,"target_project_id":5},
    "builds":[{"id":41,"status":"failed"},{"id":42,"status":"running"},{"id":"x"},7,null]})");
  EXPECT_EQ(e.kind, Kind::pipeline);
  EXPECT_EQ(e.merge_request, 7);
  ASSERT_EQ(e.builds.size(), 2u);
  EXPECT_EQ(e.builds[0].id, 41);
  EXPECT_EQ(e.builds[1].status, "running");
}

TEST(Payload, KindsComeFromObjectKindElseFromTheEventsName) {
  EXPECT_EQ(read(R"({"event_name":"user_create"})").kind, Kind::system);
  EXPECT_EQ(read(R"({"event_name":"push","object_kind":"tag_push"})").kind, Kind::tag_push);
  EXPECT_EQ(read(R"({"event_name":"push","project_id":3})").kind, Kind::push);
  EXPECT_EQ(read(R"({"object_kind":"weather"})").kind, Kind::unknown);
  EXPECT_EQ(read(R"({"object_kind":"weather"})").word, "weather");
}

TEST(Payload, FieldsOfAnotherTypeStayEmpty) {
  const auto e = read(R"({"object_kind":"merge_request","project":[],"project_id":"5",
    "object_attributes":{"iid":"7","state":{},"last_commit":"ccc","system":"yes","target_project_id":-3}})");
  EXPECT_EQ(e.number, 0);
  EXPECT_EQ(e.project_id, 0);
  EXPECT_EQ(e.state, "");
  EXPECT_EQ(e.sha, "");
  EXPECT_FALSE(e.system);
  EXPECT_EQ(read(R"({"object_kind":"merge_request","object_attributes":null})").number, 0);
  EXPECT_EQ(read(R"({"object_kind":"build","build_id":12345678901234567890})").number, 0);
}

TEST(Payload, WhatIsNoPayloadIsAnErrorThatSaysSo) {
  for (const std::string body : {"", " ", "null", "[]", "7", "\"push\"", "{", "{\"object_kind\":7}",
                                 "{\"object_kind\":\"\"}", "{}", "object_kind=push", "\xff\xfe{}",
                                 "{\"object_kind\":\"push\"}x"}) {
    const auto event = read_event(body);
    EXPECT_FALSE(event.ok()) << body;
    EXPECT_TRUE(!event.ok() && event.error().code() == Code::invalid_argument) << body;
  }
}

TEST(Payload, NestingIsBounded) {
  std::string deep = R"({"object_kind":"push","a":)";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(read_event(deep).ok());
}

TEST(Payload, TenMegabytesAreRead) {
  std::string body = R"({"object_kind":"push","project_id":3,"commits":[)";
  while (body.size() < 10'000'000) body += R"({"id":"0123456789","message":"a line"},)";
  body += R"({}],"ref":"refs/heads/main"})";
  EXPECT_EQ(read(body).ref, "refs/heads/main");
}

TEST(Payload, WordsAreCutAndMadeUtf8) {
  const auto e = read("{\"object_kind\":\"push\",\"ref\":\"" + std::string(5000, 'x') + "\"}");
  EXPECT_EQ(e.ref.size(), 1024u);
}

TEST(Payload, APipelineOfVeryManyJobsIsCut) {
  std::string body = R"({"object_kind":"pipeline","object_attributes":{"id":9},"builds":[{"id":1})";
  for (int i = 2; i <= 3000; ++i) body += ",{\"id\":" + std::to_string(i) + "}";
  EXPECT_EQ(read(body + "]}").builds.size(), kMostBuilds);
}

}  // namespace
}  // namespace gitaiops::webhooks
