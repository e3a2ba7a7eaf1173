#include "controller/reviewing.h"

#include "base/log/log.h"
#include "controller/settings.h"

namespace gitaiops::controller {
namespace {

constexpr int64_t kWrongReviewersBack = 180ll * 24 * 3600 * kMicrosPerSecond;

}  // namespace

Result<std::unique_ptr<Reviewing>> Reviewing::open(const Config& config, store::Store& store,
                                                   Gitlabs gitlabs, const Clock& clock) {
  if (!config.reviewers.enabled && !config.triage.enabled) return std::unique_ptr<Reviewing>();
  std::unique_ptr<Reviewing> made(new Reviewing(store, std::move(gitlabs), clock));
  std::map<std::string, history::Source> sources;
  for (const auto& instance : config.gitlab)
    sources[instance.id] = {made->gitlabs_.at(instance.id), instance.url, instance.token_file,
                            instance.ca_file};
  history::Options options;
  options.folder = config.state.dir / "repositories";
  options.max_bytes = static_cast<uint64_t>(config.reviewers.max_bytes);
  options.most_open_reviews = config.reviewers.most_open_reviews;
  options.wrong = [self = made.get()](std::string instance, int64_t project) {
    return self->wrong_reviewers(std::move(instance), project);
  };
  if (config.triage.enabled) {
    ASSIGN_OR_RETURN(options.triage, triage_rules_of(config));
  }
  ASSIGN_OR_RETURN(made->history_,
                   history::History::open(std::move(options), std::move(sources), clock),
                   "the mirrors of repositories");
  return made;
}

Task<std::vector<history::Wrong>> Reviewing::wrong_reviewers(std::string instance,
                                                             int64_t project) {
  const auto since = clock_.now() + -kWrongReviewersBack;
  const auto told = co_await store_.wrong_reviewers(std::move(instance), project, since);
  std::vector<history::Wrong> out;
  if (told.ok())
    for (const auto& one : *told) out.push_back({one.iid, one.user_id});
  co_return out;
}

Task<Result<api::Reviewers>> Reviewing::of_paths(store::Scope scope, std::string instance,
                                                 std::string project,
                                                 std::vector<std::string> paths) {
  if (instance.empty() && gitlabs_.size() == 1) instance = gitlabs_.begin()->first;
  const auto gitlab = gitlabs_.find(instance);
  if (gitlab == gitlabs_.end())
    co_return Error(Code::invalid_argument, "the parameter 'instance' takes a configured one");
  if (!store::allows(scope, instance, project)) co_return Error(Code::not_found, project);
  CO_ASSIGN_OR_RETURN(const auto found, co_await gitlab->second->project(project));
  if (!store::allows(scope, instance, found.path)) co_return Error(Code::not_found, project);
  history::Question question;
  question.instance = instance;
  question.project_id = found.id;
  question.project_path = found.path;
  question.default_branch = found.default_branch;
  question.paths = std::move(paths);
  CO_ASSIGN_OR_RETURN(auto answer, co_await history_->reviewers(std::move(question)));
  api::Reviewers out;
  out.pending = answer.pending;
  for (auto& one : answer.reviewers)
    out.people.push_back({std::move(one.username), std::move(one.name), std::move(one.reason)});
  co_return out;
}

Task<Result<api::Reviewers>> Reviewing::of_merge_request(std::string instance, int64_t project,
                                                         int64_t iid) {
  const auto gitlab = gitlabs_.find(instance);
  if (gitlab == gitlabs_.end()) co_return Error(Code::not_found, instance);
  CO_ASSIGN_OR_RETURN(auto found, co_await gitlab->second->merge_request(project, iid));
  auto proposal = co_await propose(std::move(instance), std::move(found));
  api::Reviewers out;
  out.pending = proposal.pending;
  for (auto& one : proposal.reviewers)
    out.people.push_back({std::move(one.username), std::move(one.name), std::move(one.reason)});
  co_return out;
}

Task<reactions::Proposal> Reviewing::propose(std::string instance,
                                             gitlab::MergeRequest merge_request) {
  reactions::Proposal out;
  auto answer = co_await history_->reviewers_of(instance, std::move(merge_request));
  if (!answer.ok()) {
    log::warning("no reviewers are proposed now", {{"why", answer.error().to_string()}});
    co_return out;
  }
  out.pending = answer->pending;
  for (auto& one : answer->reviewers)
    out.reviewers.push_back({std::move(one.username), std::move(one.name), std::move(one.reason),
                             std::move(one.place)});
  co_return out;
}

}  // namespace gitaiops::controller
