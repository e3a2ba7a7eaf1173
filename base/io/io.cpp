#include "base/io/io.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

#include <asio/co_spawn.hpp>

namespace gitaiops {

Task<bool> sleep_for(std::chrono::microseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  asio::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

void spawn(const asio::any_io_executor& executor, std::string_view name, Task<void> task) {
  asio::co_spawn(executor, std::move(task), [what = std::string(name)](std::exception_ptr escaped) {
    if (!escaped) return;
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "error: bug: an exception escaped the task '%s': %s\n", what.c_str(),
                   e.what());
    }
    std::abort();
  });
}

void Event::set() {
  set_ = true;
  for (auto* waiter : waiters_) waiter->cancel();
}

Task<bool> Event::wait(std::chrono::microseconds limit) {
  if (set_) co_return true;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  const auto place = waiters_.insert(waiters_.end(), &timer);
  asio::error_code error;
  try {
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  } catch (
      ...) {  // in a coroutine that was cancelled before: set() must not find the timer any more
    waiters_.erase(place);
    throw;
  }
  waiters_.erase(place);
  co_return set_;
}

}  // namespace gitaiops
