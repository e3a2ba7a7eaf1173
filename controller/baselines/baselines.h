// Answers an agent that asks what a job is called and what its passing runs print. The name is
// GitLab's word, and the project must be one the agent may speak for; what cannot be answered soon
// is not answered. Remembers a few names, so that the two questions an agent has of one job ask
// GitLab once. Thread safety: one executor.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/store/store.h"

namespace gitaiops::baselines {

class Baselines {
 public:
  Baselines(store::Store& store, std::map<std::string, gitlab::Gitlab*> instances)
      : store_(store), instances_(std::move(instances)) {}

  Task<std::optional<fleet::v1::Baseline>> answer(std::string agent_id,
                                                  fleet::v1::BaselineRequest request);

 private:
  struct Named {
    int64_t project_id = 0;
    std::string path, job_name;
  };
  Task<std::optional<Named>> name_of(fleet::v1::JobKey key);

  store::Store& store_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  std::map<std::string, Named> known_;  // by "instance/job id"
  std::deque<std::string> order_;       // of known_, oldest first
  int asking_ = 0;
};

}  // namespace gitaiops::baselines
