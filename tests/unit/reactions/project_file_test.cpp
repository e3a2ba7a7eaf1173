// A project's own file decides what its note holds.
#include "tests/unit/reactions/reactions_fixture.h"

namespace gitaiops::reactions {
namespace {

using Strings = std::vector<std::string>;

class ProjectFileTest : public ReactionsTest {
 protected:
  ProjectFileTest() {
    job(9, "build", "failed");
    resolve(9);
    at_pipeline();
  }
  void says(std::string text) { gitlab_.files[{42, ".gitaiops.yml"}] = std::move(text); }
};

TEST_F(ProjectFileTest, OffIsNoNote) {
  says("note: off\n");
  update();
  EXPECT_EQ(gitlab_.writes, Strings{});
}

TEST_F(ProjectFileTest, ANoteOfBeforeSaysSoOnce) {
  update();
  says("note: off\n");
  update();
  update();
  EXPECT_EQ(gitlab_.writes, (Strings{"create", "update 100"}));
  EXPECT_NE(body().find("switched off"), std::string::npos) << body();
  says("note: on\n");
  update();
  EXPECT_NE(body().find("`build` — compile error"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, TheFileOfTheTargetCounts) {
  gitlab_.merge_requests[{42, 7}].source_project_id = 43;
  gitlab_.files[{43, ".gitaiops.yml"}] = "note: off\n";
  update();
  EXPECT_EQ(gitlab_.writes, Strings{"create"});
}

TEST_F(ProjectFileTest, ReviewersThatNobodyWantsAreNotLookedFor) {
  int asked = 0;
  Options options;
  options.unwanted = {"reviewers"};
  options.reviewers = [&](std::string, gitlab::MergeRequest) -> Task<Proposal> {
    ++asked;
    Proposal proposal;
    proposal.reviewers.push_back({"ann", "Ann", "wrote most of it", ""});
    co_return proposal;
  };
  Reactions reactions(store_, clock_, {{"main", &gitlab_}}, note::Composer(), options);
  const store::Work work{
      2, 1, "note.update", "main/42/7", R"({"instance":"main","project":42,"iid":7})", 1};
  store_.apply(run(reactions.update_note(work)).outcome);
  EXPECT_EQ(asked, 0);
  says("note:\n  reviewers: on\n");
  store_.apply(run(reactions.update_note(work)).outcome);
  EXPECT_EQ(asked, 1);
  EXPECT_NE(body().find("wrote most of it"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, WithoutExplanationNoModelIsAskedAndItsWordsGo) {
  int asked = 0;
  Options options;
  options.explain = [&](const fleet::v1::JobReport&) -> std::optional<store::NewWork> {
    ++asked;
    return std::nullopt;
  };
  Reactions reactions(store_, clock_, {{"main", &gitlab_}}, note::Composer(), options);
  const store::Work work{
      2, 1, "note.update", "main/42/7", R"({"instance":"main","project":42,"iid":7})", 1};
  store_.apply(run(reactions.update_note(work)).outcome);
  EXPECT_EQ(asked, 1);
  says("note:\n  explanation: off\n");
  store_.apply(run(reactions.update_note(work)).outcome);
  EXPECT_EQ(asked, 1);
}

TEST_F(ProjectFileTest, MistakesAreToldAndTheNoteIsAsUsual) {
  says("note:\n  usages: off\n");
  update();
  EXPECT_NE(body().find("`build` — compile error"), std::string::npos) << body();
  EXPECT_NE(body().find("did you mean \"note.usage\"?"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, OneThatIsTooLargeIsToldAndOneThatMayNotBeReadIsNot) {
  gitlab_.failures.insert_or_assign(
      "file", Error{Code::invalid_argument, ".gitaiops.yml: has more than 65536 bytes"});
  update();
  EXPECT_NE(body().find("more than 65536 bytes"), std::string::npos) << body();
  gitlab_.failures.insert_or_assign("file", Error{Code::permission_denied, "403"});
  update();
  EXPECT_EQ(body().find("mistake"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, WhileItCannotBeReadTheNoteWaits) {
  gitlab_.failures.insert_or_assign("file", Error{Code::unavailable, "503"});
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(update().what));
  EXPECT_EQ(gitlab_.writes, Strings{});
}

}  // namespace
}  // namespace gitaiops::reactions
