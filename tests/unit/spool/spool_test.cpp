#include "agent/spool/spool.h"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/spool/messages.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
using namespace agent::testing;
using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;

class SpoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<Spool> open() {
    auto spool = Spool::open({folder / "state/spool.db"}, clock);
    EXPECT_TRUE(spool.ok()) << spool.error().to_string();
    return std::move(spool).value();
  }
  // Acknowledgements are asynchronous; an append queues behind them.
  static void settle(Spool& spool) { ASSERT_TRUE(await(spool.append({})).ok()); }

  TemporaryFolder folder;
  FakeClock clock;
};

std::vector<uint64_t> seqs(Spool& spool, uint64_t after = 0, std::size_t limit = 1000) {
  std::vector<uint64_t> out;
  const auto found = await(spool.after(after, limit));
  for (const auto& envelope : *found) out.push_back(envelope.seq());
  return out;
}

using Numbers = std::vector<uint64_t>;

TEST_F(SpoolTest, NumbersStampsAndReturnsInOrder) {
  const auto spool = open();
  EXPECT_EQ(spool->oldest_seq(), 0u);
  EXPECT_EQ(spool->newest_seq(), 0u);
  SpoolBatch batch;
  batch.messages = {started(11), report(11)};
  EXPECT_EQ(*await(spool->append(batch)), 2u);
  clock.advance(5);
  EXPECT_EQ(*await(spool->append(batch_of(samples(7)))), 3u);
  EXPECT_EQ(*await(spool->append({})), 0u);

  const auto all = await(spool->after(0, 10));
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].job_started().key().job_id(), 11);
  EXPECT_EQ((*all)[1].job_report().key().job_id(), 11);
  EXPECT_EQ((*all)[2].host_samples().at_us(), 7);
  EXPECT_EQ((*all)[2].seq(), 3u);
  EXPECT_EQ((*all)[0].spooled_at_us(), 1'700'000'000'000'000);
  EXPECT_EQ((*all)[2].spooled_at_us(), 1'700'000'000'000'005);
  EXPECT_EQ(seqs(*spool, 1), (Numbers{2, 3}));
  EXPECT_EQ(seqs(*spool, 0, 2), (Numbers{1, 2}));
  EXPECT_EQ(seqs(*spool, 3), Numbers{});
  EXPECT_EQ(spool->oldest_seq(), 1u);
  EXPECT_EQ(spool->newest_seq(), 3u);
  EXPECT_EQ(spool->stats().messages, 3u);
}

TEST_F(SpoolTest, CursorsAndTrackerStateAreKeptAndReplaced) {
  const std::string bytes("\0\xff position", 11);
  uint64_t epoch = 0;
  {
    const auto spool = open();
    epoch = spool->epoch();
    EXPECT_EQ(await(spool->cursors())->size(), 0u);
    EXPECT_EQ(*await(spool->tracker_state()), "");
    SpoolBatch batch;
    batch.cursors = {{"journal", "s=1"}, {"log", bytes}};
    batch.tracker_state = "one";
    ASSERT_TRUE(await(spool->append(batch)).ok());
    batch.cursors = {{"journal", "s=2"}};
    batch.tracker_state = std::nullopt;
    ASSERT_TRUE(await(spool->append(batch)).ok());
  }
  const auto spool = open();
  EXPECT_EQ(spool->epoch(), epoch);
  EXPECT_NE(epoch, 0u);
  const std::map<std::string, std::string> expected = {{"journal", "s=2"}, {"log", bytes}};
  EXPECT_EQ(*await(spool->cursors()), expected);
  EXPECT_EQ(*await(spool->tracker_state()), "one");
}

TEST_F(SpoolTest, AcknowledgedMessagesGoAndNumbersAreNeverUsedAgain) {
  {
    const auto spool = open();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(await(spool->append(batch_of(report(i)))).ok());
    spool->acknowledged(3);
    settle(*spool);
    EXPECT_EQ(seqs(*spool), (Numbers{4, 5}));
    EXPECT_EQ(spool->oldest_seq(), 4u);
    spool->acknowledged(1);  // late and doubled
    spool->acknowledged(5);
    settle(*spool);
    EXPECT_EQ(spool->oldest_seq(), 0u);
    EXPECT_EQ(spool->newest_seq(), 5u);
    EXPECT_EQ(spool->stats().messages, 0u);
  }
  const auto spool = open();
  EXPECT_EQ(spool->oldest_seq(), 0u);
  EXPECT_EQ(spool->newest_seq(), 5u);
  EXPECT_EQ(*await(spool->append(batch_of(report(6)))), 6u);
}

TEST_F(SpoolTest, AnAcknowledgementOfTheFutureRemovesNothingOfTheFuture) {
  const auto spool = open();
  ASSERT_TRUE(await(spool->append(batch_of(report(1)))).ok());
  spool->acknowledged(1'000'000);
  settle(*spool);
  ASSERT_TRUE(await(spool->append(batch_of(report(2)))).ok());
  spool->acknowledged(1);
  settle(*spool);
  EXPECT_EQ(seqs(*spool), Numbers{2});
}

TEST_F(SpoolTest, ManyAcknowledgedMessagesGoInPieces) {
  const auto spool = open();
  for (int i = 0; i < 10; ++i) {
    SpoolBatch batch;
    for (int j = 0; j < 500; ++j) batch.messages.push_back(started(j));
    ASSERT_TRUE(await(spool->append(std::move(batch))).ok());
  }
  EXPECT_EQ(spool->stats().messages, 5000u);
  spool->acknowledged(4999);
  for (int i = 0; i < 8; ++i) settle(*spool);
  EXPECT_EQ(seqs(*spool), Numbers{5000});
  EXPECT_EQ(spool->stats().messages, 1u);
}

TEST_F(SpoolTest, AWaiterWakesForWhatIsStoredByAnotherThread) {
  const auto spool = open();
  ASSERT_TRUE(await(spool->append(batch_of(report(1)))).ok());
  await(spool->wait_after(0, 1h));   // there already
  await(spool->wait_after(1, 1ms));  // the limit
  asio::io_context loop;
  bool woken = false;
  spawn(loop.get_executor(), "waiter", [](Spool& s, bool& done) -> Task<void> {
    co_await s.wait_after(1, 1h);
    done = true;
  }(*spool, woken));
  loop.poll();
  EXPECT_FALSE(woken);
  std::thread([&spool] { EXPECT_TRUE(await(spool->append(batch_of(report(2)))).ok()); }).join();
  loop.run();
  EXPECT_TRUE(woken);
}

TEST_F(SpoolTest, OneProcessAtATimeAndClosedToOthers) {
  const auto spool = open();
  EXPECT_EQ(Spool::open({folder / "state/spool.db"}, clock).error().code(), Code::unavailable);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "state/spool.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(Spool::open({folder / "small.db", 1 << 20}, clock).error().code(),
            Code::invalid_argument);
}

