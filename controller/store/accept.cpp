// Ingest: an envelope, its sequence number and its event, in one transaction.
#include <algorithm>

#include "base/crypto/crypto.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kSamplesKept = 24 * 3600 * kMicrosPerSecond;

std::string_view outcome_name(fleet::v1::Outcome outcome) {
  switch (outcome) {
    case fleet::v1::OUTCOME_PASSED:
      return "passed";
    case fleet::v1::OUTCOME_FAILED:
      return "failed";
    case fleet::v1::OUTCOME_CANCELED:
      return "canceled";
    default:
      return "unknown";
  }
}

// The row of a job that is there already.
struct Known {
  int64_t n = 0;
  std::string id;
  int64_t project_id = 0;
  std::string path;
  bool reported = false;
  bool fetched = false;  // by us, from GitLab: an agent's word is worth more
};

std::optional<Known> known_job(Connection& c, const fleet::v1::JobKey& key) {
  auto rows = c.query(
      "SELECT n, id, project_id, project_path, report IS NOT NULL, agent_id = '' FROM jobs WHERE "
      "instance = ? AND job_id = ?",
      {key.instance(), key.job_id()});
  if (!rows.next()) return std::nullopt;
  return Known{rows.integer(0), rows.text(1),         rows.integer(2),
               rows.text(3),    rows.integer(4) != 0, rows.integer(5) != 0};
}

std::string path_of_project(Connection& c, const std::string& instance, int64_t project_id) {
  if (project_id == 0) return "";
  auto rows =
      c.query("SELECT path FROM projects WHERE instance = ? AND project_id = ? AND project_id <> 0",
              {instance, project_id});
  return rows.next() ? rows.text(0) : "";
}

// Remembers which path the id has. Who may not speak for the path that the id had so far cannot
// move it: else an agent of one project could have another project's later reports shown under its
// own path.
void remember_project(Connection& c, const Scope& scope, const std::string& instance, int64_t id,
                      const std::string& path) {
  c.run("INSERT OR IGNORE INTO projects(instance, path) VALUES(?, ?)", {instance, path});
  if (id == 0 || path.empty()) return;
  const std::string former = path_of_project(c, instance, id);
  if (former == path || (!former.empty() && !allows(scope, instance, former))) return;
  c.run("UPDATE projects SET project_id = 0 WHERE instance = ? AND project_id = ?", {instance, id});
  c.run("UPDATE projects SET project_id = ? WHERE instance = ? AND path = ?", {id, instance, path});
}

// The job's key with the path and id that are known of it, once the agent may speak for it.
Result<fleet::v1::JobKey> permitted(Connection& c, const Agent& agent, fleet::v1::JobKey key,
                                    const std::optional<Known>& known) {
  if (key.instance().empty()) return Error(Code::invalid_argument, "key.instance is empty");
  if (key.job_id() <= 0)
    return Error(Code::invalid_argument,
                 "key.job_id: " + std::to_string(key.job_id()) + " is not a job");
  if (key.project_id() < 0) return Error(Code::invalid_argument, "key.project_id is negative");
  if (key.project_path().empty())
    key.set_project_path(path_of_project(c, key.instance(), key.project_id()));
  const auto refuse = [&](const std::string& path) {
    return Error(Code::permission_denied, "agent " + agent.id + " may not speak for " +
                                              (path.empty() ? "jobs of unknown projects" : path) +
                                              " of " + key.instance());
  };
  // What was said of the job before must be the agent's to speak for too, or it could take over
  // another's job.
  if (known && !known->path.empty()) {
    if (!allows(agent.scope, key.instance(), known->path)) return refuse(known->path);
    if (key.project_path().empty()) key.set_project_path(known->path);
  }
  if (known && key.project_id() == 0) key.set_project_id(known->project_id);
  if (!allows(agent.scope, key.instance(), key.project_path())) return refuse(key.project_path());
  return key;
}

