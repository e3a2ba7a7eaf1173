// Finds out what merge requests are like among the changes of their projects, keeps it, and gives
// them labels where that is wanted:
//
//   Its note is brought up to date, and its commit, title, description or labels are new
//     → "merge_request.triage": its history is asked, what it says is kept, and the note told.
//   That was kept, and labels are wanted
//     → "merge_request.label": those of the allow-list that fit are set, those of ours that do not
//       fit any more are taken away.
//
// People come first: a label that we did not set is never taken away, one that somebody took away
// is not set again, and where a person set one of a scope, none of that scope is set. What is to be
// done to labels is committed with its audit record before GitLab is asked; what was decided and
// perhaps not done is done once more: setting a label twice is setting it once.
//
// A merge request whose history cannot be read goes without; its note never waits for this.
// Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/history/history.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::triaging {

struct Options {
  // By history::History::triage_of().
  std::function<Task<Result<history::Assessed>>(std::string instance, gitlab::MergeRequest)> assess;
  std::vector<std::string> labels = {};  // that may be set; empty: labels are left alone
  std::string version = {};  // of rules and labels: with another, all is looked at again
};

// What the triage of a merge request depends on, as a hash; `own`: our labels, which it does not.
std::string input_of(const gitlab::MergeRequest& merge_request, const store::OwnLabels& own,
                     const std::string& version);

class Triaging {
 public:
  struct Counters {
    int64_t triaged = 0, unknown = 0;  // merge requests
    int64_t labels_set = 0, labels_removed = 0, labels_refused = 0;
  };
  // Everything given must outlive this.
  Triaging(store::Store& store, const Clock& clock,
           std::map<std::string, gitlab::Gitlab*> instances, Options options)
      : store_(store),
        clock_(clock),
        instances_(std::move(instances)),
        options_(std::move(options)) {}

  // Registers the handlers of "merge_request.triage" and "merge_request.label".
  void attach(queue::Worker& worker);
  // Nothing: what is known of it is up to date.
  std::optional<store::NewWork> work_for(const std::string& instance,
                                         const gitlab::MergeRequest& merge_request,
                                         const std::optional<store::TriagedMergeRequest>& known,
                                         UnixMicros now) const;
  const Counters& counters() const { return counters_; }

  Task<queue::Verdict> find_out(store::Work work);
  Task<queue::Verdict> label(store::Work work);

 private:
  Task<queue::Verdict> set_labels(gitlab::Gitlab& gitlab, store::TriagedMergeRequest known);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  const Options options_;
  Counters counters_;
};

}  // namespace gitaiops::triaging
