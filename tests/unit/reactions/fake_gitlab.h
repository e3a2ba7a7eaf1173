// A GitLab in memory: what the reactions read is set by the test, what they write is kept, any call
// can be made to fail.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "controller/gitlab/gitlab.h"

namespace gitaiops::gitlab {

class FakeGitlab final : public Gitlab {
 public:
  std::map<int64_t, Project> projects;
  std::map<int64_t, Job> jobs;
  std::map<int64_t, std::vector<Job>> pipelines;                       // by pipeline
  std::map<int64_t, std::vector<Bridge>> bridges;                      // by pipeline
  std::map<std::pair<int64_t, int64_t>, MergeRequest> merge_requests;  // by project, iid
  std::map<int64_t, std::vector<Job>> all_pipelines;             // with superseded runs, where set
  std::map<int64_t, std::vector<Job>> failed;                    // by project
  std::map<int64_t, std::string> traces;                         // by job
  std::map<std::pair<int64_t, std::string>, std::string> files;  // by project, path
  std::map<int64_t, std::vector<Runner>> runners;                // by project
  std::vector<MergeRequest> of_commit;
  std::map<int64_t, std::vector<MergeRequest>> changed;     // by project
  std::map<int64_t, std::vector<Pipeline>> ended;           // by project
  std::vector<std::pair<UnixMicros, UnixMicros>> asked_of;  // what changed
  std::optional<UnixMicros> expiry;
  std::map<int64_t, std::vector<Member>> people;  // by project
  std::map<std::string, std::vector<Member>> groups;
  std::set<int64_t> busy;                      // users
  std::map<int64_t, int64_t> waiting_reviews;  // by user
  std::vector<Note> all_notes;
  std::map<std::string, std::vector<Note>> discussions;
  std::map<std::pair<std::string, std::string>, CommitStatus> statuses;  // by sha, name
  std::vector<StatusCheck> checks;
  std::map<std::string, Error> failures;  // by name of the call
  std::vector<std::string> writes;        // "create", "update 99"
  std::chrono::microseconds hint{0};
  int64_t next_note = 100;
  static constexpr int64_t kBot = 8;

