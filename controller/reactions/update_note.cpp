// note.update: the merge request's note says what its newest pipeline says.
#include <algorithm>
#include <map>

#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {
namespace {

using queue::Verdict;

constexpr std::string_view kActor = "reaction:note";
constexpr int kMaxDepth = 2;  // children and theirs: GitLab allows no deeper
constexpr std::size_t kMaxBridges = 20;
constexpr std::size_t kMostCompared = 50;              // jobs, with those of the target branch
constexpr int64_t kLookAgain = 20 * kMicrosPerSecond;  // for what was not known yet
// An agent's report comes within moments of its job's end, and is matched at once.
constexpr int64_t kReportedWithin = 30 * kMicrosPerSecond;
constexpr int64_t kMatchedWithin = 120 * kMicrosPerSecond;

UnixMicros last_end(const std::vector<gitlab::Job>& jobs) {
  UnixMicros out;
  for (const auto& job : jobs) out = std::max(out, job.finished_at);
  return out;
}

bool awaits_a_report(const note::JobView& job) {
  return !job.report && (job.status == "success" || job.status == "failed");
}

// What there is to do besides, once the note is as it should be.
Verdict with_work(Verdict written, std::vector<store::NewWork> work) {
  if (std::holds_alternative<queue::Done>(written.what))
    written.outcome.follow_up = std::move(work);
  return written;
}

}  // namespace

// What was done at GitLab.
struct Reactions::Change {
  std::string act;  // "note.create", "note.update", "note.adopt"; empty: nothing was to be done
  int64_t note_id = 0;
};

Task<Verdict> Reactions::update_note(store::Work work) {
  Verdict out;
  const auto key = queue::merge_request_in(work.payload);
  if (!key) {
    out.what = queue::GiveUp{"payload of note.update cannot be read"};
    co_return out;
  }
  const auto instance = instances_.find(key->instance);
  if (instance == instances_.end()) {
    out.what =
        queue::GiveUp{"no [[gitlab]] with id \"" + key->instance + "\" is configured any more"};
    co_return out;
  }
  gitlab::Gitlab& gitlab = *instance->second;
  store::AuditRecord audit{.at = clock_.now(),
                           .actor = std::string(kActor),
                           .act = "note.update",
                           .instance = key->instance,
                           .project_id = key->project_id,
                           .object = "merge request " + std::to_string(key->iid) + " of project " +
                                     std::to_string(key->project_id),
                           .outcome = "done"};

  auto merge_request = co_await gitlab.merge_request(key->project_id, key->iid);
  if (!merge_request.ok()) {
    if (merge_request.error().code() == Code::not_found)
      co_return out;  // deleted: nobody is there to tell
    co_return after_error(merge_request.error(), gitlab.wait_hint(), audit);
  }
  auto triaged = co_await triage_of(*key, *merge_request, out.outcome.follow_up);
  if (!triaged.ok()) {
    out.what = queue::Failed{triaged.error()};
    co_return out;
  }
  if (const auto wait = wait_for_head(*merge_request, pipeline_of(work.payload), work.attempts)) {
    out.what = queue::Again{*wait, "GitLab does not show the pipeline at the merge request yet"};
    co_return out;
  }
  if (!merge_request->head_pipeline) co_return out;
  if (!merge_request->project_path.empty())
    audit.object =
        "merge request " + std::to_string(key->iid) + " of " + merge_request->project_path;

  auto prior = co_await store_.note(store::everything(), subject_of(*key));
  if (!prior.ok() && prior.error().code() != Code::not_found) {
    out.what = queue::Failed{prior.error()};
    co_return out;
  }
  store::Note note = prior.ok() ? std::move(*prior) : store::Note();
  const auto muted_by =
      co_await store_.commands().muted_by(key->instance, key->project_id, key->iid);
  if (!muted_by.ok()) {
    out.what = queue::Failed{muted_by.error()};
    co_return out;
  }
  if (!muted_by->empty()) {
    if (options_.status) {
      const auto view = co_await view_of(gitlab, *key, *merge_request);
      if (!view.ok()) co_return after_error(view.error(), gitlab.wait_hint(), audit);
      tell_status(*key, *merge_request, *view, pipeline_of(work.payload), out.outcome.follow_up);
    }
    if (note.gitlab_note_id == 0) co_return out;
    std::string last = note::muted(note.body, *muted_by);
    Verdict written = co_await write_note(gitlab, *key, std::move(*merge_request), std::move(note),
                                          std::move(last), std::move(audit));
    co_return with_work(std::move(written), std::move(out.outcome.follow_up));
  }
  auto file = co_await own_file_of(gitlab, *key);
  if (!file.ok()) co_return after_error(file.error(), gitlab.wait_hint(), audit);
  auto view = co_await view_of(gitlab, *key, *merge_request);
  if (!view.ok()) co_return after_error(view.error(), gitlab.wait_hint(), audit);
  tell_status(*key, *merge_request, *view, pipeline_of(work.payload), out.outcome.follow_up);
  heed(*file, *view);
  const Status guided =
      co_await add_guidelines(gitlab, *key, *merge_request, std::move(file->guidelines), *view);
  if (!guided.ok()) co_return after_error(guided.error(), gitlab.wait_hint(), audit);
  const Status usual = co_await add_what_is_usual(*key, merge_request->target_branch, *view);
  if (!usual.ok()) {
    out.what = queue::Failed{usual.error()};
    co_return out;
  }
  view->has_note = !note.body.empty();
  if (view->dependencies) view->dependencies->told_before = note::tells_of_dependencies(note.body);
  Proposal proposal;
  if (options_.reviewers && view->wants("reviewers"))
    proposal = co_await options_.reviewers(key->instance, *merge_request);
  view->reviewers = std::move(proposal.reviewers);
  view->reviewers_alone = options_.reviewers_alone;
  view->triage = std::move(*triaged);
  view->triage_alone = options_.triage_alone;
  std::optional<store::NewWork> read;
  const Status told = co_await add_reading(*key, *merge_request, *view, read);
  if (!told.ok()) {
    out.what = queue::Failed{told.error()};
    co_return out;
  }
  const std::string body = composer_.compose(*view);
  if (read && (!body.empty() || options_.reading_alone))
    out.outcome.follow_up.push_back(std::move(*read));
  if (options_.explain && view->wants("explanation") && !body.empty() &&
      merge_request->state == "opened")
    for (const auto* report : unexplained(*view))
      if (auto ask = options_.explain(*report)) out.outcome.follow_up.push_back(std::move(*ask));
  // What is not known yet comes into the note when it is.
  if (proposal.pending && (!body.empty() || options_.reviewers_alone)) {
    const auto later = clock_.now() + kLookAgain;
    out.outcome.follow_up.push_back(update_note_work(*key, later, pipeline_of(work.payload)));
  }
  if (body.empty()) co_return out;
  Verdict written = co_await write_note(gitlab, *key, std::move(*merge_request), std::move(note),
                                        body, std::move(audit));
  co_return with_work(std::move(written), std::move(out.outcome.follow_up));
}