// The row's number.
int64_t insert_job(Connection& c, const std::string& id, const fleet::v1::JobKey& key,
                   const std::string& agent_id, UnixMicros at) {
  c.run(
      "INSERT INTO jobs(id, instance, project_id, job_id, project_path, agent_id, received_at) "
      "VALUES(?, ?, ?, ?, ?, ?, ?)",
      {id, key.instance(), key.project_id(), key.job_id(), key.project_path(), agent_id, at});
  return c.last_insert_id();
}

void complete_job(Connection& c, int64_t n, const fleet::v1::JobKey& key,
                  const std::string& agent_id, const fleet::v1::JobReport& report, UnixMicros at) {
  // The agent's clock may be wrong; retention and lists must not see the future.
  const int64_t finished =
      report.finished_at_us() > 0 ? std::min(report.finished_at_us(), at.value) : at.value;
  const bool diagnosed = report.has_diagnosis();
  const std::string bytes = report.SerializeAsString();
  c.run(
      "UPDATE jobs SET project_id = ?, project_path = ?, agent_id = ?, received_at = ?, "
      "finished_at = ?, outcome = ?, "
      "category = ?, owner = ?, report = ? WHERE n = ?",
      {key.project_id(), key.project_path(), agent_id, at, finished, outcome_name(report.outcome()),
       diagnosed ? std::optional(report.diagnosis().category()) : std::nullopt,
       diagnosed ? std::optional(report.diagnosis().owner()) : std::nullopt, sqlite::Blob{bytes},
       n});
  group_failure(c, n, key, agent_id, report, {finished}, crypto::uuid7(at));
}

void insert_samples(Connection& c, const std::string& agent_id, const fleet::v1::HostSamples& s,
                    UnixMicros at) {
  const auto maybe = [](bool has, auto value) { return has ? std::optional(value) : std::nullopt; };
  c.run("INSERT OR REPLACE INTO host_samples VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {agent_id, at, s.at_us(), maybe(s.has_load1(), s.load1()),
         maybe(s.has_memory_total_bytes(), s.memory_total_bytes()),
         maybe(s.has_memory_available_bytes(), s.memory_available_bytes()),
         maybe(s.has_builds_disk_free_bytes(), s.builds_disk_free_bytes()),
         maybe(s.has_cpu_busy_ratio(), s.cpu_busy_ratio()), s.jobs_running(), s.spool_bytes(),
         s.records_dropped(), s.withheld()});
  c.run("DELETE FROM host_samples WHERE agent_id = ? AND received_at < ?",
        {agent_id, at.value - kSamplesKept});
}

uint64_t read_high_water(Connection& c, const std::string& agent_id, uint64_t epoch) {
  return static_cast<uint64_t>(
      c.integer("SELECT seq FROM high_water WHERE agent_id = ? AND epoch = ?", {agent_id, epoch})
          .value_or(0));
}

struct Taken {
  Accepted accepted;
  Status verdict;  // a refusal for good: nothing of the envelope is stored, but its number is
};

}  // namespace

// Decides before it writes: a refusal leaves no trace.
Status SqliteStore::store_payload(Connection& c, const Agent& agent,
                                  const fleet::v1::Envelope& envelope, const std::string& new_id,
                                  UnixMicros received_at, Accepted& accepted) {
  if (envelope.has_host_samples())
    insert_samples(c, agent.id, envelope.host_samples(), received_at);
  const bool report = envelope.has_job_report();
  if (envelope.has_passed_templates()) {
    const auto& passed = envelope.passed_templates();
    const auto job = known_job(c, passed.key());
    RETURN_IF_ERROR(permitted(c, agent, passed.key(), job));
    if (job && job->reported) keep_templates(c, job->n, passed);
    return {};
  }
  if (envelope.has_inventory_report()) {
    const auto& inventory = envelope.inventory_report();
    ASSIGN_OR_RETURN(const auto key,
                     permitted(c, agent, inventory.key(), known_job(c, inventory.key())));
    remember_project(c, agent.scope, key.instance(), key.project_id(), key.project_path());
    ASSIGN_OR_RETURN(const bool kept, keep_inventory(c, key, inventory, received_at));
    accepted.duplicate = !kept;
    return {};
  }
  // A message that this version does not know is acknowledged and dropped.
  if (!report && !envelope.has_job_started()) return {};
  if (report && envelope.job_report().report_id().empty())
    return Error(Code::invalid_argument, "job_report.report_id is empty");

  const auto& said = report ? envelope.job_report().key() : envelope.job_started().key();
  const auto known = known_job(c, said);
  ASSIGN_OR_RETURN(const auto key, permitted(c, agent, said, known));
  if (known && ((known->reported && !known->fetched) || !report)) {
    accepted.duplicate = true;  // the first word stands
    return {};
  }
  const std::string id = known ? known->id : new_id;
  remember_project(c, agent.scope, key.instance(), key.project_id(), key.project_path());
  const int64_t n = known ? known->n : insert_job(c, id, key, agent.id, received_at);
  if (report) complete_job(c, n, key, agent.id, envelope.job_report(), received_at);
  append_event(c, {0, report ? "job.reported" : "job.started", key.instance(), key.project_id(), id,
                   received_at});
  return {};
}

