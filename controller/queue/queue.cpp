#include "controller/queue/queue.h"

#include <algorithm>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>

#include "base/crypto/crypto.h"
#include "base/log/log.h"

namespace gitaiops::queue {
namespace {

using std::chrono::microseconds;

constexpr microseconds kFirstWait = std::chrono::milliseconds(500);
constexpr microseconds kLongestWait = std::chrono::minutes(5);
constexpr int kAttemptsWhilePassing = 600;  // about two days at the longest wait
constexpr int kAttemptsWhenInDoubt = 8;
constexpr auto kStoreTrouble = std::chrono::seconds(1);

int allowed_attempts(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::resource_exhausted:
    case Code::deadline_exceeded:
    case Code::unauthenticated:
      return kAttemptsWhilePassing;
    case Code::internal:
    case Code::already_exists:
    case Code::data_loss:
    case Code::cancelled:
      return kAttemptsWhenInDoubt;
    default:
      return 1;
  }
}

double random_unit() {
  return static_cast<double>(crypto::random_u64() >> 11) * 0x1p-53;
}

}  // namespace

std::optional<microseconds> retry_wait(Code code, int attempts, double random) {
  if (attempts >= allowed_attempts(code)) return std::nullopt;
  const auto step =
      std::min(kFirstWait * (int64_t{1} << std::clamp(attempts - 1, 0, 16)), kLongestWait);
  return step / 2 +
         microseconds(static_cast<int64_t>(static_cast<double>(step.count() / 2) * random));
}

// One item under way: how to cancel its handler, and what the handler said.
struct Worker::Run {
  asio::cancellation_signal signal;
  Event ended;
  bool cancelled = false;
  std::optional<Verdict> verdict;  // empty after the end: an exception got out
  void cancel() {
    cancelled = true;
    signal.emit(asio::cancellation_type::terminal);
  }
};

Task<void> Worker::run() {
  const auto executor = co_await asio::this_coro::executor;
  while (!stopping_) {
    if (running_.size() >= static_cast<std::size_t>(options_.concurrency)) {
      changed_.reset();
      co_await changed_.wait();
      continue;
    }
    const UnixMicros now = clock_.now();
    auto leased = co_await store_.lease(now, microseconds(options_.lease).count());
    if (!leased.ok()) {
      log::error("the work queue cannot be read", {{"error", leased.error().to_string()}});
      changed_.reset();
      co_await changed_.wait(kStoreTrouble);
      continue;
    }
    if (!*leased) {
      if (!stopping_) co_await store_.wait_work(now, options_.poll);
      continue;
    }
    // Leased just as stop() came: it is run all the same, else it would lie until the lease ends.
    auto run = std::make_shared<Run>();
    running_.insert(run);
    spawn(executor, "queue item", work_on(std::move(**leased), run));
  }
  // What runs gets its grace, then it is cancelled; what cannot be cancelled (the store) is waited
  // for.
  const auto cancel_at = clock_.steady() + microseconds(options_.stop_grace).count();
  while (!running_.empty()) {
    changed_.reset();
    const bool one_ended = co_await changed_.wait(options_.stop_grace);
    if (one_ended && clock_.steady() < cancel_at) continue;
    for (const auto& run : std::set(running_)) run->cancel();
  }
}

void Worker::stop() {
  stopping_ = true;
  changed_.set();
}

Task<void> Worker::work_on(store::Work work, std::shared_ptr<Run> run) {
  Verdict verdict = co_await verdict_of(work, run);
  co_await record(std::move(work), std::move(verdict));
  running_.erase(run);
  changed_.set();
}

Task<Verdict> Worker::verdict_of(store::Work work, std::shared_ptr<Run> run) {
  const auto handler = handlers_.find(work.kind);
  if (handler == handlers_.end())
    co_return Verdict{GiveUp{"nothing here handles work of kind \"" + work.kind + "\""}, {}};
  if (run->cancelled) co_return Verdict{Again{{}, "stopped before it began"}, {}};
  // A coroutine of its own, so that cancelling it does not touch the one that records the outcome.
  const auto collect = [](Task<Verdict> task, std::shared_ptr<Run> r) -> Task<void> {
    r->verdict = co_await std::move(task);
  };
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, collect(handler->second(work), run),
                 asio::bind_cancellation_slot(run->signal.slot(),
                                              [run](std::exception_ptr) { run->ended.set(); }));
  const bool in_time = co_await run->ended.wait(options_.handler_timeout);
  if (!in_time) {
    run->cancel();
    co_await run->ended.wait();
  }
  const bool decided = run->verdict && !std::holds_alternative<Failed>(run->verdict->what);
  if (!decided && !in_time)
    co_return Verdict{Failed{{Code::deadline_exceeded, work.kind + " took longer than its time"}},
                      {}};
  if (!decided && run->cancelled) co_return Verdict{Again{{}, "stopped in the middle"}, {}};
  if (!run->verdict)
    co_return Verdict{Failed{{Code::internal, work.kind + " ended with an exception"}}, {}};
  co_return std::move(*run->verdict);
}

Task<void> Worker::record(store::Work work, Verdict verdict) {
  const UnixMicros now = clock_.now();
  const std::string kind = work.kind, key = work.unique_key;
  Status written;
  if (std::holds_alternative<Done>(verdict.what)) {
    written = co_await store_.finish(std::move(work), std::move(verdict.outcome));
  } else if (const auto* again = std::get_if<Again>(&verdict.what)) {
    written = co_await store_.retry_later(std::move(work), now + again->after.count(), again->why,
                                          std::move(verdict.outcome));
  } else if (const auto* given_up = std::get_if<GiveUp>(&verdict.what)) {
    log::warning("work given up", {{"kind", kind}, {"key", key}, {"why", given_up->why}});
    written = co_await store_.give_up(std::move(work), given_up->why, std::move(verdict.outcome));
  } else {
    const auto& failed = std::get<Failed>(verdict.what);
    const std::string why = failed.error.to_string();
    const auto wait = retry_wait(failed.error.code(), work.attempts, random_unit());
    log::warning(wait ? "work failed, later again" : "work failed for good",
                 {{"kind", kind}, {"key", key}, {"attempt", work.attempts}, {"error", why}});
    if (wait) {
      const auto after = std::max(*wait, failed.not_within);
      written = co_await store_.retry_later(std::move(work), now + after.count(), why,
                                            std::move(verdict.outcome));
    } else {
      written = co_await store_.give_up(std::move(work), why, std::move(verdict.outcome));
    }
  }
  if (!written.ok())
    log::error("the outcome of work was not written",
               {{"kind", kind}, {"key", key}, {"error", written.error().to_string()}});
}

}  // namespace gitaiops::queue
