// The API over the store that ships: what one project's token sees of another's rows, through real
// queries.
#include <filesystem>

#include "api_fixture.h"
#include "base/bytes/bytes.h"

namespace gitaiops::api {
namespace {

class RealStore : public testing::Test {
 protected:
  RealStore() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = store::open_sqlite({.path = folder_ / "controller.db"}, clock_);
    if (!opened.ok()) throw std::runtime_error(opened.error().to_string());
    store_ = std::move(*opened);
    metrics_.declare(metric_definitions());
    handler_ = make_handler({}, {*store_, clock_, metrics_});
    run(fill());
  }
  ~RealStore() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void run(Task<void> task) {
    loop_.restart();
    spawn(loop_.get_executor(), "test", std::move(task));
    loop_.run();
  }

  // An agent, a failed job and a note in each of two projects, and a token for each project.
  Task<void> fill() {
    const UnixMicros later = clock_.now() + 3600 * kMicrosPerSecond;
    store::EnrollmentToken enrolment{"e",          "e-hash", later, 1, {}, store::everything(),
                                     clock_.now(), {}};
    require(co_await store_->add_enrollment_token(enrolment));
    store::Agent agent;
    agent.id = "018f0000-0000-7000-8000-0000000000ff";
    agent.enrolled_at = clock_.now();
    require(co_await store_->enroll_agent("e-hash", agent, clock_.now()));
    store::ApiToken fleet{"t-fleet",
                          "fleet",
                          crypto::sha256_hex("fleet"),
                          {"admin"},
                          store::everything(),
                          clock_.now(),
                          later,
                          {}};
    require(co_await store_->add_api_token(fleet));
    const std::string names = "ab";
    for (int64_t project = 1; project <= 2; ++project) {
      const std::string name(1, names[project - 1]);
      fleet::v1::Envelope envelope;
      envelope.set_seq(project);
      *envelope.mutable_job_report() =
          full_job(project == 1 ? kJobA : kJobB, "grp/" + name, project, 100 + project).report;
      auto& key = *envelope.mutable_job_report()->mutable_key();
      key.set_instance("main");
      key.set_project_id(project);
      key.set_job_id(100 + project);
      key.set_project_path("grp/" + name);
      require(co_await store_->accept(agent.id, 7, envelope, clock_.now()));
      store::ApiToken token{"t-" + name,
                            name,
                            crypto::sha256_hex("of-" + name),
                            {"read"},
                            {{"main", "grp/" + name}},
                            clock_.now(),
                            later,
                            {}};
      require(co_await store_->add_api_token(token));
      store::NewWork todo{"note.update", name, "{}", clock_.now()};
      std::vector<store::NewWork> work = {todo};
      require(co_await store_->advance("test-" + name, 1, work));
      const auto leased = co_await store_->lease(clock_.now(), kMicrosPerSecond);
      require(leased);
      store::WorkOutcome outcome;
      outcome.note = store::Note{"mr/main/" + std::to_string(project) + "/7",
                                 "main",
                                 project,
                                 "grp/" + name,
                                 "body of " + name,
                                 5,
                                 clock_.now()};
      require(co_await store_->finish(**leased, outcome));
    }
  }

  template <class R>
  static void require(const R& result) {
    if (!result.ok()) throw std::runtime_error(result.error().to_string());
  }

  http::Response ask(const std::string& path, const std::string& secret,
                     std::multimap<std::string, std::string> query = {},
                     const std::string& method = "GET") {
    http::Request request;
    request.method = method;
    request.path = path;
    for (const auto part : split(std::string_view(path).substr(1), '/'))
      request.segments.emplace_back(part);
    request.query = std::move(query);
    request.headers.add("Authorization", "Bearer " + secret);
    http::Response response;
    run(keep(handler_(std::move(request)), response));
    return response;
  }
  static Task<void> keep(Task<http::Response> task, http::Response& response) {
    response = co_await std::move(task);
  }

