// Reading jobs, always through a scope, and what GitLab says of one.
#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

// More jobs than any pipeline has that a person reads about; the newest of a larger one.
constexpr int kPipelineJobs = 2000;

constexpr std::string_view kJobColumns =
    "SELECT n, id, instance, project_id, job_id, project_path, agent_id, received_at, report, "
    "gitlab FROM jobs ";

Job to_job(const Rows& rows) {
  Job job;
  job.id = rows.text(1);
  job.key = {rows.text(2), rows.integer(3), rows.integer(4)};
  job.project_path = rows.text(5);
  job.agent_id = rows.text(6);
  job.received_at = rows.time(7);
  if (!rows.is_null(8)) job.report.ParseFromString(rows.text(8));
  if (!rows.is_null(9)) job.gitlab = facts_from_json(rows.text(9));
  return job;
}

RunUsage usage_of(const std::string& bytes) {
  fleet::v1::JobReport report;
  RunUsage out;
  if (!report.ParseFromString(bytes)) return out;
  if (report.has_wall_us()) out.wall_us = report.wall_us();
  if (report.usage().has_memory_peak_bytes())
    out.memory_peak_bytes = report.usage().memory_peak_bytes().value();
  return out;
}

// "WHERE …" of a scope and a filter, with the values it binds. The filter must outlive it.
struct Where {
  Where() : sql("WHERE true") {}
  Where(const ScopeClause& scope, const JobFilter& filter)
      : sql("WHERE " + scope.sql()), values{scope.glob()} {
    add("instance = ?", filter.instance);
    add("project_path = ?", filter.project_path);
    add("outcome = ?", filter.outcome);
    add("category = ?", filter.category);
    add("owner = ?", filter.owner);
    add("agent_id = ?", filter.agent_id);
    add("project_id = ?", filter.project_id);
    add("job_id = ?", filter.job_id);
    // The index of job numbers begins with the instance, of which there are few.
    if (filter.job_id && !filter.instance) add("instance IN (SELECT instance FROM projects)");
    add("pipeline_id = ?", filter.pipeline_id);
  }
  void add_times(const JobFilter& filter) {
    add("finished_at > ?", filter.finished_after);
    add("finished_at < ?", filter.finished_before);
  }
  void add(std::string_view condition) { sql.append(" AND ").append(condition); }
  template <class T>
  void add(std::string_view condition, const std::optional<T>& value) {
    if (!value) return;
    add(condition);
    values.emplace_back(*value);
  }
  std::string sql;
  std::vector<sqlite::Value> values;
};

// By the end of the job, newest first, for filters of that time: only that order has an index for
// them. What else the filter asks may fit nearly every job or nearly none. So first the newest of
// the time are looked through; if that does not fill the page, what else is asked fits few, and its
// own index finds them.
constexpr int kLookedThrough = 8'000;
constexpr std::string_view kByFinish = " ORDER BY finished_at DESC, n DESC LIMIT ?";
struct Finished {
  int64_t at = 0, n = 0;
};

Result<std::optional<Finished>> finish_marker(const std::string& after) {
  if (after.empty()) return std::optional<Finished>();
  const auto dot = after.find('.');
  const auto at = parse_int(std::string_view(after).substr(0, dot));
  const auto n = dot == std::string::npos ? std::nullopt : parse_int(after.substr(dot + 1));
  if (!at || !n) return no_page_marker();
  return std::optional(Finished{*at, *n});
}

// The next `wanted` of the range. A plus before a column keeps its index out.
std::vector<Finished> find_finished(Connection& c, Where others, const JobFilter& filter,
                                    const std::optional<Finished>& after, std::size_t wanted) {
  const auto range = [&](const std::string& column) {
    Where where;
    where.add(column + " > ?", filter.finished_after);
    where.add(column + " < ?", filter.finished_before);
    where.add("finished_at IS NOT NULL");
    if (after) {
      where.add("(" + column + ", n) < (?, ?)");
      where.values.insert(where.values.end(), {after->at, after->n});
    }
    return where;
  };
  const auto ask = [&c](const std::string& sql, const std::vector<sqlite::Value>& values) {
    std::vector<Finished> found;
    auto rows = c.query(sql, values);
    while (rows.next()) found.push_back({rows.integer(0), rows.integer(1)});
    return found;
  };
  auto near = range("finished_at");
  const auto newest =
      "(SELECT * FROM jobs INDEXED BY jobs_by_finish " + near.sql + std::string(kByFinish) + ")";
  near.values.emplace_back(kLookedThrough);
  auto values = near.values;
  values.insert(values.end(), others.values.begin(), others.values.end());
  values.emplace_back(wanted);
  auto found = ask("SELECT finished_at, n FROM " + newest + " " + others.sql + " LIMIT ?", values);
  if (found.size() >= wanted) return found;
  const auto all = ask("SELECT count(*), 0 FROM " + newest, near.values);
  if (all.empty() || all[0].at < kLookedThrough) return found;
  const auto whole = range("+finished_at");
  others.sql += " AND " + whole.sql.substr(std::string_view("WHERE ").size());
  others.values.insert(others.values.end(), whole.values.begin(), whole.values.end());
  others.values.emplace_back(wanted);
  return ask("SELECT finished_at, n FROM jobs " + others.sql + std::string(kByFinish),
             others.values);
}

