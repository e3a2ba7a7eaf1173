#include "controller/gitlab/gitlab.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/io/files.h"
#include "tests/unit/outgoing/http_double.h"

namespace gitaiops::gitlab {
namespace {

using namespace std::chrono_literals;
using gitaiops::testing::HttpDouble;
using gitaiops::testing::Reply;
using gitaiops::testing::run;
using gitaiops::testing::SeenRequest;

// A client and the server it talks to; `answer` is what the server does.
class GitlabTest : public ::testing::Test {
 protected:
  GitlabTest()
      : server_(loop_, [this](const SeenRequest& request) { return answer(request); }),
        web_(loop_.get_executor()) {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-token-XXXXXX").string();
    Fd made(::mkstemp(name.data()));
    token_file_ = name;
    write_token("glpat-one");
    HttpOptions options{.id = "main",
                        .url = server_.url() + "/",
                        .token_file = token_file_,
                        .request_timeout = 1s,
                        .first_retry = 1ms};
    auto opened = open_http(options, web_, clock_);
    gitlab_ = std::move(*opened);
  }
  ~GitlabTest() override { std::filesystem::remove(token_file_); }
  void write_token(std::string_view token) {
    ASSERT_TRUE(write_file_atomic(token_file_, token, 0600).ok());
  }

  std::function<Reply(const SeenRequest&)> answer = [](const SeenRequest&) { return Reply{}; };
  asio::io_context loop_;
  FakeClock clock_;
  HttpDouble server_;
  Outgoing web_;
  std::filesystem::path token_file_;
  std::unique_ptr<Gitlab> gitlab_;
};

TEST_F(GitlabTest, ReadsAProjectByItsPath) {
  answer = [](const SeenRequest&) {
    return Reply{
        .body =
            R"({"id":42,"path_with_namespace":"grp/sub/demo","web_url":"https://g/grp/sub/demo","visibility":"internal",
                             "public_jobs":false,"forked_from_project":{"id":7},"new_field":[1]})"};
  };
  auto project = run(loop_, gitlab_->project("grp/sub/demo"));
  ASSERT_TRUE(project.ok()) << project.error().to_string();
  EXPECT_EQ(project->id, 42);
  EXPECT_EQ(project->path, "grp/sub/demo");
  EXPECT_EQ(project->forked_from_id, 7);
  EXPECT_EQ(project->visibility, Visibility::internal);
  EXPECT_TRUE(project->logs_for_members_only);
  EXPECT_EQ(server_.lines(), std::vector<std::string>{"GET /api/v4/projects/grp%2Fsub%2Fdemo"});
  EXPECT_NE(server_.seen()[0].head.find("PRIVATE-TOKEN: glpat-one\r\n"), std::string::npos);
}

TEST_F(GitlabTest, ReadsAJob) {
  answer = [](const SeenRequest&) {
    return Reply{
        .body =
            R"({"id":9,"name":"unit","stage":"test","status":"failed","failure_reason":"script_failure","ref":"topic",
      "tag":false,"allow_failure":true,"started_at":"2026-01-02T03:04:05.000Z","finished_at":"2026-01-02T03:05:05.000Z","web_url":"https://g/j/9",
      "pipeline":{"id":77,"project_id":42,"sha":"abc","source":"push"},"commit":{"id":"abc"},"runner":{"id":5},"runner_manager":{"system_id":"s_1"}})"};
  };
  auto job = run(loop_, gitlab_->job(42, 9));
  ASSERT_TRUE(job.ok()) << job.error().to_string();
  EXPECT_EQ(job->name, "unit");
  EXPECT_EQ(job->status, "failed");
  EXPECT_EQ(job->failure_reason, "script_failure");
  EXPECT_EQ(job->sha, "abc");
  EXPECT_EQ(job->pipeline_id, 77);
  EXPECT_EQ(job->pipeline_source, "push");
  EXPECT_EQ(job->project_id, 42);
  EXPECT_EQ(job->runner_id, 5);
  EXPECT_EQ(job->runner_system_id, "s_1");
  EXPECT_TRUE(job->allow_failure);
  EXPECT_TRUE(job->started);
  EXPECT_EQ(to_rfc3339(job->finished_at), "2026-01-02T03:05:05.000000Z");
  EXPECT_EQ(server_.lines(), std::vector<std::string>{"GET /api/v4/projects/42/jobs/9"});
}