// Nobody is told that there is nothing wrong before it was looked at.
void Reactions::tell_status(const store::MergeRequestKey& key,
                            const gitlab::MergeRequest& merge_request, const note::View& view,
                            int64_t pipeline, std::vector<store::NewWork>& work) {
  if (!options_.status) return;
  if (view.incomplete) {
    work.push_back(update_note_work(key, clock_.now() + kLookAgain, pipeline));
    return;
  }
  if (auto tell = options_.status(key, merge_request, view)) work.push_back(std::move(*tell));
}

// The note as it is to be, at GitLab and in the store; nothing where it is so.
Task<Verdict> Reactions::write_note(gitlab::Gitlab& gitlab, store::MergeRequestKey key,
                                    gitlab::MergeRequest merge_request, store::Note note,
                                    std::string body, store::AuditRecord audit) {
  Verdict out;
  if (body == note.body && note.gitlab_note_id != 0) co_return out;
  auto change = co_await publish(gitlab, std::move(merge_request), note.gitlab_note_id,
                                 note::marker(place_of(key)), body);
  if (!change.ok()) co_return after_error(change.error(), gitlab.wait_hint(), audit);
  if (change->act.empty()) co_return out;
  if (note.project_path.empty()) {
    auto target = co_await gitlab.project(std::to_string(key.project_id));
    if (target.ok()) note.project_path = target->path;
  }
  note.subject = subject_of(key);
  note.instance = key.instance;
  note.project_id = key.project_id;
  note.body = std::move(body);
  note.gitlab_note_id = change->note_id;
  note.updated_at = clock_.now();
  audit.act = change->act;
  audit.at = clock_.now();
  out.outcome.note = std::move(note);
  out.outcome.audit.push_back(std::move(audit));
  co_return out;
}

Task<Result<note::View>> Reactions::look(store::MergeRequestKey key,
                                         gitlab::MergeRequest merge_request) {
  const auto instance = instances_.find(key.instance);
  if (instance == instances_.end()) co_return Error(Code::not_found, key.instance);
  CO_ASSIGN_OR_RETURN(const auto file, co_await own_file_of(*instance->second, key));
  note::View view;
  if (merge_request.head_pipeline) {
    CO_ASSIGN_OR_RETURN(view, co_await view_of(*instance->second, key, std::move(merge_request)));
  }
  heed(file, view);
  co_return note::for_readers(std::move(view));
}