Result<Page<Job>> page_by_finish(Connection& c, Where others, const JobFilter& filter,
                                 const PageRequest& page) {
  ASSIGN_OR_RETURN(const auto after, finish_marker(page.after));
  const auto found = find_finished(c, std::move(others), filter, after, page.limit + 1);
  Page<Job> out;
  for (std::size_t i = 0; i < std::min(found.size(), page.limit); ++i) {
    auto rows = c.query(std::string(kJobColumns) + "WHERE n = ?", {found[i].n});
    if (rows.next()) out.items.push_back(to_job(rows));
  }
  if (found.size() > page.limit) {
    const auto& last = found[page.limit - 1];
    out.next = std::to_string(last.at) + "." + std::to_string(last.n);
  }
  return out;
}

Result<Job> one_job(Connection& c, const Scope& scope, const std::string& condition,
                    std::initializer_list<sqlite::Value> values) {
  const ScopeClause clause(scope);
  std::vector<sqlite::Value> all{clause.glob()};
  all.insert(all.end(), values);
  auto rows =
      c.query(std::string(kJobColumns) + "WHERE " + clause.sql() + " AND " + condition, all);
  if (rows.next()) return to_job(rows);
  return Error(Code::not_found, "no such job");
}

}  // namespace

Task<Result<Page<Job>>> SqliteStore::jobs(Scope scope, JobFilter filter, PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<Job>> {
    RETURN_IF_ERROR(check_size(page));
    const ScopeClause clause(scope);
    Where where(clause, filter);
    if (filter.finished_after || filter.finished_before)
      return page_by_finish(c, std::move(where), filter, page);
    if (!page.after.empty()) {
      const auto after = parse_int(page.after);
      if (!after) return no_page_marker();
      where.add("n < ?", after);
    }
    // One more than asked for tells whether there is a next page.
    where.values.emplace_back(page.limit + 1);
    auto rows =
        c.query(std::string(kJobColumns) + where.sql + " ORDER BY n DESC LIMIT ?", where.values);
    return page_of<Job>(rows, page, to_job);
  });
}

Task<Result<int64_t>> SqliteStore::count_jobs(Scope scope, JobFilter filter) {
  return database_->read([scope, filter](Connection& c) -> Result<int64_t> {
    const ScopeClause clause(scope);
    Where where(clause, filter);
    where.add_times(filter);
    auto rows = c.query("SELECT count(*) FROM jobs " + where.sql, where.values);
    return rows.next() ? rows.integer(0) : 0;
  });
}

Task<Result<Job>> SqliteStore::job(Scope scope, std::string id) {
  return database_->read([scope, id](Connection& c) { return one_job(c, scope, "id = ?", {id}); });
}

Task<Result<Job>> SqliteStore::job_by_key(Scope scope, std::string instance, int64_t job_id) {
  return database_->read([scope, instance, job_id](Connection& c) {
    return one_job(c, scope, "instance = ? AND job_id = ?", {instance, job_id});
  });
}

Task<Result<std::map<std::string, std::vector<RunUsage>>>> SqliteStore::passed_runs(
    std::string instance, int64_t project_id, std::string ref, std::vector<std::string> names) {
  return database_->read(
      [instance, project_id, ref,
       names](Connection& c) -> Result<std::map<std::string, std::vector<RunUsage>>> {
        std::map<std::string, std::vector<RunUsage>> out;
        for (const auto& name : names) {
          auto rows = c.query(
              "SELECT report FROM jobs WHERE n IN (SELECT n FROM jobs WHERE instance = ? AND "
              "project_id = ? AND name = ? ORDER BY job_id DESC LIMIT ?) AND ref = ? AND status = "
              "'success' AND report IS NOT NULL ORDER BY job_id DESC LIMIT ?",
              {instance, project_id, name, kRunsLookedThrough, ref, kRunsOfAJob});
          while (rows.next()) out[name].push_back(usage_of(rows.text(0)));
        }
        return out;
      });
}

