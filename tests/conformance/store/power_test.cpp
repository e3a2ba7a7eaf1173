// The power fails in the middle of accepting, hundreds of times on the same store: what was
// acknowledged is there, with its number and its event, and nothing is there by half. And the
// controller does not begin anew over a damaged store, but says what to do.
#include "tests/unit/sqlite/power.h"

#include <fstream>
#include <random>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;
namespace power = gitaiops::testing::power;

constexpr uint32_t kCuts = 200;

void enroll(Store& store) {
  EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = kNow + 1;
  token.scope = everything();
  ASSERT_TRUE(await(store.add_enrollment_token(token)).ok());
  Agent agent;
  agent.id = "a";
  ASSERT_TRUE(await(store.enroll_agent("h", agent, kNow)).ok());
}

fleet::v1::Envelope numbered(uint64_t seq) {
  auto envelope = reported(seq, key(static_cast<int64_t>(seq), "g/p"));
  envelope.mutable_job_report()->add_notes(std::string(seq * 61 % 9000, 'n'));
  return envelope;
}

TEST(StorePower, WhatWasAcknowledgedSurvivesEveryCutWhole) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const FakeClock clock(kNow.value);
  const SqliteOptions options{folder / "store.db"};
  enroll(**open_sqlite(options, clock));
  std::mt19937 random(3);
  uint64_t last = 0;
  for (uint32_t round = 0; round < kCuts; ++round) {
    power::cut_after(random() % 250);
    {
      const auto store = open_sqlite(options, clock);
      for (uint64_t seq = last + 1; store.ok() && !power::is_cut(); ++seq)
        if (await((*store)->accept("a", 1, numbered(seq), kNow)).ok()) last = seq;
    }
    power::restore(round);
    const auto opened = open_sqlite(options, clock);
    ASSERT_TRUE(opened.ok()) << "cut " << round << ": " << opened.error().to_string();
    Store& store = **opened;
    const uint64_t high = *await(store.high_water("a", 1));
    ASSERT_GE(high, last) << "cut " << round << ": an acknowledged report is gone";
    ASSERT_EQ(*await(store.count_jobs(everything(), {})), static_cast<int64_t>(high));
    for (uint64_t seq = high; seq > 0 && seq + 3 > high; --seq) {
      const auto job = await(store.job_by_key(everything(), "gl", static_cast<int64_t>(seq)));
      ASSERT_TRUE(job.ok()) << seq;
      ASSERT_EQ(job->report.notes(0).size(), seq * 61 % 9000);
    }
    // agent.enrolled, then one event a report, without a gap.
    const auto events = await(store.events_after(0, 100'000));
    ASSERT_EQ(events->size(), high + 1);
    ASSERT_EQ(events->back().number, high + 1);
    last = high;
  }
  EXPECT_GT(last, 300u) << "there was something to lose";
}

TEST(StoreDamage, RefusesToStartAndSaysHowToGoOn) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const FakeClock clock(kNow.value);
  const auto path = folder / "controller.db";
  {
    const auto store = std::move(open_sqlite({path}, clock)).value();
    enroll(*store);
    for (uint64_t seq = 1; seq <= 50; ++seq)
      ASSERT_TRUE(await(store->accept("a", 1, numbered(seq), kNow)).ok());
  }
  std::ifstream in(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  std::mt19937_64 random(17);
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    if (i % 4 == 0) {
      // Every other time only the last page is torn, which no count of pages betrays.
      const std::size_t most = i % 8 == 0 ? bytes.size() - 1 : 4095;
      bytes.resize(bytes.size() - 1 - random() % most);
    } else {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    const auto store = open_sqlite({path}, clock);
    ASSERT_FALSE(store.ok()) << i << " " << bytes.size() << " of " << whole.size();
    const std::string said = store.error().to_string();
    EXPECT_EQ(store.error().code(), Code::data_loss) << said;
    EXPECT_NE(said.find(path.native()), std::string::npos) << said;
    EXPECT_NE(said.find("gitaiops-controller restore"), std::string::npos) << said;
    ASSERT_EQ(std::filesystem::file_size(path), bytes.size()) << "not touched";
  }
}

}  // namespace
}  // namespace gitaiops::store
