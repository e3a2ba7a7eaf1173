// What the controller does when something happened:
//
//   A job was reported            → read it at GitLab, and when GitLab agrees that it is over, keep
//   what GitLab said. GitLab says it failed         → bring its merge request's note up to date.
//   GitLab says it passed         → the same, where a note or a failure stands that this may end.
//   GitLab says it was canceled   → silence, but for a note that stands.
//   GitLab does not show it to us → warn once, and ask again for a day.
//   An act on a job was decided or done → likewise, its note tells of it.
//   A model explained a job → likewise. The note was published without waiting for it.
//   A job's checkout was matched against the advisories → likewise, where something bad is in it or
//   a note stands.
//   It is known what a merge request is like, or a model read it → likewise.
//   GitLab is told how merge requests stand → whatever the note says of it.
//   Somebody muted the note → it stays as it is, with a last line that says so.
//   An advisory newly affects a project → the notes of its open merge requests are brought up to
//   date. No GitLab is configured       → compose the note from the report alone and keep it for
//   the API.
//
// Nothing is published on an agent's word: the instance, the project, the job's terminal state and
// the runner are what GitLab says, and the project is one the agent may speak for. The decisions
// are pure (decide.h); their effects run as work of the queue, so they survive a restart, are
// repeated until they succeed, and are audited where they are recorded. Thread safety: one
// executor.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/dependencies/dependencies.h"
#include "controller/gitlab/gitlab.h"
#include "controller/note/note.h"
#include "controller/project_files/project_files.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::reactions {

// Who could review a merge request; `pending`: more will be known soon.
struct Proposal {
  std::vector<note::Reviewer> reviewers;
  bool pending = false;
};

struct Options {
  std::chrono::milliseconds coalesce{700};  // jobs that end together change the note once
  // Asked for each note; nothing: nobody is proposed.
  std::function<Task<Proposal>(std::string instance, gitlab::MergeRequest)> reviewers = {};
  bool reviewers_alone = false;  // are worth a note, also where nothing failed
  // The work that finds out what a merge request is like, by what is known of it; nothing: it is
  // known. Absent: nobody wants to know.
  std::function<std::optional<store::NewWork>(
      const std::string& instance, const gitlab::MergeRequest& merge_request,
      const std::optional<store::TriagedMergeRequest>& known, UnixMicros now)>
      triage = {};
  bool triage_alone = false;  // is worth a note, also where nothing failed
  // The work that has a model explain a failed job, asked for those without words yet; nothing:
  // nobody is asked.
  std::function<std::optional<store::NewWork>(const fleet::v1::JobReport&)> explain = {};
  // The work that has a model read a merge request, by what is known of it and by what its note's
  // readers may see; nothing: it was read, or nobody is asked. Absent: none reads.
  std::function<std::optional<store::NewWork>(
      const std::string& instance, const gitlab::MergeRequest& merge_request,
      const std::optional<store::ReadMergeRequest>& known, const note::View& view)>
      read = {};
  bool reading_alone = false;  // is worth a note, where there is something to look at
  // The work that tells GitLab how a merge request stands, by what its note may say; nothing: its
  // jobs still run. Absent: it is not told.
  std::function<std::optional<store::NewWork>(const store::MergeRequestKey&,
                                              const gitlab::MergeRequest&, const note::View&)>
      status = {};
  // Whether checkouts are matched against advisories now. Absent: they never are.
  std::function<bool()> matching = {};
  // Nothing: no project decides for itself. Outlives the reactions.
  project_files::ProjectFiles* project_files = nullptr;
  // Sections of a note that a project gets only where its own file asks for them.
  std::vector<std::string> unwanted = {};
  int least_severity = note::kHigh;                  // as note::Dependencies
  const dependencies::Accepted* accepted = nullptr;  // nothing: all counts; outlives the reactions
};

class Reactions {
 public:
  // `instances`: by the id in the configuration. Everything given must outlive this.
  Reactions(store::Store& store, const Clock& clock,
            std::map<std::string, gitlab::Gitlab*> instances,
            note::Composer composer = note::Composer(), Options options = {});

  // Registers the handlers of "job.resolve", "note.update" and "notes.refresh".
  void attach(queue::Worker& worker);
  // Turns events of the outbox into work, from where it stopped the last time; returns after
  // stop().
  Task<void> follow();
  void stop();

  Task<queue::Verdict> resolve_job(store::Work work);
  Task<queue::Verdict> update_note(store::Work work);
  Task<queue::Verdict> refresh_notes(store::Work work);
  // What there is to say of a merge request's newest pipeline, as its readers may see it; adds work
  // that what was read leads to.
  Task<Result<note::View>> look(store::MergeRequestKey key, gitlab::MergeRequest merge_request);