Task<Result<std::vector<Job>>> SqliteStore::pipeline_jobs(std::string instance, int64_t project_id,
                                                          int64_t pipeline_id) {
  return database_->read(
      [instance, project_id, pipeline_id](Connection& c) -> Result<std::vector<Job>> {
        std::vector<Job> out;
        auto rows = c.query(
            "SELECT * FROM (" + std::string(kJobColumns) +
                "WHERE instance = ? AND project_id = ? AND pipeline_id = ? AND report IS NOT NULL "
                "ORDER BY n DESC LIMIT ?) ORDER BY n",
            {instance, project_id, pipeline_id, kPipelineJobs});
        while (rows.next()) out.push_back(to_job(rows));
        return out;
      });
}

// Of the runs of one job in one pipeline only the newest counts. True: the job that `facts` are
// of is not it. The older ones become retried, with an event each.
bool SqliteStore::supersede(Connection& c, const std::string& instance, int64_t project,
                            int64_t job_id, const GitlabFacts& facts, UnixMicros now) {
  if (facts.name.empty() || facts.pipeline_id == 0) return false;
  bool superseded = false;
  std::vector<std::string> older;
  {
    auto rows = c.query(
        "SELECT id, job_id, coalesce(json_extract(gitlab, '$.retried'), 0) FROM jobs WHERE "
        "instance = ? AND project_id = ? AND pipeline_id = ? AND job_id <> ? AND "
        "json_extract(gitlab, '$.name') = ?",
        {instance, project, facts.pipeline_id, job_id, facts.name});
    while (rows.next()) {
      superseded = superseded || rows.integer(1) > job_id;
      if (rows.integer(1) < job_id && rows.integer(2) == 0) older.push_back(rows.text(0));
    }
  }
  for (const auto& id : older) {
    c.run("UPDATE jobs SET gitlab = json_set(gitlab, '$.retried', json('true')) WHERE id = ?",
          {id});
    append_event(c, {0, "job.updated", instance, project, id, now});
  }
  return superseded;
}

Task<Status> SqliteStore::set_gitlab_facts(std::string job_public_id, int64_t project_id,
                                           GitlabFacts said) {
  auto act = [this, job_public_id, project_id, said, now = clock_.now()](Connection& c) -> Status {
    GitlabFacts facts = said;
    std::string instance, path;
    int64_t known = 0, job_id = 0, n = 0;
    {
      auto rows = c.query(
          "SELECT instance, project_id, project_path, job_id, json_extract(gitlab, '$.retried'), n "
          "FROM jobs WHERE id = ?",
          {job_public_id});
      if (!rows.next()) return Error(Code::not_found, "no such job");
      instance = rows.text(0);
      known = rows.integer(1);
      path = rows.text(2);
      job_id = rows.integer(3);
      facts.retried = facts.retried || (!rows.is_null(4) && rows.integer(4) != 0);
      n = rows.integer(5);
    }
    if (known != 0 && project_id != 0 && known != project_id)
      return Error(Code::invalid_argument, "job " + job_public_id + " is of project " +
                                               std::to_string(known) + ", not of " +
                                               std::to_string(project_id));
    const int64_t project = known != 0 ? known : project_id;
    if (supersede(c, instance, project, job_id, facts, now)) facts.retried = true;
    const auto text = [](const std::string& word) {
      return word.empty() ? std::nullopt : std::optional(word);
    };
    c.run(
        "UPDATE jobs SET project_id = ?, pipeline_id = ?, gitlab = ?, name = ?, ref = ?, sha = ?, "
        "status = ? WHERE n = ?",
        {project, facts.pipeline_id != 0 ? std::optional(facts.pipeline_id) : std::nullopt,
         facts_to_json(facts), text(facts.name), text(facts.ref), text(facts.sha),
         text(facts.status), n});
    relate_runs(c, n);
    name_templates(c, n);
    place_inventories(c, {instance, path, project, job_id}, facts.ref, facts.sha, now);
    // GitLab's word on which id the path has, unless another path holds the id.
    if (project != 0 && !path.empty())
      c.run(
          "UPDATE OR IGNORE projects SET project_id = ? WHERE instance = ? AND path = ? AND "
          "project_id = 0",
          {project, instance, path});
    keep_active(c, instance, project, path, now);
    append_event(c, {0, "job.updated", instance, project, job_public_id, now});
    return {};
  };
  return database_->write(std::move(act));
}

}  // namespace gitaiops::store