// What is known of its newest commit; what is not is found out meanwhile, and the note told of it.
Task<Result<std::optional<triage::Triage>>> Reactions::triage_of(
    store::MergeRequestKey key, gitlab::MergeRequest merge_request,
    std::vector<store::NewWork>& work) {
  std::optional<triage::Triage> out;
  if (!options_.triage || merge_request.state != "opened") co_return out;
  std::optional<store::TriagedMergeRequest> known;
  auto found =
      co_await store_.triages().triaged(store::everything(), key.instance, key.project_id, key.iid);
  if (found.ok()) known = std::move(*found);
  if (!known && found.error().code() != Code::not_found) co_return found.error();
  if (auto next = options_.triage(key.instance, merge_request, known, clock_.now()))
    work.push_back(std::move(*next));
  if (known && known->sha == merge_request.sha) out = std::move(known->triage);
  co_return out;
}

Task<Result<note::View>> Reactions::view_of(gitlab::Gitlab& gitlab, store::MergeRequestKey key,
                                            gitlab::MergeRequest merge_request) {
  const gitlab::Pipeline& pipeline = *merge_request.head_pipeline;
  // Old GitLabs do not say where the pipeline ran: in the source project, but for those started in
  // the target.
  int64_t where = pipeline.project_id > 0 ? pipeline.project_id : merge_request.source_project_id;
  auto jobs = co_await gitlab.pipeline_jobs(where, pipeline.id);
  if (!jobs.ok() && jobs.error().code() == Code::not_found && where != key.project_id) {
    where = key.project_id;
    jobs = co_await gitlab.pipeline_jobs(where, pipeline.id);
  }
  if (!jobs.ok()) co_return jobs.error();
  note::View view;
  view.place = place_of(key);
  view.pipeline_status = pipeline.status;
  // Clocks differ: an end that is to come is one a moment ago.
  const int64_t ended_before = std::abs(clock_.now() - last_end(*jobs));
  CO_ASSIGN_OR_RETURN(view.jobs, co_await jobs_of(std::move(*jobs), key, where, pipeline.id));
  CO_ASSIGN_OR_RETURN(const auto started, co_await children(gitlab, where, pipeline.id));
  for (const auto& child : started) {
    auto listed = co_await gitlab.pipeline_jobs(where, child.id);
    if (!listed.ok()) co_return listed.error();
    CO_ASSIGN_OR_RETURN(auto more, co_await jobs_of(std::move(*listed), key, where, child.id));
    std::ranges::move(more, std::back_inserter(view.jobs));
    // A parent that does not wait for its child is green before it.
    if (view.pipeline_status == "success" && !child.status.empty())
      view.pipeline_status = child.status;
  }
  CO_ASSIGN_OR_RETURN(const auto acts,
                      co_await store_.pipeline_acts(key.instance, where, pipeline.id));
  view.acts = acts_of(acts, view.jobs);
  CO_ASSIGN_OR_RETURN(const auto target, co_await gitlab.project(std::to_string(key.project_id)));
  gitlab::Project ran_in = target;
  if (where != key.project_id) {
    CO_ASSIGN_OR_RETURN(ran_in, co_await gitlab.project(std::to_string(where)));
  }
  view.quote_logs = may_quote_logs(ran_in, target);
  // Where no job runs and the pipeline does, GitLab is about to start what comes next.
  view.incomplete =
      ended_before < kReportedWithin &&
      (gitlab::runs_by_itself(pipeline.status) || std::ranges::any_of(view.jobs, awaits_a_report));
  if (options_.status && ended_before < kMatchedWithin && !view.incomplete) {
    CO_ASSIGN_OR_RETURN(view.incomplete, co_await matching_pends(key, merge_request, ran_in));
  }
  CO_ASSIGN_OR_RETURN(view.dependencies,
                      co_await dependencies(gitlab, key, std::move(merge_request), target));
  if (view.dependencies) view.dependencies->least_severity = options_.least_severity;
  co_return view;
}

// What passed runs of the jobs used on the branch that they are to be merged into.
Task<Status> Reactions::add_what_is_usual(const store::MergeRequestKey& key,
                                          const std::string& branch, note::View& view) {
  if (!view.wants("usage")) co_return Status();
  std::vector<std::string> names;
  for (const auto& job : view.jobs)
    if (job.status == "success" && job.report && names.size() < kMostCompared)
      names.push_back(job.name);
  if (names.empty()) co_return Status();
  CO_ASSIGN_OR_RETURN(const auto runs, co_await store_.passed_runs(key.instance, key.project_id,
                                                                   branch, std::move(names)));
  for (auto& job : view.jobs) {
    const auto found = runs.find(job.name);
    if (job.status != "success" || found == runs.end()) continue;
    for (const auto& run : found->second) {
      if (run.wall_us) job.usual.wall_us.push_back(*run.wall_us);
      if (run.memory_peak_bytes) job.usual.memory_bytes.push_back(*run.memory_peak_bytes);
    }
  }
  view.target_branch = branch;
  co_return Status();
}

