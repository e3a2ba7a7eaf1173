#include "base/io/io.h"

#include <gtest/gtest.h>

namespace gitaiops {
namespace {

using namespace std::chrono_literals;

TEST(Event, WakesEveryWaiterAndTimesOut) {
  asio::io_context loop;
  Event event;
  int woken = 0;
  bool timed_out = false;
  for (int i = 0; i < 3; ++i)
    spawn(loop.get_executor(), "waiter", [](Event& e, int& count) -> Task<void> {
      if (co_await e.wait()) ++count;
    }(event, woken));
  spawn(loop.get_executor(), "setter", [](Event& e, bool& late) -> Task<void> {
    late = !co_await e.wait(1ms);
    e.set();
  }(event, timed_out));
  loop.run();
  EXPECT_EQ(woken, 3);
  EXPECT_TRUE(timed_out);
}

}  // namespace
}  // namespace gitaiops