TEST_F(GitlabTest, ReadsAMergeRequestWithItsPipeline) {
  answer = [](const SeenRequest&) {
    return Reply{
        .body =
            R"({"iid":3,"project_id":42,"target_project_id":42,"source_project_id":43,"state":"opened","source_branch":"topic","target_branch":"main","sha":"abc",
      "diff_refs":{"base_sha":"b45e","head_sha":"abc","start_sha":"b45e"},"web_url":"https://g/m/3","references":{"full":"grp/demo!3"},"head_pipeline":{"id":77,"project_id":43,"status":"running","ref":"topic","sha":"abc"}})"};
  };
  auto mr = run(loop_, gitlab_->merge_request(42, 3));
  ASSERT_TRUE(mr.ok()) << mr.error().to_string();
  EXPECT_EQ(mr->source_project_id, 43);
  EXPECT_EQ(mr->project_path, "grp/demo");
  EXPECT_EQ(mr->target_branch, "main");
  EXPECT_EQ(mr->base_sha, "b45e");
  ASSERT_TRUE(mr->head_pipeline.has_value());
  EXPECT_EQ(mr->head_pipeline->project_id, 43);
}

TEST_F(GitlabTest, ReadsWhichPipelinesAPipelineStarted) {
  answer = [](const SeenRequest&) {
    return Reply{
        .body =
            R"([{"id":5,"name":"deploy","status":"success","downstream_pipeline":{"id":78,"project_id":42,"status":"failed"}},
      {"id":6,"name":"later","status":"manual","downstream_pipeline":null}])"};
  };
  auto bridges = run(loop_, gitlab_->pipeline_bridges(42, 77));
  ASSERT_TRUE(bridges.ok()) << bridges.error().to_string();
  ASSERT_EQ(bridges->size(), 2u);
  ASSERT_TRUE((*bridges)[0].downstream.has_value());
  EXPECT_EQ((*bridges)[0].downstream->id, 78);
  EXPECT_EQ((*bridges)[0].downstream->project_id, 42);
  EXPECT_EQ((*bridges)[0].downstream->status, "failed");
  EXPECT_FALSE((*bridges)[1].downstream.has_value());
  EXPECT_EQ(
      server_.lines(),
      std::vector<std::string>{"GET /api/v4/projects/42/pipelines/77/bridges?per_page=100&page=1"});
}

TEST_F(GitlabTest, FollowsPagesByLink) {
  answer = [](const SeenRequest& request) {
    if (request.target.ends_with("&page=1"))
      return Reply{
          .body = R"([{"id":1,"status":"failed"}])",
          .headers = {{"Link", "<http://inner/x>; rel=\"next\", <http://inner/y>; rel=\"first\""}}};
    return Reply{.body = R"([{"id":2,"status":"success"}])",
                 .headers = {{"Link", "<http://inner/y>; rel=\"first\""}}};
  };
  auto jobs = run(loop_, gitlab_->pipeline_jobs(42, 77));
  ASSERT_TRUE(jobs.ok()) << jobs.error().to_string();
  ASSERT_EQ(jobs->size(), 2u);
  EXPECT_EQ((*jobs)[1].id, 2);
  EXPECT_EQ(
      server_.lines(),
      (std::vector<std::string>{
          "GET /api/v4/projects/42/pipelines/77/jobs?include_retried=false&per_page=100&page=1",
          "GET /api/v4/projects/42/pipelines/77/jobs?include_retried=false&per_page=100&page=2"}));
}

