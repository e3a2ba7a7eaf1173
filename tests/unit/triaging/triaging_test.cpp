#include "controller/triaging/triaging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::triaging {
namespace {

using gitaiops::testing::await;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UnixMicros kNow{1'700'000'000'000'000};

class TriagingTest : public ::testing::Test {
 protected:
  TriagingTest() {
    auto& merge_request = gitlab.merge_requests[{42, 7}];
    merge_request.iid = 7;
    merge_request.project_id = 42;
    merge_request.project_path = "grp/demo";
    merge_request.state = "opened";
    merge_request.sha = "abc";
    merge_request.title = "Sign in twice";
    answer.known = history::Assessment{"abc", {}, "1,200 labelled changes"};
    answer.known->triage.labels = {"risk::high", "type::bugfix"};
  }
  Triaging room(std::vector<std::string> labels = {}) {
    Options options;
    options.assess = [this](std::string,
                            gitlab::MergeRequest asked) -> Task<Result<history::Assessed>> {
      ++questions;
      asked_labels = asked.labels;
      co_return answer;
    };
    options.labels = std::move(labels);
    options.version = "1";
    return Triaging(store, clock, {{"main", &gitlab}}, std::move(options));
  }
  gitlab::MergeRequest& merge_request() { return gitlab.merge_requests[{42, 7}]; }
  const std::vector<std::string>& labels() { return merge_request().labels; }
  store::Work work(int attempts = 1) const {
    return {1, 1, "", "", R"({"instance":"main","project":42,"iid":7})", attempts, 1};
  }
  // The handler's verdict, its outcome written.
  queue::Verdict find_out(Triaging& room, int attempts = 1) {
    auto verdict = await(room.find_out(work(attempts)));
    store.apply(verdict.outcome);
    return verdict;
  }
  queue::Verdict label(Triaging& room) {
    auto verdict = await(room.label(work()));
    store.apply(verdict.outcome);
    return verdict;
  }
  const store::TriagedMergeRequest& row() { return store.triage.rows.at(0); }

  FakeClock clock{kNow.value};
  gitlab::FakeGitlab gitlab;
  store::MemoryStore store;
  history::Assessed answer;
  std::vector<std::string> asked_labels;
  int questions = 0;
};

TEST_F(TriagingTest, WhatAMergeRequestIsLikeIsFoundOutOnce) {
  auto triaging = room();
  const auto verdict = find_out(triaging);
  EXPECT_TRUE(std::holds_alternative<queue::Done>(verdict.what));
  EXPECT_EQ(row().sha, "abc");
  EXPECT_EQ(row().title, "Sign in twice");
  EXPECT_EQ(row().project_path, "grp/demo");
  EXPECT_EQ(row().basis, "1,200 labelled changes");
  EXPECT_EQ(row().at, kNow);
  EXPECT_THAT(verdict.outcome.follow_up, IsEmpty()) << "no labels are wanted";
  find_out(triaging);
  EXPECT_EQ(questions, 1);
  EXPECT_FALSE(triaging.work_for("main", merge_request(), row(), kNow));
}

TEST_F(TriagingTest, ACommitATitleOrALabelOfAPersonIsLookedAtAgain) {
  auto triaging = room();
  find_out(triaging);
  const auto is_new = [&](auto&& change) {
    auto changed = merge_request();
    change(changed);
    return triaging.work_for("main", changed, row(), kNow).has_value();
  };
  EXPECT_TRUE(is_new([](auto& m) { m.sha = "def"; }));
  EXPECT_TRUE(is_new([](auto& m) { m.title = "fix: sign in twice"; }));
  EXPECT_TRUE(is_new([](auto& m) { m.labels = {"type::security"}; }));
  EXPECT_TRUE(is_new([](auto& m) { m.description = "why"; }));
  EXPECT_FALSE(is_new([](auto& m) { m.source_branch = "other"; }));
  const auto first = triaging.work_for("main", merge_request(), std::nullopt, kNow);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, "merge_request.triage");
  EXPECT_EQ(first->unique_key, "main/42/7");
}

TEST_F(TriagingTest, AHistoryThatIsBeingReadIsAskedAgainAndNotForEver) {
  auto triaging = room();
  answer = {true, std::nullopt};
  EXPECT_TRUE(std::holds_alternative<queue::Again>(find_out(triaging).what));
  EXPECT_TRUE(std::holds_alternative<queue::Done>(find_out(triaging, 1000).what));
  answer = {false, std::nullopt};
  EXPECT_TRUE(std::holds_alternative<queue::Done>(find_out(triaging).what));
  EXPECT_TRUE(store.triage.rows.empty());
  EXPECT_EQ(triaging.counters().unknown, 2);
}

// GitLab's API knows of a push before its repository shows it, and the other way round.
TEST_F(TriagingTest, WhatIsKnownOfAnotherCommitIsNotTakenForTheNewest) {
  auto triaging = room();
  answer.known->sha = "older";
  EXPECT_TRUE(std::holds_alternative<queue::Again>(find_out(triaging).what));
  find_out(triaging, 10);
  EXPECT_EQ(row().sha, "older");
  EXPECT_TRUE(triaging.work_for("main", merge_request(), row(), kNow)) << "still to be done";
}

TEST_F(TriagingTest, ClosedGoneAndForeignMergeRequestsAreLeftAlone) {
  auto triaging = room();
  merge_request().state = "merged";
  find_out(triaging);
  gitlab.merge_requests.clear();
  EXPECT_TRUE(std::holds_alternative<queue::Done>(find_out(triaging).what));
  store::Work other = work();
  other.payload = R"({"instance":"gone","project":42,"iid":7})";
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(triaging.find_out(other)).what));
  other.payload = "no json";
  EXPECT_TRUE(std::holds_alternative<queue::Done>(await(triaging.find_out(other)).what));
  EXPECT_EQ(questions, 0);
}

