// What a merge request changes in what its project depends on reaches its note.
#include "controller/dependencies/dependencies.h"

#include "controller/reactions/decide.h"
#include "tests/unit/reactions/reactions_fixture.h"

namespace gitaiops::reactions {
namespace {

using store::Found;

Found found(std::string package, std::string advisory, std::string version = "1.0.0") {
  Found f;
  f.ecosystem = "npm";
  f.package = std::move(package);
  f.version = std::move(version);
  f.advisory = std::move(advisory);
  f.severity = 4;
  return f;
}

std::vector<std::string> names(const std::vector<Found>& all) {
  std::vector<std::string> out;
  for (const auto& one : all) out.push_back(one.package + " " + one.version + " " + one.advisory);
  return out;
}

using Names = std::vector<std::string>;

TEST(Compare, AnotherVersionOrNameIsTheSameVulnerability) {
  auto renamed = found("qs", "CVE-1", "6.0.0");
  renamed.aliases = {"GHSA-1"};
  const auto kept = dependencies::compare({found("qs", "GHSA-1")}, {renamed});
  EXPECT_TRUE(kept.added.empty());
  EXPECT_TRUE(kept.removed.empty());
  const auto other = dependencies::compare({found("qs", "GHSA-1")}, {found("qs", "GHSA-2")});
  EXPECT_EQ(names(other.added), Names{"qs 1.0.0 GHSA-2"});
  EXPECT_EQ(names(other.removed), Names{"qs 1.0.0 GHSA-1"});
}

TEST(Compare, OneOfAnotherPackageIsAnother) {
  auto same_name = found("qs", "GHSA-1");
  same_name.ecosystem = "PyPI";
  EXPECT_EQ(dependencies::compare({found("qs", "GHSA-1")}, {same_name, found("ws", "GHSA-1")})
                .added.size(),
            2u);
}

TEST(Compare, TwoVersionsOfAPackageAreOne) {
  EXPECT_EQ(
      names(
          dependencies::compare({}, {found("qs", "GHSA-1", "2.0.0"), found("qs", "GHSA-1")}).added),
      Names{"qs 2.0.0 GHSA-1"});
}

class DependenciesTest : public ReactionsTest {
 protected:
  DependenciesTest() {
    auto& mr = gitlab_.merge_requests[{42, 7}];
    mr.target_branch = "main";
    mr.base_sha = "base";
    mr.head_pipeline->status = "success";
    job(9, "build", "success");
    at_pipeline();
  }
  void matched(int64_t n, std::string ref, std::string commit, std::vector<Found> all,
               std::string path = "grp/demo") {
    store::Matched m;
    m.n = n;
    m.project_path = std::move(path);
    m.ref = std::move(ref);
    m.commit_sha = std::move(commit);
    m.job_id = 9;
    m.found = std::move(all);
    store_.vulnerable.matched.push_back(std::move(m));
  }
};

TEST_F(DependenciesTest, ANewOneMakesANoteAndItsEndIsTold) {
  matched(1, "main", "base", {found("old", "GHSA-0")});
  matched(2, "topic", "abc", {found("old", "GHSA-0"), found("lodash", "GHSA-1")});
  store_.vulnerable.changes[{1, 2}].added = 1;
  update();
  EXPECT_EQ(gitlab_.writes, std::vector<std::string>{"create"});
  EXPECT_NE(body().find("1 new vulnerability against `main` (1 high); packages: 1 added."),
            std::string::npos)
      << body();
  EXPECT_EQ(body().find("`old"), std::string::npos) << body();
  update();
  EXPECT_EQ(gitlab_.writes.size(), 1u) << "nothing is new";
  matched(3, "topic", "abc", {found("old", "GHSA-0")});
  update();
  EXPECT_EQ(gitlab_.writes.size(), 2u);
  EXPECT_EQ(gitlab_.all_notes.size(), 1u);
  EXPECT_NE(body().find("no new vulnerability against `main`."), std::string::npos) << body();
}

TEST_F(DependenciesTest, TheMergeRequestsOwnRefsCount) {
  matched(1, "main", "base", {});
  matched(2, "topic", "old", {});
  matched(3, "refs/merge-requests/7/merge", "fff", {found("lodash", "GHSA-1")});
  update();
  EXPECT_NE(body().find("1 new vulnerability against `main` (1 high), as of commit `fff`."),
            std::string::npos)
      << body();
}

TEST_F(DependenciesTest, WithoutAnInventoryOfTheTargetNobodyIsBlamed) {
  matched(2, "topic", "abc", {found("lodash", "GHSA-1")});
  update();
  EXPECT_TRUE(gitlab_.writes.empty());
}

// The target got rid of it after the branch began.
TEST_F(DependenciesTest, ABranchThatIsBehindBringsNothing) {
  matched(1, "main", "later", {});
  matched(2, "topic", "abc", {found("lodash", "GHSA-1")});
  store_.vulnerable.of_commit["base"] = 5;
  store_.vulnerable.packages[5] = {found("lodash", "GHSA-1")};
  update();
  EXPECT_TRUE(gitlab_.writes.empty()) << body();
  store_.vulnerable.packages[5] = {found("lodash", "GHSA-1", "2.0.0")};
  update();
  EXPECT_EQ(gitlab_.writes.size(), 1u) << "the branch changed the version to a bad one";
}

TEST_F(DependenciesTest, AForksInventoryIsToldOnlyWhereItsAgentMaySpeak) {
  gitlab::Project fork;
  fork.id = 43;
  fork.path = "who/demo";
  fork.forked_from_id = 42;
  fork.visibility = gitlab::Visibility::private_;
  gitlab_.projects[43] = fork;
  gitlab_.merge_requests[{42, 7}].source_project_id = 43;
  matched(1, "main", "base", {});
  matched(2, "topic", "abc", {found("lodash", "GHSA-1")}, "who/demo");
  update();
  EXPECT_TRUE(gitlab_.writes.empty()) << "nothing says that the job ran for this merge request";
  store_.jobs_by_id["job-9"].gitlab.emplace().merge_request = store::MergeRequestKey{"main", 42, 7};
  update();
  EXPECT_EQ(gitlab_.writes.size(), 1u);
}

TEST_F(DependenciesTest, WhatIsAcceptedMakesNoNote) {
  dependencies::Accepted accepted(
      {{{{"main", "grp/demo"}}, {"GHSA-1", "lodash", "only in tests", ""}}}, {});
  Options options;
  options.accepted = &accepted;
  Reactions reactions(store_, clock_, {{"main", &gitlab_}}, note::Composer(), options);
  matched(1, "main", "base", {});
  matched(2, "topic", "abc", {found("lodash", "GHSA-1")});
  const store::Work work{
      2, 1, "note.update", "main/42/7", R"({"instance":"main","project":42,"iid":7})", 1};
  run(reactions.update_note(work));
  EXPECT_TRUE(gitlab_.writes.empty()) << body();
  matched(3, "topic", "abc", {found("lodash", "GHSA-1"), found("ws", "GHSA-2")});
  run(reactions.update_note(work));
  EXPECT_NE(body().find("1 new vulnerability against `main` (1 high); 1 accepted."),
            std::string::npos)
      << body();
  EXPECT_NE(body().find("`only in tests`"), std::string::npos);
}

TEST_F(DependenciesTest, ACheckoutWithSomethingBadConcernsItsMergeRequest) {
  const auto work =
      work_for({{1, "inventory.matched", "main", 42, "job-9", {}}}, UnixMicros{1'000'000});
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].kind, "job.resolve");
  matched(1, "topic", "abc", {});
  resolve(9);
  EXPECT_TRUE(waiting().empty()) << "nothing bad is in it";
  matched(2, "topic", "abc", {found("lodash", "GHSA-1")});
  resolve(9);
  EXPECT_EQ(waiting(), std::vector<std::string>{"note.update main/42/7"});
}

