// The one event loop of a process and what is awaited on it. Task<T> is how asynchronous work is
// written here:
//   Task<Status> serve(Socket s) { … co_await sleep_for(1s); … }
// Start with spawn(); every spawned task is counted, and an exception that escapes one is a bug and
// aborts.
#pragma once

#include <chrono>
#include <list>
#include <string_view>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "base/result/result.h"

namespace gitaiops {

template <class T>
using Task = asio::awaitable<T>;

// Returns false when the sleep was cancelled.
Task<bool> sleep_for(std::chrono::microseconds duration);

// Runs the task on the executor, detached; `name` appears in the abort message when an exception
// escapes.
void spawn(const asio::any_io_executor& executor, std::string_view name, Task<void> task);

// A flag that tasks wait for. set() wakes every waiter and is idempotent. Not thread-safe: one
// executor.
class Event {
 public:
  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  // Returns when set, or when `limit` has passed; true if set.
  Task<bool> wait(std::chrono::microseconds limit = std::chrono::hours(24 * 365));

 private:
  std::list<asio::steady_timer*> waiters_;
  bool set_ = false;
};

}  // namespace gitaiops
