#include "controller/acting/acting.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/crypto/crypto.h"
#include "base/log/log.h"

namespace gitaiops::acting {
namespace {

using nlohmann::json;
using queue::Verdict;

constexpr std::string_view kConsumer = "acting";
constexpr std::string_view kDecideRetry = "retry.decide";
constexpr std::string_view kDecidePause = "runner.decide";
constexpr std::string_view kAct = "act.do";
constexpr std::string_view kRetry = "job.retry";
constexpr std::string_view kPause = "runner.pause";
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::chrono::seconds kIdle{1};  // also how long stop() may take
constexpr std::chrono::seconds kStoreTrouble{1};
constexpr int64_t kHour = 3600 * kMicrosPerSecond;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kPausesAnHour = 3;  // of one GitLab
constexpr std::size_t kProjectsAsked = 10;

Verdict failed(const Error& error, std::chrono::microseconds wait = {}) {
  return {queue::Failed{error, wait}, {}};
}

bool for_good(const Error& error) {
  switch (error.code()) {
    case Code::permission_denied:
    case Code::not_found:
    case Code::invalid_argument:
      return true;
    default:
      return false;
  }
}

std::string object_of(const store::Act& act) {
  if (act.what == kPause) return "runner " + std::to_string(act.runner_id);
  return "job " + std::to_string(act.job_id) + " (" + act.job_name + ") of " +
         (act.project_path.empty() ? "project " + std::to_string(act.project_id)
                                   : act.project_path);
}

std::string actor_of(const store::Act& act) {
  if (!act.asked_by.empty()) return "user:" + act.asked_by;
  return act.what == kPause ? "reaction:hosts" : "reaction:retry";
}

store::AuditRecord audit_of(const store::Act& act, std::string outcome, UnixMicros at) {
  return {.at = at,
          .actor = actor_of(act),
          .act = act.what,
          .instance = act.instance,
          .project_id = act.project_id,
          .object = object_of(act),
          .outcome = std::move(outcome)};
}

store::NewWork work_of(const store::Act& act, UnixMicros not_before) {
  return {std::string(kAct), act.id, json{{"act", act.id}}.dump(), not_before};
}

std::string word(const std::string& payload, const char* key) {
  const json j = json::parse(payload, nullptr, false);
  return j.is_object() && j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : "";
}

int64_t number(const std::string& payload, const char* key) {
  const json j = json::parse(payload, nullptr, false);
  return j.is_object() && j.contains(key) && j[key].is_number_integer() ? j[key].get<int64_t>() : 0;
}

}  // namespace

Acting::Acting(store::Store& store, const Clock& clock,
               std::map<std::string, gitlab::Gitlab*> instances, Options options)
    : store_(store),
      clock_(clock),
      instances_(std::move(instances)),
      options_(std::move(options)),
      next_look_(clock.steady()) {}

void Acting::attach(queue::Worker& worker) {
  worker.handle(std::string(kDecideRetry),
                [this](store::Work work) { return decide_retry(std::move(work)); });
  worker.handle(std::string(kDecidePause),
                [this](store::Work work) { return decide_pause(std::move(work)); });
  worker.handle(std::string(kAct), [this](store::Work work) { return act(std::move(work)); });
}

Task<void> Acting::follow() {
  while (!stopped_.is_set()) {
    const Status status = co_await follow_once();
    if (status.ok()) continue;
    log::error("the outbox cannot be followed", {{"error", status.error().to_string()}});
    co_await stopped_.wait(kStoreTrouble);
  }
}

// Without a rule the events are passed over, so that they need not be kept.
Task<Status> Acting::follow_once() {
  CO_ASSIGN_OR_RETURN(const uint64_t at, co_await store_.cursor(std::string(kConsumer)));
  CO_ASSIGN_OR_RETURN(const auto events, co_await store_.events_after(at, kEventsAtOnce));
  std::vector<store::NewWork> work;
  if (clock_.steady() >= next_look_) {
    next_look_ = clock_.steady() + options_.look_us;
    work = co_await look_at_hosts();
  }
  for (const auto& event : events)
    if (!options_.retry.empty() && event.type == "job.updated")
      work.push_back({std::string(kDecideRetry), event.subject, json{{"job", event.subject}}.dump(),
                      clock_.now()});
  if (events.empty() && work.empty()) {
    co_await store_.wait_event(at, kIdle);
    co_return Status();
  }
  const uint64_t upto = events.empty() ? at : events.back().number;
  co_return co_await store_.advance(std::string(kConsumer), upto, std::move(work));
}

Task<std::vector<store::NewWork>> Acting::look_at_hosts() {
  std::vector<store::NewWork> work;
  const HostRule& rule = options_.hosts;
  const auto hosts =
      co_await store_.failing_hosts(clock_.now() + -rule.window_us, rule.jobs, rule.projects);
  if (!hosts.ok()) {
    log::warning("failing hosts cannot be looked for", {{"why", hosts.error().to_string()}});
    co_return work;
  }
  counters_.failing_hosts = static_cast<int64_t>(hosts->size());
  std::set<std::string> now;
  for (const auto& host : *hosts) {
    now.insert(host.agent_id);
    if (!told_.contains(host.agent_id))
      log::warning("a host fails jobs of several projects", {{"host", host.host_name},
                                                             {"agent", host.agent_id},
                                                             {"jobs", host.jobs},
                                                             {"projects", host.projects},
                                                             {"runner", host.runner_id}});
    if (!rule.pause_runner || host.runner_id == 0 || !instances_.contains(host.instance)) continue;
    const json payload = {{"agent", host.agent_id},       {"host", host.host_name},
                          {"instance", host.instance},    {"runner", host.runner_id},
                          {"projects", host.project_ids}, {"jobs", host.jobs}};
    work.push_back({std::string(kDecidePause), host.agent_id, payload.dump(), clock_.now()});
  }
  told_ = std::move(now);
  co_return work;
}

Task<Verdict> Acting::decide_retry(store::Work work) {
  auto job = co_await store_.job(store::everything(), word(work.payload, "job"));
  if (!job.ok()) {
    if (job.error().code() == Code::not_found) co_return Verdict();  // retention was faster
    co_return failed(job.error());
  }
  const UnixMicros now = clock_.now();
  const auto retry = worth_a_retry(*job, options_.retry, now);
  const auto instance = instances_.find(job->key.instance);
  if (!retry || instance == instances_.end()) co_return Verdict();
  gitlab::Gitlab& gitlab = *instance->second;
  const auto& facts = *job->gitlab;
  const auto runs = co_await gitlab.all_pipeline_jobs(job->key.project_id, facts.pipeline_id);
  if (!runs.ok()) {
    if (for_good(runs.error())) co_return Verdict();
    co_return failed(runs.error(), gitlab.wait_hint());
  }
  const auto acts =
      co_await store_.pipeline_acts(job->key.instance, job->key.project_id, facts.pipeline_id);
  if (!acts.ok()) co_return failed(acts.error());
  if (objection(*runs, job->key.job_id, *acts)) co_return Verdict();

  store::Decision decision;
  store::Act& act = decision.act;
  act.id = crypto::uuid7(now);
  act.what = kRetry;
  act.instance = job->key.instance;
  act.project_id = job->key.project_id;
  act.sha = facts.sha;
  act.job_name = facts.name;
  act.category = job->report.diagnosis().category();
  act.project_path = job->project_path;
  act.pipeline_id = facts.pipeline_id;
  act.job_id = job->key.job_id;
  act.why = retry->why;
  act.at = now;
  decision.audit = audit_of(act, "decided: " + act.category, now);
  decision.work = work_of(act, now + retry->wait_us);
  decision.since = now + -kHour;
  decision.most = retry->max_per_hour;
  Verdict out;
  out.outcome.decisions.push_back(std::move(decision));
  co_return out;
}

Task<Verdict> Acting::decide_pause(store::Work work) {
  const UnixMicros now = clock_.now();
  store::Decision decision;
  store::Act& act = decision.act;
  act.id = crypto::uuid7(now);
  act.what = kPause;
  act.instance = word(work.payload, "instance");
  act.runner_id = number(work.payload, "runner");
  act.job_name = "runner " + std::to_string(act.runner_id);
  act.category = word(work.payload, "agent");
  // Once a day: who unpauses it has a reason.
  act.sha = "day " + std::to_string(now.value / kDay);
  act.why = std::to_string(number(work.payload, "jobs")) + " jobs failed on " +
            word(work.payload, "host");
  act.at = now;
  decision.audit = audit_of(act, "decided: " + act.why, now);
  decision.work = work_of(act, now);
  json payload = json::parse(work.payload, nullptr, false);
  payload["act"] = act.id;
  decision.work.payload = payload.dump();
  decision.since = now + -kHour;
  decision.most = kPausesAnHour;
  Verdict out;
  out.outcome.decisions.push_back(std::move(decision));
  co_return out;
}

Task<Verdict> Acting::act(store::Work work) {
  auto found = co_await store_.act(word(work.payload, "act"));
  if (!found.ok()) {
    if (found.error().code() == Code::not_found) co_return Verdict();
    co_return failed(found.error());
  }
  if (found->state != "intended") co_return Verdict();
  const auto instance = instances_.find(found->instance);
  if (instance == instances_.end())
    co_return ended(std::move(*found), "refused", "its GitLab is not configured any more");
  if (found->what == kPause)
    co_return co_await pause(std::move(*found), *instance->second, work.payload);
  co_return co_await retry(std::move(*found), *instance->second);
}

// What GitLab shows decides, not what we remember: a retry whose answer was lost shows as a newer
// run by us.
Task<Verdict> Acting::retry(store::Act act, gitlab::Gitlab& gitlab) {
  const auto runs = co_await gitlab.all_pipeline_jobs(act.project_id, act.pipeline_id);
  if (!runs.ok()) {
    if (for_good(runs.error())) co_return ended(act, "refused", runs.error().to_string());
    co_return failed(runs.error(), gitlab.wait_hint());
  }
  const auto us = co_await gitlab.current_user();
  if (!us.ok()) co_return failed(us.error(), gitlab.wait_hint());
  if (const auto* newer = newer_run(*runs, act.job_name, act.job_id)) {
    if (newer->user_id == us->id) co_return ended(act, "done", "", newer->id);
    co_return ended(act, "refused", "somebody retried it first");
  }
  const auto acts = co_await store_.pipeline_acts(act.instance, act.project_id, act.pipeline_id);
  if (!acts.ok()) co_return failed(acts.error());
  const auto why =
      act.asked_by.empty() ? objection(*runs, act.job_id, *acts) : objection(*runs, act.job_id);
  if (why) co_return ended(act, "refused", *why);
  const auto made = co_await gitlab.retry_job(act.project_id, act.job_id);
  if (made.ok()) co_return ended(act, "done", "", made->id);
  if (for_good(made.error())) co_return ended(act, "refused", made.error().to_string());
  co_return failed(made.error(), gitlab.wait_hint());
}

// Never the last runner of a project, nor where that cannot be known.
Task<Verdict> Acting::pause(store::Act act, gitlab::Gitlab& gitlab, std::string payload) {
  const json j = json::parse(payload, nullptr, false);
  std::vector<int64_t> projects;
  if (j.is_object() && j.contains("projects") && j["projects"].is_array())
    for (const auto& id : j["projects"])
      if (id.is_number_integer() && projects.size() < kProjectsAsked)
        projects.push_back(id.get<int64_t>());
  if (projects.empty()) co_return ended(act, "refused", "its projects are not known");
  for (const int64_t project : projects) {
    const auto runners = co_await gitlab.project_runners(project);
    if (!runners.ok()) {
      if (for_good(runners.error()))
        co_return ended(
            act, "refused",
            "whether it is the last runner cannot be known: " + runners.error().to_string());
      co_return failed(runners.error(), gitlab.wait_hint());
    }
    if (!another_runner(*runners, act.runner_id))
      co_return ended(act, "refused",
                      "it is the last active runner of project " + std::to_string(project));
  }
  const auto paused = co_await gitlab.pause_runner(act.runner_id);
  if (paused.ok()) co_return ended(act, "done", "");
  if (for_good(paused.error())) co_return ended(act, "refused", paused.error().to_string());
  co_return failed(paused.error(), gitlab.wait_hint());
}

Verdict Acting::ended(store::Act act, std::string state, std::string detail, int64_t made) {
  act.state = std::move(state);
  act.detail = std::move(detail);
  act.made = made;
  act.ended_at = clock_.now();
  const bool done = act.state == "done";
  ++(!done ? counters_.refused : act.what == kPause ? counters_.pauses : counters_.retries);
  Verdict out;
  out.outcome.audit.push_back(audit_of(act, done ? "done" : "failed: " + act.detail, act.ended_at));
  if (act.what == kPause)
    log::warning(done ? "a runner was paused" : "a runner is not paused",
                 {{"runner", act.runner_id}, {"why", done ? act.why : act.detail}});
  out.outcome.ended = std::move(act);
  return out;
}

}  // namespace gitaiops::acting
