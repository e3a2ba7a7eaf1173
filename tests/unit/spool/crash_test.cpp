// kill -9 in the middle of appends, a hundred times on the same file: what was reported complete is
// there, nothing is doubled, and the cursor says exactly what the messages say.
#include <random>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io/files.h"
#include "tests/unit/spool/messages.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::agent {
namespace {

using namespace agent::testing;
using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;

constexpr int kRounds = 100;
constexpr int kInFlight = 8;

// Appends messages numbered from the cursor on, several in flight, and writes each number to the
// pipe once it is complete.
[[noreturn]] void append_until_killed(const std::filesystem::path& path, int pipe) {
  auto spool = std::move(Spool::open({path}, system_clock())).value();
  int64_t next = std::stoll("0" + (*await(spool->cursors()))["source"]) + 1;
  asio::io_context loop;
  for (int i = 0; i < kInFlight; ++i)
    spawn(loop.get_executor(), "appender", [](Spool& s, int64_t& number, int out) -> Task<void> {
      for (;;) {
        const int64_t mine = number++;
        SpoolBatch batch = batch_of(report(mine, static_cast<std::size_t>(mine % 50) * 100));
        batch.cursors["source"] = std::to_string(mine);
        batch.tracker_state = "state " + std::to_string(mine);
        const auto stored = co_await s.append(std::move(batch));
        if (!stored.ok() || ::write(out, &mine, sizeof mine) != sizeof mine) ::_exit(1);
        if (mine % 64 == 0) s.acknowledged(*stored - 32);
      }
    }(*spool, next, pipe));
  loop.run();
  ::_exit(2);
}

TEST(SpoolCrash, NothingCompletedIsLostAndNothingIsDoubled) {
  const TemporaryFolder folder;
  std::mt19937 random(20'240);
  int64_t total = 0;
  for (int round = 0; round < kRounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    Fd in(ends[0]);
    Fd out(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) append_until_killed(folder / "spool.db", out.get());
    out.reset();
    // Killed after a random number of completions: anywhere between two fsyncs.
    const int kill_at = 1 + static_cast<int>(random() % 40);
    int64_t highest = 0;
    int64_t number = 0;
    for (int i = 0; ::read(in.get(), &number, sizeof number) == sizeof number; ++i) {
      highest = std::max(highest, number);
      if (i == kill_at) ::kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status))
        << "round " << round << ": the child ended by itself, " << status;

    const auto spool = std::move(Spool::open({folder / "spool.db"}, system_clock())).value();
    const int64_t cursor = std::stoll((*await(spool->cursors()))["source"]);
    ASSERT_GE(cursor, highest) << "a completed append is gone";
    ASSERT_EQ(*await(spool->tracker_state()), "state " + std::to_string(cursor));
    ASSERT_EQ(spool->newest_seq(), static_cast<uint64_t>(cursor));
    const auto messages = await(spool->after(0, 100'000));
    ASSERT_FALSE(messages->empty());
    ASSERT_EQ(messages->back().seq(), static_cast<uint64_t>(cursor));
    for (std::size_t i = 0; i < messages->size(); ++i) {
      const auto& message = (*messages)[i];
      ASSERT_EQ(message.seq(), messages->front().seq() + i);
      ASSERT_EQ(message.job_report().key().job_id(), static_cast<int64_t>(message.seq()));
    }
    ASSERT_EQ(spool->stats().messages, messages->size());
    total = cursor;
  }
  EXPECT_GE(total, kRounds);
}

}  // namespace
}  // namespace gitaiops::agent
