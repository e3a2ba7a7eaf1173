// GitLab's webhook payloads into one value, as far as anything here reacts to them. Fields that are
// missing or of another type than GitLab gives them stay empty; only what is no JSON object with a
// kind is an error. GitLab's own traps are dealt with here: a job's kind is "build" and its
// commit.id is the pipeline's, a merge request's project is target_project_id, system hooks have an
// event_name and sometimes no project id.
//
// Pure; memory is a few times the payload while it is read; nesting beyond 64 is refused. Private
// to this folder. Fuzzed by tests/fuzz/webhooks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::webhooks {

enum class Kind {
  merge_request,
  push,
  tag_push,
  pipeline,
  job,
  note,
  issue,
  deployment,
  release,
  access_token,
  system,
  unknown,
};

struct Build {
  int64_t id = 0;
  std::string status;
};

struct HookEvent {
  Kind kind = Kind::unknown;
  std::string word;  // GitLab's: "merge_request", "user_create"
  int64_t project_id = 0;
  std::string project_path;
  std::string action;  // of merge requests, notes, issues, releases
  std::string state;   // of merge requests; the status of pipelines, jobs, deployments
  std::string ref, sha, old_sha;
  bool system = false;  // not a person's doing
  int64_t number = 0;   // iid of a merge request or issue; id of a pipeline, job, deployment, note
  int64_t pipeline_id = 0;    // of a job
  int64_t merge_request = 0;  // iid: of a pipeline's, of a note's
  int64_t merge_request_project = 0;
  std::string name;           // of an access token, a tag, a job
  std::string expires_at;     // of an access token
  std::vector<Build> builds;  // of a pipeline; at most kMostBuilds
  bool commands = false;      // a line of the note begins as our commands do
  std::string discussion;     // of a note: its GitLab's id; hex digits
};
inline constexpr std::size_t kMostBuilds = 2000;

// invalid_argument: it is not a JSON object, or names no kind.
Result<HookEvent> read_event(std::string_view body);

}  // namespace gitaiops::webhooks
