// What the last passing runs of a job print, as hashes of masked lines: shared between the hosts
// that run it.
#include <algorithm>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int kRunsKept = 3;                // of each job name
constexpr int64_t kBaselinesKept = 20'000;  // in all; the oldest go
constexpr std::size_t kTemplatesMax = 8192;

std::string template_bytes(const google::protobuf::RepeatedField<uint64_t>& templates) {
  std::string out;
  out.reserve(static_cast<std::size_t>(templates.size()) * 8);
  for (const uint64_t value : templates)
    for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

void add_from(const std::string& bytes, std::vector<uint64_t>& out) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    out.push_back(value);
  }
}

}  // namespace

void keep_templates(Connection& c, int64_t n, const fleet::v1::PassedTemplates& passed) {
  const std::string bytes = template_bytes(passed.templates());
  c.run(
      "INSERT OR IGNORE INTO baselines(n, instance, templates) SELECT n, instance, ? FROM jobs "
      "WHERE n = ?",
      {sqlite::Blob{bytes}, n});
  c.run(
      "DELETE FROM baselines WHERE n <= (SELECT n FROM baselines ORDER BY n DESC LIMIT 1 OFFSET ?)",
      {kBaselinesKept});
  name_templates(c, n);
}

void name_templates(Connection& c, int64_t n) {
  // A run that GitLab does not call passed is no measure.
  c.run(
      "DELETE FROM baselines WHERE n = ?1 AND EXISTS (SELECT 1 FROM jobs WHERE n = ?1 AND status "
      "IS NOT NULL AND status <> 'success')",
      {n});
  const int64_t named = c.run(
      "UPDATE baselines SET (project_id, name) = (SELECT project_id, name FROM jobs j WHERE "
      "j.n = baselines.n) WHERE n = ?1 AND EXISTS (SELECT 1 FROM jobs WHERE n = ?1 AND status "
      "= 'success')",
      {n});
  if (named == 0) return;
  c.run(
      "DELETE FROM baselines WHERE n IN (SELECT o.n FROM baselines b JOIN baselines o ON "
      "o.instance "
      "= b.instance AND o.project_id = b.project_id AND o.name = b.name WHERE b.n = ? ORDER BY o.n "
      "DESC LIMIT -1 OFFSET ?)",
      {n, kRunsKept});
}

Task<Result<std::vector<uint64_t>>> SqliteStore::baseline(std::string instance, int64_t project_id,
                                                          std::string job_name) {
  return database_->read(
      [instance, project_id, job_name](Connection& c) -> Result<std::vector<uint64_t>> {
        std::vector<uint64_t> out;
        auto rows = c.query(
            "SELECT templates FROM baselines WHERE instance = ? AND project_id = ? AND name = ? "
            "ORDER BY n DESC LIMIT ?",
            {instance, project_id, job_name, kRunsKept});
        while (rows.next()) {
          add_from(rows.text(0), out);
          std::ranges::sort(out);
          out.erase(std::unique(out.begin(), out.end()), out.end());
          if (out.size() > kTemplatesMax) out.resize(kTemplatesMax);
        }
        return out;
      });
}

}  // namespace gitaiops::store