TEST_F(GitlabTest, FollowsFullPagesWithoutLink) {
  answer = [](const SeenRequest& request) {
    std::string body = "[";
    const int count = request.target.ends_with("&page=1") ? 100 : 3;
    for (int i = 1; i <= count; ++i)
      body += (i > 1 ? "," : "") + std::string(R"({"id":5,"body":"x","author":{"id":1}})");
    return Reply{.body = body + "]"};
  };
  auto notes = run(loop_, gitlab_->notes(42, 3));
  ASSERT_TRUE(notes.ok());
  EXPECT_EQ(notes->size(), 103u);
  EXPECT_EQ(server_.lines()[0],
            "GET "
            "/api/v4/projects/42/merge_requests/3/"
            "notes?sort=asc&order_by=created_at&per_page=100&page=1");
}

TEST_F(GitlabTest, CreatesAndEditsNotesAsJson) {
  answer = [](const SeenRequest&) {
    return Reply{.status = 201, .body = R"({"id":99,"body":"b","author":{"id":8}})"};
  };
  auto made = run(loop_, gitlab_->create_note(7, 3, "a \"quoted\"\nline"));
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  EXPECT_EQ(made->id, 99);
  EXPECT_EQ(made->author_id, 8);
  ASSERT_TRUE(run(loop_, gitlab_->update_note(7, 3, 99, "new")).ok());
  EXPECT_EQ(server_.lines(),
            (std::vector<std::string>{"POST /api/v4/projects/7/merge_requests/3/notes",
                                      "PUT /api/v4/projects/7/merge_requests/3/notes/99"}));
  EXPECT_EQ(server_.seen()[0].body, R"({"body":"a \"quoted\"\nline"})");
  EXPECT_EQ(server_.seen()[1].body, R"({"body":"new"})");
  EXPECT_NE(server_.seen()[0].head.find("Content-Type: application/json\r\n"), std::string::npos);
}

TEST_F(GitlabTest, ReadsADiscussionAndRepliesInIt) {
  answer = [](const SeenRequest& seen) {
    const std::string note =
        R"({"id":31,"body":"/gitaiops help","author":{"id":8,"username":"ana"},"internal":true,
            "created_at":"2023-11-14T22:13:20Z"})";
    return Reply{.body = seen.method == "POST"
                             ? note
                             : R"({"id":"ab12","individual_note":true,"notes":[)" + note + "]}"};
  };
  const auto notes = run(loop_, gitlab_->discussion(7, 3, "ab12"));
  ASSERT_TRUE(notes.ok()) << notes.error().to_string();
  ASSERT_EQ(notes->size(), 1u);
  EXPECT_EQ(notes->at(0).author, "ana");
  EXPECT_TRUE(notes->at(0).confidential);
  EXPECT_EQ(notes->at(0).created_at.value, 1'700'000'000'000'000);
  ASSERT_TRUE(run(loop_, gitlab_->reply(7, 3, "ab12", "words")).ok());
  EXPECT_EQ(server_.lines(),
            (std::vector<std::string>{
                "GET /api/v4/projects/7/merge_requests/3/discussions/ab12",
                "POST /api/v4/projects/7/merge_requests/3/discussions/ab12/notes"}));
  EXPECT_EQ(server_.seen()[1].body, R"({"body":"words"})");
  answer = [](const SeenRequest&) { return Reply{.body = R"({"notes":7})"}; };
  EXPECT_FALSE(run(loop_, gitlab_->discussion(7, 3, "ab12")).ok());
}

