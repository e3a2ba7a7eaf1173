#include "controller/api/api.h"

#include <gmock/gmock.h>

#include "api_fixture.h"
#include "base/http/get.h"

namespace gitaiops::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> ids(const json& page) {
  std::vector<std::string> list;
  for (const auto& job : page["jobs"]) list.push_back(job["id"]);
  return list;
}

// ---- Who may see what ----

TEST_F(ApiTest, WithoutAValidTokenNothing) {
  add_token("old", {"read"}, store::everything()).expires_at = clock_.now();
  add_token("gone", {"read"}, store::everything()).revoked_at = clock_.now();
  for (const std::string secret : {"", "wrong", "old", "gone", "   "}) {
    for (const std::string path : {"/api/v1/jobs", "/api/v1/agents", "/api/v1/me"}) {
      const auto response = ask(path, secret);
      EXPECT_EQ(response.status, 401) << path << " with '" << secret << "'";
      EXPECT_TRUE(response.headers.get("WWW-Authenticate"));
      EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
    }
  }
  EXPECT_THAT(ask("/api/v1/me", "old").body, HasSubstr("expired"));
  EXPECT_THAT(ask("/api/v1/me", "gone").body, HasSubstr("revoked"));
}

TEST_F(ApiTest, ATokenIsOnlyTakenFromOneHeader) {
  http::Request request;
  request.method = "GET";
  request.segments = {"api", "v1", "me"};
  request.headers.add("authorization", "bearer of-all");
  EXPECT_EQ(handle(request).status, 200);
  request.headers.add("Authorization", "Bearer of-a");
  EXPECT_EQ(handle(request).status, 400);
  request.headers = {};
  request.headers.add("Authorization", "Basic of-all");
  EXPECT_EQ(handle(request).status, 401);
  EXPECT_EQ(status("/api/v1/me?token=of-all", ""), 401);
}

TEST_F(ApiTest, VerbsGrant) {
  EXPECT_EQ(status("/api/v1/jobs", "no-verb"), 403);
  EXPECT_EQ(status("/api/v1/agents", "of-a"), 403);  // agents span projects
  EXPECT_EQ(status("/api/v1/agents", "of-all"), 200);
  EXPECT_EQ(status("/api/v1/agents", "admin"), 200);
}

TEST_F(ApiTest, WhatIsOutOfScopeDoesNotExist) {
  EXPECT_EQ(status(std::string("/api/v1/jobs/") + kJobA, "of-a"), 200);
  EXPECT_EQ(status("/api/v1/projects/main/1/merge_requests/7/note", "of-a"), 200);
  for (const std::string& target :
       {std::string("/api/v1/jobs/") + kJobB, std::string("/api/v1/jobs/") + kJobB + "/note",
        std::string("/api/v1/projects/main/2/merge_requests/7/note")}) {
    EXPECT_EQ(status(target, "of-all"), 200) << target;
    const auto hidden = ask(target, "of-a");
    EXPECT_EQ(hidden.status, 404) << target;
    // Not to be told from what never was.
    EXPECT_EQ(hidden.body, ask("/api/v1/jobs/018f0000-0000-7000-8000-00000000dead", "of-a").body);
    EXPECT_EQ(status(target, "nothing"), 404) << target;
  }
}

TEST_F(ApiTest, ListsAndCountsKeepToTheScope) {
  const auto all = body("/api/v1/jobs?count=true", "of-all");
  EXPECT_EQ(ids(all), (std::vector<std::string>{kJobB, kJobA2, kJobA}));
  EXPECT_EQ(all["total"], 3);
  for (const std::string secret : {"of-a", "admin"}) {
    const auto mine = body("/api/v1/jobs?count=true", secret);
    EXPECT_EQ(ids(mine), (std::vector<std::string>{kJobA2, kJobA}));
    EXPECT_EQ(mine["total"], 2);
  }
  const auto asked = body("/api/v1/jobs?project=grp/b&count=true", "of-a");
  EXPECT_EQ(ids(asked), std::vector<std::string>{});
  EXPECT_EQ(asked["total"], 0);
  EXPECT_EQ(body("/api/v1/jobs?count=true", "nothing")["total"], 0);
}

