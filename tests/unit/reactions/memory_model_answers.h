// What models said and cost, in memory.
#pragma once

#include <map>

#include "controller/store/store.h"

namespace gitaiops::store {

// What was said is set by the test.
class MemoryModelAnswers final : public ModelAnswers {
 public:
  std::map<std::string, ModelAnswer> by_job;
  std::vector<ModelUse> use;
  ModelUseFilter asked;  // the last time

  Task<Result<std::vector<ModelAnswer>>> model_answers(std::vector<std::string> jobs) override {
    std::vector<ModelAnswer> out;
    for (const auto& job : jobs)
      if (by_job.contains(job)) out.push_back(by_job[job]);
    co_return out;
  }
  Task<Result<std::optional<ModelAnswer>>> earlier_answer(std::string, int64_t, std::string,
                                                          std::string, std::string,
                                                          UnixMicros) override {
    std::abort();
  }
  Task<Result<bool>> reserve(ModelUse, ModelLimits) override { std::abort(); }
  Task<Result<Page<ModelUse>>> model_use(Scope scope, ModelUseFilter filter, PageRequest) override {
    asked = filter;
    Page<ModelUse> out;
    for (const auto& one : use)
      if (allows(scope, one.instance, one.project_path)) out.items.push_back(one);
    co_return out;
  }
};

}  // namespace gitaiops::store
