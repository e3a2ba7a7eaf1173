// The Store on SQLite: one class, its use cases in one file each, and what several of them share.
// Private to this folder.
//
// Closures run on the database's writer thread, perhaps twice: whatever must not change between the
// runs (ids, the clock) is taken before.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.h"
#include "base/sqlite/wakeup.h"
#include "controller/store/store.h"

namespace gitaiops::store {

using sqlite::Connection;
using sqlite::Rows;

constexpr std::size_t kLargestPage = 200;  // of any list

// What other processes wrote (the command line beside the daemon) is noticed this late.
constexpr std::chrono::seconds kOtherProcesses{1};

// ---- Values in columns (codec.cpp) ----
std::string strings_to_json(const std::vector<std::string>& strings);
std::vector<std::string> strings_from_json(const std::string& text);
std::string scope_to_json(const Scope& scope);
Scope scope_from_json(const std::string& text);
std::string facts_to_json(const GitlabFacts& facts);
std::optional<GitlabFacts> facts_from_json(const std::string& text);

// ---- Lists, the newest first (paging.cpp) ----

Error no_page_marker();
Status check_size(const PageRequest& page);
// The number that the page's rows come before. invalid_argument: its size or marker.
Result<int64_t> before_of(const PageRequest& page);
// Of rows whose first column is their number, one more of them asked for than the page has.
template <class T, class FromRow>
Page<T> page_of(Rows& rows, const PageRequest& page, FromRow from_row) {
  Page<T> out;
  for (int64_t last = 0; rows.next(); last = rows.integer(0)) {
    if (out.items.size() == page.limit) {
      out.next = std::to_string(last);
      break;
    }
    out.items.push_back(from_row(rows));
  }
  return out;
}

// ---- Permission inside queries (scope.cpp) ----

// Rows of a table that has the columns `instance` and `project_path` and that the scope allows.
// Binds one value, `glob()`.
class ScopeClause {
 public:
  explicit ScopeClause(const Scope& scope);
  std::string sql() const { return sql(""); }
  // Of the table named `alias` in a join: "i".
  std::string sql(std::string_view alias) const;
  const std::string& glob() const { return glob_; }

