// job.resolve: a reported job becomes what GitLab says it is, and finds its merge request.
#include <algorithm>

#include "base/log/log.h"
#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {
namespace {

using queue::Verdict;

constexpr std::string_view kActor = "reaction:resolve";
constexpr std::size_t kMaxTold = 10'000;

// "grp/demo"; "project 42" where the host did not know the path.
std::string project_of(const store::Job& job) {
  return job.project_path.empty() ? "project " + std::to_string(job.key.project_id)
                                  : job.project_path;
}

store::AuditRecord audit_of(const store::Job& job, std::string act, std::string outcome,
                            UnixMicros now) {
  return {.at = now,
          .actor = std::string(kActor),
          .act = std::move(act),
          .instance = job.key.instance,
          .project_id = job.key.project_id,
          .object = "job " + std::to_string(job.key.job_id) + " of " + project_of(job),
          .outcome = std::move(outcome)};
}

bool is_refusal(const Error& error) {
  return error.code() == Code::not_found || error.code() == Code::permission_denied;
}

Verdict failed(const Error& error) {
  Verdict out;
  out.what = queue::Failed{error};
  return out;
}

store::MergeRequestKey key_of(const std::string& instance,
                              const gitlab::MergeRequest& merge_request) {
  return {instance, merge_request.project_id, merge_request.iid};
}

}  // namespace

Task<Verdict> Reactions::resolve_job(store::Work work) {
  const auto about = read_resolve_job(work.payload);
  if (!about) co_return failed({Code::invalid_argument, "payload of job.resolve cannot be read"});
  auto job = co_await store_.job(store::everything(), about->job);
  if (!job.ok()) {
    if (job.error().code() == Code::not_found) co_return Verdict();  // retention was faster
    co_return failed(job.error());
  }
  const auto instance = instances_.find(job->key.instance);
  if (instance == instances_.end()) co_return co_await of_unknown_instance(std::move(*job));
  gitlab::Gitlab& gitlab = *instance->second;

  auto agent = co_await store_.agent(job->agent_id);
  if (!agent.ok() && agent.error().code() != Code::not_found) co_return failed(agent.error());
  const bool may_speak = agent.ok() && !agent->revoked_at;
  store::Scope scope = may_speak ? agent->scope : store::Scope();
  // Read at GitLab by ourselves: of this project, and for no other.
  if (job->agent_id.empty()) scope = {{job->key.instance, job->project_path}};

  const std::string which =
      job->key.project_id > 0 ? std::to_string(job->key.project_id) : job->project_path;
  auto project = co_await gitlab.project(which);
  if (!project.ok() && is_refusal(project.error()))
    co_return not_shown_to_us(*job, project.error(), work.attempts);
  if (!project.ok())
    co_return after_error(project.error(), gitlab.wait_hint(),
                          audit_of(*job, "job.read", "", clock_.now()));
  auto at_gitlab = co_await gitlab.job(project->id, job->key.job_id);
  if (!at_gitlab.ok() && at_gitlab.error().code() == Code::permission_denied)
    co_return not_shown_to_us(*job, at_gitlab.error(), work.attempts);
  if (!at_gitlab.ok())
    co_return after_error(at_gitlab.error(), gitlab.wait_hint(),
                          audit_of(*job, "job.read", "", clock_.now()));

  if (const auto why = objection(*job, scope, *project, *at_gitlab)) {
    Verdict refused;
    refused.outcome.audit.push_back(audit_of(*job, "job.refuse", "failed: " + *why, clock_.now()));
    co_return refused;
  }
  if (standing(at_gitlab->status) == Standing::unfinished) {
    const auto wait = poll_wait(work.attempts);
    Verdict later;
    if (wait) {
      later.what = queue::Again{*wait, "GitLab says " + at_gitlab->status};
    } else {
      later.what =
          queue::GiveUp{"GitLab never called it finished, last it was " + at_gitlab->status};
    }
    co_return later;
  }
  co_return co_await settle(std::move(*job), gitlab, std::move(*project), std::move(*at_gitlab),
                            scope, about->recheck);
}

