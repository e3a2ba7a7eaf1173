// What is wrong with what projects depend on. A row stays the same row from one commit and one
// index to the next while the vulnerability does, so that pages and first_seen hold.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/zstd/zstd.h"
#include "controller/store/sqlite_store.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::store {
namespace {

constexpr std::size_t kMaxUnpacked = 8 << 20;  // unpacked; the contract's limit

// No newer inventory of the same ref …
constexpr std::string_view kNewestOfRef =
    "NOT EXISTS (SELECT 1 FROM inventories newer WHERE newer.instance = i.instance AND "
    "newer.project_path = i.project_path AND newer.ref = i.ref AND newer.n > i.n";

struct KnownRow {
  int64_t n = 0, inventory = 0;
  Found found;
  bool kept = false;
};

bool same_thing(const Found& a, const Found& b) {
  if (a.ecosystem != b.ecosystem || a.package != b.package || a.version != b.version) return false;
  const auto names = [](const Found& f, const std::string& id) {
    return f.advisory == id || std::ranges::find(f.aliases, id) != f.aliases.end();
  };
  return names(a, b.advisory) || names(b, a.advisory);
}

struct Ref {
  std::string instance, project_path, ref;
  int64_t project_id = 0;
  std::string job;  // public id of the job it came from; empty: that is gone
  bool matched_before = false;
};

std::optional<Ref> ref_of(Connection& c, int64_t n) {
  auto rows = c.query(
      "SELECT instance, project_path, ref, project_id, matched, coalesce((SELECT id FROM jobs "
      "WHERE "
      "instance = i.instance AND job_id = i.job_id), '') FROM inventories i WHERE n = ?",
      {n});
  if (!rows.next()) return std::nullopt;
  return Ref{rows.text(0),    rows.text(1), rows.text(2),
             rows.integer(3), rows.text(5), !rows.text(4).empty()};
}

// Those of older inventories first: they were seen first.
std::vector<KnownRow> known_of(Connection& c, const Ref& ref) {
  std::vector<KnownRow> out;
  auto rows = c.query("SELECT v.n, v.inventory, " + std::string(kFoundColumns) +
                          " FROM inventories i JOIN vulnerabilities v ON v.inventory = i.n WHERE "
                          "i.instance = ? AND i.project_path = ? AND i.ref = ? ORDER BY v.n",
                      {ref.instance, ref.project_path, ref.ref});
  while (rows.next()) out.push_back({rows.integer(0), rows.integer(1), to_found(rows, 2), false});
  // By package, as same_thing needs it; stable: the first seen stays first.
  std::ranges::stable_sort(out, {}, [](const KnownRow& k) { return k.found.package; });
  return out;
}

void insert_found(Connection& c, int64_t inventory, const Ref& ref, const Found& f, UnixMicros at) {
  c.run(
      "INSERT INTO vulnerabilities(inventory, instance, project_path, ecosystem, package, "
      "version, advisory, aliases, summary, severity, score, fixed, risk, known_exploited, path, "
      "first_seen) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {inventory, ref.instance, ref.project_path, f.ecosystem, f.package, f.version, f.advisory,
       strings_to_json(f.aliases), f.summary, int64_t{f.severity}, f.score, f.fixed, f.risk,
       f.known_exploited, strings_to_json(f.path), at});
}

void update_found(Connection& c, int64_t inventory, const KnownRow& known, const Found& f) {
  if (known.inventory == inventory && known.found == f) return;
  c.run(
      "UPDATE vulnerabilities SET inventory = ?, advisory = ?, aliases = ?, summary = ?, "
      "severity = ?, score = ?, fixed = ?, risk = ?, known_exploited = ?, path = ? WHERE n = ?",
      {inventory, f.advisory, strings_to_json(f.aliases), f.summary, int64_t{f.severity}, f.score,
       f.fixed, f.risk, f.known_exploited, strings_to_json(f.path), known.n});
}

MatchOutcome replace_found(Connection& c, int64_t inventory, const Ref& ref,
                           const std::vector<Found>& found, UnixMicros at) {
  MatchOutcome outcome;
  outcome.by_advisory = ref.matched_before;
  auto known = known_of(c, ref);
  for (const auto& f : found) {
    auto [first, last] = std::ranges::equal_range(
        known, std::string_view(f.package), {},
        [](const KnownRow& k) { return std::string_view(k.found.package); });
    const auto same = std::find_if(
        first, last, [&](const KnownRow& k) { return !k.kept && same_thing(k.found, f); });
    if (same == last) {
      insert_found(c, inventory, ref, f, at);
      ++outcome.added;
    } else {
      update_found(c, inventory, *same, f);
      same->kept = true;
    }
  }
  for (const auto& k : known) {
    if (k.kept) continue;
    c.run("DELETE FROM vulnerabilities WHERE n = ?", {k.n});
    ++outcome.gone;
  }
  return outcome;
}

