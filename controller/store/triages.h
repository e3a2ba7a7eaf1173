// What merge requests are like among the changes of their projects, and the labels that this
// controller gave them. Part of store.h, whose rules hold here as well; include that.
//
// Written by finishing work: WorkOutcome::triaged, which appends "merge_request.triaged" when
// something of it is new and leaves the labels of a known one alone, and WorkOutcome::labels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "engines/triage/triage.h"

namespace gitaiops::store {

struct ProjectGlob;
struct PageRequest;
struct AuditRecord;
template <class T>
struct Page;

// What we did with a merge request's labels, so that nothing that a person set is taken away.
struct OwnLabels {
  std::vector<std::string> set;       // by us, and nobody took them away
  std::vector<std::string> declined;  // we set them and somebody took them away, or GitLab refused
  std::vector<std::string> adding, removing;  // decided, and perhaps not done yet
  bool operator==(const OwnLabels&) const = default;
};

struct TriagedMergeRequest {
  std::string instance;
  int64_t project_id = 0, iid = 0;
  std::string project_path, title, web_url;
  std::string sha;    // the commit that was looked at
  std::string input;  // a hash over all that the triage depends on
  std::string basis;  // what risk was learnt from
  triage::Triage triage;
  OwnLabels labels = {};
  UnixMicros at;
};

struct LabelsOf {
  std::string instance;
  int64_t project_id = 0, iid = 0;
  OwnLabels labels;
};

// Fields that are absent match anything.
struct TriageFilter {
  std::optional<std::string> instance, project_path;
  std::optional<triage::Level> least_risk;
};

class Triages {
 public:
  virtual ~Triages() = default;
  // not_found also when out of scope.
  virtual Task<Result<TriagedMergeRequest>> triaged(std::vector<ProjectGlob> scope,
                                                    std::string instance, int64_t project_id,
                                                    int64_t iid) = 0;
  // The one that was triaged first, last.
  virtual Task<Result<Page<TriagedMergeRequest>>> triaged_page(std::vector<ProjectGlob> scope,
                                                               TriageFilter filter,
                                                               PageRequest page) = 0;
  // Keeps the labels of a merge request, with the audit record of what is going to be done.
  // not_found: it was not triaged.
  virtual Task<Status> plan_labels(LabelsOf labels, AuditRecord audit) = 0;
};

}  // namespace gitaiops::store
