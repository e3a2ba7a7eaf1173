// "Something was committed": one thread says so, tasks on other executors wait for it. A version
// number makes it impossible to miss one between looking and waiting:
//   for (auto seen = w.version(); !(co_await look()); seen = w.version()) co_await w.wait(seen,
//   limit);
// Thread safety: any thread may call. A waiter's executor must be a strand or a loop run by one
// thread. A Wakeup may be destroyed while tasks wait; they then run into their limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/io/io.h"

namespace gitaiops {

class Wakeup {
 public:
  Wakeup();
  // The number of notifications so far.
  uint64_t version() const;
  void notify();
  // Returns when version() differs from `seen`, or after `limit`.
  Task<void> wait(uint64_t seen, std::chrono::microseconds limit) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gitaiops
