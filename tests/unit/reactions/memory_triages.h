// Triaged merge requests in memory, in the order in which they came.
#pragma once

#include <optional>
#include <vector>

#include "controller/store/store.h"

namespace gitaiops::store {

class MemoryTriages final : public Triages {
 public:
  std::vector<TriagedMergeRequest> rows;
  std::vector<AuditRecord> planned;
  std::optional<Error> failure;  // of plan_labels
  TriageFilter asked_filter;

  void keep(TriagedMergeRequest one) {
    auto* known = find(one.instance, one.project_id, one.iid);
    if (known == nullptr) return rows.push_back(std::move(one));
    one.labels = known->labels;
    *known = std::move(one);
  }
  void keep(const LabelsOf& of) {
    if (auto* known = find(of.instance, of.project_id, of.iid)) known->labels = of.labels;
  }
  TriagedMergeRequest* find(const std::string& instance, int64_t project_id, int64_t iid) {
    for (auto& row : rows)
      if (row.instance == instance && row.project_id == project_id && row.iid == iid) return &row;
    return nullptr;
  }

  Task<Result<TriagedMergeRequest>> triaged(Scope scope, std::string instance, int64_t project_id,
                                            int64_t iid) override {
    const auto* row = find(instance, project_id, iid);
    if (row == nullptr || !allows(scope, instance, row->project_path))
      co_return Error(Code::not_found, "not triaged");
    co_return *row;
  }
  Task<Result<Page<TriagedMergeRequest>>> triaged_page(Scope scope, TriageFilter filter,
                                                       PageRequest) override {
    asked_filter = std::move(filter);
    Page<TriagedMergeRequest> page;
    for (const auto& row : rows)
      if (allows(scope, row.instance, row.project_path)) page.items.push_back(row);
    co_return page;
  }
  Task<Status> plan_labels(LabelsOf of, AuditRecord audit) override {
    if (failure) co_return *failure;
    keep(of);
    planned.push_back(std::move(audit));
    co_return Status();
  }
};

}  // namespace gitaiops::store
