// What the controller keeps, by use case. One implementation on SQLite today;
// tests/conformance/store runs against this interface so that PostgreSQL can be a second.
//
// Rules every implementation keeps:
//  - Each call is one transaction, durable when it completes; a transaction may be run again after
//  a conflict.
//  - A report, its (agent, epoch, sequence) and its event in the outbox are one transaction.
//  - Every row carries its project; a Scope is applied inside the query, so that lists, counts and
//  single reads agree.
//  - Every act on the outside world writes its audit record in the transaction that records the
//  act.
// Thread safety: any thread may call; tasks resume on the caller's executor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/store/commands.h"
#include "controller/store/inbox.h"
#include "controller/store/model_answers.h"
#include "controller/store/readings.h"
#include "controller/store/triages.h"
#include "controller/store/vulnerabilities.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::store {

// ---- Keys and permission ----

struct JobKey {
  std::string instance;
  int64_t project_id = 0;
  int64_t job_id = 0;
  auto operator<=>(const JobKey&) const = default;
};

struct MergeRequestKey {
  std::string instance;
  int64_t project_id = 0;  // the target project
  int64_t iid = 0;
  auto operator<=>(const MergeRequestKey&) const = default;
};

// The projects somebody may see or speak for. `*` matches any run of characters, "/" included.
struct ProjectGlob {
  std::string instance;  // "*": every instance
  std::string path;      // "group/*", "group/project", "*"
};
using Scope = std::vector<ProjectGlob>;  // empty: nothing
inline Scope everything() {
  return {{"*", "*"}};
}
bool allows(const Scope& scope, std::string_view instance, std::string_view project_path);

// ---- Jobs ----

// What GitLab itself says of a job, read through its API before anything is published.
struct GitlabFacts {
  std::string status;  // "failed", "success", "canceled", …
  std::string failure_reason;
  std::string name, stage, ref, sha, web_url;
  int64_t pipeline_id = 0;
  bool allow_failure = false;
  bool retried = false;  // superseded by a newer run of the same job
  int64_t runner_id = 0;
  UnixMicros finished_at;
  std::optional<MergeRequestKey> merge_request;
  UnixMicros read_at;
};

struct Job {
  std::string id;  // UUIDv7: the public id
  JobKey key;
  std::string project_path;
  std::string agent_id;         // empty: no agent watched it, its log was fetched from GitLab
  fleet::v1::JobReport report;  // empty (no report_id) while the job runs
  UnixMicros received_at;       // by the controller's clock
  std::optional<GitlabFacts> gitlab;
  bool running() const { return report.report_id().empty(); }
};

struct RunUsage {
  std::optional<int64_t> wall_us, memory_peak_bytes;
};
inline constexpr int kRunsOfAJob = 10;
inline constexpr int kRunsLookedThrough = 200;

struct JobFilter {
  std::optional<std::string> instance, project_path, outcome, category, owner, agent_id;
  std::optional<int64_t> project_id, job_id, pipeline_id;
  std::optional<UnixMicros> finished_after, finished_before;
};

// Keyset paging, newest first. `after` is the `next` of the page before, opaque.
struct PageRequest {
  std::string after;
  std::size_t limit = 50;  // 1 to 200
};
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;  // empty: the last page
};

struct Accepted {
  uint64_t high_water_seq = 0;  // everything up to here is durable
  bool duplicate = false;
};

// ---- Failures: the same one again, or one like it ----

// The next passing run of a job that had failed.
struct Passed {
  int64_t job_id = 0;
  std::string sha;
  bool same_sha = false;          // nothing was changed: a retry was enough
  int64_t merge_request_iid = 0;  // where it was changed; 0: not known
  UnixMicros at;
};

// One failed job of a failure.
struct Occurrence {
  std::string job;  // public id
  JobKey key;
  std::string project_path, agent_id, job_name, ref, sha;
  UnixMicros at;
  std::optional<Passed> passed;
  // A passing run of the same job on the same commit: what failed here is flaky.
  std::optional<int64_t> passed_on_same_sha;
  std::vector<std::string> failing_tests;  // at most 20; only failure() fills it
};