// A damaged file is set aside whole, and numbering starts anew under a new epoch.
class DamagedSpool : public SpoolTest {
 protected:
  void SetUp() override {
    const auto spool = open();
    epoch = spool->epoch();
    for (int i = 1; i <= 20; ++i)
      ASSERT_TRUE(await(spool->append(batch_of(report(i, 20'000)))).ok());
  }
  void expect_new_beginning() {
    const auto size = std::filesystem::file_size(folder / "state/spool.db");
    const auto spool = open();
    EXPECT_NE(spool->epoch(), epoch);
    EXPECT_EQ(spool->newest_seq(), 0u);
    EXPECT_EQ(*await(spool->append(batch_of(report(1)))), 1u);
    EXPECT_EQ(std::filesystem::file_size(folder / "state/spool.db.damaged-1700000000000000"), size);
  }
  uint64_t epoch = 0;
};

TEST_F(DamagedSpool, Truncated) {
  std::filesystem::resize_file(folder / "state/spool.db", 150'000);
  expect_new_beginning();
}

TEST_F(DamagedSpool, Garbage) {
  std::ofstream(folder / "state/spool.db") << std::string(50'000, '#');
  expect_new_beginning();
}

TEST_F(DamagedSpool, OverwrittenInTheMiddle) {
  std::fstream file(folder / "state/spool.db", std::ios::in | std::ios::out);
  for (int page = 1; page < 60; ++page) file.seekp(page * 4096) << std::string(4096, '\x5a');
  file.close();
  expect_new_beginning();
}

TEST_F(DamagedSpool, GarbageInTheWalIsIgnored) {
  std::ofstream(folder / "state/spool.db-wal") << std::string(50'000, '#');
  const auto spool = open();
  EXPECT_EQ(spool->epoch(), epoch);
  EXPECT_EQ(seqs(*spool).size(), 20u);
}

}  // namespace
}  // namespace gitaiops::agent
