// A bounded queue of closures between the callers and the threads of a Database. Thread safety: any
// thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/sqlite/sqlite.h"

namespace gitaiops::sqlite {

struct Job {
  Database::Step act;
  Database::Done done;     // called exactly once
  std::size_t weight = 0;  // about how many bytes it writes
  bool transaction = true;
};

class JobQueue {
 public:
  explicit JobQueue(std::size_t limit) : limit_(limit) {}
  // Full (resource_exhausted) or closed (cancelled): the job's `done` is called at once, with that.
  void push(Job job);
  // Waits; what may run together: jobs up to the weight, or a single one that is outside a
  // transaction. Empty: closed and drained.
  std::vector<Job> pop(std::size_t weight, std::size_t count);
  void close();

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;  // protected by mutex_, as are:
  std::deque<Job> jobs_;
  bool closed_ = false;
};

// Runs the act; what it threw or what its statements failed with is its status.
Status run_guarded(const Database::Step& act, Connection& connection);
// Runs jobs in as few transactions as they allow and completes them; `notice` sees each answer
// before its caller does.
void run_batch(Connection& connection, std::vector<Job> jobs,
               const std::function<void(const Status&)>& notice);

}  // namespace gitaiops::sqlite
