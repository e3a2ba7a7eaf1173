// What the projects' commits depend on. The same content of manifests is kept once for a project,
// with its packages as rows, however many commits have it.
#include "base/bytes/bytes.h"
#include "base/zstd/zstd.h"
#include "controller/store/sqlite_store.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::store {
namespace {

constexpr std::size_t kMaxInventory = 8 << 20;  // unpacked; the contract's limit
constexpr int kMaxPackages = 50'000;
constexpr std::size_t kMaxName = 256;  // of packages and versions; what is longer is none

constexpr std::string_view kInventoryColumns =
    "SELECT i.instance, i.project_id, i.project_path, i.commit_sha, i.ref, i.job_id, "
    "i.received_at, "
    "c.content_hash, c.trimmed, c.body FROM inventories i JOIN contents c ON c.n = i.content ";

std::string name_in_rows(std::string_view ecosystem, const std::string& name) {
  const auto known = scanner::ecosystem_of(ecosystem);
  return known ? scanner::normalised_name(*known, name) : name;
}

Result<Inventory> to_inventory(const Rows& rows) {
  Inventory inventory;
  inventory.instance = rows.text(0);
  inventory.project_id = rows.integer(1);
  inventory.project_path = rows.text(2);
  inventory.commit_sha = rows.text(3);
  inventory.ref = rows.text(4);
  inventory.job_id = rows.integer(5);
  inventory.received_at = rows.time(6);
  inventory.content_hash = rows.text(7);
  inventory.trimmed = strings_from_json(rows.text(8));
  ASSIGN_OR_RETURN(const auto bytes, zstd::decompress(rows.text(9), kMaxInventory),
                   "reading the inventory of " + inventory.project_path);
  if (!inventory.body.ParseFromString(bytes))
    return Error(Code::data_loss, "the inventory of " + inventory.project_path + " is damaged");
  return inventory;
}

void insert_packages(Connection& c, int64_t content, const fleet::v1::Inventory& inventory) {
  for (const auto& set : inventory.sets()) {
    for (const auto& package : set.packages()) {
      if (package.name().empty() || package.name().size() > kMaxName ||
          package.version().size() > kMaxName)
        continue;
      c.run("INSERT OR IGNORE INTO packages VALUES(?, ?, ?, ?, ?)",
            {set.ecosystem(), name_in_rows(set.ecosystem(), package.name()), package.version(),
             content, package.direct()});
    }
  }
}

Result<fleet::v1::Inventory> unpacked(const std::string& frame) {
  ASSIGN_OR_RETURN(const auto bytes, zstd::decompress(frame, kMaxInventory),
                   "inventory_report.inventory_zstd");
  fleet::v1::Inventory inventory;
  const auto wrong = [](std::string why) {
    return Error(Code::invalid_argument, "inventory_report.inventory_zstd: " + std::move(why));
  };
  if (!inventory.ParseFromString(bytes)) return wrong("is no inventory");
  int packages = 0;
  for (const auto& set : inventory.sets()) packages += set.packages_size();
  if (packages > kMaxPackages)
    return wrong("has " + std::to_string(packages) + " packages, at most 50,000 are allowed");
  return inventory;
}

// The number of the content, stored if it is new.
Result<int64_t> keep_content(Connection& c, const fleet::v1::JobKey& key,
                             const fleet::v1::InventoryReport& report) {
  const auto known = c.integer(
      "SELECT n FROM contents WHERE instance = ? AND project_path = ? AND content_hash = ?",
      {key.instance(), key.project_path(), report.content_hash()});
  if (known) return *known;
  auto inventory = unpacked(report.inventory_zstd());
  // For good: the agent need not send it again.
  if (!inventory.ok()) return Error(Code::invalid_argument, inventory.error().to_string());
  c.run(
      "INSERT INTO contents(instance, project_path, content_hash, trimmed, body) VALUES(?, ?, ?, "
      "?, ?)",
      {key.instance(), key.project_path(), report.content_hash(),
       strings_to_json({report.trimmed().begin(), report.trimmed().end()}),
       sqlite::Blob{report.inventory_zstd()}});
  const int64_t n = c.last_insert_id();
  insert_packages(c, n, *inventory);
  return n;
}

// What the job's own checkouts were known under before its ref was.
void move_to_ref(Connection& c, const JobPlace& job, const std::string& ref) {
  // What else the old ref has is matched against the advisories anew.
  c.run(
      "UPDATE inventories SET matched = '' WHERE matched <> '' AND (instance, project_path, ref) "
      "IN (SELECT instance, project_path, ref FROM inventories WHERE instance = ?1 AND job_id = ?2 "
      "AND ref <> ?3)",
      {job.instance, job.job_id, ref});
  c.run(
      "UPDATE OR IGNORE inventories SET ref = ?, project_id = ? WHERE instance = ? AND job_id = ?",
      {ref, job.project_id, job.instance, job.job_id});
  // The ref has the commit from another job.
  c.run("DELETE FROM inventories WHERE instance = ? AND job_id = ? AND ref <> ?",
        {job.instance, job.job_id, ref});
}

}  // namespace

