#include "base/sqlite/wakeup.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/sqlite/await.h"

namespace gitaiops {
namespace {

using namespace std::chrono_literals;

TEST(Wakeup, WakesAWaiterOnAnotherLoop) {
  Wakeup wakeup;
  asio::io_context loop;
  bool woken = false;
  spawn(loop.get_executor(), "waiter", [](const Wakeup& w, bool& done) -> Task<void> {
    co_await w.wait(0, 1h);
    done = true;
  }(wakeup, woken));
  loop.poll();
  EXPECT_FALSE(woken);
  std::thread([&wakeup] { wakeup.notify(); }).join();
  loop.run();
  EXPECT_TRUE(woken);
}

TEST(Wakeup, WhatHappenedBetweenLookingAndWaitingIsNotMissed) {
  Wakeup wakeup;
  const auto seen = wakeup.version();
  wakeup.notify();
  testing::await(wakeup.wait(seen, 1h));  // returns at once
  EXPECT_EQ(wakeup.version(), seen + 1);
}

TEST(Wakeup, TheLimitEndsAWait) {
  const Wakeup wakeup;
  testing::await(wakeup.wait(wakeup.version(), 1ms));
  testing::await(wakeup.wait(wakeup.version(), -1s));
  EXPECT_EQ(wakeup.version(), 0u);
}

TEST(Wakeup, ManyThreadsNotifyWhileOneWaits) {
  Wakeup wakeup;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&wakeup] {
      for (int i = 0; i < 1000; ++i) wakeup.notify();
    });
  testing::await([](const Wakeup& w) -> Task<void> {
    for (uint64_t seen = 0; seen < 4000; seen = w.version()) co_await w.wait(seen, 1h);
  }(wakeup));
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wakeup.version(), 4000u);
}

TEST(Wakeup, AWaitThatTheLoopAbandonsLeavesNothingBehind) {
  Wakeup wakeup;
  {
    asio::io_context loop;
    spawn(loop.get_executor(), "waiter", wakeup.wait(0, 1h));
    loop.poll();
  }
  wakeup.notify();
  EXPECT_EQ(wakeup.version(), 1u);
}

}  // namespace
}  // namespace gitaiops
