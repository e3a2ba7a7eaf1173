// What is wrong with what projects depend on: matched once for each inventory and index, kept with
// the time it was first seen, told to those who may see the project, gone when it is gone.
#include <gmock/gmock.h>

#include "base/zstd/zstd.h"
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UnixMicros kLater{kNow.value + 60 * kSecond};

Found found(std::string package, std::string advisory, int severity = 4) {
  Found f;
  f.ecosystem = "npm";
  f.package = std::move(package);
  f.version = "1.0.0";
  f.advisory = std::move(advisory);
  f.summary = "It \"breaks\".";
  f.severity = severity;
  f.score = 7.5;
  f.fixed = "1.0.1";
  f.risk = 40.5;
  f.path = {"express@4.17.1", f.package + "@1.0.0"};
  return f;
}

class VulnerabilitiesTest : public StoreConformance {
 protected:
  // A commit whose checkout depends on qs; its number.
  void commit(int64_t job, const std::string& path, char sha) {
    fleet::v1::Inventory inventory;
    auto& set = *inventory.add_sets();
    set.set_ecosystem("npm");
    set.add_packages()->set_name("qs");
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    auto& report = *envelope.mutable_inventory_report();
    *report.mutable_key() = key(job, path, 7);
    report.set_commit_sha(std::string(40, sha));
    report.set_content_hash(std::string(64, sha));
    report.set_inventory_zstd(zstd::compress(inventory.SerializeAsString()));
    ASSERT_TRUE(accept(agent_, envelope).ok());
  }
  void ref(int64_t job, const std::string& path, std::string name) {
    ASSERT_TRUE(accept(agent_, reported(++seq_, key(job, path, 7))).ok());
    GitlabFacts facts;
    facts.ref = std::move(name);
    facts.status = "success";
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, 7, facts)).ok());
  }
  std::optional<Unmatched> next(const std::string& index, int64_t after = 0) {
    auto got = await(store->vulnerabilities().unmatched(index, after));
    EXPECT_TRUE(got.ok());
    return got.ok() ? std::move(*got) : std::nullopt;
  }
  // What is next is matched, with that outcome.
  MatchOutcome match(const std::string& index, std::vector<Found> all, UnixMicros at = kNow) {
    const auto waiting = next(index);
    EXPECT_TRUE(waiting) << "nothing waits for index " << index;
    if (!waiting) return {};
    return await(store->vulnerabilities().keep_match(waiting->n, index, all, at)).value();
  }
  std::vector<std::string> listed(VulnerabilityFilter filter = {}, Scope scope = everything()) {
    const auto page = await(store->vulnerabilities().vulnerabilities(scope, filter, {"", 50}));
    EXPECT_TRUE(page.ok());
    std::vector<std::string> out;
    for (const auto& v : page->items)
      out.push_back(v.project_path + " " + v.ref + " " + v.found.package + " " + v.found.advisory);
    return out;
  }

  const std::string agent_ = enroll(everything());
  uint64_t seq_ = 0;
};

TEST_P(VulnerabilitiesTest, AnInventoryWaitsOncePerIndex) {
  EXPECT_FALSE(next("A"));
  commit(1, "grp/demo", 'a');
  const auto waiting = next("A");
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->project_path, "grp/demo");
  EXPECT_EQ(waiting->body.sets(0).packages(0).name(), "qs");
  match("A", {});
  EXPECT_FALSE(next("A"));
  EXPECT_FALSE(next("B", waiting->n)) << "a walk that is past it";
  EXPECT_TRUE(next("B"));
  reopen();
  EXPECT_FALSE(next("A")) << "also after a restart";
}

TEST_P(VulnerabilitiesTest, IsReadBackAsItWasFound) {
  commit(1, "grp/demo", 'a');
  ref(1, "grp/demo", "main");
  const auto f = found("qs", "GHSA-1");
  match("A", {f});
  const auto page = await(store->vulnerabilities().vulnerabilities(everything(), {}, {"", 50}));
  ASSERT_EQ(page->items.size(), 1u);
  const auto& v = page->items[0];
  EXPECT_EQ(v.found, f);
  EXPECT_EQ(v.ref, "main");
  EXPECT_EQ(v.commit_sha, std::string(40, 'a'));
  EXPECT_EQ(v.project_id, 7);
  EXPECT_EQ(v.first_seen, kNow);
}

TEST_P(VulnerabilitiesTest, ANewCommitReplacesAndTheFirstSightStays) {
  commit(1, "grp/demo", 'a');
  ref(1, "grp/demo", "main");
  match("A", {found("qs", "GHSA-1"), found("ws", "GHSA-2")});
  commit(2, "grp/demo", 'b');
  ref(2, "grp/demo", "main");
  EXPECT_THAT(listed(), ElementsAre("grp/demo main ws GHSA-2", "grp/demo main qs GHSA-1"))
      << "until the new one is matched";
  auto renamed = found("qs", "CVE-1");
  renamed.aliases = {"GHSA-1"};
  const auto outcome = match("A", {renamed}, kLater);
  EXPECT_EQ(outcome.added, 0);
  EXPECT_EQ(outcome.gone, 1);
  EXPECT_FALSE(outcome.by_advisory);
  const auto page = await(store->vulnerabilities().vulnerabilities(everything(), {}, {"", 50}));
  ASSERT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->items[0].found.advisory, "CVE-1");
  EXPECT_EQ(page->items[0].first_seen, kNow) << "the same thing under another name";
  EXPECT_EQ(page->items[0].commit_sha, std::string(40, 'b'));
  EXPECT_FALSE(next("B", 2)) << "what main had before is not asked about";
}

