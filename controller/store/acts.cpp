// Acts on the outside world: decided in the transaction that writes them down, with their audit
// record and the work that does them. The identity of an act is unique: it is not decided twice.
#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int kActsOfPipeline = 200;
constexpr int kHostsAtOnce = 50;
constexpr int kProjectsOfHost = 10;

constexpr std::string_view kActColumns =
    "SELECT id, what, instance, project_id, sha, job_name, category, project_path, pipeline_id, "
    "job_id, runner_id, why, state, detail, made, at, ended_at, asked_by FROM acts ";

std::string acts_where(std::string_view condition) {
  std::string sql(kActColumns);
  sql.append("WHERE ").append(condition);
  return sql;
}

Act to_act(const Rows& rows) {
  Act a;
  a.id = rows.text(0);
  a.what = rows.text(1);
  a.instance = rows.text(2);
  a.project_id = rows.integer(3);
  a.sha = rows.text(4);
  a.job_name = rows.text(5);
  a.category = rows.text(6);
  a.project_path = rows.text(7);
  a.pipeline_id = rows.integer(8);
  a.job_id = rows.integer(9);
  a.runner_id = rows.integer(10);
  a.why = rows.text(11);
  a.state = rows.text(12);
  a.detail = rows.text(13);
  a.made = rows.integer(14);
  a.at = rows.time(15);
  a.ended_at = rows.time(16);
  a.asked_by = rows.text(17);
  return a;
}

}  // namespace

void SqliteStore::decide(Connection& c, const Decision& d, UnixMicros now) {
  const Act& a = d.act;
  const int64_t lately =
      c.integer(
           "SELECT count(*) FROM acts WHERE what = ? AND at > ? AND instance = ? AND "
           "(? = 0 OR project_id = ?) AND (asked_by = '') = (? = '')",
           {a.what, d.since, a.instance, a.project_id, a.project_id, a.asked_by})
          .value_or(0);
  if (lately >= d.most) return;
  const int64_t written = c.run(
      "INSERT OR IGNORE INTO acts VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'intended', '', 0, ?, "
      "0, ?)",
      {a.id, a.what, a.instance, a.project_id, a.sha, a.job_name, a.category, a.project_path,
       a.pipeline_id, a.job_id, a.runner_id, a.why, a.at, a.asked_by});
  if (written == 0) return;
  write_audit(c, d.audit);
  put_work(c, d.work);
  tell_of_act(c, a, now);
}

void SqliteStore::end_act(Connection& c, const Act& a, UnixMicros now) {
  c.run("UPDATE acts SET state = ?, detail = ?, made = ?, ended_at = ? WHERE id = ?",
        {a.state, a.detail, a.made, a.ended_at, a.id});
  tell_of_act(c, a, now);
}

// Its job's note has something new to say.
void SqliteStore::tell_of_act(Connection& c, const Act& a, UnixMicros now) {
  std::string job;
  {
    auto rows = c.query("SELECT id FROM jobs WHERE instance = ? AND job_id = ? AND ? <> 0",
                        {a.instance, a.job_id, a.job_id});
    if (!rows.next()) return;
    job = rows.text(0);
  }
  append_event(c, {0, "act.changed", a.instance, a.project_id, job, now});
}

Task<Result<Act>> SqliteStore::act(std::string id) {
  return database_->read([id](Connection& c) -> Result<Act> {
    auto rows = c.query(acts_where("id = ?"), {id});
    if (rows.next()) return to_act(rows);
    return Error(Code::not_found, "no such act");
  });
}

Task<Result<std::vector<Act>>> SqliteStore::pipeline_acts(std::string instance, int64_t project_id,
                                                          int64_t pipeline_id) {
  return database_->read([instance, project_id,
                          pipeline_id](Connection& c) -> Result<std::vector<Act>> {
    std::vector<Act> out;
    auto rows = c.query(acts_where("instance = ? AND project_id = ? AND pipeline_id = ? ORDER BY "
                                   "at, id LIMIT ?"),
                        {instance, project_id, pipeline_id, kActsOfPipeline});
    while (rows.next()) out.push_back(to_act(rows));
    return out;
  });
}

Task<Result<std::vector<Store::FailingHost>>> SqliteStore::failing_hosts(UnixMicros since,
                                                                         int64_t jobs,
                                                                         int64_t projects) {
  return database_->read([since, jobs,
                          projects](Connection& c) -> Result<std::vector<FailingHost>> {
    std::vector<FailingHost> out;
    std::vector<int64_t> last;  // the newest such job of each
    {
      auto rows = c.query(
          "SELECT o.agent_id, count(*), count(DISTINCT o.instance || char(10) || "
          "o.project_path), max(o.at), max(o.n) FROM occurrences o JOIN failures f ON f.g = o.g "
          "WHERE o.at > ? AND o.agent_id <> '' AND f.owner = 'runner' GROUP BY o.agent_id "
          "HAVING count(*) >= ? AND count(DISTINCT o.instance || char(10) || o.project_path) >= "
          "? LIMIT ?",
          {since, jobs, projects, kHostsAtOnce});
      while (rows.next()) {
        FailingHost host;
        host.agent_id = rows.text(0);
        host.jobs = rows.integer(1);
        host.projects = rows.integer(2);
        host.last_at = rows.time(3);
        out.push_back(std::move(host));
        last.push_back(rows.integer(4));
      }
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      FailingHost& host = out[i];
      {
        auto rows = c.query("SELECT host_name FROM agents WHERE id = ?", {host.agent_id});
        if (rows.next()) host.host_name = rows.text(0);
      }
      {
        auto rows = c.query(
            "SELECT instance, coalesce(json_extract(gitlab, '$.runner_id'), 0) FROM jobs WHERE "
            "n = ?",
            {last[i]});
        if (rows.next()) {
          host.instance = rows.text(0);
          host.runner_id = rows.integer(1);
        }
      }
      auto rows = c.query(
          "SELECT DISTINCT j.project_id FROM occurrences o JOIN failures f ON f.g = o.g JOIN "
          "jobs j ON j.n = o.n WHERE o.agent_id = ? AND o.at > ? AND f.owner = 'runner' AND "
          "j.instance = ? AND j.project_id <> 0 LIMIT ?",
          {host.agent_id, since, host.instance, kProjectsOfHost});
      while (rows.next()) host.project_ids.push_back(rows.integer(0));
    }
    return out;
  });
}

}  // namespace gitaiops::store
