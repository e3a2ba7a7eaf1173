// Which failures are the same, or alike, and which runs made them pass: written while reports and
// GitLab's words are stored. The same is by fingerprint; alike is by MinHash, looked up by its
// bands and confirmed on at most kCandidates failures. So the work for a report does not grow with
// what is stored.
#include <algorithm>
#include <map>

#include "controller/store/sqlite_store.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::store {
namespace {

constexpr int kPerBand = 32;             // newest first; a band that more share says little
constexpr std::size_t kCandidates = 32;  // compared in full, those that share most bands first
constexpr int64_t kPrintsPerFailure = 64;
constexpr int kPassedAtOnce = 100;  // failed runs that one passing run is told to, newest first

// Causes outside of any project are one failure wherever they show.
std::string place_of(const fleet::v1::JobKey& key, const std::string& owner) {
  if (owner == "infrastructure" || owner == "runner") return "*";
  return key.instance() + "\n" +
         (key.project_path().empty() ? "#" + std::to_string(key.project_id()) : key.project_path());
}

std::string minhash_bytes(const std::vector<uint32_t>& minhash) {
  std::string out;
  out.reserve(minhash.size() * 4);
  for (const uint32_t value : minhash)
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::vector<uint32_t> minhash_from(const std::string& bytes) {
  std::vector<uint32_t> out(bytes.size() / 4);
  for (std::size_t i = 0; i < out.size() * 4; ++i)
    out[i / 4] |= uint32_t{static_cast<unsigned char>(bytes[i])} << (i % 4 * 8);
  return out;
}

std::optional<int64_t> same_failure(Connection& c, const std::string& place,
                                    const std::string& fingerprint) {
  return c.integer("SELECT g FROM failure_prints WHERE place = ? AND fingerprint = ?",
                   {place, fingerprint});
}

std::optional<int64_t> similar_failure(Connection& c, const std::string& place,
                                       const std::string& category,
                                       const std::vector<uint32_t>& minhash) {
  std::map<int64_t, int> shared;  // bands by failure
  for (const uint64_t band : diagnosis::similarity_keys(minhash)) {
    auto rows =
        c.query("SELECT g FROM failure_bands WHERE place = ? AND band = ? ORDER BY g DESC LIMIT ?",
                {place, band, kPerBand});
    while (rows.next()) ++shared[rows.integer(0)];
  }
  std::vector<std::pair<int, int64_t>> order;
  for (const auto& [g, bands] : shared) order.emplace_back(bands, g);
  std::ranges::sort(order, std::greater());
  if (order.size() > kCandidates) order.resize(kCandidates);
  std::optional<int64_t> best;
  double highest = diagnosis::kSimilar;
  for (const auto& [bands, g] : order) {
    auto rows = c.query("SELECT minhash FROM failures WHERE g = ? AND category = ?", {g, category});
    if (!rows.next()) continue;
    const double alike = diagnosis::similarity(minhash, minhash_from(rows.text(0)));
    if (alike < highest) continue;
    highest = alike;
    best = g;
  }
  return best;
}

int64_t new_failure(Connection& c, const std::string& id, const std::string& place,
                    const fleet::v1::Diagnosis& diagnosis, const std::vector<uint32_t>& minhash,
                    int64_t n) {
  const std::string bytes = minhash_bytes(minhash);
  c.run(
      "INSERT INTO failures(id, place, category, owner, minhash, last_n) VALUES(?, ?, ?, ?, ?, ?)",
      {id, place, diagnosis.category(), diagnosis.owner(), sqlite::Blob{bytes}, n});
  const int64_t g = c.last_insert_id();
  for (const uint64_t band : diagnosis::similarity_keys(minhash))
    c.run("INSERT OR IGNORE INTO failure_bands VALUES(?, ?, ?)", {place, band, g});
  return g;
}

// A run as GitLab names it.
struct Run {
  std::string instance, name, ref, sha, status;
  int64_t project_id = 0, job_id = 0, iid = 0;
  UnixMicros at;
};

std::optional<Run> run_of(Connection& c, int64_t n) {
  auto rows = c.query(
      "SELECT instance, name, ref, sha, status, project_id, job_id, "
      "coalesce(json_extract(gitlab, '$.merge_request.iid'), 0), coalesce(finished_at, "
      "received_at) "
      "FROM jobs WHERE n = ? AND name IS NOT NULL",
      {n});
  if (!rows.next()) return std::nullopt;
  return Run{rows.text(0),    rows.text(1),    rows.text(2),    rows.text(3), rows.text(4),
             rows.integer(5), rows.integer(6), rows.integer(7), rows.time(8)};
}

void set_passed(Connection& c, int64_t n, const Run& passing, bool same_sha) {
  c.run(
      "UPDATE occurrences SET passed_job_id = ?, passed_sha = ?, passed_same_sha = ?, "
      "passed_iid = ?, passed_at = ? WHERE n = ? AND passed_job_id IS NULL",
      {passing.job_id, passing.sha, same_sha, passing.iid, passing.at, n});
}

void set_twin(Connection& c, int64_t n, int64_t passing_job) {
  c.run("UPDATE occurrences SET twin_job_id = ? WHERE n = ? AND twin_job_id IS NULL",
        {passing_job, n});
}

// Runs of the same job that failed before, on the same commit or branch, and were not passed yet.
void tell_failed_runs(Connection& c, const Run& passing) {
  std::vector<std::pair<int64_t, std::string>> earlier;
  {
    auto rows = c.query(
        "SELECT j.n, j.sha FROM jobs j JOIN occurrences o ON o.n = j.n WHERE j.instance = ? AND "
        "j.project_id = ? AND j.name = ? AND j.job_id < ? AND j.status = 'failed' AND "
        "(j.sha = ? OR j.ref = ?) AND o.passed_job_id IS NULL ORDER BY j.job_id DESC LIMIT ?",
        {passing.instance, passing.project_id, passing.name, passing.job_id, passing.sha,
         passing.ref, kPassedAtOnce});
    while (rows.next()) earlier.emplace_back(rows.integer(0), rows.text(1));
  }
  for (const auto& [n, sha] : earlier) set_passed(c, n, passing, sha == passing.sha);
  std::vector<int64_t> twins;
  {
    auto rows = c.query(
        "SELECT j.n FROM jobs j JOIN occurrences o ON o.n = j.n WHERE j.instance = ? AND "
        "j.project_id = ? AND j.name = ? AND j.sha = ? AND j.status = 'failed' AND o.twin_job_id "
        "IS "
        "NULL ORDER BY j.job_id DESC LIMIT ?",
        {passing.instance, passing.project_id, passing.name, passing.sha, kPassedAtOnce});
    while (rows.next()) twins.push_back(rows.integer(0));
  }
  for (const int64_t n : twins) set_twin(c, n, passing.job_id);
}

// The failed run's word may come after that of the run that passed.
void ask_passing_runs(Connection& c, int64_t n, const Run& failed) {
  std::optional<int64_t> next;
  {
    auto rows = c.query(
        "SELECT n FROM jobs WHERE instance = ? AND project_id = ? AND name = ? AND job_id > ? AND "
        "status = 'success' AND (sha = ? OR ref = ?) ORDER BY job_id LIMIT 1",
        {failed.instance, failed.project_id, failed.name, failed.job_id, failed.sha, failed.ref});
    if (rows.next()) next = rows.integer(0);
  }
  if (next) {
    if (const auto passing = run_of(c, *next))
      set_passed(c, n, *passing, passing->sha == failed.sha);
  }
  const auto twin = c.integer(
      "SELECT job_id FROM jobs WHERE instance = ? AND project_id = ? AND name = ? AND sha = ? AND "
      "status = 'success' ORDER BY job_id LIMIT 1",
      {failed.instance, failed.project_id, failed.name, failed.sha});
  if (twin) set_twin(c, n, *twin);
}

}  // namespace

void group_failure(Connection& c, int64_t n, const fleet::v1::JobKey& key,
                   const std::string& agent_id, const fleet::v1::JobReport& report, UnixMicros at,
                   const std::string& new_id) {
  c.run("DELETE FROM occurrences WHERE n = ?", {n});  // of a report that this one replaces
  const auto& d = report.diagnosis();
  if (report.outcome() == fleet::v1::OUTCOME_PASSED || d.fingerprint().empty()) return;
  const std::string place = place_of(key, d.owner());
  const std::vector<uint32_t> minhash(d.minhash().begin(), d.minhash().end());
  auto g = same_failure(c, place, d.fingerprint());
  const bool known_print = g.has_value();
  if (!g) g = similar_failure(c, place, d.category(), minhash);
  if (!g) g = new_failure(c, new_id, place, d, minhash, n);
  const int64_t prints =
      c.integer("SELECT count(*) FROM failure_prints WHERE g = ?", {*g}).value_or(0);
  if (!known_print && prints < kPrintsPerFailure)
    c.run("INSERT OR IGNORE INTO failure_prints VALUES(?, ?, ?)", {place, d.fingerprint(), *g});
  c.run(
      "INSERT INTO occurrences(n, g, instance, project_path, agent_id, at) VALUES(?, ?, ?, ?, ?, "
      "?)",
      {n, *g, key.instance(), key.project_path(), agent_id, at});
  c.run("UPDATE failures SET last_n = max(last_n, ?) WHERE g = ?", {n, *g});
}

void relate_runs(Connection& c, int64_t n) {
  const auto run = run_of(c, n);
  if (!run || run->project_id == 0 || run->sha.empty()) return;
  if (run->status == "success") tell_failed_runs(c, *run);
  if (run->status == "failed") ask_passing_runs(c, n, *run);
}

}  // namespace gitaiops::store
