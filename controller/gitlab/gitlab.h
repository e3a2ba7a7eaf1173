// GitLab's REST API, as far as we use it: reading what a job, pipeline and merge request are,
// keeping one note and one status, answering comments, and two acts: retrying a job and pausing a
// runner.
//
// Errors, the same for each call:
// - not_found: 404; it is not there, or our token may not see it.
// - permission_denied: 403; trying again will not help until somebody changes rights.
// - unauthenticated: 401; likewise.
// - already_exists: 409; somebody changed it at the same time: again later.
// - resource_exhausted: 429, or we hold back because of one; wait_hint() says for how long.
// - unavailable: 5xx, no connection, or the circuit breaker is open; likewise.
// - deadline_exceeded: no answer in time.
// - invalid_argument: any other 4xx.
// - internal: an answer that we do not understand.
// Thread safety: one executor, as Outgoing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/outgoing/outgoing.h"
#include "base/result/result.h"

namespace gitaiops::gitlab {

enum class Visibility { private_, internal, public_ };

struct Project {
  int64_t id = 0;
  std::string path;  // "group/sub/project"
  std::string web_url;
  int64_t forked_from_id = 0;  // 0: not a fork, or we may not see its parent
  Visibility visibility = Visibility::private_;
  bool logs_for_members_only = false;  // job logs have fewer readers than the project
  std::string default_branch = {};     // empty: an empty repository
};

struct Job {
  int64_t id = 0;
  std::string name, stage, status, failure_reason, ref, sha, web_url;
  bool tag = false;
  bool allow_failure = false;
  bool started = false;  // a runner has ever run it
  int64_t pipeline_id = 0;
  std::string pipeline_source;   // GitLab's word: "push", "parent_pipeline", …; empty: not said
  int64_t project_id = 0;        // of its pipeline; 0 when GitLab is too old to say
  int64_t runner_id = 0;         // 0: none, or the runner is gone
  std::string runner_system_id;  // empty before GitLab 16
  UnixMicros finished_at;        // 0 while it runs
  int64_t user_id = 0;           // who started it; of a retry, who retried
};

// Whether a job or a pipeline of this status may still run without anybody's doing.
constexpr bool runs_by_itself(std::string_view status) {
  constexpr std::string_view kWords[] = {"created",   "waiting_for_resource",
                                         "preparing", "waiting_for_callback",
                                         "pending",   "running",
                                         "canceling", "scheduled"};
  return std::ranges::find(kWords, status) != std::end(kWords);
}

struct Runner {
  int64_t id = 0;
  std::string description;
  bool paused = false;
  bool online = false;
};

// A job's log as GitLab keeps it.
struct Trace {
  std::string text;
  bool whole = true;  // false: there is more than was asked for
};

struct File {
  std::string text;   // empty where it has more bytes than were asked for
  bool whole = true;  // false: it has more
};

struct Pipeline {
  int64_t id = 0;
  int64_t project_id = 0;  // 0 when GitLab does not say
  std::string status, ref, sha, web_url;
  UnixMicros updated_at;  // 0 when GitLab does not say
};

// A job that starts another pipeline.
struct Bridge {
  int64_t id = 0;
  std::optional<Pipeline> downstream;  // nothing: not started, or not ours to see
};

struct User {
  int64_t id = 0;
  std::string username;
  std::string name = {};  // as people read it
};

// Whoever may act in a project, by her own membership or a group's.
struct Member {
  User user;
  bool active = false;   // not blocked, not deactivated
  int access_level = 0;  // GitLab's: 30 developer, 40 maintainer, 50 owner
};
inline constexpr int kDeveloper = 30;

struct MergeRequest {
  int64_t iid = 0;
  int64_t project_id = 0;  // the target project
  int64_t source_project_id = 0;
  std::string project_path;  // the target project's; empty when GitLab does not say
  std::string state;         // "opened", "closed", "merged", "locked"
  std::string source_branch, target_branch, sha, web_url;
  std::string base_sha;  // where the source branch left the target; empty when GitLab does not say
  UnixMicros updated_at;
  std::optional<Pipeline> head_pipeline;  // only merge_request() fills it
  User author = {};
  std::vector<User> reviewers = {};  // who was asked to look at it
  std::string title = {}, description = {};
  std::vector<std::string> labels = {};
  UnixMicros created_at = {}, merged_at = {};  // 0: not, or GitLab does not say
  bool draft = false;
};

// A file that a merge request touches.
struct FileDiff {
  std::string old_path, new_path;  // the same but for one that was renamed
  // Its hunks as `git diff` writes them, without the head; empty where GitLab does not show them
  // (too large, not text) and where they have more than kMostDiffBytes.
  std::string hunks;
};
inline constexpr std::size_t kMostDiffBytes = 256 << 10;

struct Note {
  int64_t id = 0;
  int64_t author_id = 0;
  bool system = false;
  std::string body;
  std::string author = {};    // user name
  bool confidential = false;  // not for all who may read the merge request
  UnixMicros created_at = {};
};

// What somebody other than a job says of a commit in a pipeline.
struct CommitStatus {
  std::string name;
  std::string state;  // we set "success" and "failed" only: they end it
  std::string description, target_url;
};

// A question that GitLab (Ultimate) asks of a service about a merge request's newest commit.
struct StatusCheck {
  int64_t id = 0;
  std::string name;
  std::string status;  // "pending", "passed", "failed"
};

inline constexpr std::size_t kMostListed = 5000;  // of any list; a merge request has no more notes

inline constexpr std::size_t kMostDiffs = 200;

class Gitlab {
 public:
  virtual ~Gitlab() = default;

