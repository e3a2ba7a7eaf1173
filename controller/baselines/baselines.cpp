#include "controller/baselines/baselines.h"

#include "base/bytes/bytes.h"

namespace gitaiops::baselines {
namespace {

constexpr std::size_t kNamesKept = 4096;
constexpr int kAskingAtOnce = 16;  // of GitLab, for all agents; beyond, there is no answer
constexpr std::size_t kNameMax = 255;

}  // namespace

Task<std::optional<Baselines::Named>> Baselines::name_of(fleet::v1::JobKey key) {
  const std::string which = key.instance() + "/" + std::to_string(key.job_id());
  if (const auto found = known_.find(which); found != known_.end()) co_return found->second;
  const auto instance = instances_.find(key.instance());
  if (instance == instances_.end() || asking_ >= kAskingAtOnce ||
      instance->second->wait_hint().count() > 0)
    co_return std::nullopt;
  ++asking_;
  const std::string project =
      key.project_id() > 0 ? std::to_string(key.project_id()) : key.project_path();
  const auto at = co_await instance->second->project(project);
  if (!at.ok()) {
    --asking_;
    co_return std::nullopt;
  }
  const auto job = co_await instance->second->job(at->id, key.job_id());
  --asking_;
  if (!job.ok() || job->name.empty()) co_return std::nullopt;
  const Named named{at->id, at->path, truncate_utf8(to_utf8(job->name), kNameMax)};
  if (known_.emplace(which, named).second) order_.push_back(which);
  while (order_.size() > kNamesKept) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  co_return named;
}

Task<std::optional<fleet::v1::Baseline>> Baselines::answer(std::string agent_id,
                                                           fleet::v1::BaselineRequest request) {
  const auto agent = co_await store_.agent(agent_id);
  if (!agent.ok() || agent->revoked_at) co_return std::nullopt;
  const auto named = co_await name_of(request.key());
  if (!named || !store::allows(agent->scope, request.key().instance(), named->path))
    co_return std::nullopt;
  fleet::v1::Baseline out;
  *out.mutable_key() = request.key();
  out.set_job_name(named->job_name);
  out.set_whole(request.templates());
  if (request.templates()) {
    const auto templates =
        co_await store_.baseline(request.key().instance(), named->project_id, named->job_name);
    if (templates.ok()) out.mutable_templates()->Add(templates->begin(), templates->end());
  }
  co_return out;
}

}  // namespace gitaiops::baselines
