// What models said of changes, in memory.
#pragma once

#include <optional>
#include <vector>

#include "controller/store/store.h"

namespace gitaiops::store {

class MemoryReadings final : public Readings {
 public:
  std::vector<ReadMergeRequest> rows;
  std::optional<Error> failure;

  Task<Result<ReadMergeRequest>> reading(Scope scope, std::string instance, int64_t project_id,
                                         int64_t iid) override {
    if (failure) co_return *failure;
    for (const auto& row : rows)
      if (row.instance == instance && row.project_id == project_id && row.iid == iid &&
          allows(scope, instance, row.project_path))
        co_return row;
    co_return Error(Code::not_found, "nobody read it");
  }
};

}  // namespace gitaiops::store