Result<bool> keep_inventory(Connection& c, const fleet::v1::JobKey& key,
                            const fleet::v1::InventoryReport& report, UnixMicros received_at) {
  // GitLab may have said already which ref the job ran for.
  const auto ref = [&] {
    auto rows = c.query(
        "SELECT coalesce(ref, '') FROM jobs WHERE instance = ? AND job_id = ? AND ref IS NOT NULL",
        {key.instance(), key.job_id()});
    return rows.next() ? rows.text(0) : std::string();
  }();
  // The first word on a commit stands, for every ref.
  auto content = c.integer(
      "SELECT content FROM inventories WHERE instance = ? AND project_path = ? AND commit_sha = ? "
      "ORDER BY n LIMIT 1",
      {key.instance(), key.project_path(), report.commit_sha()});
  if (content && ref.empty()) return false;
  if (!content) {
    ASSIGN_OR_RETURN(content, keep_content(c, key, report));
  }
  return c.run(
             "INSERT OR IGNORE INTO inventories(instance, project_id, project_path, commit_sha, "
             "content, job_id, received_at, ref) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
             {key.instance(), key.project_id(), key.project_path(), report.commit_sha(), *content,
              key.job_id(), received_at, ref}) > 0;
}

void place_inventories(Connection& c, const JobPlace& job, const std::string& ref,
                       const std::string& commit_sha, UnixMicros now) {
  if (ref.empty()) return;
  move_to_ref(c, job, ref);
  c.run(
      "INSERT OR IGNORE INTO inventories(instance, project_id, project_path, commit_sha, content, "
      "job_id, received_at, ref) SELECT instance, ?, project_path, commit_sha, content, ?, ?, ? "
      "FROM inventories WHERE instance = ? AND project_path = ? AND commit_sha = ? ORDER BY n "
      "LIMIT 1",
      {job.project_id, job.job_id, now, ref, job.instance, job.project_path, commit_sha});
}

Task<Result<Inventory>> SqliteStore::inventory(Scope scope, InventoryFilter filter) {
  return database_->read([scope, filter](Connection& c) -> Result<Inventory> {
    const ScopeClause clause(scope);
    std::string where = "WHERE " + clause.sql("i");
    std::vector<sqlite::Value> values{clause.glob()};
    const auto add = [&](std::string_view condition, const auto& value) {
      if (!value) return;
      where.append(" AND ").append(condition);
      values.emplace_back(*value);
    };
    add("i.instance = ?", filter.instance);
    add("i.project_path = ?", filter.project_path);
    add("i.commit_sha = ?", filter.commit_sha);
    add("i.ref = ?", filter.ref);
    add("i.project_id = ?", filter.project_id);
    auto rows =
        c.query(std::string(kInventoryColumns) + where + " ORDER BY i.n DESC LIMIT 1", values);
    if (rows.next()) return to_inventory(rows);
    return Error(Code::not_found, "no inventory of that project, commit or ref is known");
  });
}

Task<Result<Page<PackageUse>>> SqliteStore::package_uses(Scope scope, std::string ecosystem,
                                                         std::string name, PageRequest page) {
  return database_->read([scope, ecosystem, name, page](Connection& c) -> Result<Page<PackageUse>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    const ScopeClause clause(scope);
    // The newest inventory of each ref of each project: what is in use now.
    auto rows = c.query(
        "SELECT i.n, i.instance, i.project_id, i.project_path, i.ref, i.commit_sha, p.version, "
        "p.direct, i.received_at FROM packages p JOIN inventories i ON i.content = p.content "
        "WHERE " +
            clause.sql("i") +
            " AND p.ecosystem = ? AND p.name = ? AND i.n < ? AND NOT EXISTS (SELECT 1 FROM "
            "inventories newer WHERE newer.instance = i.instance AND newer.project_path = "
            "i.project_path AND newer.ref = i.ref AND newer.n > i.n) ORDER BY i.n DESC, p.version "
            "LIMIT ?",
        {clause.glob(), ecosystem, name_in_rows(ecosystem, name), before, page.limit + 1});
    Page<PackageUse> out;
    while (rows.next()) {
      // Versions of one inventory stay on one page, so the page may be a little longer.
      if (out.items.size() >= page.limit && rows.integer(0) != out.items.back().n) {
        out.next = std::to_string(out.items.back().n);
        break;
      }
      out.items.push_back({rows.integer(0), rows.text(1), rows.integer(2), rows.text(3),
                           rows.text(4), rows.text(5), rows.text(6), rows.integer(7) != 0,
                           rows.time(8)});
    }
    return out;
  });
}

}  // namespace gitaiops::store