// Failed jobs whose fingerprint is the same, or whose evidence is alike. Of one project; those that
// infrastructure and runners own are one over all projects. Everything here is of occurrences in
// the reader's scope, but for the two numbers of `elsewhere`.
struct Failure {
  std::string id;                                   // UUIDv7
  std::string category, owner, fingerprint, title;  // of the newest occurrence
  bool across_projects = false;
  int64_t times = 0, projects = 0;  // times counts to kTimesCounted
  UnixMicros first_at, last_at;
  std::vector<std::string> agents;                      // on whose hosts, at most 20
  int64_t elsewhere_times = 0, elsewhere_projects = 0;  // outside of the reader's scope
  int64_t flaky_times = 0;                              // occurrences with passed_on_same_sha
  std::vector<Occurrence> occurrences;  // newest first, at most 20; only failure() fills it
};
inline constexpr int64_t kTimesCounted = 1000;

struct FailureFilter {
  std::optional<std::string> instance, project_path, category, owner;
  std::optional<bool> flaky;
};

// What was known of a job's failure before it: occurrences earlier than the job, in its project.
struct SeenBefore {
  std::string failure;  // public id
  int64_t times = 0;    // 0: new in this project; counts to kTimesCounted
  std::optional<UnixMicros> first_at, last_at;
  std::vector<std::string> agents;
  int64_t elsewhere_times = 0, elsewhere_projects = 0;  // in other projects, whatever the scope
  std::optional<Passed> last_passed;          // after the last earlier occurrence that passed
  std::optional<Passed> passed;               // after this one
  std::optional<int64_t> passed_on_same_sha;  // this very failure is flaky: the run that shows it
};

// ---- Acts on the outside world ----

// What is decided is written before it is done and is done at most once: `what` and the fields up
// to `category` are its identity.
struct Act {
  std::string id;    // UUIDv7
  std::string what;  // "job.retry", "runner.pause"
  std::string instance;
  int64_t project_id = 0;
  std::string sha, job_name, category;
  std::string project_path;
  int64_t pipeline_id = 0, job_id = 0, runner_id = 0;
  std::string why;     // for people
  std::string state;   // "intended", "done", "refused"
  std::string detail;  // what came of it, for people
  int64_t made = 0;    // the job that a retry made
  UnixMicros at, ended_at;
  std::string asked_by = {};  // GitLab's user name; empty: nobody, a rule decided
};

// ---- Inventories: what the projects' commits depend on ----

struct Inventory {
  std::string instance;
  int64_t project_id = 0;  // 0: not known
  std::string project_path, commit_sha, content_hash;
  std::string ref;     // of the job it came from, by GitLab's word; empty until that is known
  int64_t job_id = 0;  // GitLab's number of that job
  UnixMicros received_at;
  std::vector<std::string> trimmed;
  fleet::v1::Inventory body;
};

// Fields that are absent match anything.
struct InventoryFilter {
  std::optional<std::string> instance, project_path, commit_sha, ref;
  std::optional<int64_t> project_id;
};

// A package in the newest inventory of a ref of a project.
struct PackageUse {
  int64_t n = 0;  // of the inventory
  std::string instance;
  int64_t project_id = 0;
  std::string project_path, ref, commit_sha;
  std::string version;  // empty: only a range is known
  bool direct = false;
  UnixMicros received_at;
};

// ---- Agents, tokens ----

struct Agent {
  std::string id;  // UUIDv7
  std::string host_name, version, observation;
  std::vector<std::string> labels;
  Scope scope;  // instances and projects it may speak for
  UnixMicros enrolled_at;
  std::optional<UnixMicros> last_seen_at, revoked_at, certificate_not_after;
  int64_t clock_skew_us = 0;
  std::optional<int64_t> certificate_life_us = std::nullopt;  // absent: the controller's setting
  uint64_t generation = 0;  // the highest of its certificates that was presented here
  std::string holder = {};  // who presented it: "build-1 (192.0.2.7)"
  std::string clone = {};   // who presented an older one, or came while the holder was connected
  std::optional<UnixMicros> clone_at = std::nullopt;
};

