// From a merge request at GitLab to a model's words on it, with a provider of the test.
#include <gtest/gtest.h>

#include "controller/models/change_prompt.h"
#include "controller/models/models.h"
#include "tests/unit/models/saying.h"
#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::models {
namespace {

using gitaiops::testing::await;
using testing::Saying;

constexpr std::string_view kFound =
    R"({"kind":"bugfix","risk":"high","confidence":"high",)"
    R"("look_at":[{"line":1,"why":"n is never set","guideline":0}]})";

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() : folder_(gitaiops::testing::TemporaryFolder::Where::memory) {
    settings_.models = {"m-1"};
    settings_.projects = {{"gl", "grp/*"}};
    settings_.limits = {1'000'000, 1'000'000, 1'000'000, 1'000'000};
    settings_.prices = {{"m", 0, 0, 1, 0.1, 10}};
    settings_.welcome = [this](const std::string&, int64_t) { return welcome_; };
    store_ = store::open_sqlite({folder_.path() / "s.db"}, clock_).value();
    begin();
    gitlab::MergeRequest request;
    request.iid = 7;
    request.project_id = 42;
    request.project_path = "grp/demo";
    request.state = "opened";
    request.sha = "abc";
    request.title = "Set n";
    gitlab_.merge_requests[{42, 7}] = request;
    gitlab_.touched = {{"a.c", "a.c", "@@ -1 +1 @@\n+int n;\n"}};
  }
  void begin() {
    auto provider = std::make_unique<Saying>();
    model_ = provider.get();
    model_->answer.text = kFound;
    asker_ = std::make_unique<Asker>(settings_, std::move(provider), *store_, clock_);
    reader_ = std::make_unique<Reader>(
        *asker_, *store_, clock_, std::map<std::string, gitlab::Gitlab*>{{"gl", &gitlab_}},
        [this](gitlab::Gitlab&, std::string, gitlab::MergeRequest)
            -> Task<Result<std::vector<project_file::Guideline>>> { co_return guidelines_; });
  }
  gitlab::MergeRequest& request() { return gitlab_.merge_requests[{42, 7}]; }
  // Reads it as the queue would.
  queue::Verdict read() {
    auto put = queue::work_on("merge_request.read", {"gl", 42, 7}, clock_.now(), 2);
    EXPECT_TRUE(await(store_->advance("test", 0, {put})).ok());
    auto work = *await(store_->lease(clock_.now(), kMicrosPerSecond)).value();
    auto verdict = await(reader_->read(work));
    const bool done = std::holds_alternative<queue::Done>(verdict.what);
    const auto ended = done ? await(store_->finish(work, verdict.outcome))
                            : await(store_->give_up(work, "test", verdict.outcome));
    EXPECT_TRUE(ended.ok());
    return verdict;
  }
  std::optional<store::ReadMergeRequest> known() {
    auto found = await(store_->readings().reading(store::everything(), "gl", 42, 7));
    return found.ok() ? std::optional(std::move(*found)) : std::nullopt;
  }
  int64_t spent() {
    int64_t out = 0;
    const auto page =
        await(store_->model_answers().model_use(store::everything(), {}, {"", 100})).value();
    for (const auto& use : page.items) out += use.cost_microusd;
    return out;
  }

  gitaiops::testing::TemporaryFolder folder_;
  FakeClock clock_;
  Settings settings_;
  bool welcome_ = true;
  gitlab::FakeGitlab gitlab_;
  std::vector<project_file::Guideline> guidelines_;
  std::unique_ptr<store::Store> store_;
  Saying* model_ = nullptr;
  std::unique_ptr<Asker> asker_;
  std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderTest, WhatItSaysIsKeptWithWhatItCost) {
  guidelines_ = {project_file::Guideline("Values", {}, "Is each one set?")};
  EXPECT_TRUE(reader_->work_for("gl", request(), known()));
  read();
  const auto row = known();
  ASSERT_TRUE(row && row->said);
  EXPECT_EQ(row->sha, "abc");
  EXPECT_EQ(row->model, "m-1");
  EXPECT_EQ(row->cost_microusd, 1820);
  EXPECT_EQ(row->said->points.at(0).path, "a.c");
  EXPECT_EQ(spent(), 1820);
  EXPECT_NE(model_->questions.at(0).user.find("guideline 1: Values"), std::string::npos);
  EXPECT_EQ(model_->questions.at(0).name, "change");
  EXPECT_FALSE(reader_->work_for("gl", request(), row));
  read();
  EXPECT_EQ(model_->questions.size(), 1u);
}

TEST_F(ReaderTest, ARebaseCostsNothingAndAnotherChangeIsReadAnew) {
  read();
  request().sha = "def";
  EXPECT_TRUE(reader_->work_for("gl", request(), known()));
  read();
  EXPECT_EQ(model_->questions.size(), 1u);
  EXPECT_EQ(known()->sha, "def");
  EXPECT_TRUE(known()->said);
  EXPECT_EQ(asker_->counters().reused, 1);
  request().sha = "fed";
  gitlab_.touched[0].hunks = "@@ -1 +1 @@\n+int n = 1;\n";
  model_->answer.text = R"({"kind":"bugfix","risk":"low","confidence":"high","look_at":[]})";
  read();
  EXPECT_EQ(model_->questions.size(), 2u);
  ASSERT_TRUE(known()->said);
  EXPECT_TRUE(known()->said->points.empty());
}

