// What one ref depends on and another does not, and who is to be told of it.
#include <gmock/gmock.h>

#include "base/zstd/zstd.h"
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Versions = std::vector<std::pair<std::string, std::string>>;  // package, version

Found found(std::string package, std::string version, double risk = 10) {
  Found f;
  f.ecosystem = "npm";
  f.package = std::move(package);
  f.version = std::move(version);
  f.advisory = "GHSA-" + f.package;
  f.risk = risk;
  return f;
}

class DependencyChanges : public StoreConformance {
 protected:
  // A job's checkout, which GitLab says is of `ref` (empty: not yet); what was found in it.
  int64_t commit(int64_t job, char sha, const std::string& ref, const Versions& packages,
                 std::vector<Found> all, const std::string& path = "grp/demo") {
    fleet::v1::Inventory inventory;
    auto& set = *inventory.add_sets();
    set.set_ecosystem("npm");
    for (const auto& [name, version] : packages) {
      auto& package = *set.add_packages();
      package.set_name(name);
      package.set_version(version);
    }
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    auto& report = *envelope.mutable_inventory_report();
    *report.mutable_key() = key(job, path, 7);
    report.set_commit_sha(std::string(40, sha));
    report.set_content_hash(std::string(64, sha));
    report.set_inventory_zstd(zstd::compress(inventory.SerializeAsString()));
    EXPECT_TRUE(accept(agent_, envelope).ok());
    if (!ref.empty()) {
      EXPECT_TRUE(accept(agent_, reported(++seq_, key(job, path, 7))).ok());
      GitlabFacts facts;
      facts.ref = ref;
      facts.sha = std::string(40, sha);
      facts.status = "success";
      EXPECT_TRUE(await(store->set_gitlab_facts(job_of(job).id, 7, facts)).ok());
    }
    const auto waiting = await(vulnerabilities().unmatched("A", 0)).value();
    EXPECT_TRUE(waiting);
    if (!waiting) return 0;
    EXPECT_TRUE(await(vulnerabilities().keep_match(waiting->n, "A", std::move(all), kNow)).ok());
    return waiting->n;
  }
  Vulnerabilities& vulnerabilities() { return store->vulnerabilities(); }
  std::optional<Matched> newest(std::vector<RefOf> refs, Scope scope = everything()) {
    return await(vulnerabilities().newest_match(scope, "gl", std::move(refs))).value();
  }
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& event : events())
      if (event.type == "inventory.matched") out.push_back(event.subject);
    return out;
  }

  const std::string agent_ = enroll(everything());
  uint64_t seq_ = 0;
};