  // `id_or_path`: "42" or "group/project".
  virtual Task<Result<Project>> project(std::string id_or_path) = 0;
  virtual Task<Result<Job>> job(int64_t project, int64_t id) = 0;
  virtual Task<Result<Pipeline>> pipeline(int64_t project, int64_t id) = 0;
  // Without the runs that a retry superseded.
  virtual Task<Result<std::vector<Job>>> pipeline_jobs(int64_t project, int64_t pipeline) = 0;
  // With them.
  virtual Task<Result<std::vector<Job>>> all_pipeline_jobs(int64_t project, int64_t pipeline) = 0;
  // The newest hundred of the project that failed.
  virtual Task<Result<std::vector<Job>>> failed_jobs(int64_t project) = 0;
  // At most `max_bytes` from its beginning; asks for no more where GitLab can give a part.
  virtual Task<Result<Trace>> trace(int64_t project, int64_t job, std::size_t max_bytes) = 0;
  // A file on the default branch, as it is; not_found: the project has none of that name.
  virtual Task<Result<File>> file(int64_t project, std::string path, std::size_t max_bytes) = 0;
  // The new run. GitLab refuses (permission_denied) one that was retried already. Not repeated by
  // itself when its fate is unknown.
  virtual Task<Result<Job>> retry_job(int64_t project, int64_t job) = 0;
  // Those that may take the project's jobs, as far as our token may see them.
  virtual Task<Result<std::vector<Runner>>> project_runners(int64_t project) = 0;
  virtual Task<Result<Runner>> pause_runner(int64_t runner) = 0;
  // Without superseded runs; they are not among pipeline_jobs().
  virtual Task<Result<std::vector<Bridge>>> pipeline_bridges(int64_t project, int64_t pipeline) = 0;
  virtual Task<Result<MergeRequest>> merge_request(int64_t project, int64_t iid) = 0;
  // Adds and takes away labels; the others stay as they are. Done twice it is as done once.
  virtual Task<Result<MergeRequest>> change_labels(int64_t project, int64_t iid,
                                                   std::vector<std::string> add,
                                                   std::vector<std::string> remove) = 0;
  // Those into `project`, from a branch of that name in any project.
  virtual Task<Result<std::vector<MergeRequest>>> opened_merge_requests(
      int64_t project, std::string source_branch) = 0;
  virtual Task<Result<std::vector<MergeRequest>>> merge_requests_of_commit(int64_t project,
                                                                           std::string sha) = 0;
  // What changed in the project after one time and before another, the longest unchanged first; at
  // most kMostListed of each.
  virtual Task<Result<std::vector<MergeRequest>>> changed_merge_requests(int64_t project,
                                                                         UnixMicros after,
                                                                         UnixMicros before) = 0;
  virtual Task<Result<std::vector<Pipeline>>> changed_pipelines(int64_t project, UnixMicros after,
                                                                UnixMicros before) = 0;
  // What a merge request changes, by file; the first kMostDiffs.
  virtual Task<Result<std::vector<FileDiff>>> diffs(int64_t project, int64_t iid) = 0;
  // Nothing: our token does not expire.
  virtual Task<Result<std::optional<UnixMicros>>> token_expiry() = 0;
  // Who our token is. Asked once and remembered.
  virtual Task<Result<User>> current_user() = 0;
  virtual Task<Result<std::vector<Member>>> members(int64_t project) = 0;
  // not_found: she is none.
  virtual Task<Result<Member>> member(int64_t project, int64_t user) = 0;
  virtual Task<Result<std::vector<Member>>> group_members(std::string path) = 0;
  // "busy" is what people set when they are away.
  virtual Task<Result<bool>> is_busy(int64_t user) = 0;
  // Open merge requests that wait for this reviewer, as far as our token sees them; counted to 100.
  virtual Task<Result<int64_t>> open_reviews(int64_t user) = 0;
  virtual Task<Result<std::vector<Note>>> notes(int64_t project,
                                                int64_t merge_request) = 0;  // oldest first
  virtual Task<Result<Note>> note(int64_t project, int64_t merge_request, int64_t id) = 0;
  // Not repeated by itself when its fate is unknown: look for the note before trying again.
  virtual Task<Result<Note>> create_note(int64_t project, int64_t merge_request,
                                         std::string body) = 0;
  virtual Task<Result<Note>> update_note(int64_t project, int64_t merge_request, int64_t id,
                                         std::string body) = 0;

