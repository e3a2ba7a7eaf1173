// What models said of failed jobs, and what it cost. Part of store.h, whose rules hold here as
// well; include that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::store {

struct PageRequest;
struct ProjectGlob;
template <class T>
struct Page;

// A model's words about a failed job: foreign text, one line each.
struct Explanation {
  std::string explanation, fix;
  std::string owner;       // as a diagnosis names owners, or "unknown"
  std::string confidence;  // "medium", "high"
  struct Line {
    uint64_t number = 0;
    std::string text;
  };
  std::vector<Line> lines;  // of the job's log
};

// What came of asking about a job.
struct ModelAnswer {
  std::string job;  // public id
  std::string instance;
  int64_t project_id = 0;
  std::string prompt;       // with its version: "failure/1"
  std::string fingerprint;  // of the failure; empty: it has none
  std::string content;      // SHA-256 of what was asked, hex
  std::string model;
  int64_t cost_microusd = 0;  // of the answer, when it was asked for
  bool reused = false;        // it was asked for another job
  UnixMicros at;
  std::optional<Explanation> said = std::nullopt;  // nothing: nothing that could be used
};

// One model's use in a project on a day, or a part of it that is added (which may be negative). The
// row without a model is what was reserved and not settled: questions under way, and those that a
// crash cut off.
struct ModelUse {
  int64_t day = 0;  // since 1970-01-01 UTC
  std::string instance;
  int64_t project_id = 0;
  std::string project_path;
  std::string model;
  int64_t requests = 0, prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, cost_microusd = 0;
  int64_t reused = 0, saved_microusd = 0;  // answers that need not be asked for again
};

// Of one day; prompt and output tokens together.
struct ModelLimits {
  int64_t cost_microusd = 0, tokens = 0;
  int64_t project_cost_microusd = 0, project_tokens = 0;
};

struct ModelUseFilter {
  std::optional<std::string> instance, project_path;
  std::optional<int64_t> from_day, to_day;
};

class ModelAnswers {
 public:
  virtual ~ModelAnswers() = default;
  // Of these jobs, by public id, those that have one.
  virtual Task<Result<std::vector<ModelAnswer>>> model_answers(std::vector<std::string> jobs) = 0;
  // The newest to the same content in the project, whatever came of it; else the newest with words
  // about the same failure. Not older than `since`.
  virtual Task<Result<std::optional<ModelAnswer>>> earlier_answer(
      std::string instance, int64_t project_id, std::string prompt, std::string content,
      std::string fingerprint, UnixMicros since) = 0;
  // Adds it to the day, unless that would pass a limit: then false.
  virtual Task<Result<bool>> reserve(ModelUse wish, ModelLimits limits) = 0;
  // The newest days first.
  virtual Task<Result<Page<ModelUse>>> model_use(std::vector<ProjectGlob> scope,
                                                 ModelUseFilter filter, PageRequest page) = 0;
};

}  // namespace gitaiops::store
