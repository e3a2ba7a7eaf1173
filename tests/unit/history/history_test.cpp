// Mirrors of real repositories on this disk, behind a GitLab in memory.
#include "controller/history/history.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io/run_task.h"
#include "controller/history/mirror.h"
#include "controller/history/workshop.h"
#include "tests/unit/reactions/fake_gitlab.h"

namespace gitaiops::history {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr int64_t kAnn = 1, kBen = 2, kCem = 3, kDan = 4;

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    std::string name =
        (std::filesystem::temp_directory_path() / "gitaiops-history-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(folder_ / "host/grp");
    std::ofstream(folder_ / "token") << "glpat-x\n";
    ::chmod((folder_ / "token").c_str(), 0600);
    shell(
        "git init -q -b main work && git init -q --bare -b main host/grp/demo.git && "
        "git -C host/grp/demo.git config uploadpack.allowFilter true && mkdir work/lib work/doc");
    options_.folder = folder_ / "mirrors";
    options_.patience = std::chrono::seconds(30);
    gitlab::Project demo;
    demo.id = 42;
    demo.path = "grp/demo";
    demo.default_branch = "main";
    gitlab_.projects[42] = demo;
    gitlab_.people[42] = {member(kAnn, "ann", "Ann Lee"), member(kBen, "ben", "Ben Ode"),
                          member(kCem, "cem", "Cem Dal"), member(kDan, "dan", "Dan Eld")};
  }
  ~HistoryTest() override {
    history_.reset();
    std::filesystem::remove_all(folder_);
  }
  static gitlab::Member member(int64_t id, std::string username, std::string name) {
    return {{id, std::move(username), std::move(name)}, true, gitlab::kDeveloper};
  }
  void shell(const std::string& script) {
    const auto command = "cd '" + folder_.string() +
                         "' && export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 && " +
                         script;
    ASSERT_EQ(std::system(command.c_str()), 0) << script;
  }
  // A commit on the branch that is checked out.
  void commit(const std::string& file, const std::string& author, const std::string& trailer) {
    const auto number = std::to_string(++number_);
    shell("cd work && echo " + number + " > " + file +
          " && git add . && git -c user.name=x -c user.email=x@x.example commit -q --author '" +
          author + "' -m " + number + " -m '" + trailer + "'");
  }
  void push(const std::string& refs = "+main:main") {
    shell("cd work && git push -q ../host/grp/demo.git " + refs);
  }
  void reviewed_past() {
    for (int i = 0; i < 4; ++i)
      commit("lib/a.c", "Ann Lee <ann@a.example>", "Reviewed-by: Ben Ode <ben@b.example>");
    for (int i = 0; i < 3; ++i)
      commit("doc/a.md", "Ann Lee <ann@a.example>", "Reviewed-by: Cem Dal <cem@c.example>");
    commit("lib/b.c", "Ann Lee <ann@a.example>", "Reviewed-by: Dan Eld <dan@d.example>");
    push();
  }
  gitlab::MergeRequest merge_request(const std::string& from = "main") {
    shell("cd work && git checkout -q -B topic " + from);
    commit("lib/c.c", "Ann Lee <ann@a.example>", "for review");
    push("topic:refs/merge-requests/7/head");
    shell("cd work && git checkout -q main");
    gitlab::MergeRequest out;
    out.iid = 7;
    out.project_id = 42;
    out.state = "opened";
    out.sha = "first";
    out.target_branch = "main";
    out.author = {kAnn, "ann", "Ann Lee"};
    return out;
  }
  void open() {
    auto opened = History::open(
        options_,
        {{"main", {&gitlab_, "file://" + (folder_ / "host").string(), folder_ / "token", {}}}},
        clock_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    history_ = std::move(*opened);
  }
  Answer ask(gitlab::MergeRequest merge_request) {
    if (!history_) open();
    asio::io_context loop;
    spawn(loop.get_executor(), "history", history_->run());
    auto answer = run_task(loop, history_->reviewers_of("main", std::move(merge_request)));
    history_->stop();
    loop.restart();
    loop.run();
    EXPECT_TRUE(answer.ok()) << answer.error().to_string();
    return answer.ok() ? *answer : Answer();
  }
  // The same of a triage; the history stays open.
  Assessed triage(gitlab::MergeRequest merge_request) {
    options_.triage = triage::Rules::usual();
    if (!history_) open();
    asio::io_context loop;
    spawn(loop.get_executor(), "history", history_->run());
    auto answer = run_task(loop, history_->triage_of("main", std::move(merge_request)));
    history_->stop();
    loop.restart();
    loop.run();
    EXPECT_TRUE(answer.ok()) << answer.error().to_string();
    return answer.ok() ? *answer : Assessed();
  }
  static std::vector<std::string> names(const Answer& answer) {
    std::vector<std::string> out;
    for (const auto& one : answer.reviewers) out.push_back(one.username);
    return out;
  }

  std::filesystem::path folder_;
  gitlab::FakeGitlab gitlab_;
  FakeClock clock_{1'800'000'000'000'000};
  Options options_;
  std::unique_ptr<History> history_;
  int number_ = 0;
};

TEST_F(HistoryTest, AMergeRequestsReviewersWithTheirReasons) {
  reviewed_past();
  const auto answer = ask(merge_request());
  EXPECT_FALSE(answer.pending);
  EXPECT_THAT(names(answer), ElementsAre("ben", "cem", "dan"));
  EXPECT_THAT(answer.reviewers.at(0).reason, HasSubstr("gave 4 of the last 5 reviews in lib"));
  EXPECT_EQ(answer.reviewers.at(0).place, "lib");
  EXPECT_EQ(answer.reviewers.at(0).name, "Ben Ode");
}

TEST_F(HistoryTest, TheMirrorHasNoFilesContentsAndNoToken) {
  reviewed_past();
  ask(merge_request());
  const auto mirror = Shelf(options_.folder).place("main", 42);
  shell("test \"$(git -C " + mirror.string() +
        " cat-file --batch-all-objects --batch-check='%(objecttype)' | grep -c blob)\" = 0");
  shell("! grep -r glpat- " + mirror.string() + " && ! grep -r oauth2 " + mirror.string());
  EXPECT_EQ(
      std::filesystem::status(options_.folder).permissions() & std::filesystem::perms::others_all,
      std::filesystem::perms::none);
}

TEST_F(HistoryTest, OnlyActiveMembersWithRightsWhoHaveTime) {
  reviewed_past();
  const auto request = merge_request();
  gitlab_.people[42][1].access_level = 20;  // Ben reports only
  gitlab_.people[42][3].active = false;     // Dan is blocked
  EXPECT_THAT(names(ask(request)), ElementsAre("cem"));
  history_.reset();
  gitlab_.people[42][1].access_level = 40;
  gitlab_.people[42][3].active = true;
  gitlab_.busy = {kBen};
  gitlab_.waiting_reviews[kCem] = 8;
  gitlab_.waiting_reviews[kDan] = 1;
  const auto answer = ask(request);
  EXPECT_THAT(names(answer), ElementsAre("dan"));
  EXPECT_THAT(answer.reviewers.at(0).reason, HasSubstr(", 1 open review"));
}

TEST_F(HistoryTest, WhoeverWroteTheCommitsDoesNotReviewThem) {
  reviewed_past();
  shell("cd work && git checkout -q -b topic");
  commit("lib/c.c", "Ben Ode <ben@b.example>", "x");
  EXPECT_THAT(names(ask(merge_request("topic"))), UnorderedElementsAre("dan", "cem"));
}

TEST_F(HistoryTest, NewCommitsAreReadOnAndARewrittenHistoryAnew) {
  reviewed_past();
  auto request = merge_request();
  EXPECT_EQ(names(ask(request)).at(0), "ben");
  for (int i = 0; i < 40; ++i)
    commit("lib/a.c", "Ann Lee <ann@a.example>", "Reviewed-by: Cem Dal <cem@c.example>");
  push();
  history_.reset();  // as after a restart
  request.sha = "second";
  EXPECT_EQ(names(ask(request)).at(0), "cem");
  shell("cd work && git reset -q --hard HEAD~40");
  commit("lib/z.c", "Ann Lee <ann@a.example>", "Reviewed-by: Ben Ode <ben@b.example>");
  push();
  history_.reset();
  request.sha = "third";
  EXPECT_EQ(names(ask(request)).at(0), "ben");
}

TEST_F(HistoryTest, AnEmptyRepositoryAndAMissingOneNameNobody) {
  gitlab_.projects[42].default_branch = "";
  gitlab::MergeRequest request;
  request.iid = 7;
  request.project_id = 42;
  request.state = "opened";
  EXPECT_THAT(ask(request).reviewers, IsEmpty());
  history_.reset();
  gitlab_.projects[42].default_branch = "main";
  gitlab_.projects[42].path = "grp/gone";
  request.target_branch = "main";
  const auto answer = ask(request);
  EXPECT_THAT(answer.reviewers, IsEmpty());
  EXPECT_EQ(history_->counters().failed, 1u);
}

TEST_F(HistoryTest, WhoeverHasToApproveComesFirst) {
  shell("cd work && printf '[Libs]\\n/lib/ @cem\\n^[Docs]\\n* @dan\\n' > CODEOWNERS");
  reviewed_past();
  const auto request = merge_request();
  const auto answer = ask(request);
  EXPECT_THAT(names(answer), ElementsAre("cem", "ben", "dan"));
  EXPECT_THAT(answer.reviewers.at(0).reason, testing::StartsWith("code owner, gave 3 of"));
}

TEST_F(HistoryTest, OwnersAreGroupsRolesAndPeopleWithoutAHistoryToo) {
  shell(
      "cd work && mkdir .gitlab && printf '/lib/ @grp/team\\n[Roles]\\n*.c @@maintainers\\n' > "
      ".gitlab/CODEOWNERS");
  reviewed_past();
  gitlab_.people[42].push_back(member(5, "eve", "Eve Fay"));
  gitlab_.people[42].push_back(member(6, "max", "Max Gil"));
  gitlab_.people[42].back().access_level = 40;
  gitlab_.groups["grp/team"] = {member(5, "eve", "Eve Fay"), member(9, "out", "Out Sider")};
  const auto answer = ask(merge_request());
  EXPECT_THAT(names(answer), ElementsAre("eve", "max", "ben"));
  EXPECT_EQ(answer.reviewers.at(0).reason, "code owner of /lib/");
  EXPECT_EQ(answer.reviewers.at(0).place, "/lib/");
}

// Where nobody writes trailers: by the merge commit's words, and by the head that was merged.
TEST_F(HistoryTest, ReviewersThatGitLabKnowsCount) {
  commit("doc/a.md", "Ann Lee <ann@a.example>", "x");
  shell("cd work && git checkout -q -b change");
  commit("lib/a.c", "Ann Lee <ann@a.example>", "x");
  shell(
      "cd work && git checkout -q main && git -c user.name='Ann Lee' -c user.email=ann@a.example "
      "merge -q --no-ff change -m 'Merge' -m 'See merge request grp/demo!3'");
  push();
  gitlab::MergeRequest merged;
  merged.iid = 3;
  merged.state = "merged";
  merged.author = {kAnn, "ann", "Ann Lee"};
  merged.reviewers = {{kDan, "dan", "Dan Eld"}, {kAnn, "ann", "Ann Lee"}};
  gitlab_.changed[42] = {merged};
  const auto answer = ask(merge_request());
  EXPECT_THAT(names(answer), ElementsAre("dan"));
  EXPECT_THAT(answer.reviewers.at(0).reason, HasSubstr("gave 1 of the last 1 reviews in lib"));
}

TEST_F(HistoryTest, WhoWasTheWrongOneIsNotProposedAgain) {
  reviewed_past();
  const auto request = merge_request();
  std::vector<Wrong> told = {{7, kBen}, {1, kCem}, {2, kCem}};
  options_.wrong = [&](std::string, int64_t) -> Task<std::vector<Wrong>> { co_return told; };
  EXPECT_THAT(names(ask(request)), ElementsAre("cem", "dan"));
  history_.reset();
  told.push_back({3, kCem});  // a third merge request: elsewhere, too
  EXPECT_THAT(names(ask(request)), ElementsAre("dan"));
}

TEST_F(HistoryTest, AMergeRequestAmongTheChangesOfItsProject) {
  for (int i = 0; i < 30; ++i) commit("lib/a.c", "Ann Lee <ann@a.example>", "x");
  push();
  shell("cd work && git checkout -q -b topic && mkdir -p lib/auth && seq 300 > lib/auth/login.c");
  auto request = merge_request("topic");
  request.title = "Draft: fix(auth): sign in twice";
  const auto answer = triage(request);
  ASSERT_TRUE(answer.known);
  const auto& t = answer.known->triage;
  ASSERT_TRUE(t.size && t.size->lines && t.size->percentile && t.risk && t.kind && t.effort);
  EXPECT_EQ(t.size->lines->added, 301);
  EXPECT_EQ(t.size->files, 2);
  EXPECT_GT(*t.size->percentile, 95);
  EXPECT_EQ(t.kind->type, triage::Type::bugfix);
  EXPECT_TRUE(t.kind->said);
  ASSERT_EQ(t.required_reviews.size(), 1u);
  EXPECT_EQ(t.required_reviews[0].area, "security");
  EXPECT_THAT(t.required_reviews[0].files, ElementsAre("lib/auth/login.c"));
  EXPECT_THAT(answer.known->basis, HasSubstr("this project"));
  shell("test \"$(git -C " + Shelf(options_.folder).place("main", 42).string() +
        " rev-parse refs/merge-requests/7/head)\" = " + answer.known->sha);
}

TEST_F(HistoryTest, ARiskModelIsLearntAgainOnlyWhenMuchIsNew) {
  for (int i = 0; i < 3; ++i) commit("lib/a.c", "Ann Lee <ann@a.example>", "x");
  push();
  const auto request = merge_request();
  EXPECT_TRUE(triage(request).known);
  EXPECT_EQ(history_->counters().trained, 1u);
  const auto file = Shelf(options_.folder).place("main", 42) / "gitaiops-risk";
  history_.reset();  // as after a restart
  EXPECT_TRUE(triage(request).known);
  EXPECT_EQ(history_->counters().trained, 0u);
  std::ofstream(file) << "of 3 commits\nno model";
  history_.reset();
  EXPECT_TRUE(triage(request).known);
  EXPECT_EQ(history_->counters().trained, 1u);
  shell(
      "cd work && for i in $(seq 250); do echo $i > lib/b.c; git add lib/b.c; git -c user.name=x "
      "-c user.email=x@x.example commit -q -m $i; done");
  push();
  history_.reset();
  EXPECT_TRUE(triage(request).known);
  EXPECT_EQ(history_->counters().trained, 1u);
}

TEST_F(HistoryTest, AMergeRequestWithNothingInCommonIsLeftAlone) {
  reviewed_past();
  shell("cd work && git checkout -q --orphan topic && git rm -q -rf . && mkdir lib");
  commit("lib/c.c", "Ann Lee <ann@a.example>", "x");
  const auto request = merge_request("topic");
  const auto answer = triage(request);
  EXPECT_FALSE(answer.known);
  EXPECT_FALSE(answer.pending);
  EXPECT_EQ(history_->counters().failed, 0u);
}

// The mirror had no contents, or need not have them any more: it is made anew.
TEST_F(HistoryTest, MirrorsHaveContentsWhereChangesAreTriaged) {
  reviewed_past();
  const auto request = merge_request();
  const auto blobs = "git -C " + Shelf(options_.folder).place("main", 42).string() +
                     " cat-file --batch-all-objects --batch-check='%(objecttype)' | grep -c blob";
  EXPECT_THAT(names(ask(request)), Not(IsEmpty()));
  history_.reset();
  EXPECT_TRUE(triage(request).known);
  shell("test \"$(" + blobs + ")\" -gt 5");
  history_.reset();
  options_.triage.reset();
  EXPECT_THAT(names(ask(request)), Not(IsEmpty()));
  shell("test \"$(" + blobs + ")\" = 0");
}

TEST_F(HistoryTest, AClosedMergeRequestAsksNobody) {
  reviewed_past();
  auto request = merge_request();
  request.state = "merged";
  EXPECT_THAT(ask(request).reviewers, IsEmpty());
}

TEST(BranchNames, WhatGitAllows) {
  for (const auto* name : {"main", "feature/a-b_c", "v1.2", "über", "a@b"})
    EXPECT_TRUE(is_branch_name(name)) << name;
  for (const auto* name :
       {"",   "-x",   "/a", "a/",    "a..b",   "a b", "a~1",  "a^",   "a:b", "a?",  "a*",
        "a[", "a\\b", "@",  "a@{1}", "a.lock", ".a",  "a/.b", "a//b", "a.",  "a\nb"})
    EXPECT_FALSE(is_branch_name(name)) << name;
}

TEST(Shelf, TheLongestUnusedGoFirst) {
  std::string name = (std::filesystem::temp_directory_path() / "gitaiops-shelf-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const Shelf shelf(folder);
  for (int64_t id = 1; id <= 3; ++id) {
    const auto place = shelf.place("main", id);
    std::filesystem::create_directories(place);
    std::ofstream(place / "pack") << std::string(1000, 'x');
    shelf.used(place);
    std::filesystem::last_write_time(
        place / "gitaiops-used",
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(10 - id));
  }
  const auto swept = shelf.sweep(1500, shelf.place("main", 1));
  EXPECT_EQ(swept.removed, 2u);
  EXPECT_EQ(swept.bytes, 1000u);
  EXPECT_TRUE(std::filesystem::exists(shelf.place("main", 1)));
  std::filesystem::remove_all(folder);
}

TEST(Accounts, ByFullNameOrAddress) {
  const triage::People::Known known{{"Ann Lee", "annie"},
                                    {"ann@a.example", "7-al@users.noreply.x"}};
  EXPECT_TRUE(is_same(known, {1, "whatever", "ANN LEE"}));
  EXPECT_TRUE(is_same(known, {7, "al", "A"}));
  EXPECT_FALSE(is_same(known, {8, "al", "annie"}));
  EXPECT_TRUE(is_likely(known, {9, "Ann", ""}));
  EXPECT_FALSE(is_likely(known, {9, "", ""}));
}

}  // namespace
}  // namespace gitaiops::history
