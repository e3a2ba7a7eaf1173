// From an index on disk and stored inventories to what is known of the projects: over the store
// that ships.
#include <gmock/gmock.h>

#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/zstd/zstd.h"
#include "controller/advisories/advisories.h"
#include "engines/scanner/advisories/seal.h"
#include "tests/unit/advisories/built.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::advisories {
namespace {

using gitaiops::testing::await;
using scanner::Built;
using scanner::ranges;
using scanner::record;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UnixMicros kNow{1'700'000'000'000'000};

// Everything below 2.0.0 is affected.
std::string advisory(const std::string& id, const std::string& package,
                     const std::string& more = {}) {
  return record(id, "npm", package, ranges(R"({"introduced":"0"},{"fixed":"2.0.0"})"), more);
}

std::string file_of(const std::vector<std::string>& records) {
  Built built(records);
  const auto digest = crypto::sha256(built.bytes);
  return scanner::sealed(std::move(built.bytes), as_text(digest), std::nullopt);
}

// express, asked for by the project, brings qs.
fleet::v1::Inventory shop() {
  fleet::v1::Inventory inventory;
  auto& set = *inventory.add_sets();
  set.set_ecosystem("npm");
  set.set_lock("package-lock.json");
  auto& express = *set.add_packages();
  express.set_name("express");
  express.set_version("1.0.0");
  express.set_direct(true);
  express.add_depends_on(1);
  express.add_depends_on(99);  // what an agent may say
  auto& qs = *set.add_packages();
  qs.set_name("qs");
  qs.set_version("1.5.0");
  return inventory;
}

TEST(Match, SaysWhatIsWrongAndHowItCame) {
  const Built index({advisory("GHSA-1", "qs", R"("aliases":["CVE-2026-1"],"summary":"Breaks.",)"),
                     advisory("GHSA-2", "left-pad")});
  auto inventory = shop();
  *inventory.add_sets() = inventory.sets(0);  // a second lock file with the same
  inventory.add_sets()->set_ecosystem("unheard of");
  const auto found = match(inventory, *index.index);
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  ASSERT_EQ(found->size(), 1u);
  const auto& f = found->front();
  EXPECT_EQ(f.ecosystem, "npm");
  EXPECT_EQ(f.package, "qs");
  EXPECT_EQ(f.version, "1.5.0");
  EXPECT_EQ(f.fixed, "2.0.0");
  EXPECT_EQ(f.summary, "Breaks.");
  EXPECT_THAT(f.path, ElementsAre("express@1.0.0", "qs@1.5.0"));
  EXPECT_EQ(f.aliases.size(), 1u);
  EXPECT_TRUE(f.advisory == "GHSA-1" || f.aliases[0] == "GHSA-1");
}

TEST(Match, IsBounded) {
  std::vector<std::string> records;
  for (std::size_t i = 0; i < kMostFound + 5; ++i)
    records.push_back(advisory("X-" + std::to_string(i), "qs"));
  const Built index(records);
  const auto found = match(shop(), *index.index);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->size(), kMostFound);
}

class FleetMatching : public ::testing::Test {
 protected:
  FleetMatching() {
    store_ = store::open_sqlite({folder_ / "controller.db"}, clock_).value();
    store::EnrollmentToken token;
    token.id = "token";
    token.secret_sha256 = "hash";
    token.expires_at = kNow + 3600 * kMicrosPerSecond;
    token.scope = store::everything();
    token.created_at = kNow;
    EXPECT_TRUE(await(store_->add_enrollment_token(token)).ok());
    store::Agent agent;
    agent.id = "agent";
    EXPECT_TRUE(await(store_->enroll_agent("hash", agent, kNow)).ok());
  }
  void put(const std::string& bytes) { ASSERT_TRUE(write_file_atomic(index_, bytes).ok()); }
  void commit(const std::string& path, char sha) {
    fleet::v1::Envelope envelope;
    envelope.set_seq(++seq_);
    auto& report = *envelope.mutable_inventory_report();
    report.mutable_key()->set_instance("main");
    report.mutable_key()->set_project_path(path);
    report.mutable_key()->set_job_id(static_cast<int64_t>(seq_));
    report.set_commit_sha(std::string(40, sha));
    report.set_content_hash(std::string(64, sha));
    report.set_inventory_zstd(zstd::compress(shop().SerializeAsString()));
    ASSERT_TRUE(await(store_->accept("agent", 1, envelope, kNow)).ok());
  }
  std::vector<std::string> known() {
    const auto page =
        await(store_->vulnerabilities().vulnerabilities(store::everything(), {}, {"", 50}));
    EXPECT_TRUE(page.ok());
    std::vector<std::string> out;
    for (const auto& v : page->items) out.push_back(v.project_path + " " + v.found.advisory);
    std::ranges::sort(out);
    return out;
  }

