// The spool's bound in bytes, what goes first, and the full disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/spool/messages.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::agent {
namespace {

using namespace agent::testing;
using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;

constexpr uint64_t kSmall = 4u << 20;

struct Kinds {
  std::vector<int64_t> samples, started, reports;
};

Kinds stored(Spool& spool) {
  Kinds out;
  for (uint64_t seq = 0;;) {
    const auto found = await(spool.after(seq, 1000));
    if (found->empty()) return out;
    for (const auto& e : *found) {
      if (e.has_host_samples()) out.samples.push_back(e.host_samples().at_us());
      if (e.has_job_started()) out.started.push_back(e.job_started().key().job_id());
      if (e.has_job_report()) out.reports.push_back(e.job_report().key().job_id());
    }
    seq = found->back().seq();
  }
}

TEST(SpoolBounds, NeverGrowsBeyondItsBytesAndKeepsTheNewestReports) {
  const TemporaryFolder folder;
  const FakeClock clock;
  const auto spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  uint64_t highest = 0;
  for (int i = 1; i <= 1000; ++i) {
    ASSERT_TRUE(await(spool->append(batch_of(report(i, 5'000 + 137 * (i % 200))))).ok());
    highest = std::max(highest, spool->stats().bytes);
  }
  EXPECT_LE(highest, kSmall);
  const auto left = stored(*spool).reports;
  const auto stats = spool->stats();
  EXPECT_EQ(left.size() + stats.dropped_reports, 1000u);
  EXPECT_EQ(stats.messages, left.size());
  ASSERT_GT(left.size(), 30u);
  EXPECT_EQ(left.back(), 1000);
  for (std::size_t i = 1; i < left.size(); ++i)
    EXPECT_EQ(left[i], left[i - 1] + 1) << "the oldest go first";
  EXPECT_EQ(spool->newest_seq(), 1000u);
  EXPECT_FALSE(stats.disk_full);
}

TEST(SpoolBounds, SamplesGoFirstThenStartedThenReports) {
  const TemporaryFolder folder;
  const FakeClock clock;
  auto spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  for (int i = 0; i < 20; ++i) {
    SpoolBatch batch;
    for (int j = 0; j < 200; ++j) batch.messages.push_back(samples(i * 200 + j));
    for (int j = 0; j < 100; ++j) batch.messages.push_back(started(i * 100 + j));
    ASSERT_TRUE(await(spool->append(std::move(batch))).ok());
  }
  ASSERT_EQ(stored(*spool).samples.size(), 4000u);
  int64_t next = 1;
  const auto fill_until = [&](auto full) {
    while (!full(spool->stats()) && next < 500)
      ASSERT_TRUE(await(spool->append(batch_of(report(next++, 20'000)))).ok());
  };
  fill_until([](const Spool::Stats& s) { return s.dropped_samples > 0; });
  auto now = stored(*spool);
  EXPECT_EQ(now.started.size(), 2000u);
  ASSERT_FALSE(now.samples.empty());
  EXPECT_EQ(now.samples.front(), 4000 - static_cast<int64_t>(now.samples.size()))
      << "the oldest went";

  fill_until([](const Spool::Stats& s) { return s.dropped_started > 0; });
  EXPECT_EQ(stored(*spool).samples.size(), 0u);
  EXPECT_EQ(spool->stats().dropped_samples, 4000u);
  EXPECT_EQ(spool->stats().dropped_reports, 0u);

  fill_until([](const Spool::Stats& s) { return s.dropped_reports > 0; });
  now = stored(*spool);
  EXPECT_EQ(spool->stats().dropped_started, 2000u);
  EXPECT_EQ(now.reports.back(), next - 1);

  // A sample is less than any report: it is the one to go at once.
  ASSERT_TRUE(await(spool->append(batch_of(samples(1)))).ok());
  EXPECT_EQ(spool->stats().dropped_reports + stored(*spool).reports.size(),
            static_cast<uint64_t>(next - 1));

  const auto before = spool->stats();
  spool.reset();
  spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  EXPECT_EQ(spool->stats().dropped_samples, before.dropped_samples);
  EXPECT_EQ(spool->stats().dropped_started, before.dropped_started);
  EXPECT_EQ(spool->stats().dropped_reports, before.dropped_reports);
}

TEST(SpoolBounds, ManyInFlightStayWithinTheBoundToo) {
  const TemporaryFolder folder;
  const FakeClock clock;
  const auto spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  asio::io_context loop;
  uint64_t highest = 0;
  int failed = 0;
  for (int t = 0; t < 32; ++t)
    spawn(loop.get_executor(), "appender", [](Spool& s, uint64_t& high, int& bad) -> Task<void> {
      for (int i = 0; i < 30; ++i) {
        auto batch = batch_of(report(i, 60'000));
        const auto stored = co_await s.append(std::move(batch));
        if (!stored.ok()) ++bad;
        high = std::max(high, s.stats().bytes);
      }
    }(*spool, highest, failed));
  loop.run();
  EXPECT_EQ(failed, 0);
  EXPECT_LE(highest, kSmall);
  EXPECT_EQ(spool->newest_seq(), 960u);
}

TEST(SpoolBounds, ABatchLargerThanTheSpoolTakesIsRefusedAndCounted) {
  const TemporaryFolder folder;
  const FakeClock clock;
  auto spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  ASSERT_TRUE(await(spool->append(batch_of(report(1)))).ok());
  EXPECT_EQ(await(spool->append(batch_of(report(2, 1 << 20)))).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(spool->stats().dropped_reports, 1u);
  EXPECT_EQ(*await(spool->append(batch_of(report(3)))), 2u);
  spool.reset();  // the count was written down
  spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  EXPECT_EQ(spool->stats().dropped_reports, 1u);
}

TEST(SpoolBounds, ASmallerBoundIsKeptFromTheStart) {
  const TemporaryFolder folder;
  const FakeClock clock;
  auto spool = std::move(Spool::open({folder / "spool.db", 4 * kSmall}, clock)).value();
  for (int i = 1; i <= 100; ++i)
    ASSERT_TRUE(await(spool->append(batch_of(report(i, 60'000)))).ok());
  ASSERT_EQ(spool->stats().dropped_reports, 0u);
  spool.reset();
  spool = std::move(Spool::open({folder / "spool.db", kSmall}, clock)).value();
  for (int i = 101; i <= 110; ++i)
    ASSERT_TRUE(await(spool->append(batch_of(report(i, 60'000)))).ok());
  EXPECT_GT(spool->stats().dropped_reports, 60u);
  EXPECT_EQ(stored(*spool).reports.back(), 110);
  EXPECT_LE(spool->stats().bytes, kSmall);
}

TEST(SpoolBounds, AcknowledgedSpaceGoesBackToTheDisk) {
  const TemporaryFolder folder;
  const FakeClock clock;
  const auto spool = std::move(Spool::open({folder / "spool.db", 16u << 20}, clock)).value();
  for (int i = 1; i <= 100; ++i)
    ASSERT_TRUE(await(spool->append(batch_of(report(i, 60'000)))).ok());
  const auto full = spool->stats().bytes;
  for (uint64_t i = 1; i <= 100; ++i) {
    spool->acknowledged(i);
    ASSERT_TRUE(await(spool->append({})).ok());
  }
  EXPECT_GT(full, 6'000'000u);
  EXPECT_LT(spool->stats().bytes, full);
  EXPECT_EQ(spool->stats().messages, 0u);
}

// In a child process: a file size limit makes write(2) itself fail, as on a full disk. The exit
// status names the step.
int live_on_a_full_disk(const std::filesystem::path& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  const FakeClock clock;
  auto opened = Spool::open({path, 64u << 20}, clock);
  if (!opened.ok()) return 1;
  const auto spool = std::move(opened).value();
  for (int i = 0; i < 20; ++i)
    if (!await(spool->append(batch_of(samples(i)))).ok()) return 2;
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 2'000'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  uint64_t refused = 0;
  uint64_t kept = 0;
  for (int i = 1; i <= 300; ++i) {
    auto batch = batch_of(report(i, 20'000));
    batch.cursors["s"] = std::to_string(i);
    const auto answer = await(spool->append(std::move(batch)));
    if (!answer.ok() && answer.error().code() != Code::resource_exhausted) return 3;
    if (answer.ok() == spool->stats().disk_full) return 4;
    answer.ok() ? ++kept : ++refused;
  }
  const auto full = spool->stats();
  if (full.dropped_samples == 0) return 5;
  if (full.dropped_reports < refused) return 6;
  if (full.messages - (20 - full.dropped_samples) != kept - (full.dropped_reports - refused))
    return 7;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 301; i <= 400; ++i) {
    auto batch = batch_of(report(i, 20'000));
    batch.cursors["s"] = std::to_string(i);
    if (!await(spool->append(std::move(batch))).ok()) return 8;
  }
  if (spool->stats().disk_full) return 9;
  if (stored(*spool).reports.back() != 400) return 10;
  return (*await(spool->cursors()))["s"] == "400" ? 0 : 11;
}

TEST(SpoolBounds, AFullDiskIsABoundReachedAndIsSurvived) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(live_on_a_full_disk(folder / "spool.db"));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace gitaiops::agent
