// What the projects' histories say, for the note, the triage and the API.
//
// Thread safety: one executor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "controller/api/api.h"
#include "controller/config/config.h"
#include "controller/gitlab/gitlab.h"
#include "controller/history/history.h"
#include "controller/reactions/reactions.h"
#include "controller/store/store.h"

namespace gitaiops::controller {

class Reviewing {
 public:
  using Gitlabs = std::map<std::string, gitlab::Gitlab*>;  // by the id in the configuration

  // Nothing where the configuration wants neither reviewers nor triage. What is given must outlive
  // it.
  static Result<std::unique_ptr<Reviewing>> open(const Config& config, store::Store& store,
                                                 Gitlabs gitlabs, const Clock& clock);

  Task<void> run() { return history_->run(); }
  void stop() { history_->stop(); }
  const history::Counters& counters() const { return history_->counters(); }

  // As history::History::triage_of().
  Task<Result<history::Assessed>> assess(std::string instance, gitlab::MergeRequest merge_request) {
    return history_->triage_of(std::move(instance), std::move(merge_request));
  }
  // The note does without when nothing can be said.
  Task<reactions::Proposal> propose(std::string instance, gitlab::MergeRequest merge_request);
  // What GitLab says the project's path is decides whether the scope allows it: not_found.
  Task<Result<api::Reviewers>> of_paths(store::Scope scope, std::string instance,
                                        std::string project, std::vector<std::string> paths);
  Task<Result<api::Reviewers>> of_merge_request(std::string instance, int64_t project, int64_t iid);

 private:
  Reviewing(store::Store& store, Gitlabs gitlabs, const Clock& clock)
      : store_(store), clock_(clock), gitlabs_(std::move(gitlabs)) {}
  Task<std::vector<history::Wrong>> wrong_reviewers(std::string instance, int64_t project);

  store::Store& store_;
  const Clock& clock_;
  const Gitlabs gitlabs_;
  std::unique_ptr<history::History> history_;
};

}  // namespace gitaiops::controller
