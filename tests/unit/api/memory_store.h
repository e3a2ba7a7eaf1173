// A store in memory, for what the API asks: scopes, filters and pages are applied as store.h says.
// What the API never calls answers unimplemented.
#pragma once

#include <algorithm>
#include <map>

#include "controller/store/store.h"
#include "tests/unit/reactions/memory_model_answers.h"
#include "tests/unit/reactions/memory_readings.h"
#include "tests/unit/reactions/memory_triages.h"

namespace gitaiops::store {

// What the API reads of it: all of them, in the scope; what was asked is kept.
class MemoryVulnerabilities final : public Vulnerabilities {
 public:
  Task<Result<std::optional<Unmatched>>> unmatched(std::string, int64_t) override { std::abort(); }
  Task<Result<MatchOutcome>> keep_match(int64_t, std::string, std::optional<std::vector<Found>>,
                                        UnixMicros) override {
    std::abort();
  }
  Task<Result<Page<Vulnerability>>> vulnerabilities(Scope scope, VulnerabilityFilter filter,
                                                    PageRequest) override {
    asked = filter;
    Page<Vulnerability> page;
    for (const auto& v : all)
      if (allows(scope, v.instance, v.project_path)) page.items.push_back(v);
    co_return page;
  }
  Task<Result<std::optional<Matched>>> newest_match(Scope scope, std::string instance,
                                                    std::vector<RefOf> refs) override {
    std::optional<Matched> out;
    for (const auto& one : matched)
      if (allows(scope, instance, one.project_path) &&
          std::ranges::find(refs, RefOf{one.project_path, one.ref}) != refs.end())
        out = one;
    co_return out;
  }
  Task<Result<PackageChanges>> package_changes(int64_t, int64_t) override { co_return changes; }
  Task<Result<std::optional<int64_t>>> inventory_of_commit(std::string, std::string,
                                                           std::string) override {
    std::abort();
  }
  Task<Result<std::vector<bool>>> stood_in(int64_t, std::vector<Found>) override { std::abort(); }
  Task<Result<std::vector<MergeRequestKey>>> noted_merge_requests(std::string, int64_t,
                                                                  std::size_t) override {
    std::abort();
  }
  std::vector<Vulnerability> all;
  VulnerabilityFilter asked;
  std::vector<Matched> matched;
  PackageChanges changes;
};

class MemoryStore final : public Store {
 public:
  std::vector<Job> all_jobs;  // newest first
  std::vector<Note> all_notes;
  std::vector<Agent> all_agents;
  std::vector<ApiToken> all_tokens;
  std::vector<Failure> all_failures;
  std::optional<SeenBefore> seen;
  std::vector<FailingHost> hosts;
  std::string package_name;  // "npm:qs": whose uses all_uses are
  MemoryVulnerabilities vulnerable;
  std::vector<Inventory> inventories;  // newest first
  std::vector<PackageUse> all_uses;
  std::vector<AuditRecord> all_audit;
  std::optional<Error> broken;  // every call fails with it

  static bool fits(const std::string& pattern, const std::string& text) {
    if (pattern == "*") return true;
    if (pattern.ends_with("/*")) return text.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == text;
  }
  static bool within(const Scope& scope, const std::string& instance, const std::string& path) {
    return std::any_of(scope.begin(), scope.end(), [&](const ProjectGlob& glob) {
      return fits(glob.instance, instance) && fits(glob.path, path);
    });
  }
  static bool passes(const JobFilter& f, const Job& job) {
    return (!f.instance || *f.instance == job.key.instance) &&
           (!f.project_path || *f.project_path == job.project_path) &&
           (!f.project_id || *f.project_id == job.key.project_id) &&
           (!f.job_id || *f.job_id == job.key.job_id) &&
           (!f.category || *f.category == job.report.diagnosis().category()) &&
           (!f.owner || *f.owner == job.report.diagnosis().owner()) &&
           (!f.agent_id || *f.agent_id == job.agent_id) &&
           (!f.outcome ||
            *f.outcome ==
                (job.report.outcome() == fleet::v1::OUTCOME_FAILED ? "failed" : "passed")) &&
           (!f.pipeline_id || (job.gitlab && *f.pipeline_id == job.gitlab->pipeline_id)) &&
           (!f.finished_after || job.report.finished_at_us() > f.finished_after->value) &&
           (!f.finished_before || job.report.finished_at_us() < f.finished_before->value);
  }

