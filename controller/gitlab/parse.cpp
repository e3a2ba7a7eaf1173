#include "controller/gitlab/parse.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::gitlab {
namespace {

using nlohmann::json;

// The member, or null: GitLab writes null, leaves fields out, and changes neither in a way a reader
// should care about.
const json& at(const json& object, const char* key) {
  static const json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}
std::string text(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}
int64_t number(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}
bool flag(const json& object, const char* key, bool otherwise = false) {
  const json& value = at(object, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}
UnixMicros time(const json& object, const char* key) {
  return parse_rfc3339(text(object, key)).value_or(UnixMicros{});
}

// Runs `read` over the parsed text; the library's exceptions end here.
template <class T, class Read>
Result<T> parsed(std::string_view body, Read read) {
  const json document = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Error{Code::internal, "the answer is not JSON"};
  return read(document);
}

template <class T>
Result<std::vector<T>> each(const json& document, Result<T> (*read)(const json&)) {
  if (!document.is_array()) return Error{Code::internal, "the answer is not a list"};
  std::vector<T> out;
  for (const json& item : document) {
    ASSIGN_OR_RETURN(auto value, read(item));
    out.push_back(std::move(value));
  }
  return out;
}

Error lacking(const char* what) {
  return {Code::internal, std::string("the answer is not a ") + what};
}

Visibility visibility(const std::string& word) {
  if (word == "public") return Visibility::public_;
  return word == "internal" ? Visibility::internal : Visibility::private_;
}

Result<Project> project(const json& j) {
  Project out;
  out.id = number(j, "id");
  out.path = text(j, "path_with_namespace");
  out.web_url = text(j, "web_url");
  if (out.id <= 0 || out.path.empty()) return lacking("project");
  out.default_branch = text(j, "default_branch");
  out.forked_from_id = number(at(j, "forked_from_project"), "id");
  out.visibility = visibility(text(j, "visibility"));
  const bool public_jobs = flag(j, "public_jobs", flag(j, "public_builds", true));
  out.logs_for_members_only = !public_jobs || text(j, "builds_access_level") == "private";
  return out;
}

Result<Job> job(const json& j) {
  Job out;
  out.id = number(j, "id");
  out.status = text(j, "status");
  if (out.id <= 0 || out.status.empty()) return lacking("job");
  out.name = text(j, "name");
  out.stage = text(j, "stage");
  out.failure_reason = text(j, "failure_reason");
  out.ref = text(j, "ref");
  const json& pipeline = at(j, "pipeline");
  out.sha = text(pipeline, "sha");
  if (out.sha.empty()) out.sha = text(at(j, "commit"), "id");
  out.web_url = text(j, "web_url");
  out.tag = flag(j, "tag");
  out.allow_failure = flag(j, "allow_failure");
  out.started = !text(j, "started_at").empty();
  out.pipeline_id = number(pipeline, "id");
  out.pipeline_source = text(pipeline, "source");
  out.project_id = number(pipeline, "project_id");
  out.runner_id = number(at(j, "runner"), "id");
  out.runner_system_id = text(at(j, "runner_manager"), "system_id");
  out.finished_at = time(j, "finished_at");
  out.user_id = number(at(j, "user"), "id");
  return out;
}

Result<Runner> runner(const json& j) {
  Runner out;
  out.id = number(j, "id");
  if (out.id <= 0) return lacking("runner");
  out.description = text(j, "description");
  out.paused = flag(j, "paused", !flag(j, "active", true));
  out.online = text(j, "status") == "online" || flag(j, "online");
  return out;
}

Result<Pipeline> pipeline(const json& j) {
  Pipeline out;
  out.id = number(j, "id");
  if (out.id <= 0) return lacking("pipeline");
  out.project_id = number(j, "project_id");
  out.status = text(j, "status");
  out.ref = text(j, "ref");
  out.sha = text(j, "sha");
  out.web_url = text(j, "web_url");
  out.updated_at = time(j, "updated_at");
  return out;
}

Result<Bridge> bridge(const json& j) {
  Bridge out{.id = number(j, "id"), .downstream = std::nullopt};
  if (out.id <= 0) return lacking("bridge");
  if (at(j, "downstream_pipeline").is_object()) {
    ASSIGN_OR_RETURN(out.downstream, pipeline(at(j, "downstream_pipeline")));
  }
  return out;
}

Result<User> user(const json& j) {
  User out{.id = number(j, "id"), .username = text(j, "username"), .name = text(j, "name")};
  if (out.id <= 0) return lacking("user");
  return out;
}

Result<Member> member(const json& j) {
  Member out;
  ASSIGN_OR_RETURN(out.user, user(j));
  const auto state = text(j, "state"), membership = text(j, "membership_state");
  out.active = state == "active" && (membership.empty() || membership == "active");
  out.access_level = static_cast<int>(std::clamp<int64_t>(number(j, "access_level"), 0, 1000));
  return out;
}

Result<MergeRequest> merge_request(const json& j) {
  MergeRequest out;
  out.iid = number(j, "iid");
  out.project_id = number(j, "target_project_id");
  if (out.project_id <= 0) out.project_id = number(j, "project_id");
  if (out.iid <= 0 || out.project_id <= 0) return lacking("merge request");
  out.source_project_id = number(j, "source_project_id");
  const std::string full = text(at(j, "references"), "full");
  out.project_path = full.substr(0, full.find('!'));
  out.state = text(j, "state");
  out.source_branch = text(j, "source_branch");
  out.target_branch = text(j, "target_branch");
  out.base_sha = text(at(j, "diff_refs"), "base_sha");
  out.sha = text(j, "sha");
  out.web_url = text(j, "web_url");
  out.updated_at = time(j, "updated_at");
  if (at(j, "author").is_object()) {
    ASSIGN_OR_RETURN(out.author, user(at(j, "author")));
  }
  if (at(j, "reviewers").is_array()) {
    ASSIGN_OR_RETURN(out.reviewers, each<User>(at(j, "reviewers"), user));
  }
  out.title = text(j, "title");
  out.description = text(j, "description");
  for (const json& label : at(j, "labels"))
    if (label.is_string()) out.labels.push_back(label.get<std::string>());
  out.created_at = time(j, "created_at");
  out.merged_at = time(j, "merged_at");
  out.draft = flag(j, "draft");
  if (at(j, "head_pipeline").is_object()) {
    ASSIGN_OR_RETURN(out.head_pipeline, pipeline(at(j, "head_pipeline")));
  }
  return out;
}

Result<FileDiff> file_diff(const json& j) {
  FileDiff out{text(j, "old_path"), text(j, "new_path"), text(j, "diff")};
  if (out.old_path.empty() && out.new_path.empty()) return lacking("list of changes");
  if (out.hunks.size() > kMostDiffBytes) out.hunks.clear();
  return out;
}

Result<Note> note(const json& j) {
  Note out{.id = number(j, "id"),
           .author_id = number(at(j, "author"), "id"),
           .system = flag(j, "system"),
           .body = text(j, "body"),
           .author = text(at(j, "author"), "username"),
           .confidential = flag(j, "confidential") || flag(j, "internal"),
           .created_at = time(j, "created_at")};
  if (out.id <= 0) return lacking("note");
  return out;
}

Result<CommitStatus> commit_status(const json& j) {
  CommitStatus out{.name = text(j, "name"),
                   .state = text(j, "status"),
                   .description = text(j, "description"),
                   .target_url = text(j, "target_url")};
  if (out.name.empty() || out.state.empty()) return lacking("commit status");
  return out;
}

Result<StatusCheck> status_check(const json& j) {
  StatusCheck out{number(j, "id"), text(j, "name"), text(j, "status")};
  if (out.id <= 0) return lacking("status check");
  return out;
}

}  // namespace

Result<Project> parse_project(std::string_view body) {
  return parsed<Project>(body, project);
}
Result<Job> parse_job(std::string_view body) {
  return parsed<Job>(body, job);
}
Result<Pipeline> parse_pipeline(std::string_view body) {
  return parsed<Pipeline>(body, pipeline);
}
Result<MergeRequest> parse_merge_request(std::string_view body) {
  return parsed<MergeRequest>(body, merge_request);
}
Result<User> parse_user(std::string_view body) {
  return parsed<User>(body, user);
}
Result<Member> parse_member(std::string_view body) {
  return parsed<Member>(body, member);
}
Result<std::vector<Member>> parse_members(std::string_view body) {
  return parsed<std::vector<Member>>(body, [](const json& j) { return each<Member>(j, member); });
}
Result<bool> parse_busy(std::string_view body) {
  return parsed<bool>(body, [](const json& j) -> Result<bool> {
    if (!j.is_object()) return lacking("user's status");
    return text(j, "availability") == "busy";
  });
}
Result<int64_t> parse_length(std::string_view body) {
  return parsed<int64_t>(body, [](const json& j) -> Result<int64_t> {
    if (!j.is_array()) return lacking("list");
    return static_cast<int64_t>(j.size());
  });
}
Result<Note> parse_note(std::string_view body) {
  return parsed<Note>(body, note);
}
Result<std::vector<Job>> parse_jobs(std::string_view body) {
  return parsed<std::vector<Job>>(body, [](const json& j) { return each<Job>(j, job); });
}
Result<Runner> parse_runner(std::string_view body) {
  return parsed<Runner>(body, runner);
}
Result<std::vector<FileDiff>> parse_diffs(std::string_view body) {
  return parsed<std::vector<FileDiff>>(body,
                                       [](const json& j) { return each<FileDiff>(j, file_diff); });
}
Result<std::vector<Runner>> parse_runners(std::string_view body) {
  return parsed<std::vector<Runner>>(body, [](const json& j) { return each<Runner>(j, runner); });
}
Result<std::vector<Bridge>> parse_bridges(std::string_view body) {
  return parsed<std::vector<Bridge>>(body, [](const json& j) { return each<Bridge>(j, bridge); });
}
Result<std::vector<MergeRequest>> parse_merge_requests(std::string_view body) {
  return parsed<std::vector<MergeRequest>>(
      body, [](const json& j) { return each<MergeRequest>(j, merge_request); });
}
Result<std::vector<Note>> parse_notes(std::string_view body) {
  return parsed<std::vector<Note>>(body, [](const json& j) { return each<Note>(j, note); });
}

Result<std::vector<Note>> parse_discussion(std::string_view body) {
  return parsed<std::vector<Note>>(body,
                                   [](const json& j) { return each<Note>(at(j, "notes"), note); });
}

Result<CommitStatus> parse_commit_status(std::string_view body) {
  return parsed<CommitStatus>(body, commit_status);
}

Result<std::vector<CommitStatus>> parse_commit_statuses(std::string_view body) {
  return parsed<std::vector<CommitStatus>>(
      body, [](const json& j) { return each<CommitStatus>(j, commit_status); });
}

Result<std::vector<StatusCheck>> parse_status_checks(std::string_view body) {
  return parsed<std::vector<StatusCheck>>(
      body, [](const json& j) { return each<StatusCheck>(j, status_check); });
}

Result<std::vector<Pipeline>> parse_pipelines(std::string_view body) {
  return parsed<std::vector<Pipeline>>(body,
                                       [](const json& j) { return each<Pipeline>(j, pipeline); });
}

Result<std::optional<UnixMicros>> parse_token_expiry(std::string_view body) {
  using Expiry = std::optional<UnixMicros>;
  return parsed<Expiry>(body, [](const json& j) -> Result<Expiry> {
    if (!j.is_object()) return lacking("token");
    const std::string day = text(j, "expires_at");
    if (day.empty()) return Expiry();
    const auto at = parse_rfc3339(day + "T00:00:00Z");
    if (!at) return lacking("token");
    return Expiry(*at);
  });
}

std::string parse_message(std::string_view body) {
  constexpr std::size_t kLongestMessage = 16 << 10;  // nlohmann writes nested values by recursion
  if (body.size() > kLongestMessage) return {};
  const json document = json::parse(body, nullptr, false);
  for (const char* key : {"message", "error_description", "error"}) {
    const json& said = at(document, key);
    if (said.is_null()) continue;
    const std::string words = said.is_string()
                                  ? said.get<std::string>()
                                  : said.dump(-1, ' ', false, json::error_handler_t::replace);
    return truncate_utf8(to_utf8(words), 200);
  }
  return {};
}

std::string note_json(std::string_view body) {
  return json{{"body", body}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string labels_json(const std::vector<std::string>& add,
                        const std::vector<std::string>& remove) {
  const auto joined = [](const std::vector<std::string>& labels) {
    std::string out;
    for (const auto& label : labels) out += (out.empty() ? "" : ",") + label;
    return out;
  };
  json out = json::object();
  if (!add.empty()) out["add_labels"] = joined(add);
  if (!remove.empty()) out["remove_labels"] = joined(remove);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string commit_status_json(const CommitStatus& status, int64_t pipeline) {
  json out = {{"state", status.state},
              {"name", status.name},
              {"description", status.description},
              {"pipeline_id", pipeline}};
  if (!status.target_url.empty()) out["target_url"] = status.target_url;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string status_check_json(std::string_view sha, int64_t check, bool passed) {
  return json{
      {"sha", sha}, {"external_status_check_id", check}, {"status", passed ? "passed" : "failed"}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace gitaiops::gitlab