// GitLab agrees that the job is over: keep what it says, and see whose note that concerns.
Task<Verdict> Reactions::settle(store::Job job, gitlab::Gitlab& gitlab, gitlab::Project project,
                                gitlab::Job at_gitlab, store::Scope scope, int recheck) {
  const auto audit = audit_of(job, "job.read", "", clock_.now());
  auto found = co_await merge_requests_of(gitlab, project, at_gitlab);
  if (!found.ok()) co_return after_error(found.error(), gitlab.wait_hint(), audit);
  auto keys = co_await permitted(gitlab, job.key.instance, project.id, std::move(*found), scope);
  if (!keys.ok()) co_return after_error(keys.error(), gitlab.wait_hint(), audit);

  const auto first = keys->empty() ? std::nullopt : std::optional(keys->front());
  auto facts = facts_of(at_gitlab, first, clock_.now());
  const Status kept = co_await store_.set_gitlab_facts(job.id, project.id, std::move(facts));
  if (!kept.ok()) co_return failed(kept.error());

  const auto vulnerable = co_await has_vulnerabilities(job, at_gitlab.ref);
  if (!vulnerable.ok()) co_return failed(vulnerable.error());
  Verdict out;
  // A child pipeline is never the one that GitLab shows at the merge request: no waiting for it.
  const bool child = at_gitlab.pipeline_source == "parent_pipeline";
  const bool has_failed = standing(at_gitlab.status) == Standing::failed;
  for (const auto& key : *keys) {
    // What a merge request is like is found out along with its note, where nothing failed, too.
    bool concerned = has_failed || options_.reviewers_alone || options_.triage ||
                     (options_.read && options_.reading_alone) || options_.status || *vulnerable;
    if (!concerned) {
      auto ends = co_await ends_something(job, project.id, at_gitlab.pipeline_id, key);
      if (!ends.ok()) co_return failed(ends.error());
      concerned = *ends;
    }
    if (concerned)
      out.outcome.follow_up.push_back(
          update_note_work(key, clock_.now() + std::chrono::microseconds(options_.coalesce).count(),
                           child ? 0 : at_gitlab.pipeline_id));
  }
  if (const auto wait = recheck_wait(recheck);
      wait && has_failed && keys->empty() && !at_gitlab.tag)
    out.outcome.follow_up.push_back(
        resolve_job_work(job.key.instance, job.id, recheck + 1, clock_.now() + wait->count()));
  co_return out;
}

// A job that did not fail matters to a note that stands, and to one that is about to be written for
// its pipeline.
Task<Result<bool>> Reactions::ends_something(store::Job job, int64_t pipeline_project,
                                             int64_t pipeline, store::MergeRequestKey key) {
  const auto standing_note = co_await store_.note(store::everything(), subject_of(key));
  if (standing_note.ok() && !standing_note.value().body.empty()) co_return true;
  if (!standing_note.ok() && standing_note.error().code() != Code::not_found)
    co_return standing_note.error();
  CO_ASSIGN_OR_RETURN(const auto others,
                      co_await store_.pipeline_jobs(job.key.instance, pipeline_project, pipeline));
  co_return std::ranges::any_of(others, [](const store::Job& other) {
    return other.gitlab && standing(other.gitlab->status) == Standing::failed;
  });
}

Task<Result<std::vector<gitlab::MergeRequest>>> Reactions::merge_requests_of(
    gitlab::Gitlab& gitlab, gitlab::Project project, gitlab::Job job) {
  if (const auto iid = merge_request_of_ref(job.ref))
    co_return co_await of_ref(gitlab, std::move(project), std::move(job), *iid);
  if (job.tag || job.ref.empty()) co_return std::vector<gitlab::MergeRequest>();
  co_return co_await of_branch(gitlab, std::move(project), std::move(job));
}

// The ref names the merge request, but not the project it leads into: a fork's pipeline runs in the
// fork.
Task<Result<std::vector<gitlab::MergeRequest>>> Reactions::of_ref(gitlab::Gitlab& gitlab,
                                                                  gitlab::Project project,
                                                                  gitlab::Job job, int64_t iid) {
  std::vector<gitlab::MergeRequest> out;
  for (const int64_t target : {project.forked_from_id, project.id}) {
    if (target == 0) continue;
    auto merge_request = co_await gitlab.merge_request(target, iid);
    if (!merge_request.ok()) {
      if (merge_request.error().code() == Code::not_found) continue;
      co_return merge_request.error();
    }
    const bool from_here = merge_request->source_project_id == project.id || target == project.id;
    // An older state of it in the project itself is still that merge request; in a fork it could be
    // a namesake.
    const bool certain =
        runs_for(job, *merge_request) || (target == project.id && project.forked_from_id == 0);
    if (!from_here || !certain) continue;
    out.push_back(std::move(*merge_request));
    break;
  }
  co_return out;
}

Task<Result<std::vector<gitlab::MergeRequest>>> Reactions::of_branch(gitlab::Gitlab& gitlab,
                                                                     gitlab::Project project,
                                                                     gitlab::Job job) {
  const auto from_this_branch = [&](const gitlab::MergeRequest& m) {
    return m.state == "opened" && m.source_project_id == project.id && m.source_branch == job.ref;
  };
  std::vector<gitlab::MergeRequest> out;
  bool any = false;
  for (const int64_t target : {project.id, project.forked_from_id}) {
    if (target == 0) continue;
    auto opened = co_await gitlab.opened_merge_requests(target, job.ref);
    if (!opened.ok()) {
      if (opened.error().code() == Code::not_found && target != project.id)
        continue;  // the parent is not ours to see
      co_return opened.error();
    }
    for (auto& candidate : *opened) {
      if (!from_this_branch(candidate)) continue;
      any = true;
      if (runs_for(job, candidate)) out.push_back(std::move(candidate));
    }
  }
  if (!out.empty() || !any) co_return out;
  // The branch has merge requests at another commit: an older pipeline, or GitLab has not caught up
  // with the push.
  auto by_commit = co_await gitlab.merge_requests_of_commit(project.id, job.sha);
  if (!by_commit.ok()) {
    if (by_commit.error().code() == Code::not_found) co_return out;
    co_return by_commit.error();
  }
  std::ranges::copy_if(*by_commit, std::back_inserter(out), from_this_branch);
  co_return out;
}

