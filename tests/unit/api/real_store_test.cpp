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
                     std::multimap<std::string, std::string> query = {}) {
    http::Request request;
    request.method = "GET";
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

}  // namespace
}  // namespace gitaiops::api
