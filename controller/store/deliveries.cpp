// Deliveries of GitLab: taken as they come, read later, kept for a while.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/zstd/zstd.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr std::size_t kLargestBody = 64 << 20;  // of what is unpacked; more is never accepted
constexpr int64_t kActiveGrain = 3600 * kMicrosPerSecond;
constexpr int kJobsOfMergeRequest = 50;

constexpr std::string_view kDeliveryColumns =
    "SELECT n, id, instance, key, source, type, priority, received_at, state, detail, project_id, "
    "project_path, object, bytes";

Delivery to_delivery(const Rows& rows) {
  Delivery d;
  d.id = rows.text(1);
  d.instance = rows.text(2);
  d.key = rows.text(3);
  d.source = rows.text(4);
  d.type = rows.text(5);
  d.priority = static_cast<int>(rows.integer(6));
  d.received_at = rows.time(7);
  d.state = rows.text(8);
  d.detail = rows.text(9);
  d.project_id = rows.integer(10);
  d.project_path = rows.text(11);
  d.object = rows.text(12);
  d.bytes = rows.integer(13);
  return d;
}

Result<Delivery> with_body(const Rows& rows) {
  Delivery d = to_delivery(rows);
  ASSIGN_OR_RETURN(d.body, zstd::decompress(rows.text(14), kLargestBody), "delivery " + d.id);
  return d;
}

// 1: it is new.
int64_t insert(Connection& c, const Delivery& d, const std::string& packed) {
  return c.run(
      "INSERT OR IGNORE INTO deliveries(id, instance, key, source, type, priority, received_at, "
      "state, detail, project_id, project_path, object, bytes, body) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, 'waiting', '', ?, ?, ?, ?, ?)",
      {d.id, d.instance, d.key, d.source, d.type, d.priority, d.received_at, d.project_id,
       d.project_path, d.object, d.body.size(), sqlite::Blob{packed}});
}

}  // namespace

void keep_active(Connection& c, const std::string& instance, int64_t project_id,
                 const std::string& path, UnixMicros at) {
  if (project_id <= 0 || path.empty()) return;
  c.run(
      "INSERT INTO places(instance, project_id, project_path, active_at) VALUES(?1, ?2, ?3, ?4) ON "
      "CONFLICT DO UPDATE SET active_at = ?4, project_path = ?3 WHERE active_at < ?4 - ?5 OR "
      "project_path <> ?3",
      {instance, project_id, path, at, kActiveGrain});
}

Task<Result<bool>> SqliteStore::accept_delivery(Delivery delivery) {
  std::string packed = zstd::compress(delivery.body);
  const std::size_t weight = packed.size();
  auto act = [this, delivery = std::move(delivery),
              packed = std::move(packed)](Connection& c) -> Result<bool> {
    if (insert(c, delivery, packed) == 0) return false;
    c.after_commit([this] { deliveries_.notify(); });
    return true;
  };
  co_return co_await database_->write(std::move(act), weight);
}

Task<Result<std::vector<Delivery>>> SqliteStore::waiting_deliveries(std::size_t limit,
                                                                    int64_t bytes) {
  return database_->read([limit, bytes](Connection& c) -> Result<std::vector<Delivery>> {
    std::vector<Delivery> out;
    int64_t total = 0;
    auto rows = c.query(std::string(kDeliveryColumns) +
                            ", body FROM deliveries WHERE state = 'waiting' ORDER BY priority, n "
                            "LIMIT ?",
                        {limit});
    while (total <= bytes && rows.next()) {
      auto next = with_body(rows);
      if (!next.ok()) {  // the damage is told of where it is settled
        next = to_delivery(rows);
        next->body.clear();
      }
      total += next->bytes;
      out.push_back(std::move(*next));
    }
    return out;
  });
}

Task<Result<int64_t>> SqliteStore::count_waiting_deliveries() {
  return database_->read([](Connection& c) -> Result<int64_t> {
    return c.integer("SELECT count(*) FROM deliveries WHERE state = 'waiting'").value_or(0);
  });
}

