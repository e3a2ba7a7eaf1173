// The decisions of the reactions: values in, values out. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/gitlab/gitlab.h"
#include "controller/note/note.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::reactions {

// ---- Work and what it is about ----

inline constexpr std::string_view kResolveJob = "job.resolve";
inline constexpr std::string_view kUpdateNote = "note.update";
inline constexpr std::string_view kRefreshNotes = "notes.refresh";

// The work these events lead to; other types of event lead to none.
std::vector<store::NewWork> work_for(const std::vector<store::Event>& events, UnixMicros now);

store::NewWork resolve_job_work(const std::string& instance, const std::string& job, int recheck,
                                UnixMicros not_before);
// `pipeline`: whose job is the news; 0: not known.
store::NewWork update_note_work(const store::MergeRequestKey& key, UnixMicros not_before,
                                int64_t pipeline = 0);
struct ResolveJob {
  std::string job;  // public id
  int recheck = 0;  // how often a merge request was looked for in vain
};
std::optional<ResolveJob> read_resolve_job(std::string_view payload);
int64_t pipeline_of(std::string_view payload);  // 0: not known
// The notes that stand at merge requests into a project.
store::NewWork refresh_notes_work(const std::string& instance, int64_t project,
                                  UnixMicros not_before);
struct RefreshNotes {
  std::string instance;
  int64_t project = 0;
};
std::optional<RefreshNotes> read_refresh_notes(std::string_view payload);

std::string subject_of(const store::MergeRequestKey& key);  // "mr/<instance>/<project id>/<iid>"
std::string place_of(const store::MergeRequestKey& key);    // "<instance>/<project id>/<iid>"

// ---- What GitLab says of a job ----

enum class Standing { unfinished, passed, failed, silent };
Standing standing(std::string_view gitlab_status);

// How long until GitLab is asked again about a job that it does not call finished; nullopt: it
// never will.
std::optional<std::chrono::microseconds> poll_wait(int attempts);
// A failed job without a merge request is looked at again: people push first and open the merge
// request then.
std::optional<std::chrono::microseconds> recheck_wait(int rechecks);

// GitLab does not show us the project: people add the bot later, so it is asked again for a day,
// less and less often. nullopt: the day is over.
std::optional<std::chrono::microseconds> access_wait(int attempts);

// Why nothing of this report may be published, in words for the audit; nullopt: it may.
std::optional<std::string> objection(const store::Job& job, const store::Scope& scope,
                                     const gitlab::Project& project, const gitlab::Job& at_gitlab);

// "refs/merge-requests/7/head" (or merge, or train) → 7.
std::optional<int64_t> merge_request_of_ref(std::string_view ref);
// The job ran for this very state of the merge request.
bool runs_for(const gitlab::Job& job, const gitlab::MergeRequest& merge_request);

store::GitlabFacts facts_of(const gitlab::Job& job,
                            std::optional<store::MergeRequestKey> merge_request,
                            UnixMicros read_at);

// GitLab puts a new pipeline at its merge request a while after it started; a quick job may fail
// before that. How long until it is asked again, or nullopt: what it says now counts.
std::optional<std::chrono::microseconds> wait_for_head(const gitlab::MergeRequest& merge_request,
                                                       int64_t pipeline, int attempts);

// ---- The note ----

// The jobs of the newest pipeline, each with its report where we have one.
std::vector<note::JobView> joined(const std::vector<gitlab::Job>& jobs,
                                  std::vector<store::Job> reported);
// What the note says of what was seen before; nothing when there is nothing to say.
std::optional<note::Seen> seen_of(const std::optional<store::SeenBefore>& before);
// What the note says of what was done by itself; `jobs` are the newest runs.
std::vector<note::Act> acts_of(const std::vector<store::Act>& acts,
                               const std::vector<note::JobView>& jobs);
// What the note says of a model's words.
std::optional<note::Explanation> explanation_of(const store::ModelAnswer& answer);
// The view's jobs that a model may be asked about: failed, of a note whose readers see logs, and
// without words so far.
std::vector<const fleet::v1::JobReport*> unexplained(const note::View& view);
// Reported jobs that are not in this list of their pipeline because a newer run of them is. `jobs`
// is without superseded runs.
std::vector<const store::Job*> superseded(const std::vector<gitlab::Job>& jobs,
                                          const std::vector<store::Job>& reported);
// Every reader of the merge request may also see the jobs' logs.
bool may_quote_logs(const gitlab::Project& pipeline_project, const gitlab::Project& target);
// What one report alone tells, for a controller without GitLab.
note::View view_of_report(const store::Job& job);
// The note is ours: we wrote it, and it begins with this marker. 0: there is none.
const gitlab::Note* own_note(const std::vector<gitlab::Note>& notes, int64_t our_user,
                             std::string_view marker);

// What to do with work whose call of GitLab failed; `what` is for the audit, and its object for
// whoever reads why the work was given up.
queue::Verdict after_error(const Error& error, std::chrono::microseconds wait_hint,
                           store::AuditRecord what);

}  // namespace gitaiops::reactions