// The merge request of a fork's job belongs to another project: its note is not the fork's to read.
TEST_F(ApiTest, NoteOfATargetProjectOutOfScope) {
  store_.all_jobs[2].gitlab->merge_request = store::MergeRequestKey{"main", 2, 7};
  EXPECT_EQ(status(std::string("/api/v1/jobs/") + kJobA + "/note", "of-a"), 404);
  EXPECT_EQ(status(std::string("/api/v1/jobs/") + kJobA + "/note", "of-all"), 200);
}

TEST_F(ApiTest, MetricsAreOpenOnLoopbackOnly) {
  const auto open = ask("/metrics", "");
  EXPECT_EQ(open.status, 200);
  EXPECT_THAT(open.body, HasSubstr("gitaiops_queue_items{state=\"waiting\"} 3\n"));
  EXPECT_EQ(open.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(ApiTest, MetricsBehindAProxyNeedAToken) {
  options_.behind_proxy = true;
  EXPECT_EQ(status("/metrics", ""), 401);
  EXPECT_EQ(status("/metrics", "of-a"), 403);
  EXPECT_EQ(status("/metrics", "of-all"), 200);
}

// ---- What is served ----

TEST_F(ApiTest, PagesFollowEachOther) {
  const auto first = ask("/api/v1/jobs?limit=2&outcome=failed", "of-all");
  EXPECT_EQ(ids(json::parse(first.body)), (std::vector<std::string>{kJobB, kJobA2}));
  const auto next = json::parse(first.body)["next"].get<std::string>();
  EXPECT_EQ(first.headers.get("Link"),
            "</api/v1/jobs?limit=2&outcome=failed&after=" + next + ">; rel=\"next\"");
  const auto second = ask("/api/v1/jobs?limit=2&outcome=failed&after=" + next, "of-all");
  EXPECT_EQ(ids(json::parse(second.body)), std::vector<std::string>{kJobA});
  EXPECT_TRUE(json::parse(second.body)["next"].is_null());
  EXPECT_EQ(second.headers.get("Link"), std::nullopt);
}

TEST_F(ApiTest, Filters) {
  const auto count = [&](const std::string& query) {
    return body("/api/v1/jobs?" + query, "of-all")["jobs"].size();
  };
  EXPECT_EQ(count("project=grp/a"), 2u);
  EXPECT_EQ(count("project_id=2"), 1u);
  EXPECT_EQ(count("job_id=101"), 1u);
  EXPECT_EQ(count("pipeline_id=71"), 2u);
  EXPECT_EQ(count("outcome=passed"), 0u);
  EXPECT_EQ(count("category=compile_error&owner=code"), 3u);
  EXPECT_EQ(count("instance=other"), 0u);
  EXPECT_EQ(count("agent=018f0000-0000-7000-8000-0000000000ff"), 3u);
  EXPECT_EQ(count("finished_after=2023-11-14T22:13:32Z"), 3u);
  EXPECT_EQ(count("finished_before=2023-11-14T22:13:32Z"), 0u);
}

TEST_F(ApiTest, WrongQueriesAreNamed) {
  const auto detail = [&](const std::string& query) {
    const auto response = ask("/api/v1/jobs?" + query, "of-all");
    EXPECT_EQ(response.status, 400) << query;
    return json::parse(response.body)["detail"].get<std::string>();
  };
  EXPECT_EQ(detail("outcom=failed"), "unknown parameter 'outcom'; did you mean 'outcome'?");
  EXPECT_EQ(detail("outcome=red"),
            "the parameter 'outcome' takes passed, failed, canceled or unknown");
  EXPECT_EQ(detail("limit=201"), "the parameter 'limit' takes a number from 1 to 200");
  EXPECT_EQ(detail("limit=0"), "the parameter 'limit' takes a number from 1 to 200");
  EXPECT_EQ(detail("project_id=-1"), "the parameter 'project_id' takes a positive whole number");
  EXPECT_EQ(detail("limit=5&limit=6"), "the parameter 'limit' is given twice");
  EXPECT_EQ(detail("owner="), "the parameter 'owner' takes 1 to 1024 bytes");
  EXPECT_THAT(detail("finished_after=yesterday"), HasSubstr("RFC 3339"));
  EXPECT_THAT(detail("after=garbage"), HasSubstr("'after'"));
  EXPECT_THAT(detail("\xff%=1"), HasSubstr("unknown parameter"));
}

TEST_F(ApiTest, AJobInFull) {
  const auto job = body(std::string("/api/v1/jobs/") + kJobA, "of-a");
  EXPECT_EQ(job["id"], kJobA);
  EXPECT_EQ(job["instance"], "main");
  EXPECT_EQ(job["job_id"], 101);
  EXPECT_EQ(job["state"], "finished");
  EXPECT_EQ(job["outcome"], "failed");
  EXPECT_EQ(job["started_at"], "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(job["duration_s"], 12.5);
  EXPECT_EQ(job["merge_request_iid"], 7);
  EXPECT_EQ(job["usage"]["cpu_s"], 1.5);
  EXPECT_EQ(job["usage"]["methods"]["cpu_s"], "proc_live_and_reaped");
  EXPECT_EQ(job["usage"]["oom_kills"], 0);                   // measured
  EXPECT_FALSE(job["usage"].contains("memory_peak_bytes"));  // not measured
  EXPECT_EQ(job["usage"]["samples"]["cpu_s"], json::parse("[0.5,null]"));
  EXPECT_EQ(job["diagnosis"]["root_cause"]["line"], 12);
  EXPECT_EQ(job["diagnosis"]["category"], job["category"]);
  EXPECT_EQ(job["log"]["availability"], "complete");
  EXPECT_EQ(job["gitlab"]["merge_request"]["iid"], 7);
}

TEST_F(ApiTest, ARunningJobIsMostlyNull) {
  store_.all_jobs[2].report.Clear();
  store_.all_jobs[2].gitlab.reset();
  store_.all_jobs[2].key.project_id = 0;
  const auto job = body(std::string("/api/v1/jobs/") + kJobA, "of-a");
  EXPECT_EQ(job["state"], "running");
  for (const char* name : {"outcome", "finished_at", "duration_s", "exit_code", "usage",
                           "diagnosis", "gitlab", "project_id"}) {
    EXPECT_TRUE(job[name].is_null()) << name;
  }
}

TEST_F(ApiTest, NoteAgentsAndMe) {
  store_.all_agents = {{"agent-1",
                        "host",
                        "0.1.0",
                        "",
                        {"x"},
                        {{"main", "grp/*"}},
                        {1'700'000'000'000'000},
                        {},
                        {},
                        {},
                        -1'500'000}};
  EXPECT_EQ(body(std::string("/api/v1/jobs/") + kJobA + "/note", "of-a")["body"], "# body");
  store_.all_jobs[0].gitlab.reset();
  EXPECT_EQ(body(std::string("/api/v1/jobs/") + kJobB + "/note", "of-all")["subject"],
            std::string("job/") + kJobB);
  const auto agent = body("/api/v1/agents", "admin")["agents"][0];
  EXPECT_EQ(agent["host_name"], "host");
  EXPECT_EQ(agent["clock_skew_s"], -1.5);
  EXPECT_TRUE(agent["last_seen_at"].is_null());
  const auto me = body("/api/v1/me", "of-a");
  EXPECT_EQ(me["verbs"], json::parse("[\"read\"]"));
  EXPECT_EQ(me["scope"], json::parse(R"([{"instance":"main","path":"grp/a"}])"));
  EXPECT_FALSE(me.contains("secret_sha256"));
}

TEST_F(ApiTest, PathsAndMethods) {
  for (const char* path :
       {"/", "/api/v1", "/api/v1/jobs/", "/api/v1/nothing", "/api/v2/jobs", "/api/v1/jobs/a/b/c"}) {
    EXPECT_EQ(status(path, "of-all"), 404) << path;
  }
  const auto posted = ask("/api/v1/jobs", "of-all", "POST");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.headers.get("Allow"), "GET, HEAD");
  EXPECT_EQ(ask("/api/v1/jobs", "of-all", "HEAD").status, 200);
  EXPECT_EQ(status("/api/v1/projects/main/x/merge_requests/7/note", "of-all"), 400);
  EXPECT_EQ(status("/api/v1/projects/main/1/merge_requests/0/note", "of-all"), 400);
}

// ---- What happened before ----

TEST_F(ApiTest, WhoUsesAPackageIsTold) {
  store::PackageUse use;
  use.instance = "main";
  use.project_path = "grp/a";
  use.ref = "main";
  use.commit_sha = "c0ffee";
  use.version = "2.14.1";
  use.direct = true;
  store_.package_name = "Maven:org.apache.logging.log4j:log4j-core";
  store_.all_uses = {use};
  const std::string who =
      "/api/v1/packages?ecosystem=maven&name=org.apache.logging.log4j:log4j-core";
  const auto all = body(who, "of-a");
  ASSERT_EQ(all["packages"].size(), 1u);
  EXPECT_EQ(all["packages"][0]["version"], "2.14.1");
  EXPECT_EQ(body(who + "&versions=[2.0,2.17)", "of-a")["packages"].size(), 1u);
  EXPECT_EQ(body(who + "&versions=[2.17,)", "of-a")["packages"].size(), 0u);
  EXPECT_EQ(body(who, "of-b")["packages"].size(), 0u) << "another project's token";
  EXPECT_EQ(body("/api/v1/packages?purl=pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
                 "of-a")["packages"]
                .size(),
            1u);
  EXPECT_EQ(status("/api/v1/packages?purl=pkg:npm/qs&name=qs", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?purl=npm/qs", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?purl=pkg:github/a/b", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?name=qs", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?ecosystem=npm", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?ecosystem=cobol&name=qs", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/packages?ecosystem=npm&name=qs&versions=%3E%3E%3E1", "of-a"), 400);
}

TEST_F(ApiTest, VulnerabilitiesAreListedForTheToken) {
  store::Vulnerability v;
  v.instance = "main";
  v.project_path = "grp/a";
  v.commit_sha = "c0ffee";
  v.found.ecosystem = "npm";
  v.found.package = "qs";
  v.found.version = "6.5.0";
  v.found.advisory = "GHSA-1";
  v.found.aliases = {"CVE-1"};
  v.found.severity = 4;
  v.found.score = 7.5;
  v.found.path = {"express@4.17.1", "qs@6.5.0"};
  store_.vulnerable.all = {v};
  const std::string list = "/api/v1/vulnerabilities";
  const auto all = body(list, "of-a");
  ASSERT_EQ(all["vulnerabilities"].size(), 1u);
  const auto& shown = all["vulnerabilities"][0];
  EXPECT_EQ(shown["severity"], "high");
  EXPECT_EQ(shown["score"], 7.5);
  EXPECT_EQ(shown["path"][0], "express@4.17.1");
  EXPECT_TRUE(shown["fixed_version"].is_null());
  EXPECT_EQ(body(list, "of-b")["vulnerabilities"].size(), 0u) << "another project's token";
  EXPECT_EQ(
      status(list + "?severity=High&advisory=CVE-1&project=grp/a&purl=pkg:npm/%40x/qs", "of-a"),
      200);
  const auto& asked = store_.vulnerable.asked;
  EXPECT_EQ(asked.least_severity, 4);
  EXPECT_EQ(asked.advisory, "CVE-1");
  EXPECT_EQ(asked.project_path, "grp/a");
  EXPECT_EQ(asked.ecosystem, "npm");
  EXPECT_EQ(asked.package, "@x/qs");
  EXPECT_EQ(status(list + "?severity=unknown", "of-a"), 400);
  EXPECT_EQ(status(list + "?purl=pkg:npm/qs&package=qs", "of-a"), 400);
  EXPECT_EQ(status(list + "?ecosystem=cobol", "of-a"), 400);
  EXPECT_EQ(status(list, ""), 401);
}

TEST_F(ApiTest, FailuresAreListedAndShown) {
  store::Failure failure;
  failure.id = "f1";
  failure.category = "dns";
  failure.times = 4;
  failure.elsewhere_times = 9;
  failure.elsewhere_projects = 2;
  auto& o = failure.occurrences.emplace_back();
  o.job = kJobA;
  o.passed_on_same_sha = 104;
  store_.all_failures = {failure};
  const auto list = body("/api/v1/failures", "of-a");
  ASSERT_EQ(list["failures"].size(), 1u);
  EXPECT_EQ(list["failures"][0]["times"], 4);
  EXPECT_EQ(list["failures"][0]["elsewhere"]["projects"], 2);
  EXPECT_FALSE(list["failures"][0].contains("occurrences"));
  EXPECT_EQ(body("/api/v1/failures/f1", "of-a")["occurrences"][0]["passed_on_same_sha"], 104);
  EXPECT_EQ(status("/api/v1/failures/f2", "of-a"), 404);
  EXPECT_EQ(status("/api/v1/failures?flaky=yes", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/failures?outcome=failed", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/failures?limit=0", "of-a"), 400);
  EXPECT_EQ(status("/api/v1/failures", ""), 401);
}

TEST_F(ApiTest, AJobSaysWhatWasSeenBefore) {
  EXPECT_TRUE(body(std::string("/api/v1/jobs/") + kJobA, "of-a")["seen"].is_null());
  auto& seen = store_.seen.emplace();
  seen.failure = "f1";
  seen.times = 3;
  seen.last_passed = store::Passed{77, "sha", true, 0, {1'700'000'000'000'000}};
  const auto job = body(std::string("/api/v1/jobs/") + kJobA, "of-a");
  EXPECT_EQ(job["seen"]["times"], 3);
  EXPECT_EQ(job["seen"]["failure_id"], "f1");
  EXPECT_EQ(job["seen"]["last_passed"]["same_sha"], true);
  EXPECT_EQ(job["seen"]["flaky"], false);
  EXPECT_EQ(job["source"], "agent");
}

TEST_F(ApiTest, LinesOfALogAreAskedForInTheTokensScope) {
  const std::string target = std::string("/api/v1/jobs/") + kJobA + "/log?line=12&before=2";
  EXPECT_EQ(status(target, "of-a"), 404) << "nobody can be asked";
  std::string asked;
  Result<fleet::v1::Excerpt> answer = Error(Code::not_found, "the log is not kept any more");
  const auto lines = [&](store::Job job, uint64_t line, uint32_t before,
                         uint32_t after) -> Task<Result<fleet::v1::Excerpt>> {
    asked = std::to_string(job.key.job_id) + " " + std::to_string(line) + " " +
            std::to_string(before) + " " + std::to_string(after);
    co_return answer;
  };
  handler_ = make_handler(options_, {store_, clock_, metrics_, {}, {}, lines});
  EXPECT_EQ(status(target, "of-a"), 404);
  EXPECT_EQ(asked, "101 12 2 20");
  fleet::v1::Excerpt excerpt;
  excerpt.set_first_line(10);
  excerpt.set_last_line(11);
  excerpt.set_text("a\nb");
  answer = excerpt;
  EXPECT_EQ(body(target, "of-a")["text"], "a\nb");
  answer = Error(Code::unavailable, "the agent is not connected");
  EXPECT_EQ(status(target, "of-a"), 503);
  asked.clear();
  EXPECT_EQ(status(std::string("/api/v1/jobs/") + kJobB + "/log?line=12", "of-a"), 404);
  EXPECT_EQ(asked, "") << "out of scope";
  const std::string log = std::string("/api/v1/jobs/") + kJobA + "/log";
  for (const std::string bad : {"", "?line=0", "?line=x", "?line=1&before=101", "?line=1&lines=2"})
    EXPECT_EQ(status(log + bad, "of-a"), 400) << bad;
}

TEST_F(ApiTest, HostsAndEventsAreOfTheFleet) {
  store_.hosts.emplace_back().jobs = 6;
  store_.all_audit = {{{}, "reaction:retry", "job.retry", "main", 7, "job 42", "done"}};
  EXPECT_EQ(body("/api/v1/failing_hosts", "admin")["hosts"][0]["jobs"], 6);
  EXPECT_EQ(body("/api/v1/audit?limit=5", "of-all")["records"][0]["act"], "job.retry");
  EXPECT_EQ(status("/api/v1/failing_hosts", "of-a"), 403);
  for (const char* path :
       {"/api/v1/events", "/api/v1/events/e1", "/api/v1/dead-letters", "/api/v1/dead-letters/1"})
    EXPECT_EQ(status(path, "of-a"), 403) << path;
  for (const char* path : {"/api/v1/events/e1/replay", "/api/v1/dead-letters/1/replay"}) {
    EXPECT_EQ(ask(path, "of-all", "POST").status, 403) << path << ": reading is not doing";
    EXPECT_EQ(ask(path, "", "POST").status, 401) << path;
    EXPECT_EQ(ask(path, "admin", "GET").headers.get("Allow"), "POST");
  }
}

TEST_F(ApiTest, WebhooksNeedNoTokenOfOurs) {
  EXPECT_EQ(ask("/webhooks/gitlab/main", "", "POST").status, 404) << "none are taken";
  std::string asked;
  Dependencies dependencies{store_, clock_, metrics_};
  dependencies.webhook = [&](std::string instance, http::Request) -> Task<http::Response> {
    asked = instance;
    co_return http::Response();
  };
  handler_ = make_handler(options_, std::move(dependencies));
  EXPECT_EQ(ask("/webhooks/gitlab/main", "", "POST").status, 200);
  EXPECT_EQ(asked, "main");
  EXPECT_EQ(ask("/webhooks/gitlab/main", "").status, 405);
}

// ---- Bad days ----

TEST_F(ApiTest, HealthReadinessAndABrokenStore) {
  EXPECT_EQ(status("/health", ""), 200);
  EXPECT_EQ(status("/ready", ""), 200);
  ready_ = Error(Code::unavailable, "the fleet listener is down at /secret/path");
  const auto unready = ask("/ready", "");
  EXPECT_EQ(unready.status, 503);
  EXPECT_EQ(unready.body.find("/secret/path"), std::string::npos);
  ready_ = {};
  store_.broken = Error(Code::unavailable, "disk full at /secret/path");
  EXPECT_EQ(status("/health", ""), 200);
  EXPECT_EQ(status("/ready", ""), 503);
  const auto refused = ask("/api/v1/jobs", "of-all");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.get("Retry-After"), "5");
  EXPECT_EQ(refused.body.find("/secret/path"), std::string::npos);
  store_.broken = Error(Code::internal, "SQL at /secret/path");
  const auto failed = ask("/api/v1/jobs", "of-all");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body.find("/secret/path"), std::string::npos);
}

TEST_F(ApiTest, RequestsAreCountedByRouteNotByTarget) {
  status(std::string("/api/v1/jobs/") + kJobA, "of-a");
  status("/no/such/thing", "");
  const auto text = ask("/metrics", "").body;
  EXPECT_THAT(
      text,
      HasSubstr("gitaiops_api_requests_total{route=\"/api/v1/jobs/{id}\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gitaiops_api_requests_total{route=\"none\",status=\"404\"} 1\n"));
}

// Once through real sockets: what listen() serves is what the handler answers.
TEST_F(ApiTest, OverASocket) {
  asio::io_context loop;
  options_.port = 0;
  auto server = listen(loop.get_executor(), options_, {store_, clock_, metrics_});
  ASSERT_TRUE(server.ok()) << server.error().to_string();
  std::optional<Result<http::Fetched>> fetched;
  const auto client = [&](http::Server& running) -> Task<void> {
    fetched =
        co_await http::get("127.0.0.1", running.port(), "/health", std::chrono::seconds(10), 1000);
    running.stop();
  };
  spawn(loop.get_executor(), "server", (*server)->run());
  spawn(loop.get_executor(), "client", client(**server));
  loop.run();
  ASSERT_TRUE(fetched->ok()) << fetched->error().to_string();
  EXPECT_EQ((*fetched)->body, "{\"status\":\"alive\"}");
}

}  // namespace
}  // namespace gitaiops::api
