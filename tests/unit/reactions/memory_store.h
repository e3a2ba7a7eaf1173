// The parts of the store that the queue and the reactions use, in memory, with everything open to
// look at.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "base/io/io.h"
#include "controller/store/store.h"
#include "tests/unit/reactions/memory_commands.h"
#include "tests/unit/reactions/memory_model_answers.h"
#include "tests/unit/reactions/memory_readings.h"
#include "tests/unit/reactions/memory_triages.h"

namespace gitaiops::store {

// What was matched is set by the test.
class MemoryVulnerabilities final : public Vulnerabilities {
 public:
  std::vector<Matched> matched;                    // newest last
  std::map<int64_t, std::vector<Found>> packages;  // that stand in an inventory; for stood_in
  std::map<std::string, int64_t> of_commit;        // numbers of inventories
  std::map<std::pair<int64_t, int64_t>, PackageChanges> changes;
  std::vector<MergeRequestKey> noted;

  Task<Result<std::optional<Unmatched>>> unmatched(std::string, int64_t) override { std::abort(); }
  Task<Result<MatchOutcome>> keep_match(int64_t, std::string, std::optional<std::vector<Found>>,
                                        UnixMicros) override {
    std::abort();
  }
  Task<Result<Page<Vulnerability>>> vulnerabilities(Scope, VulnerabilityFilter,
                                                    PageRequest) override {
    std::abort();
  }
  Task<Result<std::optional<Matched>>> newest_match(Scope, std::string,
                                                    std::vector<RefOf> refs) override {
    std::optional<Matched> out;
    for (const auto& one : matched)
      if (std::ranges::find(refs, RefOf{one.project_path, one.ref}) != refs.end()) out = one;
    co_return out;
  }
  Task<Result<PackageChanges>> package_changes(int64_t before, int64_t after) override {
    co_return changes[{before, after}];
  }
  Task<Result<std::optional<int64_t>>> inventory_of_commit(std::string, std::string,
                                                           std::string commit) override {
    if (!of_commit.contains(commit)) co_return std::nullopt;
    co_return of_commit[commit];
  }
  Task<Result<std::vector<bool>>> stood_in(int64_t inventory, std::vector<Found> asked) override {
    std::vector<bool> out;
    for (const auto& one : asked)
      out.push_back(std::ranges::any_of(packages[inventory], [&](const Found& known) {
        return known.package == one.package && known.version == one.version;
      }));
    co_return out;
  }
  Task<Result<std::vector<MergeRequestKey>>> noted_merge_requests(std::string, int64_t,
                                                                  std::size_t) override {
    co_return noted;
  }
};

class MemoryStore : public Store {
 public:
  struct Item {
    Work work;
    UnixMicros not_before;
    bool leased = false;
  };
  std::map<std::string, Job> jobs_by_id;
  std::map<std::string, Agent> agents_by_id;
  std::map<std::string, Note> notes;
  std::vector<AuditRecord> audits;
  std::vector<Event> events;
  std::vector<Item> items;
  std::vector<std::pair<Work, std::string>> dead;
  std::map<std::string, SeenBefore> seen;
  std::map<std::string, Act> acts;
  std::vector<FailingHost> hosts;
  std::vector<fleet::v1::JobReport> fetched;
  std::set<int64_t> reported;
  MemoryVulnerabilities vulnerable;
  MemoryModelAnswers answered;
  uint64_t cursor_at = 0;
  gitaiops::Event changed;

  void put(NewWork work) {
    for (auto& item : items)
      if (!item.leased && item.work.kind == work.kind && item.work.unique_key == work.unique_key) {
        item.not_before = std::min(item.not_before, work.not_before);
        return;
      }
    items.push_back(
        {Work{next_++, 0, work.kind, work.unique_key, work.payload, 0}, work.not_before, false});
    changed.set();
  }

  Task<Result<Job>> job(Scope, std::string id) override {
    if (!jobs_by_id.contains(id)) co_return Error{Code::not_found, "no job " + id};
    co_return jobs_by_id[id];
  }
  std::map<std::string, std::vector<RunUsage>> runs;  // on any ref, by name
  std::string runs_asked_of;                          // the ref
  Task<Result<std::map<std::string, std::vector<RunUsage>>>> passed_runs(
      std::string, int64_t, std::string ref, std::vector<std::string> names) override {
    runs_asked_of = ref;
    std::map<std::string, std::vector<RunUsage>> out;
    for (const auto& name : names)
      if (runs.contains(name)) out[name] = runs[name];
    co_return out;
  }
  Task<Result<std::vector<Job>>> pipeline_jobs(std::string instance, int64_t project_id,
                                               int64_t pipeline_id) override {
    std::vector<Job> out;
    for (const auto& [id, job] : jobs_by_id)
      if (job.key.instance == instance && job.key.project_id == project_id && job.gitlab &&
          job.gitlab->pipeline_id == pipeline_id)
        out.push_back(job);
    co_return out;
  }
  Task<Status> set_gitlab_facts(std::string id, int64_t project_id, GitlabFacts facts) override {
    jobs_by_id[id].key.project_id = project_id;
    jobs_by_id[id].gitlab = std::move(facts);
    co_return Status();
  }
  Task<Result<Agent>> agent(std::string id) override {
    if (!agents_by_id.contains(id)) co_return Error{Code::not_found, "no agent " + id};
    co_return agents_by_id[id];
  }