TEST_F(GitlabTest, SetsAndReadsStatusesOfACommit) {
  answer = [](const SeenRequest& seen) {
    const std::string status =
        R"({"id":3,"sha":"abc","name":"gitaiops","status":"failed","description":"1 of 2 jobs failed",
            "target_url":null})";
    return seen.method == "POST" ? Reply{.status = 201, .body = status}
                                 : Reply{.body = "[" + status + "]"};
  };
  const auto set =
      run(loop_, gitlab_->set_commit_status(
                     7, "abc", 77, {"gitaiops", "failed", "1 of 2 jobs failed", "https://x"}));
  ASSERT_TRUE(set.ok()) << set.error().to_string();
  EXPECT_EQ(set->state, "failed");
  const auto there = run(loop_, gitlab_->commit_statuses(7, "abc", 77, "gitaiops"));
  ASSERT_TRUE(there.ok()) << there.error().to_string();
  ASSERT_EQ(there->size(), 1u);
  EXPECT_EQ(there->at(0).name, "gitaiops");
  EXPECT_EQ(there->at(0).description, "1 of 2 jobs failed");
  const auto lines = server_.lines();
  EXPECT_EQ(lines.at(0), "POST /api/v4/projects/7/statuses/abc");
  EXPECT_TRUE(lines.at(1).starts_with("GET /api/v4/projects/7/repository/commits/abc/statuses?"))
      << lines[1];
  EXPECT_NE(lines[1].find("name=gitaiops"), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find("pipeline_id=77"), std::string::npos) << lines[1];
  const auto body = nlohmann::json::parse(server_.seen()[0].body);
  EXPECT_EQ(body, nlohmann::json::parse(
                      R"({"state":"failed","name":"gitaiops","target_url":"https://x",
                          "description":"1 of 2 jobs failed","pipeline_id":77})"));
}