  // The one job this token sees.
  nlohmann::json only_job(const std::string& secret) {
    const auto page = nlohmann::json::parse(ask("/api/v1/jobs", secret, {{"count", "true"}}).body);
    EXPECT_EQ(page["total"], 1);
    EXPECT_EQ(page["jobs"].size(), 1u);
    return page["jobs"].at(0);
  }

  FakeClock clock_;
  asio::io_context loop_;
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("api-real-store-" + std::to_string(getpid()));
  std::unique_ptr<store::Store> store_;
  metrics::Registry metrics_;
  http::Handler handler_;
};

TEST_F(RealStore, ATokenOfOneProjectSeesNothingOfAnother) {
  const auto job_a = only_job("of-a");
  const auto job_b = only_job("of-b");
  EXPECT_EQ(job_a["project_path"], "grp/a");
  EXPECT_EQ(job_b["project_path"], "grp/b");
  const std::string a = job_a["id"];
  const std::string b = job_b["id"];
  EXPECT_EQ(ask("/api/v1/jobs/" + a, "of-a").status, 200);
  EXPECT_EQ(ask("/api/v1/jobs/" + b, "of-b").status, 200);
  EXPECT_EQ(ask("/api/v1/jobs/" + b, "of-a").status, 404);
  EXPECT_EQ(ask("/api/v1/jobs/" + b + "/note", "of-a").status, 404);
  const std::string note_b = "/api/v1/projects/main/2/merge_requests/7/note";
  EXPECT_EQ(nlohmann::json::parse(ask(note_b, "of-b").body)["body"], "body of b");
  EXPECT_EQ(ask(note_b, "of-a").status, 404);
  for (const char* filter : {"project", "project_id", "job_id"}) {
    const std::string value = std::string(filter) == "project"  ? "grp/b"
                              : std::string(filter) == "job_id" ? "102"
                                                                : "2";
    const auto page = nlohmann::json::parse(
        ask("/api/v1/jobs", "of-a", {{filter, value}, {"count", "true"}}).body);
    EXPECT_EQ(page["total"], 0) << filter;
    EXPECT_TRUE(page["jobs"].empty()) << filter;
  }
  // A page's cursor of another token opens nothing.
  const auto page = nlohmann::json::parse(ask("/api/v1/jobs", "of-a", {{"after", b}}).body);
  if (page.contains("jobs")) {
    for (const auto& job : page["jobs"]) EXPECT_EQ(job["project_path"], "grp/a");
  }
}

TEST_F(RealStore, UnknownTokensAndWrongCursorsAreTheCallersFault) {
  EXPECT_EQ(ask("/api/v1/jobs", "unknown").status, 401);
  EXPECT_EQ(ask("/api/v1/jobs", "of-a", {{"after", "no cursor of ours"}}).status, 400);
  EXPECT_EQ(ask("/ready", "").status, 200);
}

Task<void> write_records(store::Store& store, UnixMicros now) {
  for (const int64_t project : {1, 2, 0}) {
    store::AuditRecord record{now, "reaction:note", "note.update", "main", project, "", "done"};
    record.object = "of project " + std::to_string(project);
    const Status written = co_await store.add_audit(std::move(record));
    EXPECT_TRUE(written.ok());
  }
}

TEST_F(RealStore, AuditIsSearchedWithinTheScope) {
  run(write_records(*store_, clock_.now()));
  const auto objects = [&](const std::string& secret,
                           std::multimap<std::string, std::string> query = {}) {
    std::string out;
    const auto page = nlohmann::json::parse(ask("/api/v1/audit", secret, std::move(query)).body);
    for (const auto& record : page["records"]) out += record["object"].get<std::string>() + ";";
    return out;
  };
  EXPECT_EQ(objects("of-a"), "of project 1;");
  EXPECT_EQ(objects("of-b"), "of project 2;");
  EXPECT_EQ(objects("of-b", {{"text", "project 1"}}), "");
  EXPECT_EQ(objects("fleet"), "of project 0;of project 2;of project 1;");
  EXPECT_EQ(objects("fleet", {{"project_id", "2"}}), "of project 2;");
  EXPECT_EQ(objects("fleet", {{"text", "%"}}), "") << "a sign of its own, not of LIKE";
  EXPECT_EQ(objects("fleet", {{"act", "job.retry"}}), "");
  EXPECT_EQ(objects("fleet", {{"limit", "1"}}), "of project 0;");
}

Task<void> receive(store::Store& store, UnixMicros now) {
  store::Delivery delivery;
  delivery.id = "018f0000-0000-7000-8000-0000000000e1";
  delivery.instance = "main";
  delivery.key = "k";
  delivery.source = "webhook";
  delivery.type = "Push Hook";
  delivery.body = "{\"object_kind\":\"push\"}";
  const auto kept = co_await store.inbox().accept_delivery(delivery);
  EXPECT_TRUE(kept.ok() && *kept);
  std::vector<store::NewWork> work(1);
  work[0].kind = "note.update";
  work[0].unique_key = "main/1/7";
  work[0].payload = "{}";
  const Status put = co_await store.advance("test-dead", 1, work);
  EXPECT_TRUE(put.ok());
  const auto leased = co_await store.lease(now, kMicrosPerSecond);
  EXPECT_TRUE(leased.ok() && *leased);
  const Status dead = co_await store.give_up(**leased, "nobody there", {});
  EXPECT_TRUE(dead.ok());
}

TEST_F(RealStore, EventsAndDeadLettersAreShownAndReplayed) {
  run(receive(*store_, clock_.now()));
  const auto events = nlohmann::json::parse(ask("/api/v1/events", "fleet").body);
  ASSERT_EQ(events["events"].size(), 1u);
  const std::string event = "/api/v1/events/" + events["events"][0]["id"].get<std::string>();
  EXPECT_EQ(events["events"][0]["state"], "waiting");
  EXPECT_EQ(nlohmann::json::parse(ask(event, "fleet").body)["body"], "{\"object_kind\":\"push\"}");
  EXPECT_EQ(
      nlohmann::json::parse(ask("/api/v1/events", "fleet", {{"state", "done"}}).body)["events"]
          .size(),
      0u);
  EXPECT_EQ(ask("/api/v1/events", "fleet", {{"stat", "done"}}).status, 400);
  EXPECT_EQ(ask("/api/v1/events/none", "fleet").status, 404);
  EXPECT_EQ(ask(event + "/replay", "fleet", {}, "POST").status, 202);
  EXPECT_EQ(ask("/api/v1/events/none/replay", "fleet", {}, "POST").status, 404);

  const auto letters = nlohmann::json::parse(ask("/api/v1/dead-letters", "fleet").body);
  ASSERT_EQ(letters["dead_letters"].size(), 1u);
  EXPECT_EQ(letters["dead_letters"][0]["why"], "nobody there");
  const std::string letter =
      "/api/v1/dead-letters/" + letters["dead_letters"][0]["id"].get<std::string>();
  EXPECT_EQ(nlohmann::json::parse(ask(letter, "fleet").body)["key"], "main/1/7");
  EXPECT_EQ(ask(letter + "/replay", "fleet", {}, "POST").status, 202);
  EXPECT_EQ(ask(letter + "/replay", "fleet", {}, "POST").status, 404) << "once";
  const auto audit = nlohmann::json::parse(ask("/api/v1/audit", "fleet").body)["records"];
  ASSERT_EQ(audit.size(), 2u);
  EXPECT_EQ(audit[0]["act"], "work.replay");
  EXPECT_EQ(audit[0]["actor"], "token:t-fleet");
  EXPECT_EQ(audit[1]["act"], "event.replay");
  EXPECT_EQ(audit[0]["hash"].get<std::string>().size(), 64u);
}

}  // namespace
}  // namespace gitaiops::api
