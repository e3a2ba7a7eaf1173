// What models said of merge requests' changes. Part of store.h, whose rules hold here as well;
// include that.
//
// Written by finishing work: WorkOutcome::read, which appends "merge_request.read" when there are
// words for a commit that had none.
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

// A model's words about a change: foreign text, one line each.
struct Reading {
  triage::Type kind = triage::Type::chore;
  triage::Level risk = triage::Level::low;
  std::string confidence;  // "low", "medium", "high"
  // A place that a reviewer should look at.
  struct Point {
    std::string path;
    int64_t line = 0;      // of the file as it is after the change; of a removed line: before
    bool removed = false;  // the line
    std::string why;
    std::string guideline;  // the project's, that it is about; empty: none
  };
  std::vector<Point> points;
};

// What came of asking about a merge request.
struct ReadMergeRequest {
  std::string instance;
  int64_t project_id = 0, iid = 0;
  std::string project_path;
  std::string sha;      // the commit that was read
  std::string prompt;   // with its version: "change/1"
  std::string content;  // SHA-256 of what was asked, hex
  std::string model;    // empty: nobody was asked, there was nothing to read
  int64_t cost_microusd = 0;
  UnixMicros at;
  std::optional<Reading> said = std::nullopt;  // nothing: nothing that could be used
};

class Readings {
 public:
  virtual ~Readings() = default;
  // The newest. not_found also when out of scope.
  virtual Task<Result<ReadMergeRequest>> reading(std::vector<ProjectGlob> scope,
                                                 std::string instance, int64_t project_id,
                                                 int64_t iid) = 0;
};

}  // namespace gitaiops::store