Result<std::optional<Unmatched>> first_of(Rows rows) {
  if (!rows.next()) return std::optional<Unmatched>();
  Unmatched out;
  out.n = rows.integer(0);
  out.instance = rows.text(1);
  out.project_path = rows.text(2);
  const auto bytes = zstd::decompress(rows.text(3), kMaxUnpacked);
  out.damaged = !bytes.ok() || !out.body.ParseFromString(*bytes);
  if (out.damaged) out.body.Clear();
  return std::optional(std::move(out));
}

}  // namespace

Found to_found(const Rows& rows, int first) {
  Found f;
  f.ecosystem = rows.text(first);
  f.package = rows.text(first + 1);
  f.version = rows.text(first + 2);
  f.advisory = rows.text(first + 3);
  f.aliases = strings_from_json(rows.text(first + 4));
  f.summary = rows.text(first + 5);
  f.severity = static_cast<int>(rows.integer(first + 6));
  f.score = rows.real(first + 7);
  f.fixed = rows.text(first + 8);
  f.risk = rows.real(first + 9);
  f.known_exploited = rows.integer(first + 10) != 0;
  f.path = strings_from_json(rows.text(first + 11));
  return f;
}

Task<Result<std::optional<Unmatched>>> SqliteStore::unmatched(std::string index, int64_t after) {
  return database_->read([index, after](Connection& c) -> Result<std::optional<Unmatched>> {
    const std::string select =
        "SELECT i.n, i.instance, i.project_path, k.body FROM inventories i JOIN contents k ON k.n "
        "= i.content WHERE ";
    const std::string newest = " AND " + std::string(kNewestOfRef) + ") ORDER BY i.n LIMIT 1";
    ASSIGN_OR_RETURN(auto fresh, first_of(c.query(select + "i.matched = ''" + newest)));
    if (fresh) return fresh;
    ASSIGN_OR_RETURN(
        auto other,
        first_of(c.query(select + "i.n > ? AND i.matched <> '' AND i.matched <> ?" + newest,
                         {after, index})));
    if (other) other->again = true;
    return other;
  });
}

Task<Result<MatchOutcome>> SqliteStore::keep_match(int64_t n, std::string index,
                                                   std::optional<std::vector<Found>> found,
                                                   UnixMicros at) {
  return database_->write([this, n, index, found, at](Connection& c) -> Result<MatchOutcome> {
    MatchOutcome outcome;
    const auto ref = ref_of(c, n);
    if (!ref) return outcome;  // swept meanwhile
    if (found) outcome = replace_found(c, n, *ref, *found, at);
    // The older ones with it: they are not asked about any more.
    c.run(
        "UPDATE inventories SET matched = ? WHERE instance = ? AND project_path = ? AND ref = ? "
        "AND n <= ? AND (n = ? OR matched = '')",
        {index, ref->instance, ref->project_path, ref->ref, n, n});
    // Until the ref is known, nobody is concerned.
    if (found && !outcome.by_advisory && !ref->ref.empty() && !ref->job.empty())
      append_event(c, {0, "inventory.matched", ref->instance, ref->project_id, ref->job, at});
    if (outcome.added > 0 && outcome.by_advisory)
      append_event(
          c, {0, "vulnerability.found", ref->instance, ref->project_id, ref->project_path, at});
    return outcome;
  });
}

Task<Result<Page<Vulnerability>>> SqliteStore::vulnerabilities(Scope scope,
                                                               VulnerabilityFilter filter,
                                                               PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<Vulnerability>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    const ScopeClause clause(scope);
    std::string where = clause.sql("v") + " AND v.n < ? AND i.matched <> ''";
    std::vector<sqlite::Value> values{clause.glob(), before};
    const auto add = [&](std::string_view condition, const auto& value) {
      if (!value) return;
      where.append(" AND ").append(condition);
      values.emplace_back(*value);
    };
    add("v.instance = ?", filter.instance);
    add("v.project_path = ?", filter.project_path);
    add("i.ref = ?", filter.ref);
    add("v.severity >= ?",
        filter.least_severity ? std::optional<int64_t>(*filter.least_severity) : std::nullopt);
    add("? IN (SELECT v.advisory UNION ALL SELECT value FROM json_each(v.aliases))",
        filter.advisory);
    add("v.ecosystem = ?", filter.ecosystem);
    auto package = filter.package;
    if (package && filter.ecosystem)
      if (const auto known = scanner::ecosystem_of(*filter.ecosystem))
        package = scanner::normalised_name(*known, *package);
    add("v.package = ?", package);
    values.emplace_back(static_cast<int64_t>(page.limit + 1));
    auto rows = c.query(
        "SELECT v.n, v.instance, i.project_id, v.project_path, i.ref, "
        "i.commit_sha, v.first_seen, " +
            std::string(kFoundColumns) +
            " FROM vulnerabilities v JOIN inventories i ON i.n = v.inventory WHERE " + where +
            " AND " + std::string(kNewestOfRef) +
            " AND newer.matched <> '') ORDER BY v.n DESC LIMIT ?",
        values);
    return page_of<Vulnerability>(rows, page, [](const Rows& row) -> Vulnerability {
      return {row.integer(0), row.text(1), row.integer(2),   row.text(3),
              row.text(4),    row.text(5), to_found(row, 7), row.time(6)};
    });
  });
}

}  // namespace gitaiops::store
