#include "base/sqlite/lane.h"

#include <exception>

namespace gitaiops::sqlite {

void JobQueue::push(Job job) {
  Status refusal;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refusal = Error(Code::cancelled, "the database is closing");
    } else if (jobs_.size() >= limit_) {
      refusal =
          Error(Code::resource_exhausted,
                "the database is behind: " + std::to_string(limit_) + " requests are waiting");
    } else {
      jobs_.push_back(std::move(job));
    }
  }
  if (refusal.ok()) {
    changed_.notify_one();
  } else {
    job.done(std::move(refusal));
  }
}

std::vector<Job> JobQueue::pop(std::size_t weight, std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
  std::vector<Job> taken;
  std::size_t heavy = 0;
  while (!jobs_.empty() && taken.size() < count) {
    const Job& next = jobs_.front();
    heavy += next.weight;
    const bool together = next.transaction && heavy <= weight;
    if (!taken.empty() && (!together || !taken.front().transaction)) break;
    taken.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  return taken;
}

void JobQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

Status run_guarded(const Database::Step& act, Connection& connection) {
  Status status;
  try {
    status = act(connection);
  } catch (const std::exception& e) {
    status = Error(Code::internal, std::string("bug: a database closure threw: ") + e.what());
  }
  auto failed = connection.take_failure();
  return failed.ok() ? status : failed;
}

namespace {

enum class Whole {
  committed,
  undone,      // rolled back as a whole for lack of space: each may be tried alone
  never_begun  // nothing was tried, and trying again at once would not help
};

bool lacks_space(const Status& status) {
  return !status.ok() && status.error().code() == Code::resource_exhausted;
}

// One transaction; statuses[i] is the i-th job's.
Whole attempt(Connection& connection, std::span<Job> jobs, std::span<Status> statuses) {
  const auto give_up = [&](const Status& status, Whole whole) {
    if (connection.in_transaction()) (void)connection.execute("ROLLBACK");
    for (auto& s : statuses) s = status;
    return whole;
  };
  connection.drop_hooks(0);
  if (auto begun = connection.execute("BEGIN IMMEDIATE"); !begun.ok())
    return give_up(begun, Whole::never_begun);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const std::size_t hooks = connection.hooks();
    statuses[i] = connection.execute("SAVEPOINT one");
    if (statuses[i].ok()) statuses[i] = run_guarded(jobs[i].act, connection);
    if (statuses[i].ok()) {
      statuses[i] = connection.execute("RELEASE one");
      continue;
    }
    // SQLite itself undoes the whole transaction on most disk errors; on the others we do, so that
    // there is one behaviour.
    if (lacks_space(statuses[i]) || !connection.in_transaction())
      return give_up(statuses[i], Whole::undone);
    connection.drop_hooks(hooks);
    (void)connection.execute("ROLLBACK TO one; RELEASE one");
  }
  if (auto committed = connection.execute("COMMIT"); !committed.ok())
    return give_up(committed, Whole::undone);
  connection.run_hooks();
  return Whole::committed;
}

}  // namespace

void run_batch(Connection& connection, std::vector<Job> jobs,
               const std::function<void(const Status&)>& notice) {
  std::vector<Status> statuses(jobs.size());
  if (!jobs.front().transaction) {
    statuses.front() = run_guarded(jobs.front().act, connection);
  } else if (attempt(connection, jobs, statuses) == Whole::undone) {
    // Folding the WAL into the file lets its space be used again; kept, not truncated, for the disk
    // may be full.
    (void)connection.execute("PRAGMA wal_checkpoint(RESTART)");
    connection.set_retrying(true);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      attempt(connection, std::span(jobs).subspan(i, 1), std::span(statuses).subspan(i, 1));
    connection.set_retrying(false);
  }
  connection.drop_hooks(0);
  for (const auto& status : statuses) notice(status);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(std::move(statuses[i]));
}

}  // namespace gitaiops::sqlite