TEST_P(VulnerabilitiesTest, ANewAdvisoryIsToldAsAnEvent) {
  commit(1, "grp/demo", 'a');
  match("A", {found("qs", "GHSA-1")});
  const auto before = events();
  const auto outcome = match("B", {found("qs", "GHSA-1"), found("qs", "GHSA-9")}, kLater);
  EXPECT_EQ(outcome.added, 1);
  EXPECT_TRUE(outcome.by_advisory);
  const auto after = events();
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_EQ(after.back().type, "vulnerability.found");
  EXPECT_EQ(after.back().subject, "grp/demo");
  match("C", {found("qs", "GHSA-1"), found("qs", "GHSA-9")}, kLater);
  EXPECT_EQ(events().size(), after.size()) << "nothing new, no event";
}

TEST_P(VulnerabilitiesTest, ARefThatIsLearnedLaterIsMatchedAnew) {
  commit(1, "grp/demo", 'a');
  ref(1, "grp/demo", "main");
  match("A", {found("qs", "GHSA-1")});
  commit(2, "grp/demo", 'b');
  match("A", {found("qs", "GHSA-1")}, kLater);
  EXPECT_THAT(listed(), ElementsAre("grp/demo  qs GHSA-1", "grp/demo main qs GHSA-1"));
  ref(2, "grp/demo", "main");
  EXPECT_THAT(listed(), ElementsAre("grp/demo main qs GHSA-1"));
  match("A", {found("qs", "GHSA-1")}, kLater);
  const auto page = await(store->vulnerabilities().vulnerabilities(everything(), {}, {"", 50}));
  ASSERT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->items[0].first_seen, kNow) << "main had it first in the commit before";
  EXPECT_EQ(page->items[0].commit_sha, std::string(40, 'b'));
  EXPECT_FALSE(next("A"));
}

TEST_P(VulnerabilitiesTest, IsFilteredAndOfItsProjectAlone) {
  commit(1, "grp/demo", 'a');
  auto known = found("qs", "GHSA-1", 5);
  known.aliases = {"CVE-1"};
  match("A", {known, found("ws", "GHSA-2", 2)});
  commit(2, "other/x", 'b');
  match("A", {found("qs", "GHSA-1", 5)});
  VulnerabilityFilter filter;
  filter.least_severity = 4;
  EXPECT_THAT(listed(filter), ElementsAre("other/x  qs GHSA-1", "grp/demo  qs GHSA-1"));
  filter = {};
  filter.advisory = "CVE-1";
  EXPECT_THAT(listed(filter), ElementsAre("grp/demo  qs GHSA-1"));
  filter.advisory = "CVE";
  EXPECT_THAT(listed(filter), IsEmpty()) << "a name, no part of one";
  filter = {};
  filter.package = "ws";
  EXPECT_THAT(listed(filter), ElementsAre("grp/demo  ws GHSA-2"));
  filter.ecosystem = "PyPI";
  EXPECT_THAT(listed(filter), IsEmpty());
  filter = {};
  filter.project_path = "other/x";
  EXPECT_THAT(listed(filter), ElementsAre("other/x  qs GHSA-1"));
  EXPECT_THAT(listed({}, scope_of("other/*")), ElementsAre("other/x  qs GHSA-1"));
  EXPECT_THAT(listed({}, {}), IsEmpty());
}

TEST_P(VulnerabilitiesTest, PagesFollowEachOther) {
  commit(1, "grp/demo", 'a');
  std::vector<Found> all;
  for (int i = 0; i < 5; ++i) all.push_back(found("qs", "GHSA-" + std::to_string(i)));
  match("A", all);
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = await(store->vulnerabilities().vulnerabilities(everything(), {}, {after, 2}));
    ASSERT_TRUE(page.ok());
    for (const auto& v : page->items) seen.push_back(v.found.advisory);
    after = page->next;
  } while (!after.empty());
  EXPECT_THAT(seen, ElementsAre("GHSA-4", "GHSA-3", "GHSA-2", "GHSA-1", "GHSA-0"));
  EXPECT_FALSE(await(store->vulnerabilities().vulnerabilities(everything(), {}, {"x", 2})).ok());
}

TEST_P(VulnerabilitiesTest, WhatCannotBeReadKeepsWhatWasKnown) {
  commit(1, "grp/demo", 'a');
  match("A", {found("qs", "GHSA-1")});
  const auto again = next("B");
  ASSERT_TRUE(again);
  EXPECT_TRUE(await(store->vulnerabilities().keep_match(again->n, "B", std::nullopt, kLater)).ok());
  EXPECT_THAT(listed(), ElementsAre("grp/demo  qs GHSA-1"));
  EXPECT_FALSE(next("B"));
}

TEST_P(VulnerabilitiesTest, GoWithTheirInventory) {
  commit(1, "grp/demo", 'a');
  match("A", {found("qs", "GHSA-1")});
  commit(2, "grp/demo", 'b');
  ASSERT_TRUE(await(store->sweep({kNow + 3600 * kSecond, 0})).ok());
  EXPECT_THAT(listed(), IsEmpty());
  match("A", {found("ws", "GHSA-2")});
  EXPECT_THAT(listed(), ElementsAre("grp/demo  ws GHSA-2"));
}

INSTANTIATE_TEST_SUITE_P(Stores, VulnerabilitiesTest, ::testing::ValuesIn(backends()),
                         backend_name);

}  // namespace
}  // namespace gitaiops::store
