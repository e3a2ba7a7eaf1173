#include "base/log/log.h"
#include "controller/store/audit.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int32_t kStoreId = 0x67616f63;  // "gaoc"

constexpr std::string_view kSteps[] = {R"sql(
  CREATE TABLE agents(
    id TEXT PRIMARY KEY,
    host_name TEXT NOT NULL, version TEXT NOT NULL, observation TEXT NOT NULL,
    labels TEXT NOT NULL, scope TEXT NOT NULL,           -- JSON
    enrolled_at INTEGER NOT NULL, last_seen_at INTEGER, revoked_at INTEGER, certificate_not_after INTEGER,
    clock_skew_us INTEGER NOT NULL) WITHOUT ROWID;

  -- Everything of (agent, epoch) up to seq is stored.
  CREATE TABLE high_water(
    agent_id TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY(agent_id, epoch)) WITHOUT ROWID;

  CREATE TABLE enrollment_tokens(
    id TEXT PRIMARY KEY, secret_sha256 TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL, uses_left INTEGER NOT NULL, labels TEXT NOT NULL, scope TEXT NOT NULL,
    created_at INTEGER NOT NULL, revoked_at INTEGER) WITHOUT ROWID;

  CREATE TABLE api_tokens(
    id TEXT PRIMARY KEY, name TEXT NOT NULL, secret_sha256 TEXT NOT NULL UNIQUE,
    verbs TEXT NOT NULL, scope TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER) WITHOUT ROWID;

  -- Every project path that any row names, also "" (not known): what a scope's globs are resolved against. project_id is 0
  -- until somebody who may speak for the path has said it.
  CREATE TABLE projects(
    instance TEXT NOT NULL, path TEXT NOT NULL, project_id INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(instance, path)) WITHOUT ROWID;
  CREATE UNIQUE INDEX projects_by_id ON projects(instance, project_id) WHERE project_id <> 0;

  -- n is the order of arrival and the key of paging. GitLab numbers jobs per instance; project_id may come to be known later.
  CREATE TABLE jobs(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, job_id INTEGER NOT NULL,
    project_path TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    finished_at INTEGER,                                 -- NULL while it runs; never after received_at
    outcome TEXT, category TEXT, owner TEXT,
    pipeline_id INTEGER,                                 -- GitLab's word, as is
    gitlab TEXT,                                         -- JSON
    report BLOB,                                         -- JobReport as received
    UNIQUE(instance, job_id));
  CREATE INDEX jobs_by_project ON jobs(instance, project_path, n);
  CREATE INDEX jobs_by_pipeline ON jobs(instance, project_id, pipeline_id) WHERE pipeline_id IS NOT NULL;
  CREATE INDEX jobs_by_age ON jobs(coalesce(finished_at, received_at));

  CREATE TABLE host_samples(
    agent_id TEXT NOT NULL, received_at INTEGER NOT NULL, at INTEGER NOT NULL,
    load1 REAL, memory_total_bytes INTEGER, memory_available_bytes INTEGER, builds_disk_free_bytes INTEGER,
    cpu_busy_ratio REAL, jobs_running INTEGER NOT NULL, spool_bytes INTEGER NOT NULL, records_dropped INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    PRIMARY KEY(agent_id, received_at, at)) WITHOUT ROWID;

  -- AUTOINCREMENT: never a number twice, and none left out, for a rolled back insert gives its number back.
  CREATE TABLE outbox(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL, instance TEXT NOT NULL, project_id INTEGER NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE cursors(consumer TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;

  -- Waiting while lease_until is NULL.
  CREATE TABLE work(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, unique_key TEXT NOT NULL, payload TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    last_error TEXT NOT NULL DEFAULT '');
  CREATE UNIQUE INDEX work_waiting ON work(kind, unique_key) WHERE lease_until IS NULL;
  CREATE INDEX work_leased ON work(kind, unique_key) WHERE lease_until IS NOT NULL;
  CREATE INDEX work_due ON work(coalesce(lease_until, not_before), id);
  CREATE TABLE dead_letters(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, unique_key TEXT NOT NULL, payload TEXT NOT NULL,
    attempts INTEGER NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL);

  CREATE TABLE notes(
    subject TEXT PRIMARY KEY, instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL,
    body TEXT NOT NULL, gitlab_note_id INTEGER NOT NULL, updated_at INTEGER NOT NULL);

  CREATE TABLE audit(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, instance TEXT NOT NULL, project_id INTEGER NOT NULL,
    object TEXT NOT NULL, outcome TEXT NOT NULL);
)sql",
                                       // Identity for years: who holds a certificate, and tokens
                                       // for hosts that live shortly.
                                       R"sql(
  ALTER TABLE agents ADD COLUMN certificate_life_us INTEGER;
  ALTER TABLE agents ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN holder TEXT NOT NULL DEFAULT '';
  ALTER TABLE agents ADD COLUMN clone TEXT NOT NULL DEFAULT '';
  ALTER TABLE agents ADD COLUMN clone_at INTEGER;
  ALTER TABLE enrollment_tokens ADD COLUMN certificate_life_us INTEGER;
)sql",
                                       // What the list of jobs is filtered by: a filter that
                                       // matches little must not read everything. Each ends in n.
                                       R"sql(
  CREATE INDEX jobs_by_outcome ON jobs(outcome);
  CREATE INDEX jobs_by_category ON jobs(category) WHERE category IS NOT NULL;
  CREATE INDEX jobs_by_owner ON jobs(owner) WHERE owner IS NOT NULL;
  CREATE INDEX jobs_by_agent ON jobs(agent_id);
)sql",
                                       // The list by the time of the end, and by numbers that
                                       // come without their instance.
                                       R"sql(
  CREATE INDEX jobs_by_project_id ON jobs(project_id);
  DROP INDEX jobs_by_pipeline;
  CREATE INDEX jobs_by_pipeline ON jobs(pipeline_id) WHERE pipeline_id IS NOT NULL;
  CREATE INDEX jobs_by_finish ON jobs(finished_at) WHERE finished_at IS NOT NULL;
)sql",
                                       // Failures seen before, what passing runs print, acts.
                                       R"sql(
  ALTER TABLE jobs ADD COLUMN name TEXT;                  -- GitLab's word, as are these
  ALTER TABLE jobs ADD COLUMN ref TEXT;
  ALTER TABLE jobs ADD COLUMN sha TEXT;
  ALTER TABLE jobs ADD COLUMN status TEXT;
  UPDATE jobs SET name = json_extract(gitlab, '$.name'), ref = json_extract(gitlab, '$.ref'),
    sha = json_extract(gitlab, '$.sha'), status = json_extract(gitlab, '$.status') WHERE gitlab IS NOT NULL;
  CREATE INDEX jobs_by_name ON jobs(instance, project_id, name, job_id) WHERE name IS NOT NULL;

  -- One failure; `place` is whose: "*" of all projects, else "instance<newline>path".
  CREATE TABLE failures(
    g INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    place TEXT NOT NULL, category TEXT NOT NULL, owner TEXT NOT NULL,
    minhash BLOB NOT NULL,                                -- of its first occurrence; may be empty
    last_n INTEGER NOT NULL);                             -- its newest occurrence
  CREATE INDEX failures_by_last ON failures(last_n);
  CREATE TABLE failure_prints(
    place TEXT NOT NULL, fingerprint TEXT NOT NULL, g INTEGER NOT NULL,
    PRIMARY KEY(place, fingerprint)) WITHOUT ROWID;
  CREATE INDEX failure_prints_of ON failure_prints(g);
  -- Bands of the MinHash: those that are alike share one.
  CREATE TABLE failure_bands(
    place TEXT NOT NULL, band INTEGER NOT NULL, g INTEGER NOT NULL,
    PRIMARY KEY(place, band, g)) WITHOUT ROWID;
  CREATE INDEX failure_bands_of ON failure_bands(g);

  CREATE TABLE occurrences(
    n INTEGER PRIMARY KEY,                                -- of the job
    g INTEGER NOT NULL,
    instance TEXT NOT NULL, project_path TEXT NOT NULL, agent_id TEXT NOT NULL, at INTEGER NOT NULL,
    passed_job_id INTEGER, passed_sha TEXT, passed_same_sha INTEGER, passed_iid INTEGER, passed_at INTEGER,
    twin_job_id INTEGER);                                 -- passed on the same commit
  CREATE INDEX occurrences_of ON occurrences(g, instance, project_path, n);
  CREATE INDEX occurrences_of_agent ON occurrences(agent_id, at);

  CREATE TABLE baselines(
    n INTEGER PRIMARY KEY,                                -- of the passing job
    instance TEXT NOT NULL, project_id INTEGER, name TEXT, -- NULL until GitLab's word is there
    templates BLOB NOT NULL);                             -- 8 bytes each, little-endian, sorted
  CREATE INDEX baselines_of ON baselines(instance, project_id, name, n) WHERE name IS NOT NULL;

  CREATE TRIGGER job_gone AFTER DELETE ON jobs BEGIN
    DELETE FROM occurrences WHERE n = OLD.n;
    DELETE FROM baselines WHERE n = OLD.n;
  END;
  CREATE TRIGGER occurrence_gone AFTER DELETE ON occurrences
    WHEN NOT EXISTS (SELECT 1 FROM occurrences WHERE g = OLD.g) BEGIN
    DELETE FROM failures WHERE g = OLD.g;
    DELETE FROM failure_prints WHERE g = OLD.g;
    DELETE FROM failure_bands WHERE g = OLD.g;
  END;

  CREATE TABLE acts(
    id TEXT PRIMARY KEY,
    what TEXT NOT NULL, instance TEXT NOT NULL, project_id INTEGER NOT NULL,
    sha TEXT NOT NULL, job_name TEXT NOT NULL, category TEXT NOT NULL,
    project_path TEXT NOT NULL, pipeline_id INTEGER NOT NULL, job_id INTEGER NOT NULL, runner_id INTEGER NOT NULL,
    why TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, made INTEGER NOT NULL,
    at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
    UNIQUE(what, instance, project_id, sha, job_name, category)) WITHOUT ROWID;
  CREATE INDEX acts_by_pipeline ON acts(instance, project_id, pipeline_id);
  CREATE INDEX acts_by_time ON acts(what, at);
)sql",
                                       // What commits depend on. The same content is kept once
                                       // for a project, whatever number of commits has it; never
                                       // over projects, or one could speak for another.
                                       R"sql(
  CREATE TABLE contents(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL, project_path TEXT NOT NULL, content_hash TEXT NOT NULL,
    trimmed TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE(instance, project_path, content_hash));
  CREATE TABLE inventories(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL, commit_sha TEXT NOT NULL,
    ref TEXT NOT NULL, job_id INTEGER NOT NULL, content INTEGER NOT NULL, received_at INTEGER NOT NULL,
    UNIQUE(instance, project_path, commit_sha));
  CREATE INDEX inventories_by_ref ON inventories(instance, project_path, ref);
  CREATE INDEX inventories_by_content ON inventories(content);
  CREATE INDEX inventories_by_job ON inventories(instance, job_id);
  CREATE INDEX inventories_by_time ON inventories(received_at);
  CREATE TABLE packages(
    ecosystem TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, content INTEGER NOT NULL, direct INTEGER NOT NULL,
    PRIMARY KEY(ecosystem, name, version, content)) WITHOUT ROWID;
  CREATE INDEX packages_by_content ON packages(content);
)sql",
                                       // What GitLab tells by itself; work by priority; the audit
                                       // trail as a chain (audit.h).
                                       R"sql(
  CREATE TABLE deliveries(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL,
    type TEXT NOT NULL, priority INTEGER NOT NULL, received_at INTEGER NOT NULL,
    state TEXT NOT NULL, detail TEXT NOT NULL,
    project_id INTEGER NOT NULL, project_path TEXT NOT NULL, object TEXT NOT NULL,
    bytes INTEGER NOT NULL, body BLOB NOT NULL,           -- zstd
    UNIQUE(instance, key));
  CREATE INDEX deliveries_waiting ON deliveries(priority, n) WHERE state = 'waiting';
  CREATE INDEX deliveries_by_time ON deliveries(received_at);
  CREATE INDEX deliveries_by_state ON deliveries(state);
  -- The newest state of a thing that somebody told us of.
  CREATE TABLE told(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
    word TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(instance, project_id, kind, number)) WITHOUT ROWID;
  CREATE INDEX told_by_time ON told(at);
  -- Projects that GitLab is asked about, and up to which time it was.
  CREATE TABLE places(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL,
    active_at INTEGER NOT NULL, upto INTEGER NOT NULL DEFAULT 0, asked_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(instance, project_id)) WITHOUT ROWID;

  ALTER TABLE work ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX work_by_priority ON work(priority, coalesce(lease_until, not_before), id);

  ALTER TABLE audit ADD COLUMN hash BLOB;
  CREATE TABLE audit_head(
    one INTEGER PRIMARY KEY CHECK(one = 1),
    n INTEGER NOT NULL, hash BLOB NOT NULL,               -- of the newest record
    before_n INTEGER NOT NULL, before_hash BLOB NOT NULL, -- of the last one deleted
    chained INTEGER NOT NULL);                            -- 0 until the records of old are
  INSERT INTO audit_head VALUES(1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0),
    zeroblob(32), 0, zeroblob(32), 0);
  CREATE TRIGGER audit_stays BEFORE UPDATE ON audit WHEN OLD.hash IS NOT NULL BEGIN
    SELECT raise(ABORT, 'a record of the audit trail is never changed');
  END;
)sql",
                                       // What is wrong with what the newest commits depend on.
                                       R"sql(
  ALTER TABLE inventories ADD COLUMN matched TEXT NOT NULL DEFAULT ''; -- with which advisories: the index's SHA-256
  CREATE INDEX inventories_unmatched ON inventories(n) WHERE matched = '';
  CREATE TABLE vulnerabilities(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    inventory INTEGER NOT NULL,
    instance TEXT NOT NULL, project_path TEXT NOT NULL,
    ecosystem TEXT NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL,
    advisory TEXT NOT NULL, aliases TEXT NOT NULL, summary TEXT NOT NULL,
    severity INTEGER NOT NULL, score REAL NOT NULL, fixed TEXT NOT NULL, risk REAL NOT NULL,
    known_exploited INTEGER NOT NULL, path TEXT NOT NULL,
    first_seen INTEGER NOT NULL);
  CREATE INDEX vulnerabilities_of ON vulnerabilities(inventory);
  CREATE INDEX vulnerabilities_by_project ON vulnerabilities(instance, project_path, n);
  CREATE INDEX vulnerabilities_by_package ON vulnerabilities(package, n);
  CREATE TRIGGER inventory_gone AFTER DELETE ON inventories BEGIN
    DELETE FROM vulnerabilities WHERE inventory = OLD.n;
  END;
)sql",
                                       // Who was proposed as a reviewer and was the wrong one.
                                       R"sql(
  CREATE TABLE wrong_reviewers(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, iid INTEGER NOT NULL, user_id INTEGER NOT NULL,
    said_by TEXT NOT NULL, at INTEGER NOT NULL,
    UNIQUE(instance, project_id, iid, user_id));
)sql",
                                       // What merge requests are like among the changes of their
                                       // projects.
                                       R"sql(
  CREATE TABLE triages(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, iid INTEGER NOT NULL,
    project_path TEXT NOT NULL, title TEXT NOT NULL, web_url TEXT NOT NULL,
    sha TEXT NOT NULL, input TEXT NOT NULL, basis TEXT NOT NULL,
    risk INTEGER NOT NULL,                                -- 0 low, 1 medium, 2 high; -1 not known
    body TEXT NOT NULL, labels TEXT NOT NULL,             -- JSON
    at INTEGER NOT NULL,
    UNIQUE(instance, project_id, iid));
  CREATE INDEX triages_by_time ON triages(at);
)sql",
                                       // What models said of failed jobs, and what it cost.
                                       R"sql(
  CREATE TABLE model_answers(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL UNIQUE,                             -- public id
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, prompt TEXT NOT NULL, fingerprint TEXT NOT NULL,
    content TEXT NOT NULL, model TEXT NOT NULL, cost_microusd INTEGER NOT NULL, reused INTEGER NOT NULL,
    at INTEGER NOT NULL,
    said TEXT NOT NULL);                                  -- JSON; empty: nothing that could be used
  CREATE INDEX model_answers_by_content ON model_answers(content);
  CREATE INDEX model_answers_by_fingerprint ON model_answers(fingerprint) WHERE said <> '';
  CREATE TRIGGER model_answer_gone AFTER DELETE ON jobs BEGIN
    DELETE FROM model_answers WHERE job = OLD.id;
  END;
  CREATE TABLE model_use(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL, instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL,
    model TEXT NOT NULL,                                  -- empty: reserved
    requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, cost_microusd INTEGER NOT NULL,
    reused INTEGER NOT NULL, saved_microusd INTEGER NOT NULL,
    UNIQUE(day, instance, project_id, model));
)sql",
                                       // A commit may stand on several refs, as it does after a
                                       // fast-forward merge: an inventory is of one of them.
                                       R"sql(
  CREATE TABLE inventories_of_refs(
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL, commit_sha TEXT NOT NULL,
    ref TEXT NOT NULL, job_id INTEGER NOT NULL, content INTEGER NOT NULL, received_at INTEGER NOT NULL,
    matched TEXT NOT NULL DEFAULT '',
    UNIQUE(instance, project_path, commit_sha, ref));
  INSERT INTO inventories_of_refs SELECT n, instance, project_id, project_path, commit_sha, ref, job_id, content, received_at,
    matched FROM inventories;
  DROP TABLE inventories;
  ALTER TABLE inventories_of_refs RENAME TO inventories;
  CREATE INDEX inventories_by_ref ON inventories(instance, project_path, ref);
  CREATE INDEX inventories_by_content ON inventories(content);
  CREATE INDEX inventories_by_job ON inventories(instance, job_id);
  CREATE INDEX inventories_by_time ON inventories(received_at);
  CREATE INDEX inventories_unmatched ON inventories(n) WHERE matched = '';
  CREATE TRIGGER inventory_gone AFTER DELETE ON inventories BEGIN
    DELETE FROM vulnerabilities WHERE inventory = OLD.n;
  END;
)sql",
                                       // What projects decide for themselves (.gitaiops.yml).
                                       R"sql(
  CREATE TABLE project_files(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, project_path TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY(instance, project_id)) WITHOUT ROWID;
)sql",
                                       // What people ask for in comments.
                                       R"sql(
  CREATE TABLE commanded(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, note_id INTEGER NOT NULL,
    iid INTEGER NOT NULL, user_id INTEGER NOT NULL, commands INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(instance, project_id, note_id)) WITHOUT ROWID;
  CREATE INDEX commanded_by_user ON commanded(instance, user_id, at);
  CREATE INDEX commanded_by_time ON commanded(at);
  CREATE TABLE mutes(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, iid INTEGER NOT NULL,
    muted_by TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY(instance, project_id, iid)) WITHOUT ROWID;
  ALTER TABLE acts ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
)sql",
                                       // What models said of merge requests' changes.
                                       R"sql(
  CREATE TABLE readings(
    instance TEXT NOT NULL, project_id INTEGER NOT NULL, iid INTEGER NOT NULL, project_path TEXT NOT NULL,
    sha TEXT NOT NULL, prompt TEXT NOT NULL, content TEXT NOT NULL, model TEXT NOT NULL,
    cost_microusd INTEGER NOT NULL, at INTEGER NOT NULL,
    said TEXT NOT NULL,                                   -- JSON; empty: nothing that could be used
    PRIMARY KEY(instance, project_id, iid));
  CREATE INDEX readings_by_time ON readings(at);
)sql"};

constexpr std::string_view kCure =
    "stop the service, check the disk and put the last backup in place: gitaiops-controller "
    "restore "
    "FILE (docs/operate.md, Back up and restore)";

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(SqliteOptions options, const Clock& clock) {
  sqlite::Options file;
  file.path = std::move(options.path);
  file.application_id = kStoreId;
  file.migrations = kSteps;
  file.on_damage = [](const Error& why) {
    log::error("the store is damaged", {{"why", why.to_string()}, {"cure", kCure}});
  };
  auto database = sqlite::Database::open(std::move(file));
  // Never begun anew over what is damaged: agents would be strangers, and reports gone unnoticed.
  if (!database.ok() && database.error().code() == Code::data_loss)
    return Error(Code::data_loss,
                 "opening the store: " + database.error().to_string() + "; " + std::string(kCure));
  if (!database.ok()) return database.error().within("opening the store");
  RETURN_IF_ERROR((*database)->write_blocking(chain_old_audit), "chaining the audit trail");
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(database).value(), clock));
}

}  // namespace gitaiops::store
