// House-keeping. Sweeping goes in small transactions, so that reports are accepted in between.
#include "controller/store/audit.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kSweepChunk = 200;
constexpr int64_t kDeliveriesChunk = 1000;
constexpr int64_t kVacuumChunk = 2000;  // pages, 8 MB

// Jobs that the subquery `which` (of n) picks, with their notes.
int64_t delete_jobs(Connection& c, const std::string& which,
                    std::initializer_list<sqlite::Value> values) {
  c.run("DELETE FROM notes WHERE subject IN (SELECT 'job/' || id FROM jobs WHERE n IN (" + which +
            "))",
        values);
  return c.run("DELETE FROM jobs WHERE n IN (" + which + ")", values);
}

int64_t delete_jobs_before(Connection& c, UnixMicros time) {
  return delete_jobs(c, "SELECT n FROM jobs WHERE coalesce(finished_at, received_at) < ? LIMIT ?",
                     {time, kSweepChunk});
}

int64_t delete_oldest_jobs(Connection& c) {
  return delete_jobs(c, "SELECT n FROM jobs ORDER BY coalesce(finished_at, received_at) LIMIT ?",
                     {kSweepChunk});
}

// What no commit has any more.
int64_t delete_unused_contents(Connection& c) {
  const std::string unused =
      "(SELECT n FROM contents WHERE n NOT IN (SELECT content FROM inventories) LIMIT ?)";
  c.run("DELETE FROM packages WHERE content IN " + unused, {kSweepChunk});
  return c.run("DELETE FROM contents WHERE n IN " + unused, {kSweepChunk});
}

int64_t delete_records_before(Connection& c, UnixMicros time) {
  int64_t gone = 0;
  const auto chunk = [&](const std::string& table, const std::string& key,
                         const std::string& condition) {
    gone += c.run("DELETE FROM " + table + " WHERE " + key + " IN (SELECT " + key + " FROM " +
                      table + " WHERE " + condition + " LIMIT ?)",
                  {time, kSweepChunk});
  };
  gone += delete_audit_before(c, time, kSweepChunk);
  chunk("dead_letters", "id", "at < ?");
  chunk("notes", "rowid", "updated_at < ?");
  chunk("acts", "id", "at < ?");
  chunk("triages", "n", "at < ?");
  chunk("readings", "rowid", "at < ?");
  chunk("model_use", "n", "day < ? / 86400000000");
  gone += c.run("DELETE FROM told WHERE at < ?", {time});
  // Only behind every cursor: a consumer that is behind loses nothing.
  chunk("outbox", "number", "at < ? AND number <= (SELECT min(number) FROM cursors)");
  // The newest inventory of each ref stays: it is what is in use now.
  chunk("inventories", "n",
        "received_at < ? AND EXISTS (SELECT 1 FROM inventories newer WHERE newer.instance = "
        "inventories.instance AND newer.project_path = inventories.project_path AND newer.ref = "
        "inventories.ref AND newer.n > inventories.n)");
  gone += c.run("DELETE FROM host_samples WHERE received_at < ?", {time});
  gone += delete_unused_contents(c);
  return gone;
}

int64_t delete_handled_events(Connection& c) {
  return c.run(
      "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE number <= (SELECT "
      "min(number) FROM cursors) "
      "ORDER BY number LIMIT ?)",
      {kSweepChunk});
}

uint64_t used_bytes(Connection& c) {
  const int64_t pages =
      c.integer("PRAGMA page_count").value_or(0) - c.integer("PRAGMA freelist_count").value_or(0);
  return static_cast<uint64_t>(pages * c.integer("PRAGMA page_size").value_or(0));
}

struct Chunk {
  int64_t jobs = 0;
  bool more = false;
};

int64_t delete_deliveries_before(Connection& c, UnixMicros time) {
  return c.run(
      "DELETE FROM deliveries WHERE n IN (SELECT n FROM deliveries WHERE received_at < ? AND state "
      "<> 'waiting' LIMIT ?)",
      {time, kDeliveriesChunk});
}

// What GitLab said is GitLab's as well; what agents reported is nowhere else.
int64_t delete_oldest_deliveries(Connection& c) {
  return c.run(
      "DELETE FROM deliveries WHERE n IN (SELECT n FROM deliveries WHERE state <> 'waiting' ORDER "
      "BY n LIMIT ?)",
      {kSweepChunk});
}

Chunk sweep_age(Connection& c, UnixMicros older_than) {
  Chunk chunk;
  chunk.jobs = delete_jobs_before(c, older_than);
  chunk.more = chunk.jobs + delete_records_before(c, older_than) > 0;
  return chunk;
}

Chunk sweep_size(Connection& c, uint64_t max_bytes) {
  Chunk chunk;
  if (max_bytes == 0 || used_bytes(c) <= max_bytes) return chunk;
  const int64_t events = delete_handled_events(c);
  const int64_t deliveries = delete_oldest_deliveries(c);
  if (deliveries == 0 && used_bytes(c) > max_bytes) chunk.jobs = delete_oldest_jobs(c);
  chunk.more = events + deliveries + chunk.jobs > 0;
  return chunk;
}

Chunk shrink_file(Connection& c) {
  c.run("PRAGMA incremental_vacuum(" + std::to_string(kVacuumChunk) + ")");
  return {0, c.integer("PRAGMA freelist_count").value_or(0) > 0};
}

}  // namespace

Task<Result<int64_t>> SqliteStore::sweep(Retention retention) {
  int64_t jobs = 0;
  const std::function<Chunk(Connection&)> phases[] = {
      [retention](Connection& c) { return sweep_age(c, retention.older_than); },
      [retention](Connection& c) {
        return Chunk{0, delete_deliveries_before(c, retention.deliveries_older_than) > 0};
      },
      [retention](Connection& c) { return sweep_size(c, retention.max_bytes); }, shrink_file};
  for (const auto& phase : phases) {
    for (bool more = true; more;) {
      auto act = [&phase](Connection& c) -> Result<Chunk> { return phase(c); };
      const auto chunk = co_await database_->write(std::move(act));
      if (!chunk.ok()) co_return chunk.error().within("sweeping the store");
      jobs += chunk->jobs;
      more = chunk->more;
    }
  }
  // What was freed lies in the WAL until it is folded in.
  CO_RETURN_IF_ERROR(co_await database_->checkpoint(), "sweeping the store");
  co_return jobs;
}

Task<Status> SqliteStore::backup(std::filesystem::path to) {
  return database_->backup(std::move(to));
}

Task<Status> SqliteStore::ping() {
  // Through the writer: the store is ready when it can take a report.
  return database_->write([](Connection& c) -> Status {
    c.integer("SELECT 1");
    return {};
  });
}

}  // namespace gitaiops::store