  // The comments of one discussion of a merge request, oldest first. `id` is GitLab's: 40 hex
  // digits.
  virtual Task<Result<std::vector<Note>>> discussion(int64_t project, int64_t merge_request,
                                                     std::string id) = 0;
  // As create_note().
  virtual Task<Result<Note>> reply(int64_t project, int64_t merge_request, std::string discussion,
                                   std::string body) = 0;

  // The newest of each name. `sha` is the pipeline's.
  virtual Task<Result<std::vector<CommitStatus>>> commit_statuses(int64_t project, std::string sha,
                                                                  int64_t pipeline,
                                                                  std::string name) = 0;
  // Takes the place of one of that name. Not repeated by itself when its fate is unknown.
  virtual Task<Result<CommitStatus>> set_commit_status(int64_t project, std::string sha,
                                                       int64_t pipeline, CommitStatus status) = 0;
  // not_found: also where the tier has none.
  virtual Task<Result<std::vector<StatusCheck>>> status_checks(int64_t project, int64_t iid) = 0;
  // already_exists: that is not its newest commit any more.
  virtual Task<Status> answer_status_check(int64_t project, int64_t iid, std::string sha,
                                           int64_t check, bool passed) = 0;

  // How long this host wants to be left alone; 0: not at all.
  virtual std::chrono::microseconds wait_hint() const = 0;
};

struct HttpOptions {
  std::string id;                    // the instance's id in the configuration
  std::string url;                   // "https://gitlab.example" or below a path
  std::filesystem::path token_file;  // read at start, and again when GitLab answers 401
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds first_retry{200};  // then doubled
  // Told of each request that went out: "ok", "limited", "refused" or "error", and how long it
  // took.
  std::function<void(std::string_view result, int64_t took_us)> on_request = {};
};

// Real requests. Idempotent ones are tried up to three times in all while the host's retry budget
// lasts. invalid_argument: the url; else what reading the token file says.
Result<std::unique_ptr<Gitlab>> open_http(HttpOptions options, Outgoing& outgoing,
                                          const Clock& clock);

}  // namespace gitaiops::gitlab
