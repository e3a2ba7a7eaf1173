// Runs the work that the store keeps: leases an item, hands it to the handler of its kind, and
// writes what came of it.
//
//  - At most `concurrency` items run at once; two items of one unique key never run at the same
//  time here.
//  - A handler that is not done after `handler_timeout` is cancelled. The lease outlasts waiting
//  for the key and running,
//    so nothing is ever renewed; should a lease be lost all the same, the store's fence refuses the
//    late finish.
//  - An error of a kind that passes (unavailable, resource_exhausted, deadline_exceeded,
//  unauthenticated) is tried again
//    for about two days, one that may pass (internal, already_exists, data_loss, cancelled) 8
//    times, any other not at all: then the item goes to the dead letters. Waits double from 0.5 s
//    to 5 min with jitter, and are never shorter than the handler asks.
// Thread safety: one executor, the one that awaits run().
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/store/store.h"

namespace gitaiops::queue {

// Work about a merge request, one of a kind at a time; its payload names it.
store::NewWork work_on(std::string_view kind, const store::MergeRequestKey& key,
                       UnixMicros not_before, int priority);
// Nothing: the payload names none.
std::optional<store::MergeRequestKey> merge_request_in(std::string_view payload);

// What a handler made of its item. `outcome` is written in the transaction that records it.
struct Done {};
struct Again {  // nothing failed, it is only not time yet
  std::chrono::microseconds after{0};
  std::string why;
};
struct Failed {
  Error error;
  std::chrono::microseconds not_within{0};  // how long the other side wants to be left alone
};
struct GiveUp {  // to the dead letters, for a person to look at
  std::string why;
};
struct Verdict {
  std::variant<Done, Again, Failed, GiveUp> what = Done{};
  store::WorkOutcome outcome = {};
};

// When it is cancelled its waits fail (and the next co_await throws): it must not take that for
// success.
using Handler = std::function<Task<Verdict>(store::Work)>;

struct Options {
  int concurrency = 8;
  std::chrono::seconds handler_timeout{60};
  std::chrono::seconds lease{120};  // longer: time to cancel the handler and to write the outcome
  std::chrono::milliseconds poll{1'000};        // the longest sleep while nothing is due
  std::chrono::milliseconds stop_grace{2'000};  // for running handlers, then they are cancelled
};

// How long to wait before attempt number `attempts` + 1, or nullopt when there is none. `random` in
// [0, 1).
std::optional<std::chrono::microseconds> retry_wait(Code code, int attempts, double random);

class Worker {
 public:
  Worker(store::Store& store, const Clock& clock, Options options = {})
      : store_(store), clock_(clock), options_(options) {}

  void handle(std::string kind, Handler handler) {
    handlers_[std::move(kind)] = std::move(handler);
  }
  // Until stop(); returns when nothing runs any more.
  Task<void> run();
  void stop();
  std::size_t running() const { return running_.size(); }

 private:
  struct Run;
  Task<void> work_on(store::Work work, std::shared_ptr<Run> run);
  Task<Verdict> verdict_of(store::Work work, std::shared_ptr<Run> run);
  Task<void> record(store::Work work, Verdict verdict);

  store::Store& store_;
  const Clock& clock_;
  const Options options_;
  std::map<std::string, Handler> handlers_;
  std::set<std::shared_ptr<Run>> running_;
  Event changed_;  // an item ended, or stop() was called
  bool stopping_ = false;
};

}  // namespace gitaiops::queue
