#include "base/sqlite/wakeup.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include <asio/post.hpp>

namespace gitaiops {

using Timer = std::shared_ptr<asio::steady_timer>;

struct Wakeup::State {
  std::mutex mutex;
  uint64_t version = 0;  // protected by mutex, as is:
  std::vector<Timer> waiters;

  static Task<void> wait(std::shared_ptr<State> state, uint64_t seen,
                         std::chrono::microseconds limit);
};

Wakeup::Wakeup() : state_(std::make_shared<State>()) {}

uint64_t Wakeup::version() const {
  const std::lock_guard lock(state_->mutex);
  return state_->version;
}

void Wakeup::notify() {
  const std::lock_guard lock(state_->mutex);
  ++state_->version;
  for (const auto& timer : state_->waiters) {
    // Moving the expiry, not only cancelling: it counts too if the waiter has not begun to wait
    // yet.
    asio::post(timer->get_executor(),
               [timer] { timer->expires_at(asio::steady_timer::time_point::min()); });
  }
  state_->waiters.clear();
}

Task<void> Wakeup::wait(uint64_t seen, std::chrono::microseconds limit) const {
  return State::wait(state_, seen, limit);
}

Task<void> Wakeup::State::wait(std::shared_ptr<State> state, uint64_t seen,
                               std::chrono::microseconds limit) {
  // Longer than any wait that makes sense, and far from overflowing the timer's clock.
  constexpr std::chrono::microseconds kLongest = std::chrono::hours(24);
  const auto timer = std::make_shared<asio::steady_timer>(
      co_await asio::this_coro::executor,
      std::clamp(limit, std::chrono::microseconds(0), kLongest));
  {
    const std::lock_guard lock(state->mutex);
    if (state->version != seen) co_return;
    state->waiters.push_back(timer);
  }
  // Leaves the list however the task ends: a timer must not outlive its loop.
  struct Leave {
    State& state;
    const Timer& timer;
    ~Leave() {
      const std::lock_guard lock(state.mutex);
      std::erase(state.waiters, timer);
    }
  } const leave{*state, timer};
  asio::error_code ignored;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace gitaiops