 private:
  bool everything_;
  std::string glob_;
};

class SqliteStore final : public Store,
                          public Inbox,
                          public Vulnerabilities,
                          public Triages,
                          public Readings,
                          public ModelAnswers,
                          public Commands {
 public:
  SqliteStore(std::unique_ptr<sqlite::Database> database, const Clock& clock)
      : clock_(clock), database_(std::move(database)) {}

  Task<Result<Accepted>> accept(std::string agent_id, uint64_t epoch, fleet::v1::Envelope envelope,
                                UnixMicros received_at) override;
  Task<Result<uint64_t>> high_water(std::string agent_id, uint64_t epoch) override;

  Task<Result<Page<Job>>> jobs(Scope scope, JobFilter filter, PageRequest page) override;
  Task<Result<int64_t>> count_jobs(Scope scope, JobFilter filter) override;
  Task<Result<Job>> job(Scope scope, std::string id) override;
  Task<Result<Job>> job_by_key(Scope scope, std::string instance, int64_t job_id) override;
  Task<Result<std::vector<Job>>> pipeline_jobs(std::string instance, int64_t project_id,
                                               int64_t pipeline_id) override;
  Task<Result<std::map<std::string, std::vector<RunUsage>>>> passed_runs(
      std::string instance, int64_t project_id, std::string ref,
      std::vector<std::string> names) override;
  Task<Status> set_gitlab_facts(std::string job_public_id, int64_t project_id,
                                GitlabFacts facts) override;

  Task<Result<bool>> keep_fetched(fleet::v1::JobReport report, UnixMicros at) override;
  Task<Result<std::vector<int64_t>>> unreported(std::string instance,
                                                std::vector<int64_t> job_ids) override;

  Task<Result<Page<Failure>>> failures(Scope scope, FailureFilter filter,
                                       PageRequest page) override;
  Task<Result<Failure>> failure(Scope scope, std::string id) override;
  Task<Result<std::optional<SeenBefore>>> seen_before(Scope scope, std::string job) override;
  Task<Result<std::vector<uint64_t>>> baseline(std::string instance, int64_t project_id,
                                               std::string job_name) override;

  Task<Result<Act>> act(std::string id) override;
  Task<Result<std::vector<Act>>> pipeline_acts(std::string instance, int64_t project_id,
                                               int64_t pipeline_id) override;
  Task<Result<std::vector<FailingHost>>> failing_hosts(UnixMicros since, int64_t jobs,
                                                       int64_t projects) override;

  Task<Result<Inventory>> inventory(Scope scope, InventoryFilter filter) override;
  Task<Result<Page<PackageUse>>> package_uses(Scope scope, std::string ecosystem, std::string name,
                                              PageRequest page) override;

  Task<Status> add_enrollment_token(EnrollmentToken token) override;
  Task<Result<std::vector<EnrollmentToken>>> enrollment_tokens() override;
  Task<Status> revoke_token(std::string id, UnixMicros at) override;
  Task<Result<Agent>> enroll_agent(std::string secret_sha256, Agent agent, UnixMicros now) override;
  Task<Result<Agent>> agent(std::string id) override;
  Task<Result<std::vector<Agent>>> agents() override;
  Task<Status> agent_seen(std::string id, UnixMicros at, std::string version,
                          std::string observation, int64_t clock_skew_us,
                          std::optional<UnixMicros> certificate_not_after) override;
  Task<Result<Agent>> agent_held(std::string id, Holder holder, UnixMicros at) override;
  Task<Status> revoke_agent(std::string id, UnixMicros at, std::string actor) override;
  Task<Status> add_api_token(ApiToken token) override;
  Task<Result<std::vector<ApiToken>>> api_tokens() override;
  Task<Result<ApiToken>> api_token_by_secret(std::string secret_sha256) override;

  Task<Result<std::vector<Event>>> events_after(uint64_t number, std::size_t limit) override;
  Task<Result<uint64_t>> cursor(std::string consumer) override;
  Task<Status> advance(std::string consumer, uint64_t upto, std::vector<NewWork> work) override;
  Task<void> wait_event(uint64_t number, std::chrono::microseconds limit) override;

  Task<Result<std::optional<Work>>> lease(UnixMicros now, int64_t lease_us) override;
  Task<Status> finish(Work work, WorkOutcome outcome) override;
  Task<Status> retry_later(Work work, UnixMicros not_before, std::string why,
                           WorkOutcome outcome) override;
  Task<Status> give_up(Work work, std::string why, WorkOutcome outcome) override;
  Task<void> wait_work(UnixMicros now, std::chrono::microseconds limit) override;
  Task<Result<QueueStats>> queue_stats() override;

  Task<Result<Note>> note(Scope scope, std::string subject) override;
  Task<Result<std::vector<AuditRecord>>> audit(std::size_t limit) override;
  Task<Result<Page<AuditRecord>>> audit_page(Scope scope, AuditFilter filter,
                                             PageRequest page) override;
  Task<Result<std::vector<AuditRecord>>> audit_from(int64_t from, std::size_t limit) override;
  Task<Result<AuditVerdict>> verify_audit() override;
  Task<Status> add_audit(AuditRecord record) override;

  Inbox& inbox() override { return *this; }
  Task<Result<bool>> accept_delivery(Delivery delivery) override;
  Task<Result<std::vector<Delivery>>> waiting_deliveries(std::size_t limit, int64_t bytes) override;
  Task<Result<int64_t>> count_waiting_deliveries() override;
  Task<Status> settle_deliveries(std::vector<Settled> settled) override;
  Task<void> wait_delivery(std::chrono::microseconds limit) override;
  Task<Result<Page<Delivery>>> deliveries(DeliveryFilter filter, PageRequest page) override;
  Task<Result<Delivery>> delivery(std::string id) override;
  Task<Status> replay_delivery(std::string id, AuditRecord audit) override;
  Task<Result<std::vector<Place>>> places(std::string instance, UnixMicros since,
                                          std::size_t limit) override;
  Task<Result<std::vector<Told>>> untold(std::string instance, int64_t project_id,
                                         std::vector<Told> states) override;
  Task<Result<int64_t>> keep_found(std::string instance, Place place,
                                   std::vector<Delivery> found) override;
  Task<Result<Page<DeadLetter>>> dead_letters(PageRequest page) override;
  Task<Result<DeadLetter>> dead_letter(int64_t id) override;
  Task<Status> replay_dead_letter(int64_t id, AuditRecord audit, UnixMicros now) override;

  Task<Status> keep_project_file(ProjectFile file, std::vector<NewWork> work) override;
  Task<Result<std::vector<ProjectFile>>> project_files() override;
  Task<Status> add_wrong_reviewer(WrongReviewer told) override;
  Task<Result<std::vector<WrongReviewer>>> wrong_reviewers(std::string instance, int64_t project_id,
                                                           UnixMicros since) override;

  Triages& triages() override { return *this; }
  Task<Result<TriagedMergeRequest>> triaged(Scope scope, std::string instance, int64_t project_id,
                                            int64_t iid) override;
  Task<Result<Page<TriagedMergeRequest>>> triaged_page(Scope scope, TriageFilter filter,
                                                       PageRequest page) override;
  Task<Status> plan_labels(LabelsOf labels, AuditRecord audit) override;

  Readings& readings() override { return *this; }
  Task<Result<ReadMergeRequest>> reading(Scope scope, std::string instance, int64_t project_id,
                                         int64_t iid) override;

  Vulnerabilities& vulnerabilities() override { return *this; }
  Task<Result<std::optional<Unmatched>>> unmatched(std::string index, int64_t after) override;
  Task<Result<MatchOutcome>> keep_match(int64_t n, std::string index,
                                        std::optional<std::vector<Found>> found,
                                        UnixMicros at) override;
  Task<Result<Page<Vulnerability>>> vulnerabilities(Scope scope, VulnerabilityFilter filter,
                                                    PageRequest page) override;
  Task<Result<std::optional<Matched>>> newest_match(Scope scope, std::string instance,
                                                    std::vector<RefOf> refs) override;
  Task<Result<PackageChanges>> package_changes(int64_t before, int64_t after) override;
  Task<Result<std::optional<int64_t>>> inventory_of_commit(std::string instance,
                                                           std::string project_path,
                                                           std::string commit_sha) override;
  Task<Result<std::vector<bool>>> stood_in(int64_t inventory, std::vector<Found> packages) override;
  Task<Result<std::vector<MergeRequestKey>>> noted_merge_requests(std::string instance,
                                                                  int64_t project_id,
                                                                  std::size_t limit) override;

  ModelAnswers& model_answers() override { return *this; }
  Task<Result<std::vector<ModelAnswer>>> model_answers(std::vector<std::string> jobs) override;
  Task<Result<std::optional<ModelAnswer>>> earlier_answer(std::string instance, int64_t project_id,
                                                          std::string prompt, std::string content,
                                                          std::string fingerprint,
                                                          UnixMicros since) override;
  Task<Result<bool>> reserve(ModelUse wish, ModelLimits limits) override;
  Task<Result<Page<ModelUse>>> model_use(Scope scope, ModelUseFilter filter,
                                         PageRequest page) override;

  Commands& commands() override { return *this; }
  Task<Result<bool>> was_commanded(std::string instance, int64_t project_id,
                                   int64_t note_id) override;
  Task<Result<int64_t>> commands_of(std::string instance, int64_t user_id,
                                    UnixMicros since) override;
  Task<Result<std::string>> muted_by(std::string instance, int64_t project_id,
                                     int64_t iid) override;

  Task<Result<int64_t>> sweep(Retention retention) override;
  Task<Status> backup(std::filesystem::path to) override;
  Task<Status> ping() override;

 private:
  // Parts of transactions.
  Status store_payload(Connection& c, const Agent& agent, const fleet::v1::Envelope& envelope,
                       const std::string& new_id, UnixMicros received_at, Accepted& accepted);
  void append_event(Connection& c, const Event& event);
  bool supersede(sqlite::Connection& c, const std::string& instance, int64_t project,
                 int64_t job_id, const GitlabFacts& facts, UnixMicros now);
  void put_work(Connection& c, const NewWork& work);
  void settle(Connection& c, const Settled& settled);
  void tell_of_jobs(Connection& c, const Settled& settled);
  void tell_of_merge_request(Connection& c, const Settled& settled);
  void decide(Connection& c, const Decision& decision, UnixMicros now);
  void end_act(Connection& c, const Act& act, UnixMicros now);
  void tell_of_act(Connection& c, const Act& act, UnixMicros now);
  void keep_triaged(Connection& c, const TriagedMergeRequest& one, UnixMicros now);
  bool keep_labels(Connection& c, const LabelsOf& of);  // false: it was not triaged
  void keep_reading(Connection& c, const ReadMergeRequest& one, UnixMicros now);
  void keep_answer(Connection& c, const ModelAnswer& answer, UnixMicros now);
  void add_use(Connection& c, const ModelUse& use);
  void keep_wrong_reviewer(Connection& c, const WrongReviewer& told);
  void keep_commanded(Connection& c, const Commanded& of, bool note_differs);
  void apply_outcome(Connection& c, const WorkOutcome& outcome, UnixMicros now);
  Status end_lease(Connection& c, const Work& work);

  const Clock& clock_;
  Wakeup events_, work_, deliveries_;
  std::unique_ptr<sqlite::Database> database_;  // last: its threads use the others
};

// ---- Failures (failures.cpp), and what passing runs print (baselines.cpp) ----

// Puts a reported failure to those it is the same as, or alike. Bounded work.
void group_failure(Connection& c, int64_t n, const fleet::v1::JobKey& key,
                   const std::string& agent_id, const fleet::v1::JobReport& report, UnixMicros at,
                   const std::string& new_id);
// GitLab's word on a job is there: what of it made an earlier failure pass, or which later run made
// this one pass.
void relate_runs(Connection& c, int64_t n);
void keep_templates(Connection& c, int64_t n, const fleet::v1::PassedTemplates& passed);
// GitLab's word on the job is there: whose passing runs print this.
void name_templates(Connection& c, int64_t n);

// ---- Shared parts of transactions ----
// Keeps an inventory under a key that the agent may speak for. False: the commit has one already,
// at the job's ref where that is known.
Result<bool> keep_inventory(Connection& c, const fleet::v1::JobKey& key,
                            const fleet::v1::InventoryReport& report, UnixMicros received_at);
struct JobPlace {
  std::string instance, project_path;
  int64_t project_id = 0, job_id = 0;
};
// GitLab's word on the ref and the commit that a job ran for is there: its checkouts are of that
// ref, and what is known of the commit from another holds for this one as well.
void place_inventories(Connection& c, const JobPlace& job, const std::string& ref,
                       const std::string& commit_sha, UnixMicros now);
// The columns of a Found, of the table `v`, and what was read from them, the first at `first`.
inline constexpr std::string_view kFoundColumns =
    "v.ecosystem, v.package, v.version, v.advisory, v.aliases, v.summary, v.severity, v.score, "
    "v.fixed, v.risk, v.known_exploited, v.path";
Found to_found(const Rows& rows, int first);
void write_audit(Connection& c, const AuditRecord& record);
// The project had something to do with us: GitLab is asked about it from time to time.
void keep_active(Connection& c, const std::string& instance, int64_t project_id,
                 const std::string& path, UnixMicros at);
Result<Agent> read_agent(Connection& c, const std::string& id);

}  // namespace gitaiops::store