  std::vector<Job> chosen(const Scope& scope, const JobFilter& filter) const {
    std::vector<Job> found;
    for (const auto& job : all_jobs) {
      if (within(scope, job.key.instance, job.project_path) && passes(filter, job))
        found.push_back(job);
    }
    return found;
  }

  Task<Result<Page<Job>>> jobs(Scope scope, JobFilter filter, PageRequest request) override {
    if (broken) co_return *broken;
    if (request.after == "garbage")
      co_return Error(Code::invalid_argument, "'after' is not the next of a page");
    Page<Job> page;
    bool started = request.after.empty();
    for (auto& job : chosen(scope, filter)) {
      if (started && page.items.size() == request.limit) page.next = page.items.back().id;
      if (started && page.next.empty()) page.items.push_back(job);
      if (job.id == request.after) started = true;
    }
    co_return page;
  }
  Task<Result<int64_t>> count_jobs(Scope scope, JobFilter filter) override {
    co_return static_cast<int64_t>(chosen(scope, filter).size());
  }
  Task<Result<Job>> job(Scope scope, std::string id) override {
    if (broken) co_return *broken;
    for (const auto& job : chosen(scope, {})) {
      if (job.id == id) co_return job;
    }
    co_return Error(Code::not_found, "no such job");
  }
  Task<Result<Note>> note(Scope scope, std::string subject) override {
    for (const auto& note : all_notes) {
      if (note.subject == subject && within(scope, note.instance, note.project_path))
        co_return note;
    }
    co_return Error(Code::not_found, "no such note");
  }
  Task<Result<std::vector<Agent>>> agents() override { co_return all_agents; }
  Task<Result<ApiToken>> api_token_by_secret(std::string secret_sha256) override {
    if (broken) co_return *broken;
    for (const auto& token : all_tokens) {
      if (token.secret_sha256 == secret_sha256) co_return token;
    }
    co_return Error(Code::not_found, "no such token");
  }
  Task<Result<QueueStats>> queue_stats() override { co_return QueueStats{3, 2, 1}; }
  Task<Status> ping() override {
    if (broken) co_return *broken;
    co_return Status{};
  }