TEST_F(GitlabTest, AnswersAnExternalStatusCheck) {
  answer = [](const SeenRequest& seen) {
    return seen.method == "POST"
               ? Reply{.status = 201, .body = "{}"}
               : Reply{
                     .body =
                         R"([{"id":5,"name":"ours","external_url":"https://x","status":"pending"}])"};
  };
  const auto checks = run(loop_, gitlab_->status_checks(7, 3));
  ASSERT_TRUE(checks.ok()) << checks.error().to_string();
  ASSERT_EQ(checks->size(), 1u);
  EXPECT_EQ(checks->at(0).status, "pending");
  ASSERT_TRUE(run(loop_, gitlab_->answer_status_check(7, 3, "abc", 5, true)).ok());
  EXPECT_EQ(server_.lines().back(),
            "POST /api/v4/projects/7/merge_requests/3/status_check_responses");
  EXPECT_EQ(
      nlohmann::json::parse(server_.seen().back().body),
      nlohmann::json::parse(R"({"sha":"abc","external_status_check_id":5,"status":"passed"})"));
  answer = [](const SeenRequest&) { return Reply{.status = 409}; };
  EXPECT_EQ(run(loop_, gitlab_->answer_status_check(7, 3, "abc", 5, true)).error().code(),
            Code::already_exists);
}

TEST_F(GitlabTest, ReadsOneMembersRights) {
  answer = [](const SeenRequest&) {
    return Reply{.body = R"({"id":8,"username":"ana","state":"blocked","access_level":30})"};
  };
  const auto member = run(loop_, gitlab_->member(7, 8));
  ASSERT_TRUE(member.ok()) << member.error().to_string();
  EXPECT_EQ(member->access_level, 30);
  EXPECT_FALSE(member->active);
  EXPECT_EQ(server_.lines(), std::vector<std::string>{"GET /api/v4/projects/7/members/all/8"});
  answer = [](const SeenRequest&) { return Reply{.status = 404}; };
  EXPECT_EQ(run(loop_, gitlab_->member(7, 9)).error().code(), Code::not_found);
}

TEST_F(GitlabTest, FindsMergeRequests) {
  answer = [](const SeenRequest&) {
    return Reply{
        .body =
            R"([{"iid":3,"project_id":42,"source_project_id":42,"state":"opened","sha":"abc","source_branch":"a/b&c"}])"};
  };
  auto by_branch = run(loop_, gitlab_->opened_merge_requests(42, "a/b&c"));
  ASSERT_TRUE(by_branch.ok());
  EXPECT_EQ(by_branch->at(0).source_branch, "a/b&c");
  ASSERT_TRUE(run(loop_, gitlab_->merge_requests_of_commit(42, "abc")).ok());
  EXPECT_EQ(
      server_.lines(),
      (std::vector<std::string>{
          "GET "
          "/api/v4/projects/42/"
          "merge_requests?state=opened&source_branch=a%2Fb%26c&per_page=100&page=1",
          "GET /api/v4/projects/42/repository/commits/abc/merge_requests?per_page=100&page=1"}));
}

TEST_F(GitlabTest, NamesTheKindOfRefusalAndDoesNotRepeatIt) {
  const std::vector<std::pair<int, Code>> cases = {
      {400, Code::invalid_argument}, {401, Code::unauthenticated}, {403, Code::permission_denied},
      {404, Code::not_found},        {409, Code::already_exists},  {302, Code::invalid_argument}};
  for (const auto& [status, code] : cases) {
    const auto before = server_.seen().size();
    answer = [status = status](const SeenRequest&) {
      return Reply{.status = status, .body = R"({"message":"404 Not\u001b Found"})"};
    };
    auto note = run(loop_, gitlab_->update_note(7, 3, 99, "x"));
    ASSERT_FALSE(note.ok()) << status;
    EXPECT_EQ(note.error().code(), code) << status;
    EXPECT_EQ(note.error().to_string().find('\x1b'), std::string::npos);
    EXPECT_EQ(server_.seen().size(), before + 1) << status;
  }
}

TEST_F(GitlabTest, RepeatsAReadThatFailedInPassing) {
  int calls = 0;
  answer = [&](const SeenRequest&) {
    return ++calls < 3 ? Reply{.status = 502, .body = "<html>bad gateway</html>"}
                       : Reply{.body = R"({"id":8,"username":"bot"})"};
  };
  auto user = run(loop_, gitlab_->current_user());
  ASSERT_TRUE(user.ok()) << user.error().to_string();
  EXPECT_EQ(user->id, 8);
  EXPECT_EQ(calls, 3);
  ASSERT_TRUE(run(loop_, gitlab_->current_user()).ok());
  EXPECT_EQ(calls, 3) << "remembered";
}

TEST_F(GitlabTest, DoesNotRepeatACreateWhoseFateIsUnknown) {
  answer = [](const SeenRequest&) { return Reply{.status = 503, .body = ""}; };
  EXPECT_EQ(run(loop_, gitlab_->create_note(7, 3, "x")).error().code(), Code::unavailable);
  EXPECT_EQ(server_.seen().size(), 1u);
}

TEST_F(GitlabTest, StopsAskingAHostThatIsDown) {
  answer = [](const SeenRequest&) { return Reply{.drop = true}; };
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::unavailable);
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::unavailable);
  const auto asked = server_.seen().size();
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::unavailable);
  EXPECT_EQ(server_.seen().size(), asked) << "the breaker is open";
  EXPECT_EQ(gitlab_->wait_hint(), 1s);
  clock_.advance(kMicrosPerSecond);
  answer = [](const SeenRequest&) { return Reply{.body = R"({"id":1,"status":"failed"})"}; };
  EXPECT_TRUE(run(loop_, gitlab_->job(1, 1)).ok());
}

