// GitLab's JSON into our values. Fields we do not read are ignored; missing optional ones stay
// empty; a body without the fields a value stands on is an Error. Private to this folder.
#pragma once

#include <string_view>

#include "controller/gitlab/gitlab.h"

namespace gitaiops::gitlab {

Result<Project> parse_project(std::string_view json);
Result<Job> parse_job(std::string_view json);
Result<std::vector<Job>> parse_jobs(std::string_view json);
Result<Runner> parse_runner(std::string_view json);
Result<std::vector<FileDiff>> parse_diffs(std::string_view json);
Result<std::vector<Runner>> parse_runners(std::string_view json);
Result<std::vector<Bridge>> parse_bridges(std::string_view json);
Result<Pipeline> parse_pipeline(std::string_view json);
Result<MergeRequest> parse_merge_request(std::string_view json);
Result<std::vector<MergeRequest>> parse_merge_requests(std::string_view json);
Result<std::vector<Pipeline>> parse_pipelines(std::string_view json);
// The day at whose beginning the token expires.
Result<std::optional<UnixMicros>> parse_token_expiry(std::string_view json);
Result<User> parse_user(std::string_view json);
Result<Member> parse_member(std::string_view json);
Result<std::vector<Member>> parse_members(std::string_view json);
Result<bool> parse_busy(std::string_view json);
Result<int64_t> parse_length(std::string_view json);  // of a list
Result<Note> parse_note(std::string_view json);
Result<std::vector<Note>> parse_notes(std::string_view json);
Result<std::vector<Note>> parse_discussion(std::string_view json);  // its comments
Result<CommitStatus> parse_commit_status(std::string_view json);
Result<std::vector<CommitStatus>> parse_commit_statuses(std::string_view json);
Result<std::vector<StatusCheck>> parse_status_checks(std::string_view json);
// GitLab's own words in an error's body, made safe and short; empty when it says nothing readable.
std::string parse_message(std::string_view json);
std::string note_json(std::string_view body);
std::string labels_json(const std::vector<std::string>& add,
                        const std::vector<std::string>& remove);
std::string commit_status_json(const CommitStatus& status, int64_t pipeline);
std::string status_check_json(std::string_view sha, int64_t check, bool passed);

}  // namespace gitaiops::gitlab