  gitaiops::testing::TemporaryFolder folder_;
  const std::filesystem::path index_ = folder_ / "advisories.gdb";
  FakeClock clock_{kNow.value};
  std::unique_ptr<store::Store> store_;
  uint64_t seq_ = 0;
};

TEST_F(FleetMatching, WhatArrivesAndWhatAnAdvisoryOfTodaySays) {
  Advisories advisories(store_->vulnerabilities(), clock_, index_);
  put(file_of({advisory("A-1", "qs")}));
  commit("grp/a", 'a');
  commit("grp/b", 'b');
  await(advisories.look());
  EXPECT_THAT(known(), ElementsAre("grp/a A-1", "grp/b A-1"));
  EXPECT_EQ(advisories.counters().found_by_commit, 2u);
  put(file_of({advisory("A-1", "qs"), advisory("A-2", "express")}));
  await(advisories.look());
  EXPECT_THAT(known(), ElementsAre("grp/a A-1", "grp/a A-2", "grp/b A-1", "grp/b A-2"));
  EXPECT_EQ(advisories.counters().found_by_advisory, 2u);
  commit("grp/c", 'c');
  await(advisories.look());
  EXPECT_EQ(known().size(), 6u);
  put(file_of({advisory("A-2", "express")}));
  await(advisories.look());
  EXPECT_THAT(known(), ElementsAre("grp/a A-2", "grp/b A-2", "grp/c A-2")) << "withdrawn";
}

TEST_F(FleetMatching, ABrokenFileLeavesTheOneBeforeInUse) {
  Advisories advisories(store_->vulnerabilities(), clock_, index_);
  await(advisories.look());
  EXPECT_TRUE(advisories.counters().unusable) << "there is none yet";
  put(file_of({advisory("A-1", "qs")}));
  await(advisories.look());
  EXPECT_FALSE(advisories.counters().unusable);
  EXPECT_NE(advisories.counters().made_at.value, 0);
  auto damaged = file_of({advisory("A-1", "qs"), advisory("A-2", "qs")});
  damaged[damaged.size() / 2] ^= 0x20;
  put(damaged);
  commit("grp/a", 'a');
  await(advisories.look());
  EXPECT_TRUE(advisories.counters().unusable);
  EXPECT_THAT(known(), ElementsAre("grp/a A-1"));
  std::filesystem::remove(index_);
  commit("grp/b", 'b');
  await(advisories.look());
  EXPECT_THAT(known(), ElementsAre("grp/a A-1", "grp/b A-1"));
}

TEST_F(FleetMatching, NothingIsMatchedTwice) {
  put(file_of({advisory("A-1", "qs")}));
  commit("grp/a", 'a');
  {
    Advisories advisories(store_->vulnerabilities(), clock_, index_);
    await(advisories.look());
    await(advisories.look());
    EXPECT_EQ(advisories.counters().matched, 1u);
  }
  Advisories after_restart(store_->vulnerabilities(), clock_, index_);
  put(file_of({advisory("A-1", "qs")}));  // the same again
  await(after_restart.look());
  EXPECT_EQ(after_restart.counters().matched, 0u);
}

TEST_F(FleetMatching, WithoutAFileNothingRuns) {
  Advisories advisories(store_->vulnerabilities(), clock_, {});
  commit("grp/a", 'a');
  await(advisories.run());
  EXPECT_THAT(known(), IsEmpty());
}

}  // namespace
}  // namespace gitaiops::advisories