Task<Status> SqliteStore::settle_deliveries(std::vector<Settled> settled) {
  auto act = [this, settled = std::move(settled)](Connection& c) -> Status {
    for (const auto& one : settled) settle(c, one);
    return {};
  };
  co_return co_await database_->write(std::move(act));
}

void SqliteStore::settle(Connection& c, const Settled& s) {
  const Delivery& d = s.delivery;
  const int64_t changed = c.run(
      "UPDATE deliveries SET state = ?, detail = ?, type = ?, project_id = ?, project_path = ?, "
      "object = ? WHERE id = ? AND state = 'waiting'",
      {d.state, d.detail, d.type, d.project_id, d.project_path, d.object, d.id});
  if (changed == 0) return;  // settled before; what it led to is there
  keep_active(c, d.instance, d.project_id, d.project_path, s.at);
  for (const auto& told : s.told)
    c.run(
        "INSERT INTO told VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET word = excluded.word, "
        "at = excluded.at",
        {d.instance, d.project_id, told.kind, told.number, told.word, s.at});
  for (const auto& work : s.work) put_work(c, work);
  tell_of_jobs(c, s);
  tell_of_merge_request(c, s);
}

// Only of those that still wait for GitLab's word: what is known is not told again.
void SqliteStore::tell_of_jobs(Connection& c, const Settled& s) {
  const std::string& instance = s.delivery.instance;
  for (const int64_t job : s.ended_jobs) {
    std::string id;
    {
      auto rows = c.query(
          "SELECT id FROM jobs WHERE instance = ? AND job_id = ? AND outcome IS NOT NULL AND "
          "gitlab "
          "IS NULL",
          {instance, job});
      if (rows.next()) id = rows.text(0);
    }
    if (!id.empty()) append_event(c, {0, "job.told", instance, s.delivery.project_id, id, s.at});
  }
  for (const auto& work : s.fetches) {
    const bool reported =
        c.integer("SELECT 1 FROM jobs WHERE instance = ? AND job_id = ? AND outcome IS NOT NULL",
                  {instance, work.job_id})
            .has_value();
    if (!reported)
      put_work(c, {work.kind, work.unique_key, work.payload, work.not_before, work.priority});
  }
}

void SqliteStore::tell_of_merge_request(Connection& c, const Settled& s) {
  if (s.merge_request_iid <= 0 || s.merge_request_project <= 0) return;
  const std::string& instance = s.delivery.instance;
  const std::string place = instance + "/" + std::to_string(s.merge_request_project) + "/" +
                            std::to_string(s.merge_request_iid);
  // Where something is known that may not be so any more.
  if (c.integer("SELECT 1 FROM notes WHERE subject = ? AND body <> ''", {"mr/" + place}) ||
      c.integer("SELECT 1 FROM triages WHERE instance = ? AND project_id = ? AND iid = ?",
                {instance, s.merge_request_project, s.merge_request_iid}))
    append_event(c, {0, "merge_request.changed", instance, s.merge_request_project, place, s.at});
  if (s.sha.empty()) return;
  std::vector<std::string> jobs;
  {
    auto rows = c.query(
        "SELECT id FROM jobs WHERE instance = ? AND project_id IN (?, ?) AND status = 'failed' AND "
        "sha = ? AND json_extract(gitlab, '$.merge_request') IS NULL ORDER BY n DESC LIMIT ?",
        {instance, s.merge_request_project, s.delivery.project_id, s.sha, kJobsOfMergeRequest});
    while (rows.next()) jobs.push_back(rows.text(0));
  }
  for (const auto& job : jobs)
    append_event(c, {0, "job.told", instance, s.delivery.project_id, job, s.at});
}

Task<void> SqliteStore::wait_delivery(std::chrono::microseconds limit) {
  const auto seen = deliveries_.version();
  auto look = [](Connection& c) -> Result<bool> {
    return c.integer("SELECT 1 FROM deliveries WHERE state = 'waiting' LIMIT 1").has_value();
  };
  const auto waits = co_await database_->read(std::move(look));
  if (waits.ok() && *waits) co_return;
  co_await deliveries_.wait(seen, std::min<std::chrono::microseconds>(limit, kOtherProcesses));
}