Task<Result<Accepted>> SqliteStore::accept(std::string agent_id, uint64_t epoch,
                                           fleet::v1::Envelope envelope, UnixMicros received_at) {
  const auto shared = std::make_shared<const fleet::v1::Envelope>(std::move(envelope));
  auto act = [this, agent_id, epoch, shared, received_at,
              new_id = crypto::uuid7(received_at)](Connection& c) -> Result<Taken> {
    Taken taken;
    ASSIGN_OR_RETURN(const auto who, read_agent(c, agent_id));
    if (who.revoked_at) return Error(Code::unauthenticated, "agent " + agent_id + " was revoked");
    const uint64_t seq = shared->seq();
    if (seq == 0) return Error(Code::invalid_argument, "seq: numbers start at 1");
    taken.accepted.high_water_seq = read_high_water(c, agent_id, epoch);
    if (seq <= taken.accepted.high_water_seq) {
      taken.accepted.duplicate = true;
      return taken;
    }
    taken.verdict = store_payload(c, who, *shared, new_id, received_at, taken.accepted);
    c.run("INSERT INTO high_water VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET seq = ?3",
          {agent_id, epoch, seq});
    taken.accepted.high_water_seq = seq;
    return taken;
  };
  auto taken = co_await database_->write(std::move(act), shared->ByteSizeLong());
  if (!taken.ok()) co_return taken.error();
  if (!taken->verdict.ok()) co_return taken->verdict.error();
  co_return taken->accepted;
}

Task<Result<bool>> SqliteStore::keep_fetched(fleet::v1::JobReport report, UnixMicros at) {
  const auto shared = std::make_shared<const fleet::v1::JobReport>(std::move(report));
  auto act = [this, shared, at, new_id = crypto::uuid7(at)](Connection& c) -> Result<bool> {
    const auto& key = shared->key();
    const auto known = known_job(c, key);
    if (known && known->reported) return false;
    remember_project(c, everything(), key.instance(), key.project_id(), key.project_path());
    const std::string id = known ? known->id : new_id;
    const int64_t n = known ? known->n : insert_job(c, id, key, "", at);
    complete_job(c, n, key, "", *shared, at);
    append_event(c, {0, "job.reported", key.instance(), key.project_id(), id, at});
    return true;
  };
  return database_->write(std::move(act), shared->ByteSizeLong());
}

Task<Result<std::vector<int64_t>>> SqliteStore::unreported(std::string instance,
                                                           std::vector<int64_t> job_ids) {
  return database_->read([instance, job_ids](Connection& c) -> Result<std::vector<int64_t>> {
    std::vector<int64_t> out;
    for (const int64_t id : job_ids) {
      const auto there =
          c.integer("SELECT 1 FROM jobs WHERE instance = ? AND job_id = ? AND report IS NOT NULL",
                    {instance, id});
      if (!there) out.push_back(id);
    }
    return out;
  });
}

Task<Result<uint64_t>> SqliteStore::high_water(std::string agent_id, uint64_t epoch) {
  return database_->read([agent_id, epoch](Connection& c) -> Result<uint64_t> {
    return read_high_water(c, agent_id, epoch);
  });
}

}  // namespace gitaiops::store
