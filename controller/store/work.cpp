// The work queue. An item waits (lease_until is NULL) or is leased; one whose lease has passed can
// be leased again. At most one item of a kind and key waits, and none is leased while another of
// its kind and key is: work on one thing is serial.
#include <algorithm>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int kPriorities = 3;
constexpr int64_t kStarving = 5 * 60 * kMicrosPerSecond;

// Waiting behind a leased item of the same kind and key is not being due.
constexpr std::string_view kNotBehindAnother =
    "(w.lease_until IS NOT NULL OR NOT EXISTS (SELECT 1 FROM work o "
    "WHERE o.kind = w.kind AND o.unique_key = w.unique_key AND o.lease_until IS NOT NULL))";

}  // namespace

void SqliteStore::put_work(Connection& c, const NewWork& work) {
  c.run(
      "INSERT INTO work(kind, unique_key, payload, not_before, priority) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(kind, unique_key) WHERE lease_until IS NULL "
      "DO UPDATE SET payload = excluded.payload, not_before = min(not_before, "
      "excluded.not_before), priority = min(priority, excluded.priority)",
      {work.kind, work.unique_key, work.payload, work.not_before, work.priority});
  c.after_commit([this] { work_.notify(); });
}

namespace {

// The oldest item that is due at `now` and fits; 0: there is none.
int64_t oldest_due(Connection& c, const std::string& which, UnixMicros now, int64_t value) {
  return c
      .integer("SELECT id FROM work w WHERE " + which +
                   " AND coalesce(lease_until, not_before) <= ? AND " +
                   std::string(kNotBehindAnother) +
                   " ORDER BY coalesce(lease_until, not_before), id LIMIT 1",
               {value, now})
      .value_or(0);
}

// By priority; but what has waited too long goes before all, so that nothing starves.
int64_t next_due(Connection& c, UnixMicros now) {
  if (const int64_t id = oldest_due(c, "? = 0", now + -kStarving, 0)) return id;
  for (int priority = 0; priority < kPriorities; ++priority)
    if (const int64_t id = oldest_due(c, "priority = ?", now, priority)) return id;
  return 0;
}

}  // namespace

Task<Result<std::optional<Work>>> SqliteStore::lease(UnixMicros now, int64_t lease_us) {
  return database_->write([now, lease_us](Connection& c) -> Result<std::optional<Work>> {
    Work work;
    work.id = next_due(c, now);
    {
      auto rows = c.query(
          "SELECT kind, unique_key, payload, attempts, fence, priority FROM work WHERE id = ?",
          {work.id});
      if (!rows.next()) return std::optional<Work>();
      work.kind = rows.text(0);
      work.unique_key = rows.text(1);
      work.payload = rows.text(2);
      work.attempts = static_cast<int>(rows.integer(3)) + 1;
      work.fence = static_cast<uint64_t>(rows.integer(4)) + 1;
      work.priority = static_cast<int>(rows.integer(5));
    }
    c.run("UPDATE work SET attempts = ?, fence = ?, lease_until = ? WHERE id = ?",
          {work.attempts, work.fence, now.value + lease_us, work.id});
    return std::optional(std::move(work));
  });
}

// Takes the item out of the queue, if its lease is still this one.
Status SqliteStore::end_lease(Connection& c, const Work& work) {
  if (c.run("DELETE FROM work WHERE id = ? AND fence = ? AND lease_until IS NOT NULL",
            {work.id, work.fence}) == 0)
    return Error(Code::already_exists,
                 "work item " + std::to_string(work.id) + " was leased to somebody else meanwhile");
  c.after_commit([this] { work_.notify(); });  // another of its kind and key may be due now
  return {};
}

Task<Status> SqliteStore::finish(Work work, WorkOutcome outcome) {
  return database_->write([this, work, outcome, now = clock_.now()](Connection& c) -> Status {
    RETURN_IF_ERROR(end_lease(c, work));
    apply_outcome(c, outcome, now);
    return {};
  });
}

Task<Status> SqliteStore::retry_later(Work work, UnixMicros not_before, std::string why,
                                      WorkOutcome outcome) {
  return database_->write(
      [this, work, not_before, why, outcome, now = clock_.now()](Connection& c) -> Status {
        RETURN_IF_ERROR(end_lease(c, work));
        // Back in line. What was put meanwhile has the newer payload; the earlier time and the
        // attempts so far count.
        c.run(
            "INSERT INTO work(id, kind, unique_key, payload, not_before, attempts, fence, "
            "last_error, priority) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT(kind, unique_key) WHERE lease_until IS NULL "
            "DO UPDATE SET not_before = min(not_before, excluded.not_before), attempts = "
            "max(attempts, excluded.attempts), "
            "last_error = excluded.last_error",
            {work.id, work.kind, work.unique_key, work.payload, not_before, work.attempts,
             work.fence, why, work.priority});
        apply_outcome(c, outcome, now);
        return {};
      });
}

Task<Status> SqliteStore::give_up(Work work, std::string why, WorkOutcome outcome) {
  return database_->write([this, work, why, outcome, now = clock_.now()](Connection& c) -> Status {
    RETURN_IF_ERROR(end_lease(c, work));
    c.run(
        "INSERT INTO dead_letters(kind, unique_key, payload, attempts, why, at) VALUES(?, ?, ?, ?, "
        "?, ?)",
        {work.kind, work.unique_key, work.payload, work.attempts, why, now});
    apply_outcome(c, outcome, now);
    return {};
  });
}

Task<void> SqliteStore::wait_work(UnixMicros now, std::chrono::microseconds limit) {
  using std::chrono::microseconds;
  const auto begun = std::chrono::steady_clock::now();
  const microseconds longest = std::min<microseconds>(limit, std::chrono::hours(24));
  for (;;) {
    const auto seen = work_.version();
    auto look = [](Connection& c) -> Result<std::optional<int64_t>> {
      return c.integer("SELECT coalesce(lease_until, not_before) FROM work w WHERE " +
                       std::string(kNotBehindAnother) +
                       " ORDER BY coalesce(lease_until, not_before), id LIMIT 1");
    };
    const auto due = co_await database_->read(std::move(look));
    const auto waited =
        std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begun);
    microseconds left = longest - waited;
    if (due.ok() && *due) left = std::min(left, microseconds(**due - now.value) - waited);
    if (left.count() <= 0) co_return;
    co_await work_.wait(seen, std::min<microseconds>(left, kOtherProcesses));
  }
}

Task<Result<Store::QueueStats>> SqliteStore::queue_stats() {
  return database_->read([](Connection& c) -> Result<QueueStats> {
    QueueStats stats;
    stats.waiting = c.integer("SELECT count(*) FROM work WHERE lease_until IS NULL").value_or(0);
    stats.leased = c.integer("SELECT count(*) FROM work WHERE lease_until IS NOT NULL").value_or(0);
    stats.dead = c.integer("SELECT count(*) FROM dead_letters").value_or(0);
    const auto due = c.integer("SELECT min(not_before) FROM work WHERE lease_until IS NULL");
    if (due) stats.oldest_due = UnixMicros{*due};
    return stats;
  });
}

}  // namespace gitaiops::store
