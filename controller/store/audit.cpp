#include "controller/store/audit.h"

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"

namespace gitaiops::store {
namespace {

constexpr std::string_view kAuditColumns =
    "SELECT n, at, actor, act, instance, project_id, object, outcome, hash FROM audit a ";
constexpr std::size_t kLargestExport = 1000;

std::string records_where(std::string_view rest) {
  std::string sql(kAuditColumns);
  sql.append(rest);
  return sql;
}

AuditRecord to_record(const Rows& rows) {
  AuditRecord r;
  r.n = rows.integer(0);
  r.at = rows.time(1);
  r.actor = rows.text(2);
  r.act = rows.text(3);
  r.instance = rows.text(4);
  r.project_id = rows.integer(5);
  r.object = rows.text(6);
  r.outcome = rows.text(7);
  r.hash = hex_encode(as_bytes(rows.text(8)));
  return r;
}

void add_netstring(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
  out += ',';
}

struct Head {
  int64_t n = 0;
  std::string hash;
};

Head head_of(Connection& c) {
  auto rows = c.query("SELECT n, hash FROM audit_head WHERE one = 1");
  if (!rows.next()) return {};
  return {rows.integer(0), rows.text(1)};
}

// LIKE with its own characters made plain.
std::string like(std::string_view text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + "%";
}

}  // namespace

std::string chained(std::string_view previous, const AuditRecord& r) {
  std::string text(previous);
  add_netstring(text, std::to_string(r.n));
  add_netstring(text, std::to_string(r.at.value));
  add_netstring(text, r.actor);
  add_netstring(text, r.act);
  add_netstring(text, r.instance);
  add_netstring(text, std::to_string(r.project_id));
  add_netstring(text, r.object);
  add_netstring(text, r.outcome);
  const auto hash = crypto::sha256(text);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// The head is read and moved in the transaction of the record: two writers cannot fork the chain.
void write_audit(Connection& c, const AuditRecord& given) {
  const Head head = head_of(c);
  AuditRecord r = given;
  r.n = head.n + 1;
  const std::string hash = chained(head.hash, r);
  c.run(
      "INSERT INTO audit(n, at, actor, act, instance, project_id, object, outcome, hash) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {r.n, r.at, r.actor, r.act, r.instance, r.project_id, r.object, r.outcome,
       sqlite::Blob{hash}});
  c.run("UPDATE audit_head SET n = ?, hash = ? WHERE one = 1", {r.n, sqlite::Blob{hash}});
}

Status chain_old_audit(Connection& c) {
  if (c.integer("SELECT chained FROM audit_head WHERE one = 1").value_or(1) != 0) return {};
  std::vector<std::pair<int64_t, std::string>> hashes;
  std::string previous = head_of(c).hash;
  {
    auto rows = c.query(records_where("ORDER BY n"));
    while (rows.next()) {
      previous = chained(previous, to_record(rows));
      hashes.emplace_back(rows.integer(0), previous);
    }
  }
  for (const auto& [n, hash] : hashes)
    c.run("UPDATE audit SET hash = ? WHERE n = ?", {sqlite::Blob{hash}, n});
  c.run("UPDATE audit_head SET hash = ?, chained = 1 WHERE one = 1", {sqlite::Blob{previous}});
  return {};
}

int64_t delete_audit_before(Connection& c, UnixMicros time, int64_t most) {
  const auto last = c.integer(
      "SELECT max(n) FROM (SELECT n FROM audit WHERE n < coalesce((SELECT min(n) FROM audit WHERE "
      "at >= ?), 9223372036854775807) ORDER BY n LIMIT ?)",
      {time, most});
  if (!last) return 0;
  c.run(
      "UPDATE audit_head SET before_n = ?1, before_hash = (SELECT hash FROM audit WHERE n = ?1) "
      "WHERE one = 1",
      {*last});
  return c.run("DELETE FROM audit WHERE n <= ?", {*last});
}

Task<Result<std::vector<AuditRecord>>> SqliteStore::audit(std::size_t limit) {
  return database_->read([limit](Connection& c) -> Result<std::vector<AuditRecord>> {
    std::vector<AuditRecord> out;
    auto rows = c.query(records_where("ORDER BY n DESC LIMIT ?"), {limit});
    while (rows.next()) out.push_back(to_record(rows));
    return out;
  });
}

Task<Result<std::vector<AuditRecord>>> SqliteStore::audit_from(int64_t from, std::size_t limit) {
  return database_->read([from, limit](Connection& c) -> Result<std::vector<AuditRecord>> {
    std::vector<AuditRecord> out;
    auto rows = c.query(records_where("WHERE n >= ? ORDER BY n LIMIT ?"),
                        {from, std::min(limit, kLargestExport)});
    while (rows.next()) out.push_back(to_record(rows));
    return out;
  });
}

Task<Result<Page<AuditRecord>>> SqliteStore::audit_page(Scope scope, AuditFilter filter,
                                                        PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<AuditRecord>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    const ScopeClause clause(scope);
    const std::string text = like(filter.text.value_or(""));
    std::string sql(kAuditColumns);
    std::vector<sqlite::Value> values = {before};
    sql += "WHERE n < ?";
    if (!allows(scope, "*", "*")) {
      sql +=
          " AND a.project_id <> 0 AND EXISTS (SELECT 1 FROM (SELECT instance, path AS "
          "project_path, project_id FROM projects) q WHERE q.instance = a.instance AND "
          "q.project_id = a.project_id AND " +
          clause.sql("q") + ")";
      values.emplace_back(clause.glob());
    }
    const auto equal = [&](const char* column, const auto& value) {
      if (!value) return;
      sql.append(" AND a.").append(column).append(" ?");
      values.emplace_back(*value);
    };
    equal("actor =", filter.actor);
    equal("act =", filter.act);
    equal("instance =", filter.instance);
    equal("project_id =", filter.project_id);
    equal("at >", filter.after);
    equal("at <", filter.before);
    if (filter.text) {
      sql += " AND (a.object LIKE ? ESCAPE '\\' OR a.outcome LIKE ? ESCAPE '\\')";
      values.emplace_back(text);
      values.emplace_back(text);
    }
    sql += " ORDER BY n DESC LIMIT ?";
    values.emplace_back(page.limit + 1);
    auto rows = c.query(sql, values);
    return page_of<AuditRecord>(rows, page, to_record);
  });
}

