// The part of the store that enrolment, fleet and ingest use, in memory; the rest answers
// "unimplemented".
#pragma once

#include <map>
#include <set>

#include "controller/store/store.h"

namespace gitaiops::testing {

class FakeStore final : public store::Store {
 public:
  std::map<std::string, store::EnrollmentToken> tokens;  // by SHA-256 of the secret
  std::map<std::string, store::Agent> agents_by_id;
  std::map<std::pair<std::string, uint64_t>, std::vector<fleet::v1::Envelope>> envelopes;
  std::map<std::pair<std::string, uint64_t>, uint64_t> marks;
  std::string forbidden_instance;  // accept answers permission_denied
  bool broken = false;             // everything answers unavailable
  Event* hold = nullptr;           // accept waits for it
  int seen = 0;

  std::vector<uint64_t> sequences() const {
    std::vector<uint64_t> all;
    for (const auto& [key, list] : envelopes) {
      for (const auto& envelope : list) all.push_back(envelope.seq());
    }
    return all;
  }

  Task<Result<store::Accepted>> accept(std::string agent, uint64_t epoch,
                                       fleet::v1::Envelope envelope, UnixMicros) override {
    if (hold) co_await hold->wait();
    if (broken) co_return down();
    const auto& key =
        envelope.has_job_report() ? envelope.job_report().key() : envelope.job_started().key();
    if (!forbidden_instance.empty() && key.instance() == forbidden_instance)
      co_return Error(Code::permission_denied, "not its project");
    auto& mark = marks[{agent, epoch}];
    store::Accepted accepted{mark, envelope.seq() <= mark};
    if (!accepted.duplicate) {
      mark = accepted.high_water_seq = envelope.seq();
      envelopes[{agent, epoch}].push_back(std::move(envelope));
    }
    co_return accepted;
  }
  Task<Result<uint64_t>> high_water(std::string agent, uint64_t epoch) override {
    if (broken) co_return down();
    co_return marks[{agent, epoch}];
  }

  Task<Result<store::Inventory>> inventory(store::Scope, store::InventoryFilter) override {
    co_return none();
  }
  Task<Result<store::Page<store::PackageUse>>> package_uses(store::Scope, std::string, std::string,
                                                            store::PageRequest) override {
    co_return none();
  }
  Task<Status> add_enrollment_token(store::EnrollmentToken token) override {
    const auto key = token.secret_sha256;
    tokens[key] = std::move(token);
    co_return Status();
  }
  Task<Result<store::Agent>> enroll_agent(std::string secret, store::Agent agent,
                                          UnixMicros now) override {
    const auto found = tokens.find(secret);
    if (found == tokens.end())
      co_return Error(Code::unauthenticated, "this enrolment token is unknown");
    auto& token = found->second;
    if (token.revoked_at)
      co_return Error(Code::unauthenticated, "this enrolment token was revoked");
    if (token.expires_at <= now)
      co_return Error(Code::unauthenticated, "this enrolment token has expired");
    if (token.uses_left == 0)
      co_return Error(Code::unauthenticated, "this enrolment token is used up");
    --token.uses_left;
    agent.labels = token.labels;
    agent.scope = token.scope;
    agent.certificate_life_us = token.certificate_life_us;
    agents_by_id[agent.id] = agent;
    co_return agent;
  }
  Task<Result<store::Agent>> agent(std::string id) override {
    if (broken) co_return down();
    const auto found = agents_by_id.find(id);
    if (found == agents_by_id.end()) co_return Error(Code::not_found, "no such agent");
    co_return found->second;
  }
  Task<Result<std::vector<store::Agent>>> agents() override {
    if (broken) co_return down();
    std::vector<store::Agent> all;
    for (const auto& [id, one] : agents_by_id) all.push_back(one);
    co_return all;
  }
  Task<Result<store::Agent>> agent_held(std::string id, store::Holder holder,
                                        UnixMicros at) override {
    if (broken) co_return down();
    const auto found = agents_by_id.find(id);
    if (found == agents_by_id.end()) co_return Error(Code::not_found, "no such agent");
    auto& agent = found->second;
    if (holder.contested || holder.generation < agent.generation) {
      agent.clone = holder.name;
      agent.clone_at = at;
    } else {
      agent.generation = holder.generation;
      agent.holder = holder.name;
    }
    co_return agent;
  }
  Task<Status> agent_seen(std::string id, UnixMicros at, std::string version,
                          std::string observation, int64_t skew,
                          std::optional<UnixMicros> not_after) override {
    ++seen;
    auto& one = agents_by_id[id];
    one.last_seen_at = at;
    one.version = std::move(version);
    one.observation = std::move(observation);
    one.clock_skew_us = skew;
    one.certificate_not_after = not_after;
    co_return Status();
  }
  Task<Status> revoke_agent(std::string id, UnixMicros at, std::string) override {
    agents_by_id[id].revoked_at = at;
    co_return Status();
  }