TEST_F(TriagingTest, GitlabDownIsTriedAgainLater) {
  auto triaging = room();
  gitlab.failures.emplace("merge_request", Error(Code::unavailable, "down"));
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(find_out(triaging).what));
}

// ---- Labels ----

TEST_F(TriagingTest, LabelsOfTheListAreSetAndOnlyOursTakenAway) {
  auto triaging = room({"risk::high", "risk::low", "size::small"});
  merge_request().labels = {"size::small", "mine"};
  const auto verdict = find_out(triaging);
  ASSERT_EQ(verdict.outcome.follow_up.size(), 1u);
  EXPECT_EQ(verdict.outcome.follow_up[0].kind, "merge_request.label");
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("size::small", "mine", "risk::high"));
  EXPECT_THAT(row().labels.set, ElementsAre("risk::high"));
  ASSERT_EQ(store.triage.planned.size(), 1u);
  EXPECT_EQ(store.triage.planned[0].outcome, "decided: add risk::high");
  EXPECT_EQ(store.audits.back().outcome, "done: add risk::high");
  EXPECT_EQ(store.audits.back().object, "merge request 7 of grp/demo");

  merge_request().sha = answer.known->sha = "def";
  answer.known->triage.labels = {"risk::low"};
  find_out(triaging);
  EXPECT_THAT(asked_labels, ElementsAre("size::small", "mine")) << "ours speak for nothing";
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("size::small", "mine", "risk::low"));
  EXPECT_EQ(store.audits.back().outcome, "done: add risk::low, remove risk::high");
  EXPECT_EQ(triaging.counters().labels_set, 2);
  EXPECT_EQ(triaging.counters().labels_removed, 1);
}

TEST_F(TriagingTest, WhatAPersonTookAwayOrSetStays) {
  auto triaging = room({"risk::high", "type::bugfix", "type::feature"});
  merge_request().labels = {"type::feature"};
  find_out(triaging);
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("type::feature", "risk::high")) << "its scope is a person's";
  merge_request().labels = {"type::feature"};
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("type::feature"));
  EXPECT_THAT(row().labels.declined, ElementsAre("risk::high"));
  merge_request().labels = {"risk::high"};  // now somebody wants it: hers
  answer.known->triage.labels = {};
  merge_request().sha = answer.known->sha = "def";
  find_out(triaging);
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("risk::high"));
}

TEST_F(TriagingTest, WithoutItsRecordNothingIsDone) {
  auto triaging = room({"risk::high"});
  find_out(triaging);
  store.triage.failure = Error(Code::unavailable, "disk full");
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(label(triaging).what));
  EXPECT_THAT(labels(), IsEmpty());
  EXPECT_THAT(gitlab.writes, IsEmpty());
}

// The process ended, or GitLab's answer was lost, between the record and the end of the work.
TEST_F(TriagingTest, WhatWasDecidedIsDoneOnceMoreAndIsOurs) {
  auto triaging = room({"risk::high"});
  find_out(triaging);
  gitlab.failures.emplace("change_labels", Error(Code::unavailable, "down"));
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(label(triaging).what));
  EXPECT_THAT(row().labels.adding, ElementsAre("risk::high"));
  gitlab.failures.clear();
  label(triaging);
  EXPECT_THAT(labels(), ElementsAre("risk::high"));
  EXPECT_THAT(row().labels.set, ElementsAre("risk::high"));
  EXPECT_THAT(row().labels.adding, IsEmpty());
  EXPECT_EQ(store.triage.planned.size(), 1u);
}

TEST_F(TriagingTest, ARefusalIsRecordedAndNotRepeated) {
  auto triaging = room({"risk::high"});
  find_out(triaging);
  gitlab.failures.emplace("change_labels", Error(Code::permission_denied, "403"));
  EXPECT_TRUE(std::holds_alternative<queue::Done>(label(triaging).what));
  EXPECT_TRUE(store.audits.back().outcome.starts_with("refused: "));
  EXPECT_EQ(triaging.counters().labels_refused, 1);
  gitlab.failures.clear();
  label(triaging);
  EXPECT_THAT(gitlab.writes, IsEmpty());
}

TEST_F(TriagingTest, LabelsAreLeftAloneUnlessWanted) {
  auto triaging = room();
  find_out(triaging);
  label(triaging);
  EXPECT_THAT(gitlab.writes, IsEmpty());
  EXPECT_TRUE(store.triage.planned.empty());
}

}  // namespace
}  // namespace gitaiops::triaging
