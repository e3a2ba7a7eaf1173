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
  project_files::ProjectFiles files_{
      store_, [this](const store::ProjectFile& of, std::vector<scanner::Ignore> ignores) {
        lived_with_[of.instance + " " + of.project_path] = std::move(ignores);
      }};
  std::map<std::string, std::vector<scanner::Ignore>> lived_with_;
  Options options() {
    Options out;
    out.project_files = &files_;
    return out;
  }
  // As ReactionsTest::update(), with the project's own file.
  queue::Verdict update() { return update(options()); }
  queue::Verdict update(Options options) {
    Reactions reactions(store_, clock_, {{"main", &gitlab_}}, note::Composer(), std::move(options));
    auto verdict = run(reactions.update_note(
        {2, 1, "note.update", "main/42/7", R"({"instance":"main","project":42,"iid":7})", 1}));
    store_.apply(verdict.outcome);
    return verdict;
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
  Options options = this->options();
  options.unwanted = {"reviewers"};
  options.reviewers = [&](std::string, gitlab::MergeRequest) -> Task<Proposal> {
    ++asked;
    Proposal proposal;
    proposal.reviewers.push_back({"ann", "Ann", "wrote most of it", ""});
    co_return proposal;
  };
  update(options);
  EXPECT_EQ(asked, 0);
  says("note:\n  reviewers: on\n");
  update(options);
  EXPECT_EQ(asked, 1);
  EXPECT_NE(body().find("wrote most of it"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, WithoutExplanationNoModelIsAskedAndItsWordsGo) {
  int asked = 0;
  Options options = this->options();
  options.explain = [&](const fleet::v1::JobReport&) -> std::optional<store::NewWork> {
    ++asked;
    return std::nullopt;
  };
  update(options);
  EXPECT_EQ(asked, 1);
  says("note:\n  explanation: off\n");
  update(options);
  EXPECT_EQ(asked, 1);
}

TEST_F(ProjectFileTest, MistakesAreToldAndTheNoteIsAsUsual) {
  says("note:\n  usages: off\n");
  update();
  EXPECT_NE(body().find("`build` — compile error"), std::string::npos) << body();
  EXPECT_NE(body().find("did you mean \"note.usage\"?"), std::string::npos) << body();
}

TEST_F(ProjectFileTest, WhatCannotBeReadSaysNothingNew) {
  says("note:\n  explanation: off\nignore:\n  - {id: CVE-1, reason: known}\n");
  update();
  EXPECT_FALSE(files_.may_ask_models("main", 42));
  const auto stands = [&] {
    update();
    return !files_.may_ask_models("main", 42) && lived_with_["main grp/demo"].size() == 1;
  };
  says(std::string(project_file::kMaxBytes + 1, '#'));
  EXPECT_TRUE(stands());
  EXPECT_NE(body().find("more than 64 KiB"), std::string::npos) << body();
  says("note: [\n");
  EXPECT_TRUE(stands());
  EXPECT_NE(body().find("cannot be read as YAML"), std::string::npos) << body();
  for (const auto code : {Code::permission_denied, Code::invalid_argument}) {
    gitlab_.failures.insert_or_assign("file", Error{code, "no"});
    EXPECT_TRUE(stands());
    EXPECT_EQ(body().find("mistake"), std::string::npos) << body();
  }
  EXPECT_EQ(store_.kept_files.size(), 1u);
  gitlab_.failures.clear();
  gitlab_.files.clear();
  update();
  EXPECT_TRUE(files_.may_ask_models("main", 42)) << "it has none any more";
}

TEST_F(ProjectFileTest, WhereItCouldNeverBeReadNoModelIsAsked) {
  EXPECT_TRUE(files_.may_ask_models("main", 42));
  gitlab_.failures.insert_or_assign("file", Error{Code::permission_denied, "403"});
  int asked = 0;
  Options options = this->options();
  options.explain = [&](const fleet::v1::JobReport&) -> std::optional<store::NewWork> {
    ++asked;
    return std::nullopt;
  };
  update(options);
  EXPECT_EQ(asked, 0);
  EXPECT_FALSE(files_.may_ask_models("main", 42));
  gitlab_.failures.clear();
  update(options);
  EXPECT_EQ(asked, 1);
}

TEST_F(ProjectFileTest, LineEndsOfOtherMachinesOutliveARestart) {
  says("\xEF\xBB\xBFignore:\r\n  - id: CVE-1\r\n    reason: known\r\n");
  update();
  ASSERT_EQ(lived_with_["main grp/demo"].size(), 1u);
  lived_with_.clear();
  EXPECT_TRUE(run(files_.load()).ok());
  ASSERT_EQ(lived_with_["main grp/demo"].size(), 1u);
  EXPECT_EQ(lived_with_["main grp/demo"][0].reason, "known");
}

TEST_F(ProjectFileTest, WhatAProjectLivesWithIsKeptAndItsOtherNotesAreTold) {
  says("ignore:\n  - {id: CVE-1, reason: known}\n");
  update();
  ASSERT_EQ(lived_with_["main grp/demo"].size(), 1u);
  EXPECT_EQ(lived_with_["main grp/demo"][0].id, "CVE-1");
  ASSERT_EQ(store_.kept_with_files.size(), 1u) << "in one transaction with the file";
  EXPECT_EQ(store_.kept_with_files[0].kind, "notes.refresh");
  EXPECT_EQ(store_.kept_with_files[0].unique_key, "main/42");
  update();
  EXPECT_EQ(store_.kept_with_files.size(), 1u) << "nothing is new";
  EXPECT_EQ(store_.kept_files.size(), 1u);

  // After a restart, without GitLab.
  lived_with_.clear();
  EXPECT_TRUE(run(files_.load()).ok());
  EXPECT_EQ(lived_with_["main grp/demo"].size(), 1u);

  gitlab_.files.clear();
  update();
  EXPECT_TRUE(lived_with_["main grp/demo"].empty());
  EXPECT_EQ(store_.kept_files.back().text, "");
}

TEST_F(ProjectFileTest, GuidelinesForWhatIsTouchedAreNamed) {
  gitlab_.files[{42, ".gitlab/duo/mr-review-instructions.yaml"}] =
      "instructions:\n"
      "  - {name: Schema, fileFilters: [\"db/**\"], instructions: Every table has a key}\n"
      "  - {name: Pages, fileFilters: [\"web/**\"], instructions: Works without a mouse}\n";
  says("guidelines:\n  - {name: Names, text: Say what it is}\n");
  gitlab_.touched = {{"db/a.sql", "db/a.sql", ""}, {"main.cpp", "main.cpp", ""}};
  update();
  EXPECT_NE(body().find("Guidelines for what it touches: `Names`, `Schema`\n"), std::string::npos)
      << body();
  EXPECT_NE(body().find("| Every table has a key"), std::string::npos) << body();
  EXPECT_EQ(body().find("mouse"), std::string::npos) << body();
  update();
  EXPECT_EQ(gitlab_.asked_for_diffs, 1) << "of one commit once";

  gitlab_.merge_requests[{42, 7}].sha = "def";
  gitlab_.failures.insert_or_assign("diffs", Error{Code::internal, "too long"});
  update();
  EXPECT_EQ(body().find("Guidelines"), std::string::npos) << body();
  says("note:\n  guidelines: off\n");
  gitlab_.failures.clear();
  update();
  EXPECT_EQ(gitlab_.asked_for_diffs, 1);
}

TEST_F(ProjectFileTest, WhileItCannotBeReadTheNoteWaits) {
  gitlab_.failures.insert_or_assign("file", Error{Code::unavailable, "503"});
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(update().what));
  EXPECT_EQ(gitlab_.writes, Strings{});
}

}  // namespace
}  // namespace gitaiops::reactions