TEST_F(GitlabTest, LeavesTheHostAloneAsLongAsA429Says) {
  answer = [](const SeenRequest&) {
    return Reply{.status = 429, .body = "Retry later", .headers = {{"Retry-After", "20"}}};
  };
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::resource_exhausted);
  EXPECT_EQ(gitlab_->wait_hint(), 20s);
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::resource_exhausted);
  EXPECT_EQ(server_.seen().size(), 1u);
  clock_.advance(20 * kMicrosPerSecond);
  answer = [](const SeenRequest&) { return Reply{.status = 429, .body = ""}; };
  EXPECT_EQ(run(loop_, gitlab_->job(1, 1)).error().code(), Code::resource_exhausted);
  EXPECT_GE(gitlab_->wait_hint(), 1s) << "without Retry-After, a wait of our own";
}

TEST_F(GitlabTest, TimesOut) {
  answer = [](const SeenRequest&) { return Reply{.hang = true}; };
  HttpOptions options{.id = "slow",
                      .url = server_.url(),
                      .token_file = token_file_,
                      .request_timeout = 20ms,
                      .first_retry = 1ms};
  auto slow = open_http(options, web_, clock_);
  EXPECT_EQ(run(loop_, (*slow)->update_note(1, 1, 1, "x")).error().code(), Code::deadline_exceeded);
  EXPECT_EQ(server_.seen().size(), 3u);
}

TEST_F(GitlabTest, ReadsARotatedTokenAgain) {
  answer = [](const SeenRequest& request) {
    const bool knows = request.head.find("glpat-two") != std::string::npos;
    return knows ? Reply{.body = R"({"id":8,"username":"bot"})"} : Reply{.status = 401};
  };
  write_token("glpat-two");
  EXPECT_TRUE(run(loop_, gitlab_->current_user()).ok());
  EXPECT_EQ(server_.seen().size(), 2u);
}

TEST_F(GitlabTest, AnAnswerItDoesNotUnderstandIsAnError) {
  for (const char* body : {"", "<html>", "[]", "{}", "null", R"({"id":"9","status":"failed"})",
                           R"({"id":-1,"status":"failed"})", "[[[[[[[["}) {
    answer = [&](const SeenRequest&) { return Reply{.body = body}; };
    auto job = run(loop_, gitlab_->job(1, 1));
    ASSERT_FALSE(job.ok()) << body;
    EXPECT_EQ(job.error().code(), Code::internal) << body;
  }
}

TEST_F(GitlabTest, RefusesABadAddressAndAMissingToken) {
  HttpOptions options{.id = "x", .url = "gitlab.example", .token_file = token_file_};
  EXPECT_EQ(open_http(options, web_, clock_).error().code(), Code::invalid_argument);
  options = {.id = "x", .url = "https://gitlab.example", .token_file = "/nonexistent"};
  EXPECT_FALSE(open_http(options, web_, clock_).ok());
}

// ---- Lists by key, what is remembered, what is used up ----

TEST_F(GitlabTest, PagesFollowTheKeyThatGitlabNames) {
  answer = [this](const SeenRequest& request) {
    if (request.target.find("cursor=k2") != std::string::npos)
      return Reply{.body = R"([{"id":2,"status":"failed"}])"};
    return Reply{
        .body = R"([{"id":1,"status":"failed"}])",
        .headers = {{"Link", "<" + server_.url() +
                                 "/api/v4/projects/42/pipelines/7/jobs?cursor=k2&per_page=1>; "
                                 "rel=\"next\", <http://x/>; rel=\"first\""}}};
  };
  const auto jobs = run(loop_, gitlab_->pipeline_jobs(42, 7));
  ASSERT_TRUE(jobs.ok());
  EXPECT_EQ(jobs->size(), 2u);
  EXPECT_EQ(server_.lines().back(),
            "GET /api/v4/projects/42/pipelines/7/jobs?cursor=k2&per_page=1");
}