// Who presents an agent's certificate.
struct Holder {
  uint64_t generation = 0;
  std::string name;
  bool contested = false;  // another host is connected with the same identity
};

struct EnrollmentToken {
  std::string id;             // public, to list and revoke
  std::string secret_sha256;  // hex; the secret itself is never stored
  UnixMicros expires_at;
  int64_t uses_left = 1;
  std::vector<std::string> labels;
  Scope scope;
  UnixMicros created_at;
  std::optional<UnixMicros> revoked_at;
  std::optional<int64_t> certificate_life_us = std::nullopt;  // of the agents it enrols
};

struct ApiToken {
  std::string id;
  std::string name;  // for people
  std::string secret_sha256;
  std::vector<std::string> verbs;  // "read", "admin"
  Scope scope;
  UnixMicros created_at, expires_at;
  std::optional<UnixMicros> revoked_at;
};

// ---- Outbox, queue, audit ----

// One numbered fact, appended in the transaction of its data. Consumers keep their own cursor.
struct Event {
  uint64_t number = 0;  // monotonic, no gaps visible to a reader that goes forward
  std::string type;     // "job.started", "job.reported", "job.updated", "agent.enrolled",
                        // "agent.revoked", "note.changed", "act.changed" (of a job),
                        // "job.explained" (by a model), "job.told"
                        // (GitLab says it is over), "merge_request.changed",
                        // "merge_request.triaged", "merge_request.read" (by a model),
                        // "inventory.matched" (of a job's checkout), "vulnerability.found" (of a
                        // project)
  std::string instance;
  int64_t project_id = 0;
  std::string subject;  // the job's or agent's public id, a merge request "instance/project/iid",
                        // or a project's path
  UnixMicros at;
};

struct Work {
  int64_t id = 0;
  uint64_t fence = 0;  // grows with each lease; an older holder's finish is refused
  std::string kind, unique_key, payload;
  int attempts = 0;  // this lease included
  int priority = 1;
};

struct AuditRecord {
  UnixMicros at;
  std::string actor;  // "reaction:note", "token:<id>", "operator"
  std::string act;    // "note.create", "agent.revoke", …
  std::string instance;
  int64_t project_id = 0;
  std::string object;     // "merge request 7 of grp/demo"
  std::string outcome;    // "done", "failed: …"
  int64_t n = 0;          // its place in the chain (audit.h); given when it is written, as is
  std::string hash = {};  // hex: over everything before it and itself
};

// Fields that are absent match anything.
struct AuditFilter {
  std::optional<std::string> actor, act, instance;
  std::optional<int64_t> project_id;
  std::optional<UnixMicros> after, before;
  std::optional<std::string> text;  // stands in the object or the outcome
};

// Whether the audit trail is as it was written.
struct AuditVerdict {
  int64_t records = 0, first = 0, last = 0;  // numbers of those that were checked
  std::string head;                          // the last one's hash, hex
  std::optional<int64_t> broken;             // the first record that is not as it was written
  std::string why;
};

struct Note {
  std::string subject;  // "mr/<instance>/<project id>/<iid>", or "job/<public id>" without GitLab
  std::string instance;
  int64_t project_id = 0;
  std::string project_path;
  std::string body;            // Markdown as published; empty: there is nothing to say
  int64_t gitlab_note_id = 0;  // 0: not published
  UnixMicros updated_at;
};

// An act to be written, with its audit record, and the work that does it. Where it was decided
// before, or where `most` acts of its kind in its project (0: of all projects) were decided since
// `since`, nothing of it is written. What people ask for and what rules decide are two kinds.
struct Decision {
  Act act;
  AuditRecord audit;
  NewWork work;
  UnixMicros since;
  int64_t most = 0;
};

struct ProjectFile {
  std::string instance;
  int64_t project_id = 0;
  std::string project_path;
  std::string text;  // empty: there is none any more, and nothing is kept
};