  Task<Result<std::vector<Event>>> events_after(uint64_t number, std::size_t limit) override {
    std::vector<Event> out;
    for (const auto& event : events)
      if (event.number > number && out.size() < limit) out.push_back(event);
    co_return out;
  }
  Task<Result<uint64_t>> cursor(std::string) override { co_return cursor_at; }
  Task<Status> advance(std::string, uint64_t upto, std::vector<NewWork> work) override {
    cursor_at = upto;
    for (auto& one : work) put(std::move(one));
    co_return Status();
  }
  Task<void> wait_event(uint64_t, std::chrono::microseconds) override {
    co_await sleep_for(std::chrono::milliseconds(1));
  }

  Task<Result<std::optional<Work>>> lease(UnixMicros now, int64_t) override {
    for (auto& item : items)
      if (!item.leased && item.not_before <= now) {
        item.leased = true;
        ++item.work.attempts;
        ++item.work.fence;
        co_return std::optional<Work>(item.work);
      }
    co_return std::optional<Work>();
  }
  Task<Status> finish(Work work, WorkOutcome outcome) override {
    std::erase_if(items, [&](const Item& item) { return item.work.id == work.id; });
    apply(std::move(outcome));
    co_return Status();
  }
  Task<Status> retry_later(Work work, UnixMicros not_before, std::string,
                           WorkOutcome outcome) override {
    for (auto& item : items)
      if (item.work.id == work.id) item = {work, not_before, false};
    apply(std::move(outcome));
    changed.set();
    co_return Status();
  }
  Task<Status> give_up(Work work, std::string why, WorkOutcome outcome) override {
    std::erase_if(items, [&](const Item& item) { return item.work.id == work.id; });
    dead.emplace_back(std::move(work), std::move(why));
    apply(std::move(outcome));
    co_return Status();
  }
  Task<void> wait_work(UnixMicros, std::chrono::microseconds limit) override {
    changed.reset();
    co_await changed.wait(limit);
  }
  Task<Result<Note>> note(Scope, std::string subject) override {
    if (!notes.contains(subject)) co_return Error{Code::not_found, "no note " + subject};
    co_return notes[subject];
  }
  void apply(WorkOutcome outcome) {
    for (auto& record : outcome.audit) audits.push_back(std::move(record));
    if (outcome.note) notes[outcome.note->subject] = *outcome.note;
    for (auto& work : outcome.follow_up) put(std::move(work));
    for (const auto& decision : outcome.decisions) decide(decision);
    if (outcome.ended) acts[outcome.ended->id] = *outcome.ended;
    if (outcome.triaged) triage.keep(*outcome.triaged);
    if (outcome.labels) triage.keep(*outcome.labels);
    if (outcome.commanded) commanded.keep(*outcome.commanded);
    for (auto& told : outcome.wrong_reviewers) wrong.push_back(std::move(told));
  }
  void decide(const Decision& decision) {
    const Act& made = decision.act;
    const auto same = [&](const auto& entry) {
      const Act& a = entry.second;
      return std::tie(a.what, a.instance, a.project_id, a.sha, a.job_name, a.category) ==
             std::tie(made.what, made.instance, made.project_id, made.sha, made.job_name,
                      made.category);
    };
    if (std::ranges::any_of(acts, same)) return;
    acts[made.id] = made;
    acts[made.id].state = "intended";
    audits.push_back(decision.audit);
    put(decision.work);
  }

  Task<Result<std::optional<SeenBefore>>> seen_before(Scope, std::string id) override {
    if (!seen.contains(id)) co_return std::optional<SeenBefore>();
    co_return seen[id];
  }
  Task<Result<Act>> act(std::string id) override {
    if (!acts.contains(id)) co_return Error{Code::not_found, "no act " + id};
    co_return acts[id];
  }
  Task<Result<std::vector<Act>>> pipeline_acts(std::string, int64_t, int64_t pipeline) override {
    std::vector<Act> out;
    for (const auto& [id, act] : acts)
      if (act.pipeline_id == pipeline) out.push_back(act);
    co_return out;
  }
  Task<Result<std::vector<FailingHost>>> failing_hosts(UnixMicros, int64_t, int64_t) override {
    co_return hosts;
  }
  Task<Result<bool>> keep_fetched(fleet::v1::JobReport report, UnixMicros) override {
    fetched.push_back(std::move(report));
    co_return true;
  }
  Task<Result<std::vector<int64_t>>> unreported(std::string, std::vector<int64_t> ids) override {
    std::erase_if(ids, [&](int64_t id) { return reported.contains(id); });
    co_return ids;
  }

