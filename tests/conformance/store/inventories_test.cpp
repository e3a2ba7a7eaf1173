// What commits depend on: kept once, told to those who may see the project, gone when replaced.
#include <gmock/gmock.h>

#include "base/zstd/zstd.h"
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kOld(40, 'a');
const std::string kNew(40, 'b');

InventoryFilter of_commit(std::string commit) {
  InventoryFilter filter;
  filter.commit_sha = std::move(commit);
  return filter;
}

class Inventories : public StoreConformance {
 protected:
  static fleet::v1::Inventory with(std::string ecosystem, std::string name, std::string version) {
    fleet::v1::Inventory inventory;
    auto& set = *inventory.add_sets();
    set.set_ecosystem(std::move(ecosystem));
    auto& package = *set.add_packages();
    package.set_name(std::move(name));
    package.set_version(std::move(version));
    package.set_direct(true);
    return inventory;
  }
  fleet::v1::Envelope told(int64_t job, std::string path, std::string commit, char hash,
                           const fleet::v1::Inventory& inventory) {
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    auto& report = *envelope.mutable_inventory_report();
    *report.mutable_key() = key(job, std::move(path), 7);
    report.set_commit_sha(std::move(commit));
    report.set_content_hash(std::string(64, hash));
    report.set_inventory_zstd(zstd::compress(inventory.SerializeAsString()));
    return envelope;
  }
  void ref(int64_t job, std::string path, std::string name, std::string commit = {}) {
    ASSERT_TRUE(accept(agent_, reported(++seq_, key(job, std::move(path), 7))).ok());
    GitlabFacts facts;
    facts.ref = std::move(name);
    facts.sha = std::move(commit);
    facts.status = "success";
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, 7, facts)).ok());
  }
  std::vector<std::string> uses(Scope scope, std::string ecosystem, std::string name) {
    const auto page = await(store->package_uses(scope, ecosystem, name, {"", 50}));
    EXPECT_TRUE(page.ok());
    std::vector<std::string> out;
    for (const auto& use : page->items)
      out.push_back(use.project_path + " " + use.ref + " " + use.version);
    return out;
  }

  const std::string agent_ = enroll(everything());
  uint64_t seq_ = 0;
};

TEST_P(Inventories, AreReadBackByCommitAndRef) {
  ASSERT_TRUE(accept(agent_, told(1, "grp/demo", kOld, '1', with("npm", "qs", "6.5.0"))).ok());
  ref(1, "grp/demo", "main");
  const auto by_commit = await(store->inventory(everything(), of_commit(kOld)));
  ASSERT_TRUE(by_commit.ok()) << by_commit.error().to_string();
  EXPECT_EQ(by_commit->project_path, "grp/demo");
  EXPECT_EQ(by_commit->ref, "main") << "GitLab's word on the job comes later";
  EXPECT_EQ(by_commit->body.sets(0).packages(0).version(), "6.5.0");
  InventoryFilter main;
  main.ref = "main";
  EXPECT_EQ(await(store->inventory(everything(), main))->commit_sha, kOld);
  EXPECT_EQ(await(store->inventory(everything(), of_commit(kNew))).error().code(), Code::not_found);
}

TEST_P(Inventories, TheFirstWordOnACommitStands) {
  ASSERT_TRUE(accept(agent_, told(1, "grp/demo", kOld, '1', with("npm", "qs", "6.5.0"))).ok());
  const auto again = accept(agent_, told(2, "grp/demo", kOld, '2', with("npm", "qs", "9.9.9")));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(
      await(store->inventory(everything(), of_commit(kOld)))->body.sets(0).packages(0).version(),
      "6.5.0");
}

TEST_P(Inventories, WhoUsesAPackageNow) {
  ASSERT_TRUE(
      accept(agent_, told(1, "grp/demo", kOld, '1', with("PyPI", "Flask_Login", "0.5"))).ok());
  ref(1, "grp/demo", "main");
  EXPECT_THAT(uses(everything(), "PyPI", "flask-login"), ElementsAre("grp/demo main 0.5"));
  ASSERT_TRUE(
      accept(agent_, told(2, "grp/demo", kNew, '2', with("PyPI", "flask-login", "0.6"))).ok());
  ref(2, "grp/demo", "main");
  EXPECT_THAT(uses(everything(), "PyPI", "flask.login"), ElementsAre("grp/demo main 0.6"))
      << "what main had before is not in use";
  EXPECT_THAT(uses(everything(), "npm", "flask-login"), IsEmpty());
}

// A fast-forward merge: what main had is not in use any more, though no job of main told anything.
TEST_P(Inventories, ACommitStandsOnEveryRefThatRanIt) {
  ASSERT_TRUE(accept(agent_, told(1, "grp/demo", kOld, '1', with("npm", "qs", "1.0.0"))).ok());
  ref(1, "grp/demo", "main", kOld);
  ASSERT_TRUE(accept(agent_, told(2, "grp/demo", kNew, '2', with("npm", "qs", "2.0.0"))).ok());
  ref(2, "grp/demo", "feature", kNew);
  EXPECT_THAT(uses(everything(), "npm", "qs"),
              ElementsAre("grp/demo feature 2.0.0", "grp/demo main 1.0.0"));
  ref(3, "grp/demo", "main", kNew);
  EXPECT_THAT(uses(everything(), "npm", "qs"),
              ElementsAre("grp/demo main 2.0.0", "grp/demo feature 2.0.0"));
  ref(4, "grp/demo", "main", kNew);
  EXPECT_THAT(uses(everything(), "npm", "qs"), SizeIs(2)) << "once a ref";
}

