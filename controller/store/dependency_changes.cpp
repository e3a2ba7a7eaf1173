// What the dependencies of one ref have that those of another have not.
#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kLateJobs = 2000;  // of a fork: what it has open is among them

// The newest matched one of a ref: its rows are those that hold.
std::optional<Matched> newest_of(Connection& c, const ScopeClause& clause,
                                 const std::string& instance, const RefOf& ref) {
  auto rows = c.query(
      "SELECT i.n, i.project_id, i.job_id, i.project_path, i.ref, i.commit_sha, i.received_at FROM "
      "inventories i WHERE " +
          clause.sql("i") +
          " AND i.instance = ? AND i.project_path = ? AND i.ref = ? AND i.matched <> '' ORDER BY "
          "i.n DESC LIMIT 1",
      {clause.glob(), instance, ref.project_path, ref.ref});
  if (!rows.next()) return std::nullopt;
  Matched out;
  out.n = rows.integer(0);
  out.project_id = rows.integer(1);
  out.job_id = rows.integer(2);
  out.project_path = rows.text(3);
  out.ref = rows.text(4);
  out.commit_sha = rows.text(5);
  out.received_at = rows.time(6);
  return out;
}

std::optional<int64_t> content_of(Connection& c, int64_t inventory) {
  return c.integer("SELECT content FROM inventories WHERE n = ?", {inventory});
}

void count(PackageChanges& changes, PackageChange one) {
  if (one.before == one.after) return;
  ++(one.before.empty() ? changes.added : one.after.empty() ? changes.removed : changes.changed);
  if (changes.listed.size() < kMostListedChanges) changes.listed.push_back(std::move(one));
}

}  // namespace

Task<Result<std::optional<Matched>>> SqliteStore::newest_match(Scope scope, std::string instance,
                                                               std::vector<RefOf> refs) {
  return database_->read([scope, instance, refs](Connection& c) -> Result<std::optional<Matched>> {
    const ScopeClause clause(scope);
    std::optional<Matched> newest;
    for (const auto& ref : refs) {
      auto one = newest_of(c, clause, instance, ref);
      if (one && (!newest || one->n > newest->n)) newest = std::move(one);
    }
    if (!newest) return newest;
    auto rows = c.query("SELECT " + std::string(kFoundColumns) +
                            " FROM vulnerabilities v WHERE v.inventory = ? ORDER BY v.risk DESC, "
                            "v.severity DESC, v.n",
                        {newest->n});
    while (rows.next()) newest->found.push_back(to_found(rows, 0));
    return newest;
  });
}

Task<Result<PackageChanges>> SqliteStore::package_changes(int64_t before, int64_t after) {
  return database_->read([before, after](Connection& c) -> Result<PackageChanges> {
    const auto from = content_of(c, before), to = content_of(c, after);
    if (!from || !to) return Error(Code::not_found, "no such inventory");
    PackageChanges out;
    if (*from == *to) return out;
    PackageChange one;
    auto rows = c.query(
        "SELECT ecosystem, name, version, content FROM packages WHERE content IN (?, ?) ORDER BY "
        "ecosystem, name, version",
        {*from, *to});
    while (rows.next()) {
      if (rows.text(0) != one.ecosystem || rows.text(1) != one.name) {
        count(out, std::move(one));
        one = {rows.text(0), rows.text(1), {}, {}};
      }
      (rows.integer(3) == *from ? one.before : one.after).push_back(rows.text(2));
    }
    count(out, std::move(one));
    return out;
  });
}

Task<Result<std::optional<int64_t>>> SqliteStore::inventory_of_commit(std::string instance,
                                                                      std::string project_path,
                                                                      std::string commit_sha) {
  return database_->read(
      [instance, project_path, commit_sha](Connection& c) -> Result<std::optional<int64_t>> {
        return c.integer(
            "SELECT n FROM inventories WHERE instance = ? AND project_path = ? AND commit_sha = ? "
            "ORDER BY n DESC LIMIT 1",
            {instance, project_path, commit_sha});
      });
}

Task<Result<std::vector<bool>>> SqliteStore::stood_in(int64_t inventory,
                                                      std::vector<Found> packages) {
  return database_->read([inventory, packages](Connection& c) -> Result<std::vector<bool>> {
    const auto content = content_of(c, inventory);
    if (!content) return Error(Code::not_found, "no such inventory");
    std::vector<bool> out;
    for (const auto& package : packages)
      out.push_back(c.integer("SELECT 1 FROM packages WHERE ecosystem = ? AND name = ? AND version "
                              "= ? AND content = ?",
                              {package.ecosystem, package.package, package.version, *content})
                        .has_value());
    return out;
  });
}

Task<Result<std::vector<MergeRequestKey>>> SqliteStore::noted_merge_requests(std::string instance,
                                                                             int64_t project_id,
                                                                             std::size_t limit) {
  return database_->read(
      [instance, project_id, limit](Connection& c) -> Result<std::vector<MergeRequestKey>> {
        const std::string place = "mr/" + instance + "/";
        auto rows = c.query(
            "WITH late AS (SELECT gitlab FROM jobs WHERE instance = ?1 AND project_id = ?2 AND "
            "gitlab IS NOT NULL ORDER BY n DESC LIMIT ?3) "
            "SELECT subject FROM notes WHERE instance = ?1 AND body <> '' AND gitlab_note_id <> 0 "
            "AND (project_id = ?2 OR subject IN (SELECT ?4 || json_extract(gitlab, "
            "'$.merge_request.project_id') || '/' || json_extract(gitlab, '$.merge_request.iid') "
            "FROM late)) ORDER BY updated_at DESC LIMIT ?5",
            {instance, project_id, kLateJobs, place, static_cast<int64_t>(limit)});
        std::vector<MergeRequestKey> out;
        while (rows.next()) {
          const auto subject = rows.text(0);
          if (!subject.starts_with(place)) continue;
          const auto parts = split(std::string_view(subject).substr(place.size()), '/');
          if (parts.size() != 2) continue;
          const auto project = parse_int(parts[0]), iid = parse_int(parts[1]);
          if (project && iid) out.push_back({instance, *project, *iid});
        }
        return out;
      });
}

}  // namespace gitaiops::store
