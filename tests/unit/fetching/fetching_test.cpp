#include "controller/fetching/fetching.h"

#include <gtest/gtest.h>

#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::fetching {
namespace {

using gitaiops::testing::await;

constexpr UnixMicros kNow{1'700'000'000'000'000};
constexpr const char* kLog =
    "$ make\nkey glpat-abcdefghij0123456789 here\nmain.cpp:3:10: error: use of undeclared "
    "identifier 'total'\nERROR: Job failed: exit status 1\n";

class FetchingTest : public ::testing::Test {
 protected:
  FetchingTest() {
    gitlab::Project demo;
    demo.id = 42;
    demo.path = "grp/demo";
    gitlab_.projects[42] = demo;
    job(9, 300);
    gitlab_.traces[9] = kLog;
  }
  void job(int64_t id, int64_t seconds_ago) {
    gitlab::Job j;
    j.id = id;
    j.name = "build";
    j.status = "failed";
    j.failure_reason = "script_failure";
    j.finished_at = kNow + -seconds_ago * kMicrosPerSecond;
    gitlab_.failed[42].push_back(j);
  }
  Fetching fetching() {
    return {store_,
            clock_,
            {{"main", {&gitlab_, {"grp/demo"}, 60 * kMicrosPerSecond, 1 << 20}}},
            diagnosis::builtin_rules()};
  }

  FakeClock clock_;
  store::MemoryStore store_;
  gitlab::FakeGitlab gitlab_;
};

TEST_F(FetchingTest, ReadsDiagnosesAndKeepsWhatNobodyReported) {
  auto f = fetching();
  await(f.look("main"));
  ASSERT_EQ(store_.fetched.size(), 1u);
  const auto& report = store_.fetched[0];
  EXPECT_EQ(report.key().instance(), "main");
  EXPECT_EQ(report.key().project_path(), "grp/demo");
  EXPECT_EQ(report.key().job_id(), 9);
  EXPECT_EQ(report.outcome(), fleet::v1::OUTCOME_FAILED);
  EXPECT_EQ(report.diagnosis().category(), "compile_error");
  EXPECT_EQ(report.diagnosis().root_cause().line(), 3u);
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.log().lines(), 4u);
  EXPECT_EQ(report.diagnosis().minhash_size(), 128);
  EXPECT_EQ(report.SerializeAsString().find("glpat-"), std::string::npos);
}

TEST_F(FetchingTest, LeavesToAgentsWhatIsTheirsAndToThePastWhatIsOld) {
  store_.reported = {9};
  job(10, 5);           // an agent may still report it
  job(11, 2 * 86'400);  // nobody waits for it
  auto f = fetching();
  await(f.look("main"));
  EXPECT_TRUE(store_.fetched.empty());
}

TEST_F(FetchingTest, AJobWithoutALogStillSaysWhatTheRunnerSaid) {
  gitlab_.traces.clear();
  gitlab_.failed[42][0].failure_reason = "job_execution_timeout";
  auto f = fetching();
  await(f.look("main"));
  ASSERT_EQ(store_.fetched.size(), 1u);
  EXPECT_EQ(store_.fetched[0].log().availability(), fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE);
  EXPECT_EQ(store_.fetched[0].diagnosis().category(), "job_timeout");
}

TEST_F(FetchingTest, StopsWhereGitlabIsAwayOrWantsToBeLeftAlone) {
  gitlab_.failures.insert_or_assign("trace", Error(Code::unavailable, "away"));
  auto f = fetching();
  await(f.look("main"));
  EXPECT_TRUE(store_.fetched.empty());
  gitlab_.failures.clear();
  gitlab_.hint = std::chrono::seconds(5);
  await(f.look("main"));
  EXPECT_TRUE(store_.fetched.empty());
  gitlab_.hint = {};
  await(f.look("main"));
  EXPECT_EQ(store_.fetched.size(), 1u);
}

TEST_F(FetchingTest, AToldJobIsFetchedOnceAgentsHadTheirTime) {
  gitlab_.jobs[9] = gitlab_.failed[42][0];
  auto f = fetching();
  EXPECT_FALSE(f.work_for("main", "grp/other", 43, 9, kNow)) << "not one of those that are polled";
  EXPECT_FALSE(f.work_for("elsewhere", "grp/demo", 42, 9, kNow));
  const auto made = f.work_for("main", "grp/demo", 42, 9, kNow);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->unique_key, "main/9");
  EXPECT_EQ(made->not_before, kNow + 15 * kMicrosPerSecond);
  store::Work work;
  work.kind = made->kind;
  work.payload = made->payload;
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(f.fetch_told(work)).what));
  EXPECT_EQ(store_.fetched.size(), 1u);

  store_.reported.insert(9);
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(f.fetch_told(work)).what));
  EXPECT_EQ(store_.fetched.size(), 1u) << "an agent was faster";
  store_.reported.clear();
  gitlab_.jobs[9].status = "success";
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(f.fetch_told(work)).what));
  EXPECT_EQ(store_.fetched.size(), 1u) << "GitLab's word, not the webhook's";
}

TEST_F(FetchingTest, AToldJobIsTriedAgainWhileGitlabIsAway) {
  auto f = fetching();
  store::Work work;
  work.payload = f.work_for("main", "grp/demo", 42, 9, kNow)->payload;
  gitlab_.failures.insert_or_assign("project", Error(Code::unavailable, "away"));
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(await(f.fetch_told(work)).what));
  for (const char* payload : {"", "[]", "{\"instance\":\"gone\",\"project\":1,\"job\":2}"}) {
    work.payload = payload;
    EXPECT_TRUE(std::holds_alternative<queue::GiveUp>(await(f.fetch_told(work)).what)) << payload;
  }
}

TEST_F(FetchingTest, LinesOfSuchALogAreRedacted) {
  auto f = fetching();
  store::Job job;
  job.key = {"main", 42, 9};
  const auto lines = await(f.lines_around(job, 3, 1, 0));
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ(lines->first_line(), 2u);
  EXPECT_NE(lines->text().find("key [REDACTED] here\nmain.cpp:3"), std::string::npos);
  EXPECT_EQ(await(f.lines_around(job, 99, 1, 0)).error().code(), Code::not_found);
  job.key.job_id = 10;
  EXPECT_EQ(await(f.lines_around(job, 3, 1, 0)).error().code(), Code::not_found);
  job.key.instance = "other";
  EXPECT_EQ(await(f.lines_around(job, 3, 1, 0)).error().code(), Code::not_found);
}

}  // namespace
}  // namespace gitaiops::fetching