TEST_F(DependenciesTest, AnAdvisoryBringsTheNotesOfOpenMergeRequestsUpToDate) {
  const auto work = work_for({{1, "vulnerability.found", "main", 42, "grp/demo", {}},
                              {2, "vulnerability.found", "main", 0, "grp/unknown", {}}},
                             UnixMicros{1'000'000});
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].kind, "notes.refresh");
  EXPECT_EQ(work[0].unique_key, "main/42");
  EXPECT_EQ(work[0].priority, 2);
  auto merged = gitlab_.merge_requests[{42, 7}];
  merged.iid = 8;
  merged.state = "merged";
  gitlab_.merge_requests[{42, 8}] = merged;
  store_.vulnerable.noted = {
      {"main", 42, 7}, {"main", 42, 8}, {"main", 42, 9}};  // 9 was deleted at GitLab
  auto verdict = run(reactions_.refresh_notes({3, 1, work[0].kind, "", work[0].payload, 1}));
  ASSERT_EQ(verdict.outcome.follow_up.size(), 1u);
  EXPECT_EQ(verdict.outcome.follow_up[0].unique_key, "main/42/7");
  gitlab_.failures.emplace("merge_request", Error{Code::unavailable, "down"});
  verdict = run(reactions_.refresh_notes({3, 1, work[0].kind, "", work[0].payload, 1}));
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(verdict.what));
  EXPECT_TRUE(verdict.outcome.follow_up.empty());
}

}  // namespace
}  // namespace gitaiops::reactions
