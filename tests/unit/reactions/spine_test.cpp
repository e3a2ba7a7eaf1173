// From an agent's report to the note on the merge request, through the real store and its outbox
// and queue.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "controller/reactions/reactions.h"
#include "tests/unit/reactions/fake_gitlab.h"

namespace gitaiops::reactions {
namespace {

using namespace std::chrono_literals;
constexpr const char* kAgent = "0190a6b4-0000-7000-8000-000000000001";

class SpineTest : public ::testing::Test {
 public:
  SpineTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-spine-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto opened = store::open_sqlite({folder_ / "controller.db"}, system_clock());
    store_ = std::move(*opened);
    gitlab::Project demo;
    demo.id = 42;
    demo.path = "grp/demo";
    gitlab_.projects[42] = demo;
    gitlab::MergeRequest mr;
    mr.iid = 7;
    mr.project_id = mr.source_project_id = 42;
    mr.project_path = "grp/demo";
    mr.state = "opened";
    mr.source_branch = "topic";
    mr.sha = "abc";
    mr.head_pipeline.emplace().id = 77;
    mr.head_pipeline->project_id = 42;
    gitlab_.merge_requests[{42, 7}] = mr;
  }
  ~SpineTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Task<void> enroll() {
    store::EnrollmentToken token;
    token.id = "token";
    token.secret_sha256 = "00";
    token.expires_at = system_clock().now() + 60 * kMicrosPerSecond;
    token.scope = {{"main", "grp/*"}};
    token.created_at = system_clock().now();
    const auto added = co_await store_->add_enrollment_token(token);
    EXPECT_TRUE(added.ok());
    store::Agent agent;
    agent.id = kAgent;
    const auto enrolled = co_await store_->enroll_agent("00", agent, system_clock().now());
    EXPECT_TRUE(enrolled.ok());
  }

  Task<void> report(int64_t job, std::string status) {
    gitlab::Job at;
    at.id = job;
    at.name = "job-" + std::to_string(job);
    at.status = status;
    at.ref = "topic";
    at.sha = "abc";
    at.pipeline_id = 77;
    at.project_id = 42;
    at.started = true;
    gitlab_.jobs[job] = at;
    gitlab_.pipelines[77].push_back(at);
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    auto& report = *envelope.mutable_job_report();
    report.set_report_id("0190a6b4-0000-7000-8000-" + std::to_string(100'000'000'000 + job));
    report.mutable_key()->set_instance("main");
    report.mutable_key()->set_project_id(42);
    report.mutable_key()->set_job_id(job);
    report.mutable_key()->set_project_path("grp/demo");
    report.set_outcome(status == "failed" ? fleet::v1::OUTCOME_FAILED : fleet::v1::OUTCOME_PASSED);
    report.set_finished_at_us(system_clock().now().value);
    if (status == "failed") report.mutable_diagnosis()->set_category("compile_error");
    const auto accepted = co_await store_->accept(kAgent, 1, envelope, system_clock().now());
    EXPECT_TRUE(accepted.ok()) << accepted.error().to_string();
  }

  // Runs reactions and queue beside `scenario` until it ends.
  void run(Task<void> scenario) {
    Reactions reactions(*store_, system_clock(), {{"main", &gitlab_}}, note::Composer(),
                        {.coalesce = 1ms});
    queue::Worker worker(*store_, system_clock(), {.poll = 20ms});
    reactions.attach(worker);
    spawn(loop_.get_executor(), "worker", worker.run());
    spawn(loop_.get_executor(), "follow", reactions.follow());
    spawn(loop_.get_executor(), "scenario",
          [](Task<void> s, Reactions& r, queue::Worker& w) -> Task<void> {
            co_await std::move(s);
            r.stop();
            w.stop();
          }(std::move(scenario), reactions, worker));
    loop_.run();
  }

  // Until the note says `words`; ctest's timeout ends a wait in vain.
  Task<void> until_note_says(std::string words) {
    for (;;) {
      const auto note = co_await store_->note(store::everything(), "mr/main/42/7");
      if (note.ok() && note.value().body.find(words) != std::string::npos) co_return;
      co_await sleep_for(1ms);
    }
  }

  asio::io_context loop_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  gitlab::FakeGitlab gitlab_;
  uint64_t seq_ = 0;
};

TEST_F(SpineTest, FromReportsToOneNote) {
  run([](SpineTest& t) -> Task<void> {
    co_await t.enroll();
    co_await t.report(1, "success");
    co_await t.report(2, "failed");
    co_await t.until_note_says("**1 job failed:** `job-2`");
    co_await t.report(3, "failed");
    co_await t.until_note_says("**2 jobs failed:** `job-2`, `job-3`");
    // Both were retried and passed.
    t.gitlab_.pipelines[77].clear();
    t.gitlab_.merge_requests[{42, 7}].head_pipeline->status = "success";
    co_await t.report(4, "success");
    co_await t.until_note_says("**All green now.**");
    const auto stats = co_await t.store_->queue_stats();
    EXPECT_EQ(stats.value().dead, 0);
    const auto audit = co_await t.store_->audit(100);
    EXPECT_EQ(std::ranges::count(audit.value(), "note.create", &store::AuditRecord::act), 1);
    EXPECT_EQ(std::ranges::count(audit.value(), "note.update", &store::AuditRecord::act), 2);
  }(*this));
  EXPECT_EQ(gitlab_.writes, (std::vector<std::string>{"create", "update 100", "update 100"}));
}

TEST_F(SpineTest, TroubleAtGitlabOnlyDelaysTheNote) {
  gitlab_.failures.insert({"create_note", {Code::unavailable, "502"}});
  run([](SpineTest& t) -> Task<void> {
    co_await t.enroll();
    co_await t.report(2, "failed");
    for (;;) {  // the first attempt failed and is back in line
      const auto stats = co_await t.store_->queue_stats();
      const auto job = co_await t.store_->job_by_key(store::everything(), "main", 2);
      if (job.ok() && job.value().gitlab && stats.value().waiting == 1) break;
      co_await sleep_for(1ms);
    }
    t.gitlab_.failures.clear();
    co_await t.until_note_says("`job-2`");
  }(*this));
  EXPECT_EQ(gitlab_.writes, std::vector<std::string>{"create"});
}

}  // namespace
}  // namespace gitaiops::reactions