TEST_P(DependencyChanges, TheNewestOfSeveralRefsWithTheRiskiestFirst) {
  commit(1, 'a', "topic", {}, {found("old", "1")});
  const auto n =
      commit(2, 'b', "refs/merge-requests/7/head", {}, {found("qs", "1", 5), found("ws", "1", 50)});
  commit(3, 'c', "main", {}, {});
  const auto got = newest({{"grp/demo", "topic"}, {"grp/demo", "refs/merge-requests/7/head"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->n, n);
  EXPECT_EQ(got->commit_sha, std::string(40, 'b'));
  EXPECT_EQ(got->project_id, 7);
  EXPECT_EQ(got->job_id, 2);
  ASSERT_EQ(got->found.size(), 2u);
  EXPECT_EQ(got->found[0], found("ws", "1", 50));
  EXPECT_THAT(newest({{"grp/demo", "main"}})->found, IsEmpty());
  EXPECT_FALSE(newest({{"grp/demo", "gone"}}));
  EXPECT_FALSE(newest({{"grp/demo", "topic"}}, scope_of("grp/other"))) << "not for this reader";
}

TEST_P(DependencyChanges, PackagesAreCountedByName) {
  const auto before = commit(1, 'a', "main", {{"kept", "1"}, {"up", "1"}, {"gone", "1"}}, {});
  const auto after = commit(
      2, 'b', "topic", {{"kept", "1"}, {"up", "2"}, {"up", "3"}, {"new", "1"}, {"too", "1"}}, {});
  const auto changes = await(vulnerabilities().package_changes(before, after)).value();
  EXPECT_EQ(changes.added, 2);
  EXPECT_EQ(changes.removed, 1);
  EXPECT_EQ(changes.changed, 1);
  EXPECT_THAT(changes.listed, ElementsAre(PackageChange{"npm", "gone", {"1"}, {}},
                                          PackageChange{"npm", "new", {}, {"1"}},
                                          PackageChange{"npm", "too", {}, {"1"}},
                                          PackageChange{"npm", "up", {"1"}, {"2", "3"}}));
  EXPECT_THAT(await(vulnerabilities().package_changes(after, after))->listed, IsEmpty());
  EXPECT_EQ(await(vulnerabilities().package_changes(before, 999)).error().code(), Code::not_found);
}

TEST_P(DependencyChanges, WhatStoodAtACommit) {
  const auto n = commit(1, 'a', "main", {{"qs", "6.7.0"}}, {});
  EXPECT_EQ(
      await(vulnerabilities().inventory_of_commit("gl", "grp/demo", std::string(40, 'a'))).value(),
      n);
  EXPECT_FALSE(await(vulnerabilities().inventory_of_commit("gl", "grp/other", std::string(40, 'a')))
                   .value());
  EXPECT_THAT(await(vulnerabilities().stood_in(
                        n, {found("qs", "6.7.0"), found("qs", "6.7.1"), found("ws", "6.7.0")}))
                  .value(),
              ElementsAre(true, false, false));
}

TEST_P(DependencyChanges, ACheckoutIsToldOfOnceItsRefIsKnown) {
  commit(1, 'a', "topic", {}, {});
  EXPECT_THAT(told(), ElementsAre(job_of(1).id));
  commit(2, 'b', "", {}, {found("qs", "1")});
  EXPECT_EQ(told().size(), 1u) << "nobody knows whom it concerns";
  // An advisory is no commit.
  const auto again = await(vulnerabilities().unmatched("B", 0)).value();
  ASSERT_TRUE(again);
  EXPECT_TRUE(
      await(vulnerabilities().keep_match(again->n, "B", std::vector<Found>{found("qs", "1")}, kNow))
          .ok());
  EXPECT_EQ(told().size(), 1u);
}

TEST_P(DependencyChanges, MergeRequestsWithANote) {
  const auto keep = [&](std::string subject, int64_t gitlab_note, int64_t at) {
    ASSERT_TRUE(accept(agent_, started(++seq_, key(100 + at, "grp/demo", 42))).ok());
    ASSERT_TRUE(await(store->advance("test", 0, {NewWork{"k", subject, "{}", kNow}})).ok());
    const auto work = await(store->lease(kNow, kSecond)).value();
    ASSERT_TRUE(work);
    Note note;
    note.subject = std::move(subject);
    note.instance = "gl";
    note.project_id = 42;
    note.body = "text";
    note.gitlab_note_id = gitlab_note;
    note.updated_at = kNow + at;
    WorkOutcome outcome;
    outcome.note = note;
    ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  };
  keep("mr/gl/42/7", 1, 1);
  keep("mr/gl/42/9", 2, 2);
  keep("mr/gl/42/8", 0, 3);
  keep("job/x", 0, 4);
  const auto noted = [&](int64_t project, std::size_t limit = 10) {
    std::vector<std::pair<int64_t, int64_t>> out;
    const auto all = await(vulnerabilities().noted_merge_requests("gl", project, limit)).value();
    for (const auto& one : all) out.emplace_back(one.project_id, one.iid);
    return out;
  };
  EXPECT_THAT(noted(42), ElementsAre(Pair(42, 9), Pair(42, 7)));
  EXPECT_THAT(noted(42, 1), ElementsAre(Pair(42, 9)));
  EXPECT_THAT(noted(50), IsEmpty());
  // A fork's jobs run for a merge request of their own, and for one into the project.
  for (const int64_t project : {42, 50}) {
    const int64_t job = 200 + project;
    ASSERT_TRUE(accept(agent_, reported(++seq_, key(job, "fork/demo", 50))).ok());
    GitlabFacts facts;
    facts.status = "failed";
    facts.merge_request = MergeRequestKey{"gl", project, 7};
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, 50, facts)).ok());
  }
  EXPECT_THAT(noted(50), ElementsAre(Pair(42, 7))) << "the other has no note";
}

INSTANTIATE_TEST_SUITE_P(Stores, DependencyChanges, ::testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace gitaiops::store
