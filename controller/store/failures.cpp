// Reading failures. Everything that is shown of one is of occurrences in the reader's scope: of
// those outside only the numbers leave a query.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int kShownOccurrences = 20;
constexpr int kShownAgents = 20;
constexpr int kShownTests = 20;

constexpr std::string_view kPassedColumns =
    "o.passed_job_id, o.passed_sha, o.passed_same_sha, o.passed_iid, o.passed_at";

std::optional<Passed> to_passed(const Rows& rows, int at) {
  if (rows.is_null(at)) return std::nullopt;
  return Passed{rows.integer(at), rows.text(at + 1), rows.integer(at + 2) != 0,
                rows.integer(at + 3), rows.time(at + 4)};
}

// The rows of `occurrences` of one failure that a scope allows.
struct Visible {
  Visible(int64_t g, const ScopeClause& scope)
      : condition("o.g = ? AND " + scope.sql()), values{g, scope.glob()} {}
  std::string condition;
  std::vector<sqlite::Value> values;
};

std::vector<std::string> agents_in(Connection& c, const std::string& condition,
                                   std::vector<sqlite::Value> values) {
  std::vector<std::string> out;
  values.emplace_back(kTimesCounted);
  values.emplace_back(kShownAgents);
  auto rows =
      c.query("SELECT DISTINCT agent_id FROM (SELECT agent_id FROM occurrences o WHERE " +
                  condition + " ORDER BY n DESC LIMIT ?) WHERE agent_id <> '' ORDER BY 1 LIMIT ?",
              values);
  while (rows.next()) out.push_back(rows.text(0));
  return out;
}

// Times, projects, first and last of what a condition on `occurrences o` picks, newest first.
struct Sum {
  int64_t times = 0, projects = 0, flaky = 0;
  std::optional<UnixMicros> first_at, last_at;
};
Sum sum_of(Connection& c, const std::string& condition, std::vector<sqlite::Value> values) {
  values.emplace_back(kTimesCounted);
  auto rows = c.query(
      "SELECT count(*), count(DISTINCT instance || char(10) || project_path), count(twin_job_id), "
      "min(at), max(at) FROM (SELECT * FROM occurrences o WHERE " +
          condition + " ORDER BY n DESC LIMIT ?)",
      values);
  if (!rows.next()) return {};
  return {rows.integer(0), rows.integer(1), rows.integer(2), rows.maybe_time(3),
          rows.maybe_time(4)};
}

// A failure as the scope shows it; false: not at all.
bool fill(Connection& c, int64_t g, const Scope& scope, Failure& out) {
  const ScopeClause clause(scope);
  const Visible visible(g, clause);
  const Sum seen = sum_of(c, visible.condition, visible.values);
  if (seen.times == 0) return false;
  out.times = seen.times;
  out.projects = seen.projects;
  out.flaky_times = seen.flaky;
  out.first_at = seen.first_at.value_or(UnixMicros{});
  out.last_at = seen.last_at.value_or(UnixMicros{});
  out.agents = agents_in(c, visible.condition, visible.values);
  if (out.across_projects) {
    const Sum all = sum_of(c, "o.g = ?", {g});
    out.elsewhere_times = all.times - std::min(all.times, seen.times);
    out.elsewhere_projects = all.projects - std::min(all.projects, seen.projects);
  }
  auto rows = c.query(
      "SELECT j.report FROM occurrences o JOIN jobs j ON j.n = o.n WHERE o.n = (SELECT o.n FROM "
      "occurrences o WHERE " +
          visible.condition + " ORDER BY o.n DESC LIMIT 1)",
      visible.values);
  fleet::v1::JobReport report;
  if (rows.next() && report.ParseFromString(rows.text(0))) {
    out.fingerprint = report.diagnosis().fingerprint();
    out.title = report.diagnosis().root_cause().text();
  }
  return true;
}

Failure of_row(const Rows& rows) {
  Failure out;
  out.id = rows.text(1);
  out.across_projects = rows.text(2) == "*";
  out.category = rows.text(3);
  out.owner = rows.text(4);
  return out;
}

std::vector<Occurrence> occurrences_of(Connection& c, int64_t g, const Scope& scope) {
  const ScopeClause clause(scope);
  Visible visible(g, clause);
  visible.values.emplace_back(kShownOccurrences);
  std::vector<Occurrence> out;
  auto rows = c.query(
      "SELECT j.id, j.instance, j.project_id, j.job_id, j.project_path, j.agent_id, j.name, j.ref, "
      "j.sha, o.at, o.twin_job_id, j.report, " +
          std::string(kPassedColumns) + " FROM (SELECT * FROM occurrences o WHERE " +
          visible.condition +
          " ORDER BY n DESC LIMIT ?) o JOIN jobs j ON j.n = o.n ORDER BY o.n DESC",
      visible.values);
  while (rows.next()) {
    Occurrence o;
    o.job = rows.text(0);
    o.key = {rows.text(1), rows.integer(2), rows.integer(3)};
    o.project_path = rows.text(4);
    o.agent_id = rows.text(5);
    o.job_name = rows.text(6);
    o.ref = rows.text(7);
    o.sha = rows.text(8);
    o.at = rows.time(9);
    if (!rows.is_null(10)) o.passed_on_same_sha = rows.integer(10);
    fleet::v1::JobReport report;
    if (report.ParseFromString(rows.text(11))) {
      for (const auto& test : report.diagnosis().failing_tests())
        if (o.failing_tests.size() < kShownTests) o.failing_tests.push_back(test.name());
    }
    o.passed = to_passed(rows, 12);
    out.push_back(std::move(o));
  }
  return out;
}