 private:
  struct Change;

  Task<Status> follow_once();
  Task<queue::Verdict> publish_nothing(store::Job job);
  Task<queue::Verdict> of_unknown_instance(store::Job job);
  queue::Verdict not_shown_to_us(const store::Job& job, const Error& error, int attempts);
  bool first_time(std::string what);
  Task<Result<std::vector<gitlab::MergeRequest>>> merge_requests_of(gitlab::Gitlab& gitlab,
                                                                    gitlab::Project project,
                                                                    gitlab::Job job);
  Task<Result<std::vector<gitlab::MergeRequest>>> of_branch(gitlab::Gitlab& gitlab,
                                                            gitlab::Project project,
                                                            gitlab::Job job);
  Task<Result<std::vector<gitlab::MergeRequest>>> of_ref(gitlab::Gitlab& gitlab,
                                                         gitlab::Project project, gitlab::Job job,
                                                         int64_t iid);
  Task<Result<std::vector<store::MergeRequestKey>>> permitted(
      gitlab::Gitlab& gitlab, std::string instance, int64_t project_id,
      std::vector<gitlab::MergeRequest> found, store::Scope scope);
  Task<queue::Verdict> settle(store::Job job, gitlab::Gitlab& gitlab, gitlab::Project project,
                              gitlab::Job at_gitlab, store::Scope scope, int recheck);
  Task<Result<bool>> ends_something(store::Job job, int64_t pipeline_project, int64_t pipeline,
                                    store::MergeRequestKey key);
  std::vector<std::string> accepted_in(const std::string& instance, const std::string& project,
                                       const std::vector<store::Found>& found) const;
  Task<Result<bool>> has_vulnerabilities(store::Job job, std::string ref);
  Task<Result<std::optional<note::Dependencies>>> dependencies(gitlab::Gitlab& gitlab,
                                                               store::MergeRequestKey key,
                                                               gitlab::MergeRequest merge_request,
                                                               gitlab::Project target);
  // Whether the advisories have still to be asked about what was checked out for a pipeline.
  Task<Result<bool>> matching_pends(store::MergeRequestKey key, gitlab::MergeRequest merge_request,
                                    gitlab::Project ran_in);
  void tell_status(const store::MergeRequestKey& key, const gitlab::MergeRequest& merge_request,
                   const note::View& view, int64_t pipeline, std::vector<store::NewWork>& work);
  Task<Result<std::optional<store::Matched>>> source_of(gitlab::Gitlab& gitlab,
                                                        store::MergeRequestKey key,
                                                        gitlab::MergeRequest merge_request,
                                                        gitlab::Project target);
  Task<Result<std::optional<triage::Triage>>> triage_of(store::MergeRequestKey key,
                                                        gitlab::MergeRequest merge_request,
                                                        std::vector<store::NewWork>& work);
  Task<Status> add_reading(const store::MergeRequestKey& key,
                           const gitlab::MergeRequest& merge_request, note::View& view,
                           std::optional<store::NewWork>& ask);
  Task<Result<project_file::ProjectFile>> own_file_of(gitlab::Gitlab& gitlab,
                                                      store::MergeRequestKey key);
  void heed(const project_file::ProjectFile& file, note::View& view) const;
  Task<Status> add_guidelines(gitlab::Gitlab& gitlab, const store::MergeRequestKey& key,
                              const gitlab::MergeRequest& merge_request,
                              std::vector<project_file::Guideline> own, note::View& view);
  Task<Status> add_what_is_usual(const store::MergeRequestKey& key, const std::string& branch,
                                 note::View& view);
  Task<Result<note::View>> view_of(gitlab::Gitlab& gitlab, store::MergeRequestKey key,
                                   gitlab::MergeRequest merge_request);
  Task<Result<std::vector<note::JobView>>> jobs_of(std::vector<gitlab::Job> listed,
                                                   store::MergeRequestKey key, int64_t project,
                                                   int64_t pipeline);
  Task<Result<std::vector<gitlab::Pipeline>>> children(gitlab::Gitlab& gitlab, int64_t project,
                                                       int64_t pipeline);
  Task<queue::Verdict> write_note(gitlab::Gitlab& gitlab, store::MergeRequestKey key,
                                  gitlab::MergeRequest merge_request, store::Note note,
                                  std::string body, store::AuditRecord audit);
  Task<Result<Change>> publish(gitlab::Gitlab& gitlab, gitlab::MergeRequest merge_request,
                               int64_t note_id, std::string marker, std::string body);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  note::Composer composer_;
  Options options_;
  Event stopped_;
  std::set<std::string> told_;  // what was warned of since the start
};

}  // namespace gitaiops::reactions