// One pipeline's jobs as GitLab lists them, each with its report.
Task<Result<std::vector<note::JobView>>> Reactions::jobs_of(std::vector<gitlab::Job> listed,
                                                            store::MergeRequestKey key,
                                                            int64_t project, int64_t pipeline) {
  CO_ASSIGN_OR_RETURN(auto reported,
                      co_await store_.pipeline_jobs(key.instance, project, pipeline));
  const auto older = superseded(listed, reported);
  for (const auto* job : older) {
    store::GitlabFacts facts = *job->gitlab;
    facts.retried = true;
    const Status kept = co_await store_.set_gitlab_facts(job->id, project, std::move(facts));
    if (!kept.ok() && kept.error().code() != Code::not_found) co_return kept.error();
  }
  // Into another project only what its agent was allowed to say there.
  if (project != key.project_id)
    std::erase_if(reported, [&](const store::Job& job) {
      return !job.gitlab || job.gitlab->merge_request != key;
    });
  std::map<int64_t, std::string> ids;
  for (const auto& job : reported) ids[job.key.job_id] = job.id;
  auto views = joined(listed, std::move(reported));
  for (auto& view : views) {
    view.project_id = project;
    view.pipeline_id = pipeline;
    if (view.status != "failed" || !view.report) continue;
    CO_ASSIGN_OR_RETURN(const auto before,
                        co_await store_.seen_before(store::everything(), ids[view.id]));
    view.seen = seen_of(before);
    std::vector<std::string> asked = {ids[view.id]};
    CO_ASSIGN_OR_RETURN(const auto answers,
                        co_await store_.model_answers().model_answers(std::move(asked)));
    if (!answers.empty()) view.explanation = explanation_of(answers.front());
  }
  co_return views;
}

// The pipelines that this one started in its own project, and those that they started.
Task<Result<std::vector<gitlab::Pipeline>>> Reactions::children(gitlab::Gitlab& gitlab,
                                                                int64_t project, int64_t pipeline) {
  std::vector<gitlab::Pipeline> out;
  std::vector<int64_t> parents = {pipeline};
  std::size_t bridges_left = kMaxBridges;
  for (int depth = 0; depth < kMaxDepth && !parents.empty(); ++depth) {
    std::vector<int64_t> next;
    for (const int64_t parent : parents) {
      if (bridges_left == 0) break;
      auto bridges = co_await gitlab.pipeline_bridges(project, parent);
      if (!bridges.ok()) {
        const Code code = bridges.error().code();
        if (code == Code::not_found || code == Code::permission_denied) continue;
        co_return bridges.error();
      }
      for (auto& bridge : *bridges) {
        if (bridges_left == 0) break;
        --bridges_left;
        if (!bridge.downstream || bridge.downstream->project_id != project) continue;
        const int64_t id = bridge.downstream->id;
        if (id == pipeline || std::ranges::find(out, id, &gitlab::Pipeline::id) != out.end())
          continue;
        next.push_back(id);
        out.push_back(std::move(*bridge.downstream));
      }
    }
    parents = std::move(next);
  }
  co_return out;
}

// Edits the note in place: the one we remember, else the one that is ours, else a new one where
// somebody still works.
Task<Result<Reactions::Change>> Reactions::publish(gitlab::Gitlab& gitlab,
                                                   gitlab::MergeRequest merge_request,
                                                   int64_t note_id, std::string marker,
                                                   std::string body) {
  const int64_t project = merge_request.project_id, iid = merge_request.iid;
  if (note_id != 0) {
    const auto updated = co_await gitlab.update_note(project, iid, note_id, body);
    if (updated.ok()) co_return Change{"note.update", note_id};
    if (updated.error().code() != Code::not_found) co_return updated.error();
  }
  CO_ASSIGN_OR_RETURN(const auto us, co_await gitlab.current_user());
  CO_ASSIGN_OR_RETURN(const auto notes, co_await gitlab.notes(project, iid));
  if (const auto* own = own_note(notes, us.id, marker)) {
    if (own->body == body) co_return Change{"note.adopt", own->id};
    const auto updated = co_await gitlab.update_note(project, iid, own->id, body);
    if (updated.ok()) co_return Change{"note.update", own->id};
    if (updated.error().code() != Code::not_found) co_return updated.error();
  }
  if (merge_request.state != "opened") co_return Change();
  CO_ASSIGN_OR_RETURN(const auto made, co_await gitlab.create_note(project, iid, body));
  co_return Change{"note.create", made.id};
}

}  // namespace gitaiops::reactions