TEST_F(GitlabTest, ALinkElsewhereIsNotFollowedWithOurToken) {
  answer = [](const SeenRequest& request) {
    if (request.target.find("page=2") != std::string::npos) return Reply{.body = "[]"};
    return Reply{.body = R"([{"id":1,"status":"failed"}])",
                 .headers = {{"Link", "<https://evil.example/api/v4/admin?page=2>; rel=\"next\""}}};
  };
  ASSERT_TRUE(run(loop_, gitlab_->pipeline_jobs(42, 7)).ok());
  EXPECT_EQ(
      server_.lines(),
      (std::vector<std::string>{
          "GET /api/v4/projects/42/pipelines/7/jobs?include_retried=false&per_page=100&page=1",
          "GET /api/v4/projects/42/pipelines/7/jobs?include_retried=false&per_page=100&page=2"}));
}

TEST_F(GitlabTest, WhatChangedIsAskedForByTime) {
  answer = [](const SeenRequest& request) {
    return Reply{.body = request.target.find("pipelines") != std::string::npos
                             ? R"([{"id":9,"status":"failed","updated_at":"2026-01-02T03:04:05Z"}])"
                             : R"([{"iid":3,"project_id":42,"state":"merged","sha":"abc"}])"};
  };
  const UnixMicros after{1'700'000'000'000'000}, before{1'700'000'600'000'000};
  const auto requests = run(loop_, gitlab_->changed_merge_requests(42, after, before));
  ASSERT_TRUE(requests.ok());
  EXPECT_EQ(requests->at(0).state, "merged");
  const auto pipelines = run(loop_, gitlab_->changed_pipelines(42, after, before));
  ASSERT_TRUE(pipelines.ok());
  EXPECT_EQ(to_rfc3339(pipelines->at(0).updated_at), "2026-01-02T03:04:05.000000Z");
  const std::string rest =
      "&updated_after=2023-11-14T22%3A13%3A20.000000Z&updated_before=2023-11-14T22%3A23%3A20."
      "000000Z"
      "&order_by=updated_at&sort=asc&per_page=100&page=1";
  EXPECT_EQ(server_.lines(),
            (std::vector<std::string>{"GET /api/v4/projects/42/merge_requests?state=all" + rest,
                                      "GET /api/v4/projects/42/pipelines?scope=finished" + rest}));
}

TEST_F(GitlabTest, AProjectIsSentOnceWhileItDoesNotChange) {
  int sent = 0;
  answer = [&](const SeenRequest& request) {
    if (request.head.find("If-None-Match: W/\"a\"") != std::string::npos)
      return Reply{.status = 304};
    ++sent;
    return Reply{.body = R"({"id":42,"path_with_namespace":"grp/demo"})",
                 .headers = {{"ETag", "W/\"a\""}}};
  };
  for (int i = 0; i < 3; ++i) {
    const auto project = run(loop_, gitlab_->project("42"));
    ASSERT_TRUE(project.ok()) << project.error().to_string();
    EXPECT_EQ(project->path, "grp/demo");
  }
  EXPECT_EQ(sent, 1);
}

TEST_F(GitlabTest, ReadsAFileOfTheDefaultBranchAndNoneThatIsTooLarge) {
  answer = [](const SeenRequest&) { return Reply{.body = "note: off\n"}; };
  const auto text = run(loop_, gitlab_->file(42, "docs/.gitaiops.yml", 10));
  ASSERT_TRUE(text.ok()) << text.error().to_string();
  EXPECT_EQ(text->text, "note: off\n");
  EXPECT_EQ(server_.lines(),
            std::vector<std::string>{
                "GET /api/v4/projects/42/repository/files/docs%2F.gitaiops.yml/raw?ref=HEAD"});
  EXPECT_NE(server_.seen()[0].head.find("Accept: */*\r\n"), std::string::npos);
  EXPECT_FALSE(run(loop_, gitlab_->file(42, "a", 9))->whole);
  answer = [](const SeenRequest&) {
    return Reply{.body = std::string(9 << 20, 'x')};  // more than any answer may have
  };
  EXPECT_FALSE(run(loop_, gitlab_->file(42, "a", 10))->whole);
  answer = [](const SeenRequest&) {
    return Reply{.status = 404, .body = R"({"message":"404 File Not Found"})"};
  };
  EXPECT_EQ(run(loop_, gitlab_->file(42, "a", 10)).error().code(), Code::not_found);
}