  static Error unasked() { return {Code::unimplemented, "the API does not ask for this"}; }
  Task<Result<Accepted>> accept(std::string, uint64_t, fleet::v1::Envelope, UnixMicros) override {
    co_return unasked();
  }
  Task<Result<uint64_t>> high_water(std::string, uint64_t) override { co_return unasked(); }
  Task<Result<Job>> job_by_key(Scope, std::string, int64_t) override { co_return unasked(); }
  Task<Result<std::vector<Job>>> pipeline_jobs(std::string, int64_t, int64_t) override {
    co_return unasked();
  }
  Task<Result<std::map<std::string, std::vector<RunUsage>>>> passed_runs(
      std::string, int64_t, std::string, std::vector<std::string>) override {
    co_return unasked();
  }
  Task<Status> set_gitlab_facts(std::string, int64_t, GitlabFacts) override { co_return unasked(); }
  Task<Result<bool>> keep_fetched(fleet::v1::JobReport, UnixMicros) override {
    co_return unasked();
  }
  Task<Result<std::vector<int64_t>>> unreported(std::string, std::vector<int64_t>) override {
    co_return unasked();
  }
  Task<Result<Page<Failure>>> failures(Scope, FailureFilter, PageRequest) override {
    if (broken) co_return *broken;
    Page<Failure> page;
    page.items = all_failures;
    co_return page;
  }
  Task<Result<Failure>> failure(Scope, std::string id) override {
    for (const auto& failure : all_failures)
      if (failure.id == id) co_return failure;
    co_return Error(Code::not_found, "no such failure");
  }
  Task<Result<std::optional<SeenBefore>>> seen_before(Scope, std::string) override {
    co_return seen;
  }
  Task<Result<std::vector<uint64_t>>> baseline(std::string, int64_t, std::string) override {
    co_return unasked();
  }
  Task<Result<Act>> act(std::string) override { co_return unasked(); }
  Task<Result<std::vector<Act>>> pipeline_acts(std::string, int64_t, int64_t) override {
    co_return unasked();
  }
  Task<Result<std::vector<FailingHost>>> failing_hosts(UnixMicros, int64_t, int64_t) override {
    co_return hosts;
  }
  Task<Result<std::vector<AuditRecord>>> audit_from(int64_t, std::size_t) override {
    co_return unasked();
  }
  Task<Result<AuditVerdict>> verify_audit() override { co_return unasked(); }
  Task<Status> keep_project_file(ProjectFile, std::vector<NewWork>) override {
    co_return unasked();
  }
  Task<Result<std::vector<ProjectFile>>> project_files() override { co_return unasked(); }
  Task<Status> add_wrong_reviewer(WrongReviewer) override { co_return unasked(); }
  Task<Result<std::vector<WrongReviewer>>> wrong_reviewers(std::string, int64_t,
                                                           UnixMicros) override {
    co_return unasked();
  }
  Inbox& inbox() override { std::abort(); }  // nobody asks for it here
  Vulnerabilities& vulnerabilities() override { return vulnerable; }
  Triages& triages() override { return triage; }
  MemoryReadings read;
  Readings& readings() override { return read; }
  MemoryTriages triage;
  ModelAnswers& model_answers() override { return models; }
  Commands& commands() override { std::abort(); }  // nobody asks for it here
  MemoryModelAnswers models;
  Task<Result<Page<AuditRecord>>> audit_page(Scope, AuditFilter, PageRequest) override {
    Page<AuditRecord> page;
    page.items = all_audit;
    co_return page;
  }
  Task<Result<Inventory>> inventory(Scope scope, InventoryFilter filter) override {
    if (broken) co_return *broken;
    for (const auto& one : inventories)
      if (allows(scope, one.instance, one.project_path) && filter.instance == one.instance &&
          filter.project_id == one.project_id && (!filter.ref || *filter.ref == one.ref) &&
          (!filter.commit_sha || *filter.commit_sha == one.commit_sha))
        co_return one;
    co_return Error(Code::not_found, "no inventory");
  }
  Task<Result<Page<PackageUse>>> package_uses(Scope scope, std::string ecosystem, std::string name,
                                              PageRequest) override {
    if (broken) co_return *broken;
    Page<PackageUse> page;
    if (ecosystem + ":" + name == package_name)
      for (const auto& use : all_uses)
        if (within(scope, use.instance, use.project_path)) page.items.push_back(use);
    co_return page;
  }
  Task<Status> add_enrollment_token(EnrollmentToken) override { co_return unasked(); }
  Task<Result<std::vector<EnrollmentToken>>> enrollment_tokens() override { co_return unasked(); }
  Task<Status> revoke_token(std::string, UnixMicros) override { co_return unasked(); }
  Task<Result<Agent>> enroll_agent(std::string, Agent, UnixMicros) override { co_return unasked(); }
  Task<Result<Agent>> agent(std::string) override { co_return unasked(); }
  Task<Status> agent_seen(std::string, UnixMicros, std::string, std::string, int64_t,
                          std::optional<UnixMicros>) override {
    co_return unasked();
  }
  Task<Result<Agent>> agent_held(std::string, Holder, UnixMicros) override { co_return unasked(); }
  Task<Status> revoke_agent(std::string, UnixMicros, std::string) override { co_return unasked(); }
  Task<Status> add_api_token(ApiToken) override { co_return unasked(); }
  Task<Result<std::vector<ApiToken>>> api_tokens() override { co_return unasked(); }
  Task<Result<std::vector<Event>>> events_after(uint64_t, std::size_t) override {
    co_return unasked();
  }
  Task<Result<uint64_t>> cursor(std::string) override { co_return unasked(); }
  Task<Status> advance(std::string, uint64_t, std::vector<NewWork>) override {
    co_return unasked();
  }
  Task<void> wait_event(uint64_t, std::chrono::microseconds) override { co_return; }
  Task<Result<std::optional<Work>>> lease(UnixMicros, int64_t) override { co_return unasked(); }
  Task<Status> finish(Work, WorkOutcome) override { co_return unasked(); }
  Task<Status> retry_later(Work, UnixMicros, std::string, WorkOutcome) override {
    co_return unasked();
  }
  Task<Status> give_up(Work, std::string, WorkOutcome) override { co_return unasked(); }
  Task<void> wait_work(UnixMicros, std::chrono::microseconds) override { co_return; }
  Task<Result<std::vector<AuditRecord>>> audit(std::size_t) override { co_return unasked(); }
  Task<Status> add_audit(AuditRecord) override { co_return unasked(); }
  Task<Result<int64_t>> sweep(Retention) override { co_return unasked(); }
  Task<Status> backup(std::filesystem::path) override { co_return unasked(); }
};

}  // namespace gitaiops::store