  // -- not used here --
  Task<Result<store::Page<store::Job>>> jobs(store::Scope, store::JobFilter,
                                             store::PageRequest) override {
    co_return none();
  }
  Task<Result<int64_t>> count_jobs(store::Scope, store::JobFilter) override { co_return none(); }
  Task<Result<store::Job>> job(store::Scope, std::string) override { co_return none(); }
  Task<Result<store::Job>> job_by_key(store::Scope, std::string, int64_t) override {
    co_return none();
  }
  Task<Result<std::vector<store::Job>>> pipeline_jobs(std::string, int64_t, int64_t) override {
    co_return none();
  }
  Task<Result<std::map<std::string, std::vector<store::RunUsage>>>> passed_runs(
      std::string, int64_t, std::string, std::vector<std::string>) override {
    co_return none();
  }
  Task<Status> set_gitlab_facts(std::string, int64_t, store::GitlabFacts) override {
    co_return none();
  }
  Task<Result<std::vector<store::EnrollmentToken>>> enrollment_tokens() override {
    co_return none();
  }
  Task<Status> revoke_token(std::string, UnixMicros) override { co_return none(); }
  Task<Status> add_api_token(store::ApiToken) override { co_return none(); }
  Task<Result<std::vector<store::ApiToken>>> api_tokens() override { co_return none(); }
  Task<Result<store::ApiToken>> api_token_by_secret(std::string) override { co_return none(); }
  Task<Result<std::vector<store::Event>>> events_after(uint64_t, std::size_t) override {
    co_return none();
  }
  Task<Result<uint64_t>> cursor(std::string) override { co_return none(); }
  Task<Status> advance(std::string, uint64_t, std::vector<store::NewWork>) override {
    co_return none();
  }
  Task<void> wait_event(uint64_t, std::chrono::microseconds) override { co_return; }
  Task<Result<std::optional<store::Work>>> lease(UnixMicros, int64_t) override { co_return none(); }
  Task<Status> finish(store::Work, store::WorkOutcome) override { co_return none(); }
  Task<Status> retry_later(store::Work, UnixMicros, std::string, store::WorkOutcome) override {
    co_return none();
  }
  Task<Status> give_up(store::Work, std::string, store::WorkOutcome) override { co_return none(); }
  Task<void> wait_work(UnixMicros, std::chrono::microseconds) override { co_return; }
  Task<Result<QueueStats>> queue_stats() override { co_return none(); }
  Task<Result<store::Note>> note(store::Scope, std::string) override { co_return none(); }
  Task<Result<std::vector<store::AuditRecord>>> audit(std::size_t) override { co_return none(); }
  Task<Result<std::vector<store::AuditRecord>>> audit_from(int64_t, std::size_t) override {
    co_return none();
  }
  Task<Result<store::AuditVerdict>> verify_audit() override { co_return none(); }
  store::Inbox& inbox() override { std::abort(); }  // nobody asks for it here
  Task<Status> keep_project_file(store::ProjectFile, std::vector<store::NewWork>) override {
    co_return none();
  }
  Task<Result<std::vector<store::ProjectFile>>> project_files() override { co_return none(); }
  Task<Status> add_wrong_reviewer(store::WrongReviewer) override { std::abort(); }
  Task<Result<std::vector<store::WrongReviewer>>> wrong_reviewers(std::string, int64_t,
                                                                  UnixMicros) override {
    std::abort();
  }
  store::Vulnerabilities& vulnerabilities() override { std::abort(); }  // nor for it
  store::Triages& triages() override { std::abort(); }
  store::Readings& readings() override { std::abort(); }
  store::ModelAnswers& model_answers() override { std::abort(); }
  store::Commands& commands() override { std::abort(); }
  Task<Result<store::Page<store::AuditRecord>>> audit_page(store::Scope, store::AuditFilter,
                                                           store::PageRequest) override {
    co_return none();
  }
  Task<Result<bool>> keep_fetched(fleet::v1::JobReport, UnixMicros) override { co_return none(); }
  Task<Result<std::vector<int64_t>>> unreported(std::string, std::vector<int64_t>) override {
    co_return none();
  }
  Task<Result<store::Page<store::Failure>>> failures(store::Scope, store::FailureFilter,
                                                     store::PageRequest) override {
    co_return none();
  }
  Task<Result<store::Failure>> failure(store::Scope, std::string) override { co_return none(); }
  Task<Result<std::optional<store::SeenBefore>>> seen_before(store::Scope, std::string) override {
    co_return none();
  }
  Task<Result<std::vector<uint64_t>>> baseline(std::string, int64_t, std::string) override {
    co_return none();
  }
  Task<Result<store::Act>> act(std::string) override { co_return none(); }
  Task<Result<std::vector<store::Act>>> pipeline_acts(std::string, int64_t, int64_t) override {
    co_return none();
  }
  Task<Result<std::vector<FailingHost>>> failing_hosts(UnixMicros, int64_t, int64_t) override {
    co_return none();
  }
  Task<Status> add_audit(store::AuditRecord) override { co_return none(); }
  Task<Result<int64_t>> sweep(store::Retention) override { co_return none(); }
  Task<Status> backup(std::filesystem::path) override { co_return none(); }
  Task<Status> ping() override { co_return none(); }

 private:
  static Error down() { return Error(Code::unavailable, "disk full"); }
  static Error none() { return Error(Code::unimplemented, "not part of the fake"); }
};

}  // namespace gitaiops::testing
