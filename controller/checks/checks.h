// Tells GitLab how a merge request stands, so that merging can wait for it:
//
//   Its note is brought up to date, and all jobs of its newest pipeline are over
//     → "merge_request.status": a commit status in that pipeline, the answer to an external status
//       check, or both, as configured.
//
// Said once: what GitLab shows already is not said again, so doing it twice is doing it once. An
// audit record is committed before GitLab is told. Where it refuses (no such role, no such tier,
// no such pipeline any more), that is recorded, logged once, and not tried again until there is
// something new to say. Muted notes and projects without notes have their status all the same:
// merging may wait for it. Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/note/note.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::checks {

struct Options {
  std::string commit_status = {};   // its name; empty: none is set
  std::string external_check = {};  // likewise, as the project calls it
  bool fails_on_jobs = false;
  bool fails_on_vulnerabilities = true;
  // kind: "commit" or "external"; result: "done" or "refused".
  std::function<void(std::string_view kind, std::string_view result)> on_told = {};
};

// How it stands. `words`: one line of counts; whoever sees the pipeline may read it.
struct Opinion {
  bool failed = false;
  std::string words;
};
// Nothing: jobs still run, one that the pipeline needs was canceled, or none ever ran.
std::optional<Opinion> opinion_of(const note::View& view, const Options& options);

class Checks {
 public:
  // Everything given must outlive this.
  Checks(store::Store& store, const Clock& clock, std::map<std::string, gitlab::Gitlab*> instances,
         Options options)
      : store_(store),
        clock_(clock),
        instances_(std::move(instances)),
        options_(std::move(options)) {}

  bool wanted() const {
    return !options_.commit_status.empty() || !options_.external_check.empty();
  }
  // Registers the handler of "merge_request.status".
  void attach(queue::Worker& worker);
  // Nothing: there is nothing to tell yet.
  std::optional<store::NewWork> work_for(const store::MergeRequestKey& key,
                                         const gitlab::MergeRequest& merge_request,
                                         const note::View& view, UnixMicros now) const;

  Task<queue::Verdict> tell(store::Work work);

 private:
  struct Asked;
  struct Act;

  Task<Status> set_status(gitlab::Gitlab& gitlab, Asked asked, store::WorkOutcome& outcome);
  Task<Status> answer_check(gitlab::Gitlab& gitlab, Asked asked, store::WorkOutcome& outcome);
  store::AuditRecord record_of(const Asked& asked, const Act& act) const;
  Task<Status> plan(const Asked& asked, const Act& act);
  // What came of it; an error of those that pass is handed back.
  Status settle(const Asked& asked, const Act& act, Status told, store::WorkOutcome& outcome);
  static std::optional<Asked> read(const std::string& payload);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  const Options options_;
  std::set<std::string> refused_;  // where that was warned of since the start
};

}  // namespace gitaiops::checks
