// The power fails in the middle of appends, hundreds of times on the same spool, with any part of
// the unsynced left on the disk: what append() completed is there whole, nothing is doubled, the
// epoch is the same, and the spool opens again. And a file with flipped bits or a lost end is never
// read as if it were whole.
#include "tests/unit/sqlite/power.h"

#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/spool/messages.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::agent {
namespace {

using namespace agent::testing;
using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;
namespace power = gitaiops::testing::power;

constexpr uint32_t kCuts = 300;
constexpr int kInFlight = 4;

// Appends numbered messages, several in flight, until the power fails; the highest completed.
int64_t append_until_cut(Spool& spool, int64_t first) {
  int64_t next = first, completed = first - 1;
  asio::io_context loop;
  for (int i = 0; i < kInFlight; ++i)
    spawn(loop.get_executor(), "appender",
          [](Spool& s, int64_t& number, int64_t& highest) -> Task<void> {
            while (!power::is_cut()) {
              const int64_t mine = number++;
              SpoolBatch batch = batch_of(report(mine, static_cast<std::size_t>(mine % 50) * 100));
              batch.cursors["source"] = std::to_string(mine);
              batch.tracker_state = "state " + std::to_string(mine);
              const auto stored = co_await s.append(std::move(batch));
              if (!stored.ok()) co_return;
              EXPECT_EQ(*stored, static_cast<uint64_t>(mine));
              highest = std::max(highest, mine);
              if (mine % 64 == 0) s.acknowledged(*stored - 32);
            }
          }(spool, next, completed));
  loop.run();
  return completed;
}

TEST(SpoolPower, WhatWasCompletedSurvivesEveryCut) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const SpoolOptions options{.path = folder / "spool.db", .max_bytes = 8u << 20};
  std::mt19937 random(99);
  int64_t last = 0;
  uint64_t epoch = 0;
  for (uint32_t round = 0; round < kCuts; ++round) {
    power::cut_after(random() % 300);
    {
      const auto spool = Spool::open(options, system_clock());
      if (spool.ok()) last = std::max(last, append_until_cut(**spool, last + 1));
      if (spool.ok() && last > 0) epoch = (*spool)->epoch();
    }
    power::restore(round);
    const auto opened = Spool::open(options, system_clock());
    ASSERT_TRUE(opened.ok()) << "cut " << round << ": " << opened.error().to_string();
    Spool& spool = **opened;
    ASSERT_EQ(spool.stats().damaged_files, 0u) << "a cut is no damage; cut " << round;
    ASSERT_TRUE(epoch == 0 || spool.epoch() == epoch) << "cut " << round;
    const auto cursors = *await(spool.cursors());
    const int64_t cursor = cursors.empty() ? 0 : std::stoll(cursors.at("source"));
    ASSERT_GE(cursor, last) << "cut " << round << ": a completed append is gone";
    ASSERT_EQ(spool.newest_seq(), static_cast<uint64_t>(cursor));
    ASSERT_EQ(*await(spool.tracker_state()), cursor == 0 ? "" : "state " + std::to_string(cursor));
    const auto messages = await(spool.after(0, 100'000));
    ASSERT_EQ(spool.stats().messages, messages->size());
    for (std::size_t i = 0; i < messages->size(); ++i) {
      const auto& message = (*messages)[i];
      ASSERT_EQ(message.seq(), messages->front().seq() + i);
      const auto number = static_cast<int64_t>(message.seq());
      ASSERT_EQ(message.job_report().key().job_id(), number);
      ASSERT_EQ(message.job_report().notes(0).size(), static_cast<std::size_t>(number % 50) * 100);
    }
    last = cursor;
    if (cursor > 0) epoch = spool.epoch();
  }
  EXPECT_GT(last, 2000) << "there was something to lose";
}

// ---- Damage ----

std::string whole_spool(const std::filesystem::path& path) {
  {
    const auto spool = std::move(Spool::open({path}, system_clock())).value();
    for (int64_t id = 1; id <= 40; ++id)
      EXPECT_TRUE(await(spool->append(batch_of(report(id, 3000)))).ok());
  }
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(SpoolDamage, FlippedBitsAndLostEndsBeginAnewWithANewEpoch) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const auto path = folder / "spool.db";
  const std::string whole = whole_spool(path);
  const auto epoch = (*Spool::open({path}, system_clock()))->epoch();
  std::mt19937_64 random(5);
  FakeClock clock(1'000'000);
  for (int i = 0; i < 100; ++i) {
    std::string bytes = whole;
    if (i % 4 == 0) {
      bytes.resize(1 + random() % (bytes.size() - 1));
    } else {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    }
    put(path, bytes);
    clock.advance(1'000'000);
    const auto spool = Spool::open({path}, clock);
    ASSERT_TRUE(spool.ok()) << spool.error().to_string();
    ASSERT_NE((*spool)->epoch(), epoch) << i;
    ASSERT_EQ((*spool)->newest_seq(), 0u);
    ASSERT_EQ((*spool)->stats().damaged_files, std::min<uint64_t>(i + 1, Spool::kDamagedKept));
  }
}

TEST(SpoolDamage, FoundInUseItIsSetAsideAndNothingIsStoredAnyMore) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const auto path = folder / "spool.db";
  std::string bytes = whole_spool(path);
  std::string why;
  {
    const auto spool =
        std::move(
            Spool::open({.path = path, .on_damage = [&](const Error& e) { why = e.to_string(); }},
                        system_clock()))
            .value();
    for (std::size_t page = 4; page + 1 < bytes.size() / 4096; ++page)
      bytes[page * 4096 + 3000] ^= 1;
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << bytes;
    const auto read = await(spool->after(0, 100));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code(), Code::data_loss);
    EXPECT_NE(why.find("spool.db"), std::string::npos) << why;
    const auto stored = await(spool->append(batch_of(report(41))));
    ASSERT_FALSE(stored.ok()) << "it would be gone at the next start";
    EXPECT_EQ(stored.error().code(), Code::data_loss);
    EXPECT_EQ(spool->stats().damaged_files, 1u);
  }
  const auto next = std::move(Spool::open({path}, system_clock())).value();
  EXPECT_EQ(next->newest_seq(), 0u);
  EXPECT_TRUE(await(next->append(batch_of(report(41)))).ok());
}

}  // namespace
}  // namespace gitaiops::agent