  Task<Result<Project>> project(std::string id_or_path) override {
    if (auto error = failure("project")) co_return *error;
    for (const auto& [id, project] : projects)
      if (std::to_string(id) == id_or_path || project.path == id_or_path) co_return project;
    co_return Error{Code::not_found, "no project " + id_or_path};
  }
  Task<Result<Job>> job(int64_t, int64_t id) override {
    if (auto error = failure("job")) co_return *error;
    if (!jobs.contains(id)) co_return Error{Code::not_found, "no job"};
    co_return jobs[id];
  }
  Task<Result<std::vector<MergeRequest>>> changed_merge_requests(int64_t project, UnixMicros after,
                                                                 UnixMicros before) override {
    if (auto error = failure("changed_merge_requests")) co_return *error;
    asked_of.emplace_back(after, before);
    co_return changed[project];
  }
  Task<Result<std::vector<Pipeline>>> changed_pipelines(int64_t project, UnixMicros,
                                                        UnixMicros) override {
    if (auto error = failure("changed_pipelines")) co_return *error;
    co_return ended[project];
  }
  std::vector<FileDiff> touched;  // by any merge request
  int asked_for_diffs = 0;
  Task<Result<std::vector<FileDiff>>> diffs(int64_t, int64_t) override {
    if (auto error = failure("diffs")) co_return *error;
    ++asked_for_diffs;
    co_return touched;
  }
  Task<Result<std::optional<UnixMicros>>> token_expiry() override {
    if (auto error = failure("token_expiry")) co_return *error;
    co_return expiry;
  }
  Task<Result<Pipeline>> pipeline(int64_t, int64_t) override {
    co_return Error{Code::not_found, "no pipeline"};
  }
  Task<Result<std::vector<Job>>> pipeline_jobs(int64_t, int64_t pipeline) override {
    if (auto error = failure("pipeline_jobs")) co_return *error;
    co_return pipelines[pipeline];
  }
  Task<Result<std::vector<Job>>> all_pipeline_jobs(int64_t, int64_t pipeline) override {
    if (auto error = failure("all_pipeline_jobs")) co_return *error;
    co_return all_pipelines.contains(pipeline) ? all_pipelines[pipeline] : pipelines[pipeline];
  }
  Task<Result<std::vector<Job>>> failed_jobs(int64_t project) override {
    if (auto error = failure("failed_jobs")) co_return *error;
    co_return failed[project];
  }
  Task<Result<Trace>> trace(int64_t, int64_t job, std::size_t) override {
    if (auto error = failure("trace")) co_return *error;
    if (!traces.contains(job)) co_return Error{Code::not_found, "no trace"};
    co_return Trace{traces[job], true};
  }
  Task<Result<File>> file(int64_t project, std::string path, std::size_t max_bytes) override {
    if (auto error = failure("file")) co_return *error;
    const auto found = files.find({project, path});
    if (found == files.end()) co_return Error{Code::not_found, "no file " + path};
    if (found->second.size() > max_bytes) co_return File{"", false};
    co_return File{found->second};
  }
  Task<Result<Job>> retry_job(int64_t, int64_t job) override {
    if (auto error = failure("retry_job")) co_return *error;
    writes.push_back("retry " + std::to_string(job));
    Job made;
    made.id = 1000 + job;
    made.status = "pending";
    co_return made;
  }
  Task<Result<std::vector<Runner>>> project_runners(int64_t project) override {
    if (auto error = failure("project_runners")) co_return *error;
    co_return runners[project];
  }
  Task<Result<Runner>> pause_runner(int64_t runner) override {
    if (auto error = failure("pause_runner")) co_return *error;
    writes.push_back("pause " + std::to_string(runner));
    co_return Runner{runner, "", true, true};
  }
  Task<Result<std::vector<Bridge>>> pipeline_bridges(int64_t, int64_t pipeline) override {
    if (auto error = failure("pipeline_bridges")) co_return *error;
    co_return bridges[pipeline];
  }
  Task<Result<MergeRequest>> merge_request(int64_t project, int64_t iid) override {
    if (auto error = failure("merge_request")) co_return *error;
    if (!merge_requests.contains({project, iid}))
      co_return Error{Code::not_found, "no merge request"};
    co_return merge_requests[{project, iid}];
  }
  Task<Result<MergeRequest>> change_labels(int64_t project, int64_t iid,
                                           std::vector<std::string> add,
                                           std::vector<std::string> remove) override {
    if (auto error = failure("change_labels")) co_return *error;
    auto& labels = merge_requests[{project, iid}].labels;
    for (const auto& label : remove) std::erase(labels, label);
    for (const auto& label : add) {
      writes.push_back("label " + label);
      labels.push_back(label);
    }
    for (const auto& label : remove) writes.push_back("unlabel " + label);
    co_return merge_requests[{project, iid}];
  }
  Task<Result<std::vector<CommitStatus>>> commit_statuses(int64_t, std::string sha, int64_t,
                                                          std::string name) override {
    if (auto error = failure("commit_statuses")) co_return *error;
    std::vector<CommitStatus> out;
    const auto found = statuses.find({sha, name});
    if (found != statuses.end()) out.push_back(found->second);
    co_return out;
  }
  Task<Result<CommitStatus>> set_commit_status(int64_t project, std::string sha, int64_t pipeline,
                                               CommitStatus status) override {
    if (auto error = failure("set_commit_status")) co_return *error;
    writes.push_back("status " + status.state + " of " + std::to_string(project) + "/" + sha + "/" +
                     std::to_string(pipeline));
    co_return statuses[{sha, status.name}] = status;
  }
  Task<Result<std::vector<StatusCheck>>> status_checks(int64_t, int64_t) override {
    if (auto error = failure("status_checks")) co_return *error;
    co_return checks;
  }
  Task<Status> answer_status_check(int64_t, int64_t, std::string sha, int64_t check,
                                   bool passed) override {
    if (auto error = failure("answer_status_check")) co_return *error;
    writes.push_back("check " + std::to_string(check) + (passed ? " passed" : " failed") + " at " +
                     sha);
    for (auto& one : checks)
      if (one.id == check) one.status = passed ? "passed" : "failed";
    co_return Status();
  }
  Task<Result<std::vector<MergeRequest>>> opened_merge_requests(int64_t project,
                                                                std::string branch) override {
    std::vector<MergeRequest> out;
    for (auto [key, merge_request] : merge_requests) {
      merge_request.head_pipeline.reset();  // lists do not have it
      if (key.first == project && merge_request.source_branch == branch &&
          merge_request.state == "opened")
        out.push_back(merge_request);
    }
    co_return out;
  }
  Task<Result<std::vector<MergeRequest>>> merge_requests_of_commit(int64_t, std::string) override {
    co_return of_commit;
  }
  Task<Result<User>> current_user() override {
    if (auto error = failure("current_user")) co_return *error;
    co_return User{kBot, "bot"};
  }
  Task<Result<std::vector<Member>>> members(int64_t project) override {
    if (auto error = failure("members")) co_return *error;
    co_return people[project];
  }
  Task<Result<Member>> member(int64_t project, int64_t user) override {
    if (auto error = failure("member")) co_return *error;
    for (const auto& one : people[project])
      if (one.user.id == user) co_return one;
    co_return Error{Code::not_found, "no member"};
  }
  Task<Result<std::vector<Member>>> group_members(std::string path) override {
    if (!groups.contains(path)) co_return Error{Code::not_found, "no group " + path};
    co_return groups[path];
  }
  Task<Result<bool>> is_busy(int64_t user) override {
    if (auto error = failure("is_busy")) co_return *error;
    co_return busy.contains(user);
  }
  Task<Result<int64_t>> open_reviews(int64_t user) override {
    if (auto error = failure("open_reviews")) co_return *error;
    co_return waiting_reviews[user];
  }
  Task<Result<std::vector<Note>>> notes(int64_t, int64_t) override {
    if (auto error = failure("notes")) co_return *error;
    co_return all_notes;
  }
  Task<Result<Note>> note(int64_t, int64_t, int64_t id) override {
    if (auto error = failure("note")) co_return *error;
    for (const auto& [name, notes] : discussions)
      for (const auto& note : notes)
        if (note.id == id) co_return note;
    co_return Error{Code::not_found, "no note"};
  }
  Task<Result<std::vector<Note>>> discussion(int64_t, int64_t, std::string id) override {
    if (auto error = failure("discussion")) co_return *error;
    if (!discussions.contains(id)) co_return Error{Code::not_found, "no discussion"};
    co_return discussions[id];
  }
  Task<Result<Note>> reply(int64_t, int64_t, std::string id, std::string body) override {
    if (auto error = failure("reply")) co_return *error;
    writes.push_back("reply");
    discussions[id].push_back({next_note++, kBot, false, body});
    co_return discussions[id].back();
  }
  Task<Result<Note>> create_note(int64_t, int64_t, std::string body) override {
    if (auto error = failure("create_note")) co_return *error;
    writes.push_back("create");
    all_notes.push_back({next_note++, kBot, false, body});
    co_return all_notes.back();
  }
  Task<Result<Note>> update_note(int64_t, int64_t, int64_t id, std::string body) override {
    if (auto error = failure("update_note")) co_return *error;
    for (auto& note : all_notes)
      if (note.id == id) {
        writes.push_back("update " + std::to_string(id));
        note.body = body;
        co_return note;
      }
    co_return Error{Code::not_found, "no note"};
  }
  std::chrono::microseconds wait_hint() const override { return hint; }

 private:
  std::optional<Error> failure(const std::string& call) const {
    const auto found = failures.find(call);
    return found == failures.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace gitaiops::gitlab