// "WHERE …" of failures f that a scope and a filter let through.
struct Listed {
  Listed(const ScopeClause& scope, const FailureFilter& filter) {
    std::string inner = "o.g = f.g AND " + scope.sql();
    values.emplace_back(scope.glob());
    const auto add = [&](std::string& to, std::string_view condition, const auto& value) {
      if (!value) return;
      to.append(" AND ").append(condition);
      values.emplace_back(*value);
    };
    add(inner, "o.instance = ?", filter.instance);
    add(inner, "o.project_path = ?", filter.project_path);
    if (filter.flaky && *filter.flaky) inner += " AND o.twin_job_id IS NOT NULL";
    sql = "EXISTS (SELECT 1 FROM occurrences o WHERE " + inner + ")";
    if (filter.flaky && !*filter.flaky)
      sql +=
          " AND NOT EXISTS (SELECT 1 FROM occurrences o WHERE o.g = f.g AND o.twin_job_id IS NOT "
          "NULL)";
    add(sql, "f.category = ?", filter.category);
    add(sql, "f.owner = ?", filter.owner);
  }
  std::string sql;
  std::vector<sqlite::Value> values;
};

}  // namespace

Task<Result<Page<Failure>>> SqliteStore::failures(Scope scope, FailureFilter filter,
                                                  PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<Failure>> {
    RETURN_IF_ERROR(check_size(page));
    const ScopeClause clause(scope);
    Listed listed(clause, filter);
    if (!page.after.empty()) {
      const auto after = parse_int(page.after);
      if (!after) return no_page_marker();
      listed.sql += " AND f.last_n < ?";
      listed.values.emplace_back(*after);
    }
    listed.values.emplace_back(page.limit + 1);
    std::vector<std::pair<int64_t, int64_t>> found;  // g, last_n
    Page<Failure> out;
    {
      auto rows = c.query(
          "SELECT f.g, f.id, f.place, f.category, f.owner, f.last_n FROM failures f WHERE " +
              listed.sql + " ORDER BY f.last_n DESC LIMIT ?",
          listed.values);
      while (rows.next()) {
        found.emplace_back(rows.integer(0), rows.integer(5));
        out.items.push_back(of_row(rows));
      }
    }
    if (found.size() > page.limit) {
      out.items.pop_back();
      found.pop_back();
      out.next = std::to_string(found.back().second);
    }
    for (std::size_t i = 0; i < found.size(); ++i) fill(c, found[i].first, scope, out.items[i]);
    return out;
  });
}

Task<Result<Failure>> SqliteStore::failure(Scope scope, std::string id) {
  return database_->read([scope, id](Connection& c) -> Result<Failure> {
    const Error nothing(Code::not_found, "no such failure");
    Failure out;
    int64_t g = 0;
    {
      auto rows = c.query("SELECT g, id, place, category, owner FROM failures WHERE id = ?", {id});
      if (!rows.next()) return nothing;
      g = rows.integer(0);
      out = of_row(rows);
    }
    if (!fill(c, g, scope, out)) return nothing;
    out.occurrences = occurrences_of(c, g, scope);
    return out;
  });
}

Task<Result<std::optional<SeenBefore>>> SqliteStore::seen_before(Scope scope, std::string job) {
  return database_->read([scope, job](Connection& c) -> Result<std::optional<SeenBefore>> {
    const ScopeClause clause(scope);
    SeenBefore out;
    int64_t n = 0, g = 0;
    std::string instance, path;
    bool across = false;
    {
      auto rows = c.query(
          "SELECT o.n, o.g, o.instance, o.project_path, f.id, f.place, o.twin_job_id, " +
              std::string(kPassedColumns) + " FROM (SELECT n FROM jobs WHERE id = ? AND " +
              clause.sql() + ") j JOIN occurrences o ON o.n = j.n JOIN failures f ON f.g = o.g",
          {job, clause.glob()});
      if (!rows.next()) return std::optional<SeenBefore>();
      n = rows.integer(0);
      g = rows.integer(1);
      instance = rows.text(2);
      path = rows.text(3);
      out.failure = rows.text(4);
      across = rows.text(5) == "*";
      if (!rows.is_null(6)) out.passed_on_same_sha = rows.integer(6);
      out.passed = to_passed(rows, 7);
    }
    const std::string here = "o.g = ? AND o.instance = ? AND o.project_path = ? AND o.n < ?";
    const Sum seen = sum_of(c, here, {g, instance, path, n});
    out.times = seen.times;
    out.first_at = seen.first_at;
    out.last_at = seen.last_at;
    out.agents = agents_in(c, here, {g, instance, path, n});
    if (across) {
      const Sum other =
          sum_of(c, "o.g = ? AND NOT (o.instance = ? AND o.project_path = ?) AND o.n < ?",
                 {g, instance, path, n});
      out.elsewhere_times = other.times;
      out.elsewhere_projects = other.projects;
    }
    auto rows = c.query("SELECT " + std::string(kPassedColumns) + " FROM occurrences o WHERE " +
                            here + " AND o.passed_job_id IS NOT NULL ORDER BY o.n DESC LIMIT 1",
                        {g, instance, path, n});
    if (rows.next()) out.last_passed = to_passed(rows, 0);
    return std::optional(std::move(out));
  });
}

}  // namespace gitaiops::store
