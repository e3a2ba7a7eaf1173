#include "controller/queue/queue.h"

#include <gtest/gtest.h>

#include "tests/unit/reactions/memory_store.h"

namespace gitaiops::queue {
namespace {

// A handler that is under way for ever, unless it is cancelled.
Task<Verdict> endless(bool* began) {
  if (began != nullptr) *began = true;
  const bool slept = co_await sleep_for(std::chrono::hours(1));
  Verdict out;
  if (!slept) out.what = Failed{{Code::cancelled, "cancelled"}};
  co_return out;
}

using namespace std::chrono_literals;

TEST(RetryWait, DoublesWithJitterAndEndsByKind) {
  EXPECT_EQ(retry_wait(Code::unavailable, 1, 0.0), 250ms);
  EXPECT_EQ(retry_wait(Code::unavailable, 1, 0.5), 375ms);
  EXPECT_EQ(retry_wait(Code::unavailable, 4, 0.0), 2s);
  EXPECT_EQ(retry_wait(Code::unavailable, 500, 0.0), 150s);
  EXPECT_EQ(retry_wait(Code::unavailable, 600, 0.0), std::nullopt);
  EXPECT_NE(retry_wait(Code::internal, 7, 0.0), std::nullopt);
  EXPECT_EQ(retry_wait(Code::internal, 8, 0.0), std::nullopt);
  EXPECT_EQ(retry_wait(Code::permission_denied, 1, 0.0), std::nullopt);
}

class QueueTest : public ::testing::Test {
 protected:
  void put(std::string kind, std::string key) {
    store_.put({std::move(kind), std::move(key), "{}", clock_.now()});
  }
  // Runs the worker until `done` holds; a test that never gets there ends by ctest's timeout.
  void run(Worker& worker, std::function<bool()> done) {
    spawn(loop_.get_executor(), "worker", worker.run());
    spawn(loop_.get_executor(), "watch", [](Worker& w, std::function<bool()> ready) -> Task<void> {
      while (!ready()) co_await sleep_for(1ms);
      w.stop();
    }(worker, std::move(done)));
    loop_.run();
  }
  asio::io_context loop_;
  FakeClock clock_;
  store::MemoryStore store_;
  Options options_{.concurrency = 2, .poll = 5ms, .stop_grace = 20ms};
};

TEST_F(QueueTest, RecordsWhatAHandlerLeavesBehind) {
  Worker worker(store_, clock_, options_);
  worker.handle("a", [](store::Work work) -> Task<Verdict> {
    Verdict out;
    if (work.unique_key == "again") out.what = Again{10s, "not yet"};
    if (work.unique_key == "down") out.what = Failed{{Code::unavailable, "down"}, 60s};
    if (work.unique_key == "denied") out.what = Failed{{Code::permission_denied, "no"}};
    out.outcome.audit.push_back({{}, "test", work.unique_key, "", 0, "", "done"});
    co_return out;
  });
  for (const char* key : {"done", "again", "down", "denied"}) put("a", key);
  put("unknown", "x");
  run(worker, [&] { return store_.audits.size() == 4 && store_.dead.size() == 2; });
  ASSERT_EQ(store_.items.size(), 2u);
  EXPECT_EQ(store_.items[0].work.unique_key, "again");
  EXPECT_EQ(store_.items[0].not_before, clock_.now() + 10 * kMicrosPerSecond);
  EXPECT_EQ(store_.items[1].not_before, clock_.now() + 60 * kMicrosPerSecond)
      << "as long as the other side asked for";
  EXPECT_EQ(store_.dead[0].second, "no");
  EXPECT_EQ(store_.dead[1].second, "nothing here handles work of kind \"unknown\"");
}

TEST_F(QueueTest, BoundsWhatRunsAtOnce) {
  options_.concurrency = 3;
  Worker worker(store_, clock_, options_);
  int now = 0, most = 0, ended = 0;
  worker.handle("a", [&](store::Work) {
    return [](int& n, int& m, int& e) -> Task<Verdict> {
      m = std::max(m, ++n);
      co_await sleep_for(2ms);
      --n;
      ++e;
      co_return Verdict();
    }(now, most, ended);
  });
  for (int i = 0; i < 10; ++i) put("a", "k" + std::to_string(i));
  run(worker, [&] { return ended == 10; });
  EXPECT_EQ(most, 3);
}

TEST_F(QueueTest, CancelsAHandlerThatTakesTooLong) {
  options_.handler_timeout = 0s;
  Worker worker(store_, clock_, options_);
  worker.handle("a", [](store::Work) { return endless(nullptr); });
  put("a", "slow");
  run(worker, [&] { return store_.items[0].work.attempts == 1 && !store_.items[0].leased; });
  EXPECT_GT(store_.items[0].not_before, clock_.now());
}

TEST_F(QueueTest, AnExceptionIsAFailureOfTheItemOnly) {
  Worker worker(store_, clock_, options_);
  worker.handle("a", [](store::Work) -> Task<Verdict> {
    co_await sleep_for(0us);
    throw std::runtime_error("bug");
  });
  put("a", "x");
  run(worker, [&] { return store_.items[0].work.attempts == 1 && !store_.items[0].leased; });
  EXPECT_TRUE(store_.dead.empty());
}

TEST_F(QueueTest, StopPutsBackWhatDoesNotEndInItsGrace) {
  Worker worker(store_, clock_, options_);
  bool began = false;
  worker.handle("a", [&](store::Work) { return endless(&began); });
  put("a", "x");
  run(worker, [&] { return began; });
  ASSERT_EQ(store_.items.size(), 1u);
  EXPECT_FALSE(store_.items[0].leased);
  EXPECT_EQ(store_.items[0].not_before, clock_.now());
  EXPECT_EQ(worker.running(), 0u);
}

}  // namespace
}  // namespace gitaiops::queue