// Somebody said that a proposed reviewer is the wrong one for a merge request.
struct WrongReviewer {
  std::string instance;
  int64_t project_id = 0, iid = 0;
  int64_t user_id = 0;  // GitLab's, of the one who was proposed
  std::string said_by;  // GitLab's user name
  UnixMicros at;
};

// What finishing a piece of work leaves behind, all in one transaction.
struct WorkOutcome {
  std::vector<AuditRecord> audit;
  std::optional<Note> note =
      std::nullopt;  // stored, with event "note.changed" when the body changed
  std::vector<NewWork> follow_up = {};
  std::vector<Decision> decisions = {};
  std::optional<Act> ended = std::nullopt;  // its state, detail, made and ended_at are kept
  std::optional<TriagedMergeRequest> triaged = std::nullopt;  // all but its labels is replaced
  std::optional<LabelsOf> labels = std::nullopt;
  std::optional<ReadMergeRequest> read = std::nullopt;  // takes the place of the one before
  std::optional<ModelAnswer> answer = std::nullopt;  // with event "job.explained" when it has words
  std::vector<ModelUse> model_use = {};              // added to its day
  std::optional<Commanded> commanded = std::nullopt;
  std::vector<WrongReviewer> wrong_reviewers = {};
};

struct Retention {
  UnixMicros older_than;                  // jobs finished before go, with what hangs on them
  uint64_t max_bytes = 0;                 // then the oldest until the file is below; 0: no limit
  UnixMicros deliveries_older_than = {};  // of GitLab, as they came
};

// ---- The store ----

class Store {
 public:
  virtual ~Store() = default;

  // -- ingest --
  // Stores the envelope unless (agent, epoch, seq) is at or below the high-water mark. A job that
  // was reported before (same instance and job id) keeps its first report, and the answer says
  // duplicate. Refuses with permission_denied what the agent's scope does not allow and with
  // invalid_argument what names no job; both use the number up, so that it need not be sent again.
  // not_found: no such agent; unauthenticated: it was revoked.
  virtual Task<Result<Accepted>> accept(std::string agent_id, uint64_t epoch,
                                        fleet::v1::Envelope envelope, UnixMicros received_at) = 0;
  virtual Task<Result<uint64_t>> high_water(std::string agent_id, uint64_t epoch) = 0;

  // -- jobs --
  virtual Task<Result<Page<Job>>> jobs(Scope scope, JobFilter filter, PageRequest page) = 0;
  virtual Task<Result<int64_t>> count_jobs(Scope scope, JobFilter filter) = 0;
  virtual Task<Result<Job>> job(Scope scope,
                                std::string id) = 0;  // not_found also when out of scope
  virtual Task<Result<Job>> job_by_key(Scope scope, std::string instance, int64_t job_id) = 0;
  // All reported jobs of a pipeline, for the note.
  virtual Task<Result<std::vector<Job>>> pipeline_jobs(std::string instance, int64_t project_id,
                                                       int64_t pipeline_id) = 0;
  // What passed runs of these jobs on a ref used, by the job's name: at most kRunsOfAJob of each,
  // newest first, of the newest kRunsLookedThrough that the name had anywhere.
  virtual Task<Result<std::map<std::string, std::vector<RunUsage>>>> passed_runs(
      std::string instance, int64_t project_id, std::string ref,
      std::vector<std::string> names) = 0;
  // Keeps what GitLab said; sets the project id when the host did not know it. Appends
  // "job.updated". An older run of the same name in the same pipeline becomes retried, and this one
  // where a newer is known; what was retried stays so.
  virtual Task<Status> set_gitlab_facts(std::string job_public_id, int64_t project_id,
                                        GitlabFacts facts) = 0;