  // Not used here.
  Task<Result<Page<Failure>>> failures(Scope, FailureFilter, PageRequest) override {
    co_return no();
  }
  Task<Result<Failure>> failure(Scope, std::string) override { co_return no(); }
  Task<Result<std::vector<uint64_t>>> baseline(std::string, int64_t, std::string) override {
    co_return std::vector<uint64_t>();
  }
  Task<Result<std::vector<AuditRecord>>> audit_from(int64_t, std::size_t) override {
    co_return no();
  }
  Task<Result<AuditVerdict>> verify_audit() override { co_return no(); }
  std::vector<ProjectFile> kept_files;   // every write
  std::vector<NewWork> kept_with_files;  // the work of each
  Task<Status> keep_project_file(ProjectFile file, std::vector<NewWork> work) override {
    for (auto& item : work) kept_with_files.push_back(item);
    kept_files.push_back(std::move(file));
    co_return Status();
  }
  Task<Result<std::vector<ProjectFile>>> project_files() override { co_return kept_files; }
  Task<Status> add_wrong_reviewer(WrongReviewer) override { co_return no(); }
  Task<Result<std::vector<WrongReviewer>>> wrong_reviewers(std::string, int64_t,
                                                           UnixMicros) override {
    co_return no();
  }
  Inbox& inbox() override { std::abort(); }  // nobody asks for it here
  Vulnerabilities& vulnerabilities() override { return vulnerable; }
  Triages& triages() override { return triage; }
  MemoryReadings read;
  Readings& readings() override { return read; }
  MemoryTriages triage;
  Commands& commands() override { return commanded; }
  MemoryCommands commanded;
  std::vector<WrongReviewer> wrong;
  ModelAnswers& model_answers() override { return answered; }
  Task<Result<Page<AuditRecord>>> audit_page(Scope, AuditFilter, PageRequest) override {
    co_return no();
  }
  Task<Result<Accepted>> accept(std::string, uint64_t, fleet::v1::Envelope, UnixMicros) override {
    co_return no();
  }
  Task<Result<uint64_t>> high_water(std::string, uint64_t) override { co_return no(); }
  Task<Result<Page<Job>>> jobs(Scope, JobFilter, PageRequest) override { co_return no(); }
  Task<Result<int64_t>> count_jobs(Scope, JobFilter) override { co_return no(); }
  Task<Result<Job>> job_by_key(Scope, std::string instance, int64_t job_id) override {
    for (const auto& [id, job] : jobs_by_id)
      if (job.key.instance == instance && job.key.job_id == job_id) co_return job;
    co_return Error{Code::not_found, "no such job"};
  }
  Task<Result<Inventory>> inventory(Scope, InventoryFilter) override { co_return no(); }
  Task<Result<Page<PackageUse>>> package_uses(Scope, std::string, std::string,
                                              PageRequest) override {
    co_return no();
  }
  Task<Status> add_enrollment_token(EnrollmentToken) override { co_return no(); }
  Task<Result<std::vector<EnrollmentToken>>> enrollment_tokens() override { co_return no(); }
  Task<Status> revoke_token(std::string, UnixMicros) override { co_return no(); }
  Task<Result<Agent>> enroll_agent(std::string, Agent, UnixMicros) override { co_return no(); }
  Task<Result<std::vector<Agent>>> agents() override { co_return no(); }
  Task<Status> agent_seen(std::string, UnixMicros, std::string, std::string, int64_t,
                          std::optional<UnixMicros>) override {
    co_return no();
  }
  Task<Result<Agent>> agent_held(std::string, Holder, UnixMicros) override { co_return no(); }
  Task<Status> revoke_agent(std::string, UnixMicros, std::string) override { co_return no(); }
  Task<Status> add_api_token(ApiToken) override { co_return no(); }
  Task<Result<std::vector<ApiToken>>> api_tokens() override { co_return no(); }
  Task<Result<ApiToken>> api_token_by_secret(std::string) override { co_return no(); }
  Task<Result<QueueStats>> queue_stats() override { co_return no(); }
  Task<Result<std::vector<AuditRecord>>> audit(std::size_t) override { co_return audits; }
  bool audit_fails = false;
  Task<Status> add_audit(AuditRecord record) override {
    if (audit_fails) co_return Error(Code::unavailable, "disk full");
    audits.push_back(std::move(record));
    co_return Status();
  }
  Task<Result<int64_t>> sweep(Retention) override { co_return no(); }
  Task<Status> backup(std::filesystem::path) override { co_return no(); }
  Task<Status> ping() override { co_return Status(); }

 private:
  static Error no() { return {Code::unimplemented, "not in memory"}; }
  int64_t next_ = 1;
};

}  // namespace gitaiops::store