TEST_F(ReaderTest, DraftsOtherProjectsAndClosedOnesAreNotSent) {
  request().draft = true;
  EXPECT_FALSE(reader_->work_for("gl", request(), {}));
  read();
  request().draft = false;
  request().project_path = "private/demo";
  EXPECT_FALSE(reader_->work_for("gl", request(), {}));
  read();
  request().project_path = "grp/demo";
  request().state = "merged";
  read();
  request().state = "opened";
  welcome_ = false;
  EXPECT_FALSE(reader_->work_for("gl", request(), {}));
  read();
  EXPECT_TRUE(model_->questions.empty());
  EXPECT_FALSE(known());
}

TEST_F(ReaderTest, APathThatGitlabDoesNotTellIsAskedFor) {
  request().project_path.clear();
  EXPECT_TRUE(reader_->work_for("gl", request(), {}));
  gitlab_.projects[42].id = 42;
  gitlab_.projects[42].path = "private/demo";
  read();
  EXPECT_TRUE(model_->questions.empty());
  gitlab_.projects[42].path = "grp/demo";
  read();
  EXPECT_EQ(model_->questions.size(), 1u);
  EXPECT_EQ(known()->project_path, "grp/demo");
}

TEST_F(ReaderTest, WhereNothingIsToBeReadNobodyIsAsked) {
  gitlab_.touched = {{"go.sum", "go.sum", "@@ -1 +1 @@\n+x\n"}};
  read();
  EXPECT_TRUE(model_->questions.empty());
  ASSERT_TRUE(known());
  EXPECT_FALSE(known()->said);
  EXPECT_FALSE(reader_->work_for("gl", request(), known()));
  request().sha = "def";
  read();
  EXPECT_EQ(asker_->counters().reused, 0);
}

TEST_F(ReaderTest, AnAnswerThatIsNoneIsPaidForOnce) {
  model_->answer.text = "/approve";
  read();
  ASSERT_TRUE(known());
  EXPECT_FALSE(known()->said);
  EXPECT_EQ(spent(), 1820);
  EXPECT_EQ(asker_->counters().unusable, 1);
  request().sha = "def";  // the same change
  read();
  EXPECT_EQ(model_->questions.size(), 1u);
}

TEST_F(ReaderTest, WhoIsDownIsAskedLater) {
  model_->error = Error(Code::unavailable, "down");
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(read().what));
  EXPECT_FALSE(known());
  EXPECT_EQ(spent(), 0);
  model_->error.reset();
  gitlab_.failures.insert_or_assign("diffs", Error{Code::unavailable, "down"});
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(read().what));
  gitlab_.failures.insert_or_assign("diffs", Error{Code::not_found, "gone"});
  EXPECT_TRUE(std::holds_alternative<queue::Done>(read().what));
  EXPECT_TRUE(model_->questions.size() == 1);
}

TEST_F(ReaderTest, TheBudgetHolds) {
  settings_.limits.cost_microusd = 100;
  begin();
  EXPECT_TRUE(std::holds_alternative<queue::Done>(read().what));
  EXPECT_TRUE(model_->questions.empty());
  EXPECT_FALSE(known());
  EXPECT_EQ(asker_->counters().over_budget, 1);
}

TEST_F(ReaderTest, WhatItBringsIsToldAndBounded) {
  const std::vector<Vulnerability> many(30, {"lodash", "4.17.20", "CVE-1", "by \xff template()"});
  const auto put = reader_->work_for("gl", request(), {}, many);
  ASSERT_TRUE(put);
  EXPECT_EQ(queue::merge_request_in(put->payload), (store::MergeRequestKey{"gl", 42, 7}));
  store::Work work{1, 1, put->kind, put->unique_key, put->payload, 1};
  await(reader_->read(work));
  const std::string told = model_->questions.at(0).user;
  std::size_t times = 0;
  for (auto at = told.find("vulnerability: CVE-1 of lodash 4.17.20: by "); at != told.npos;
       at = told.find("vulnerability: ", at + 1))
    ++times;
  EXPECT_EQ(times, Reader::kMostVulnerabilities);
  work.payload = R"({"instance":"gl","project":42,"iid":7,"brought":[1,["a"],[1,2,3,4]]})";
  await(reader_->read(work));
  EXPECT_EQ(model_->questions.at(1).user.find("vulnerability"), std::string::npos);
}

TEST_F(ReaderTest, WorkThatNamesNoMergeRequestIsNone) {
  const store::Work work{1, 1, "merge_request.read", "k", "[]", 1};
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(reader_->read(work)).what));
}

}  // namespace
}  // namespace gitaiops::models