  // A report made here from a log that GitLab keeps, with the event "job.reported". False: an agent
  // reported the job, or it was fetched before; the first word stands. An agent's report that comes
  // later replaces it.
  virtual Task<Result<bool>> keep_fetched(fleet::v1::JobReport report, UnixMicros at) = 0;
  // Which of these jobs have no report.
  virtual Task<Result<std::vector<int64_t>>> unreported(std::string instance,
                                                        std::vector<int64_t> job_ids) = 0;

  // -- failures --
  virtual Task<Result<Page<Failure>>> failures(Scope scope, FailureFilter filter,
                                               PageRequest page) = 0;
  virtual Task<Result<Failure>> failure(Scope scope, std::string id) = 0;
  // Nothing: the job is not in the scope, did not fail, or nothing is known of why.
  virtual Task<Result<std::optional<SeenBefore>>> seen_before(Scope scope, std::string job) = 0;
  // What the last passing runs of this job printed, sorted; empty: not known.
  virtual Task<Result<std::vector<uint64_t>>> baseline(std::string instance, int64_t project_id,
                                                       std::string job_name) = 0;

  // -- acts --
  virtual Task<Result<Act>> act(std::string id) = 0;
  virtual Task<Result<std::vector<Act>>> pipeline_acts(std::string instance, int64_t project_id,
                                                       int64_t pipeline_id) = 0;
  // Hosts on which jobs failed for a reason that the runner owns, since then: at least so many jobs
  // of so many projects.
  struct FailingHost {
    std::string agent_id, host_name;
    int64_t jobs = 0, projects = 0;
    UnixMicros last_at;
    // GitLab's runner of the last such job, and one job of each of up to 10 projects.
    std::string instance;
    int64_t runner_id = 0;
    std::vector<int64_t> project_ids;  // of that instance
  };
  virtual Task<Result<std::vector<FailingHost>>> failing_hosts(UnixMicros since, int64_t jobs,
                                                               int64_t projects) = 0;

  // -- inventories --
  // The newest that fits; not_found also when out of scope.
  virtual Task<Result<Inventory>> inventory(Scope scope, InventoryFilter filter) = 0;
  // Who uses a package now, newest inventory first. A page never parts one inventory, so that it
  // may be longer than asked for.
  virtual Task<Result<Page<PackageUse>>> package_uses(Scope scope, std::string ecosystem,
                                                      std::string name, PageRequest page) = 0;

  // -- agents and tokens --
  virtual Task<Status> add_enrollment_token(EnrollmentToken token) = 0;
  virtual Task<Result<std::vector<EnrollmentToken>>> enrollment_tokens() = 0;
  virtual Task<Status> revoke_token(std::string id, UnixMicros at) = 0;  // either kind; not_found
  // Takes one use of the token and adds the agent, with the token's labels and scope, or neither.
  // unauthenticated: unknown, expired, used up or revoked, and the message says which.
  virtual Task<Result<Agent>> enroll_agent(std::string secret_sha256, Agent agent,
                                           UnixMicros now) = 0;
  virtual Task<Result<Agent>> agent(std::string id) = 0;
  virtual Task<Result<std::vector<Agent>>> agents() = 0;
  virtual Task<Status> agent_seen(std::string id, UnixMicros at, std::string version,
                                  std::string observation, int64_t clock_skew_us,
                                  std::optional<UnixMicros> certificate_not_after) = 0;
  // Keeps who holds the identity. One whose generation is below the highest presented, or who is
  // contested, is kept as the clone instead, with an audit record the first time. The agent as it
  // then is. not_found: no such agent.
  virtual Task<Result<Agent>> agent_held(std::string id, Holder holder, UnixMicros at) = 0;
  virtual Task<Status> revoke_agent(std::string id, UnixMicros at, std::string actor) = 0;
  virtual Task<Status> add_api_token(ApiToken token) = 0;
  virtual Task<Result<std::vector<ApiToken>>> api_tokens() = 0;
  virtual Task<Result<ApiToken>> api_token_by_secret(std::string secret_sha256) = 0;