Task<Result<Page<Delivery>>> SqliteStore::deliveries(DeliveryFilter filter, PageRequest page) {
  return database_->read([filter, page](Connection& c) -> Result<Page<Delivery>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    std::string sql = std::string(kDeliveryColumns) + " FROM deliveries WHERE n < ?";
    std::vector<sqlite::Value> values = {before};
    const auto equal = [&](const char* column, const std::optional<std::string>& value) {
      if (!value) return;
      sql.append(" AND ").append(column).append(" = ?");
      values.emplace_back(*value);
    };
    equal("instance", filter.instance);
    equal("state", filter.state);
    equal("type", filter.type);
    equal("source", filter.source);
    sql += " ORDER BY n DESC LIMIT ?";
    values.emplace_back(page.limit + 1);
    auto rows = c.query(sql, values);
    return page_of<Delivery>(rows, page, to_delivery);
  });
}

Task<Result<Delivery>> SqliteStore::delivery(std::string id) {
  return database_->read([id](Connection& c) -> Result<Delivery> {
    auto rows =
        c.query(std::string(kDeliveryColumns) + ", body FROM deliveries WHERE id = ?", {id});
    if (!rows.next()) return Error(Code::not_found, "no such event");
    return with_body(rows);
  });
}

Task<Status> SqliteStore::replay_delivery(std::string id, AuditRecord audit) {
  return database_->write([this, id, audit](Connection& c) -> Status {
    if (c.run("UPDATE deliveries SET state = 'waiting', detail = '' WHERE id = ?", {id}) == 0)
      return Error(Code::not_found, "no such event");
    write_audit(c, audit);
    c.after_commit([this] { deliveries_.notify(); });
    return {};
  });
}

// ---- Reconciling ----

Task<Result<std::vector<Place>>> SqliteStore::places(std::string instance, UnixMicros since,
                                                     std::size_t limit) {
  return database_->read([instance, since, limit](Connection& c) -> Result<std::vector<Place>> {
    std::vector<Place> out;
    auto rows = c.query(
        "SELECT project_id, project_path, upto FROM places WHERE instance = ? AND active_at >= ? "
        "ORDER BY asked_at, project_id LIMIT ?",
        {instance, since, limit});
    while (rows.next()) out.push_back({rows.integer(0), rows.text(1), rows.time(2)});
    return out;
  });
}

Task<Result<std::vector<Told>>> SqliteStore::untold(std::string instance, int64_t project_id,
                                                    std::vector<Told> states) {
  return database_->read(
      [instance, project_id, states](Connection& c) -> Result<std::vector<Told>> {
        std::vector<Told> out;
        for (const auto& state : states) {
          auto rows = c.query(
              "SELECT 1 FROM told WHERE instance = ? AND project_id = ? AND kind = ? AND number = "
              "? AND "
              "word = ?",
              {instance, project_id, state.kind, state.number, state.word});
          if (!rows.next()) out.push_back(state);
        }
        return out;
      });
}

Task<Result<int64_t>> SqliteStore::keep_found(std::string instance, Place place,
                                              std::vector<Delivery> found) {
  auto act = [this, instance, place, found = std::move(found),
              now = clock_.now()](Connection& c) -> Result<int64_t> {
    int64_t fresh = 0;
    for (const auto& d : found) fresh += insert(c, d, zstd::compress(d.body));
    c.run(
        "INSERT INTO places(instance, project_id, project_path, active_at, upto, asked_at) "
        "VALUES(?1, ?2, ?3, ?5, ?4, ?5) ON CONFLICT DO UPDATE SET upto = max(upto, ?4), asked_at = "
        "?5, active_at = CASE WHEN ?6 > 0 THEN ?5 ELSE active_at END",
        {instance, place.project_id, place.project_path, place.upto, now, fresh});
    if (fresh > 0) c.after_commit([this] { deliveries_.notify(); });
    return fresh;
  };
  co_return co_await database_->write(std::move(act));
}

}  // namespace gitaiops::store