Task<Result<AuditVerdict>> SqliteStore::verify_audit() {
  return database_->read([](Connection& c) -> Result<AuditVerdict> {
    AuditVerdict verdict;
    int64_t before_n = 0;
    std::string previous;
    {
      auto rows = c.query("SELECT before_n, before_hash FROM audit_head WHERE one = 1");
      if (!rows.next()) {
        verdict.broken = 0;
        verdict.why = "the head of the chain is gone";
        return verdict;
      }
      before_n = rows.integer(0);
      previous = rows.text(1);
    }
    int64_t last = before_n;
    auto rows = c.query(records_where("ORDER BY n"));
    while (rows.next()) {
      const AuditRecord record = to_record(rows);
      const std::string hash = chained(previous, record);
      if (verdict.records == 0) verdict.first = record.n;
      if (hash != rows.text(8)) {
        verdict.broken = record.n;
        verdict.why = "it, or one before it that is missing, is not what was written";
        return verdict;
      }
      ++verdict.records;
      verdict.last = last = record.n;
      previous = hash;
    }
    verdict.head = hex_encode(as_bytes(previous));
    const Head head = head_of(c);
    if (head.hash != previous) {
      verdict.broken = last + 1;
      verdict.why =
          "records after it are missing: the chain once ended at " + std::to_string(head.n);
    }
    return verdict;
  });
}

Task<Status> SqliteStore::add_audit(AuditRecord record) {
  return database_->write(
      [record](Connection& c) -> Status { return write_audit(c, record), Status(); });
}

}  // namespace gitaiops::store