  // -- outbox --
  virtual Task<Result<std::vector<Event>>> events_after(uint64_t number, std::size_t limit) = 0;
  virtual Task<Result<uint64_t>> cursor(std::string consumer) = 0;  // 0: never moved
  // Moves the cursor and puts the work that the events led to, in one transaction.
  virtual Task<Status> advance(std::string consumer, uint64_t upto, std::vector<NewWork> work) = 0;
  // Wakes when an event newer than `number` exists, or after `limit`.
  virtual Task<void> wait_event(uint64_t number, std::chrono::microseconds limit) = 0;

  // -- work queue --
  // An item is not leased while another of its kind and key is: work on one thing is serial.
  virtual Task<Result<std::optional<Work>>> lease(UnixMicros now, int64_t lease_us) = 0;
  // conflict (already_exists) when the fence is stale: somebody else holds the item now, nothing
  // was written.
  virtual Task<Status> finish(Work work, WorkOutcome outcome) = 0;
  virtual Task<Status> retry_later(Work work, UnixMicros not_before, std::string why,
                                   WorkOutcome outcome) = 0;
  virtual Task<Status> give_up(Work work, std::string why,
                               WorkOutcome outcome) = 0;  // to the dead letters
  virtual Task<void> wait_work(UnixMicros now,
                               std::chrono::microseconds limit) = 0;  // wakes when something is due
  struct QueueStats {
    int64_t waiting = 0, leased = 0, dead = 0;
    std::optional<UnixMicros> oldest_due = std::nullopt;  // of those that wait; may lie ahead
  };
  virtual Task<Result<QueueStats>> queue_stats() = 0;

  // -- notes, audit --
  virtual Task<Result<Note>> note(Scope scope, std::string subject) = 0;
  virtual Task<Result<std::vector<AuditRecord>>> audit(std::size_t limit) = 0;  // newest first
  // Likewise. Of one project: what the scope allows; of none: only for a scope of everything.
  virtual Task<Result<Page<AuditRecord>>> audit_page(Scope scope, AuditFilter filter,
                                                     PageRequest page) = 0;
  // The oldest first, from number `from` on; for exports.
  virtual Task<Result<std::vector<AuditRecord>>> audit_from(int64_t from, std::size_t limit) = 0;
  virtual Task<Result<AuditVerdict>> verify_audit() = 0;
  virtual Task<Status> add_audit(AuditRecord record) = 0;  // acts of operators

  // -- what GitLab told, and work that was given up --
  virtual Inbox& inbox() = 0;

  // -- what is wrong with what projects depend on --
  virtual Vulnerabilities& vulnerabilities() = 0;

  // -- what merge requests are like --
  virtual Triages& triages() = 0;
  // -- what models said of them --
  virtual Readings& readings() = 0;
  // -- what models said of failed jobs --
  virtual ModelAnswers& model_answers() = 0;
  // -- what people ask for in comments --
  virtual Commands& commands() = 0;

  // -- reviewers --
  // Told again of the same person and merge request, the last word counts. Of a project the newest
  // 10,000 are kept.
  // The file by which a project decides for itself, as it was read last.
  // With the work that it leads to.
  virtual Task<Status> keep_project_file(ProjectFile file, std::vector<NewWork> work) = 0;
  virtual Task<Result<std::vector<ProjectFile>>> project_files() = 0;
  virtual Task<Status> add_wrong_reviewer(WrongReviewer told) = 0;
  virtual Task<Result<std::vector<WrongReviewer>>> wrong_reviewers(std::string instance,
                                                                   int64_t project_id,
                                                                   UnixMicros since) = 0;

  // -- house-keeping --
  virtual Task<Result<int64_t>> sweep(Retention retention) = 0;  // jobs removed
  virtual Task<Status> backup(std::filesystem::path to) = 0;     // consistent copy, taken online;
                                                              // already_exists: never over a file
  virtual Task<Status> ping() = 0;  // for readiness
};

struct SqliteOptions {
  std::filesystem::path path;  // created 0600; ":memory:" is refused (tests use a temporary folder)
};
Result<std::unique_ptr<Store>> open_sqlite(SqliteOptions options, const Clock& clock);

}  // namespace gitaiops::store