// A merge request into another project is only spoken to when the agent may speak for that one too.
Task<Result<std::vector<store::MergeRequestKey>>> Reactions::permitted(
    gitlab::Gitlab& gitlab, std::string instance, int64_t project_id,
    std::vector<gitlab::MergeRequest> found, store::Scope scope) {
  std::vector<store::MergeRequestKey> keys;
  for (const auto& merge_request : found) {
    std::string path = merge_request.project_path;
    if (merge_request.project_id != project_id && path.empty()) {
      CO_ASSIGN_OR_RETURN(const auto target,
                          co_await gitlab.project(std::to_string(merge_request.project_id)));
      path = target.path;
    }
    if (merge_request.project_id == project_id || store::allows(scope, instance, path))
      keys.push_back(key_of(instance, merge_request));
  }
  co_return keys;
}

bool Reactions::first_time(std::string what) {
  if (told_.size() >= kMaxTold) told_.clear();
  return told_.insert(std::move(what)).second;
}

// A token that is not a member, or a member with too little rights: both are answered like this,
// and people put it right when they notice.
Verdict Reactions::not_shown_to_us(const store::Job& job, const Error& error, int attempts) {
  const std::string project = project_of(job);
  const std::string why = error.to_string() + "; add the bot as Developer to " + project +
                          ", or give its token access to it";
  const auto wait = access_wait(attempts);
  const std::string told = job.agent_id + " " + job.key.instance + " " + project;
  if (first_time(told))
    log::warning("GitLab does not show the controller a job", {{"instance", job.key.instance},
                                                               {"project", project},
                                                               {"job", job.key.job_id},
                                                               {"agent", job.agent_id},
                                                               {"why", why}});
  Verdict out;
  if (attempts == 1 || !wait)
    out.outcome.audit.push_back(audit_of(job, "job.read", "failed: " + why, clock_.now()));
  const std::string about = "job " + std::to_string(job.key.job_id) + " of " + project + ": " + why;
  if (wait) {
    out.what = queue::Again{*wait, about};
  } else {
    out.what = queue::GiveUp{about};
  }
  return out;
}

// The agent and we call one GitLab by different names, or it serves one that is not ours.
Task<Verdict> Reactions::of_unknown_instance(store::Job job) {
  if (instances_.empty() || !first_time(job.agent_id + " " + job.key.instance))
    co_return co_await publish_nothing(std::move(job));
  std::string ours;
  for (const auto& [id, unused] : instances_) ours += (ours.empty() ? "" : ", ") + id;
  auto agent = co_await store_.agent(job.agent_id);
  const std::string host =
      agent.ok() && !agent->host_name.empty() ? agent->host_name : job.agent_id;
  const std::string why = "the agent on " + host + " reports jobs of the instance \"" +
                          job.key.instance + "\", which no [[gitlab]] of the controller names (" +
                          ours + "): the id must be the same on both sides";
  log::warning("jobs of an unknown instance get no note",
               {{"instance", job.key.instance}, {"agent", job.agent_id}, {"why", why}});
  auto audit = audit_of(job, "job.read", "failed: " + why, clock_.now());
  auto out = co_await publish_nothing(std::move(job));
  out.outcome.audit.insert(out.outcome.audit.begin(), std::move(audit));
  co_return out;
}

// No GitLab to ask and none to tell: the report alone makes the note, which the API serves.
Task<Verdict> Reactions::publish_nothing(store::Job job) {
  Verdict out;
  auto view = view_of_report(job);
  const auto before = co_await store_.seen_before(store::everything(), job.id);
  if (before.ok()) view.jobs.front().seen = seen_of(*before);
  const std::string body = composer_.compose(view);
  if (body.empty()) co_return out;
  out.outcome.note = store::Note{.subject = "job/" + job.id,
                                 .instance = job.key.instance,
                                 .project_id = job.key.project_id,
                                 .project_path = job.project_path,
                                 .body = body,
                                 .gitlab_note_id = 0,
                                 .updated_at = clock_.now()};
  out.outcome.audit.push_back(audit_of(job, "note.keep", "done", clock_.now()));
  co_return out;
}

}  // namespace gitaiops::reactions