TEST_F(GitlabTest, WhatAMergeRequestTouchesWithOldAndNewNames) {
  answer = [](const SeenRequest& request) {
    std::string list;
    const bool first = request.head.find("&page=1 ") != std::string::npos;
    for (int i = 0; i < (first ? 20 : 1); ++i)
      list += std::string(list.empty() ? "" : ",") + R"({"old_path":"a)" + std::to_string(i) +
              R"(","new_path":")" + (first ? "a" + std::to_string(i) : "new") + R"(","diff":"@@"})";
    return Reply{.body = "[" + list + "]"};
  };
  const auto diffs = run(loop_, gitlab_->diffs(42, 7));
  ASSERT_TRUE(diffs.ok()) << diffs.error().to_string();
  ASSERT_EQ(diffs->size(), 21u);
  EXPECT_EQ(diffs->front().hunks, "@@");
  EXPECT_EQ(diffs->back().old_path, "a0");
  EXPECT_EQ(diffs->back().new_path, "new");
  EXPECT_EQ(server_.lines(),
            (std::vector<std::string>{
                "GET /api/v4/projects/42/merge_requests/7/diffs?per_page=20&page=1",
                "GET /api/v4/projects/42/merge_requests/7/diffs?per_page=20&page=2"}));
}

TEST_F(GitlabTest, ALongDiffIsLeftOutAndOneWithoutNamesIsNone) {
  answer = [](const SeenRequest&) {
    return Reply{.body = R"([{"old_path":"a","new_path":"a","diff":")" +
                         std::string(kMostDiffBytes + 1, '+') + R"("}])"};
  };
  const auto diffs = run(loop_, gitlab_->diffs(42, 7));
  ASSERT_TRUE(diffs.ok()) << diffs.error().to_string();
  EXPECT_EQ(diffs->front().hunks, "");
  answer = [](const SeenRequest&) { return Reply{.body = R"([{"diff":"@@"}])"}; };
  EXPECT_EQ(run(loop_, gitlab_->diffs(42, 7)).error().code(), Code::internal);
}

TEST_F(GitlabTest, OurTokensLastDay) {
  answer = [](const SeenRequest&) {
    return Reply{.body = R"({"id":1,"expires_at":"2026-12-01"})"};
  };
  const auto expiry = run(loop_, gitlab_->token_expiry());
  ASSERT_TRUE(expiry.ok() && *expiry);
  EXPECT_EQ(to_rfc3339(**expiry), "2026-12-01T00:00:00.000000Z");
  answer = [](const SeenRequest&) { return Reply{.body = R"({"id":1,"expires_at":null})"}; };
  const auto never = run(loop_, gitlab_->token_expiry());
  EXPECT_TRUE(never.ok() && !*never);
  EXPECT_EQ(server_.lines().front(), "GET /api/v4/personal_access_tokens/self");
}

TEST_F(GitlabTest, NobodyIsAskedOnceNothingIsLeft) {
  const auto reset = std::to_string((clock_.now().value / kMicrosPerSecond) + 30);
  answer = [&](const SeenRequest&) {
    return Reply{.body = R"({"id":42,"path_with_namespace":"grp/demo"})",
                 .headers = {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", reset}}};
  };
  EXPECT_TRUE(run(loop_, gitlab_->project("42")).ok()) << "this one was answered";
  EXPECT_EQ(run(loop_, gitlab_->project("42")).error().code(), Code::resource_exhausted);
  EXPECT_EQ(server_.seen().size(), 1u);
  clock_.advance(31 * kMicrosPerSecond);
  EXPECT_TRUE(run(loop_, gitlab_->project("42")).ok());
}

}  // namespace
}  // namespace gitaiops::gitlab