TEST_P(Inventories, AreToldOnceForARefWhicheverWordComesFirst) {
  ref(1, "grp/demo", "main", kNew);
  ASSERT_TRUE(accept(agent_, told(2, "grp/demo", kNew, '2', with("npm", "qs", "2.0.0"))).ok());
  EXPECT_THAT(uses(everything(), "npm", "qs"), ElementsAre("grp/demo  2.0.0"));
  EXPECT_FALSE(
      accept(agent_, told(1, "grp/demo", kNew, '3', with("npm", "qs", "9.0.0")))->duplicate);
  EXPECT_THAT(uses(everything(), "npm", "qs"),
              ElementsAre("grp/demo main 2.0.0", "grp/demo  2.0.0"))
      << "the first word on a commit stands, on whichever ref";
  ref(2, "grp/demo", "main", kNew);
  EXPECT_THAT(uses(everything(), "npm", "qs"), ElementsAre("grp/demo main 2.0.0"))
      << "the job whose ref was not known was of main, too";
}

TEST_P(Inventories, AreOfTheirProjectAlone) {
  ASSERT_TRUE(accept(agent_, told(1, "grp/demo", kOld, '1', with("npm", "qs", "6.5.0"))).ok());
  EXPECT_THAT(uses({{"gl", "other/*"}}, "npm", "qs"), IsEmpty());
  EXPECT_THAT(uses({{"gl", "grp/*"}}, "npm", "qs"), SizeIs(1));
  EXPECT_FALSE(await(store->inventory({{"gl", "other/*"}}, of_commit(kOld))).ok());
  // An agent of another project can neither speak for this one nor plant a content for it.
  const auto stranger = enroll({{"gl", "other/*"}});
  EXPECT_EQ(accept(stranger, told(3, "grp/demo", kNew, '2', with("npm", "qs", "0"))).error().code(),
            Code::permission_denied);
  ASSERT_TRUE(accept(stranger, told(4, "other/x", kNew, '3', with("npm", "evil", "0"))).ok());
  ASSERT_TRUE(accept(agent_, told(5, "grp/demo", kNew, '3', with("npm", "qs", "7.0.0"))).ok());
  InventoryFilter ours;
  ours.project_path = "grp/demo";
  EXPECT_EQ(await(store->inventory(everything(), ours))->body.sets(0).packages(0).name(), "qs");
}

TEST_P(Inventories, WhatCannotBeReadIsRefusedForGood) {
  auto bad = told(1, "grp/demo", kOld, '1', {});
  bad.mutable_inventory_report()->set_inventory_zstd("no frame");
  const auto refused = accept(agent_, bad);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
  auto bomb = told(2, "grp/demo", kOld, '1', {});
  bomb.mutable_inventory_report()->set_inventory_zstd(zstd::compress(std::string(9 << 20, '\0')));
  EXPECT_THAT(accept(agent_, bomb).error().to_string(), HasSubstr("at most"));
  EXPECT_TRUE(accept(agent_, told(3, "grp/demo", kOld, '1', with("npm", "qs", "1.0.0"))).ok())
      << "the numbers of the refused ones are used up, the stream goes on";
}

TEST_P(Inventories, PagesFollowEachOther) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(accept(agent_, told(i + 1, "grp/p" + std::to_string(i), kOld, '1',
                                    with("npm", "qs", "6.5." + std::to_string(i))))
                    .ok());
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = await(store->package_uses(everything(), "npm", "qs", {after, 2}));
    ASSERT_TRUE(page.ok());
    for (const auto& use : page->items) seen.push_back(use.version);
    after = page->next;
  } while (!after.empty());
  EXPECT_THAT(seen, ElementsAre("6.5.4", "6.5.3", "6.5.2", "6.5.1", "6.5.0"));
  EXPECT_FALSE(await(store->package_uses(everything(), "npm", "qs", {"x", 2})).ok());
}

TEST_P(Inventories, ReplacedOnesGoWithAge) {
  ASSERT_TRUE(accept(agent_, told(1, "grp/demo", kOld, '1', with("npm", "qs", "1.0.0"))).ok());
  ref(1, "grp/demo", "main");
  ASSERT_TRUE(accept(agent_, told(2, "grp/demo", kNew, '2', with("npm", "qs", "2.0.0"))).ok());
  ref(2, "grp/demo", "main");
  ASSERT_TRUE(await(store->sweep({kNow + 3600 * kSecond, 0})).ok());
  EXPECT_FALSE(await(store->inventory(everything(), of_commit(kOld))).ok());
  EXPECT_TRUE(await(store->inventory(everything(), of_commit(kNew))).ok()) << "still in use";
  EXPECT_THAT(uses(everything(), "npm", "qs"), ElementsAre("grp/demo main 2.0.0"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Inventories, ::testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace gitaiops::store
