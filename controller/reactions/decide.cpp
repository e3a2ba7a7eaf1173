#include "controller/reactions/decide.h"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::reactions {
namespace {

using nlohmann::json;
using std::chrono::microseconds;

// GitLab usually calls a job finished before its runner's last word reaches us; asking is cheap
// while it may be any moment.
constexpr double kFirstPollUs = 250'000;
constexpr double kPollGrowth = 1.3;
constexpr double kQuickPollUs = 1'500'000;
constexpr int kQuickPolls = 60;  // over a minute
constexpr int kSlowPolls = 300;  // an hour more: GitLab ends stuck jobs by then
constexpr int kPolls = 420;      // two hours more
constexpr microseconds kSlowPoll = std::chrono::seconds(15);
constexpr microseconds kSlowestPoll = std::chrono::seconds(60);
constexpr int kAccessTries = 29;  // 1, 2, 4 … 32 minutes, then each hour: a day
constexpr microseconds kHeadPoll = std::chrono::seconds(1);
constexpr int kHeadPolls = 30;
constexpr int64_t kSettle = kMicrosPerSecond;  // GitLab tells of one push several times
constexpr int kLater = 2;                      // priority: nobody waits for it

json parse(std::string_view payload) {
  return json::parse(payload, nullptr, /*allow_exceptions=*/false);
}

bool same_path(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

// ---- Work and what it is about ----

std::vector<store::NewWork> work_for(const std::vector<store::Event>& events, UnixMicros now) {
  std::vector<store::NewWork> out;
  for (const auto& event : events) {
    if (event.type == "job.reported" || event.type == "act.changed" || event.type == "job.told" ||
        event.type == "job.explained" || event.type == "inventory.matched")
      out.push_back(resolve_job_work(event.instance, event.subject, 0, now));
    if (event.type == "vulnerability.found" && event.project_id > 0)
      out.push_back(refresh_notes_work(event.instance, event.project_id, now + kSettle));
    if (event.type != "merge_request.changed" && event.type != "merge_request.triaged" &&
        event.type != "merge_request.read")
      continue;
    const auto iid =
        parse_int(std::string_view(event.subject).substr(event.subject.rfind('/') + 1));
    if (iid)
      out.push_back(update_note_work({event.instance, event.project_id, *iid}, now + kSettle));
  }
  return out;
}

store::NewWork resolve_job_work(const std::string& instance, const std::string& job, int recheck,
                                UnixMicros not_before) {
  const json payload = {{"job", job}, {"recheck", recheck}};
  return {std::string(kResolveJob),
          instance + "/" + job + (recheck > 0 ? "/" + std::to_string(recheck) : ""), payload.dump(),
          not_before};
}

store::NewWork update_note_work(const store::MergeRequestKey& key, UnixMicros not_before,
                                int64_t pipeline) {
  const json payload = {{"instance", key.instance},
                        {"project", key.project_id},
                        {"iid", key.iid},
                        {"pipeline", pipeline}};
  return {std::string(kUpdateNote), place_of(key), payload.dump(), not_before};
}

std::optional<ResolveJob> read_resolve_job(std::string_view payload) {
  const json j = parse(payload);
  if (!j.is_object() || !j.contains("job") || !j["job"].is_string()) return std::nullopt;
  ResolveJob out{.job = j["job"].get<std::string>()};
  if (j.contains("recheck") && j["recheck"].is_number_integer())
    out.recheck = j["recheck"].get<int>();
  return out;
}

int64_t pipeline_of(std::string_view payload) {
  const json j = parse(payload);
  const bool known = j.is_object() && j.contains("pipeline") && j["pipeline"].is_number_integer();
  return known ? j["pipeline"].get<int64_t>() : 0;
}

store::NewWork refresh_notes_work(const std::string& instance, int64_t project,
                                  UnixMicros not_before) {
  const json payload = {{"instance", instance}, {"project", project}};
  return {std::string(kRefreshNotes), instance + "/" + std::to_string(project), payload.dump(),
          not_before, kLater};
}

std::optional<RefreshNotes> read_refresh_notes(std::string_view payload) {
  const json j = parse(payload);
  if (!j.is_object() || !j.contains("instance") || !j["instance"].is_string() ||
      !j.contains("project") || !j["project"].is_number_integer())
    return std::nullopt;
  return RefreshNotes{j["instance"].get<std::string>(), j["project"].get<int64_t>()};
}

std::string place_of(const store::MergeRequestKey& key) {
  return key.instance + "/" + std::to_string(key.project_id) + "/" + std::to_string(key.iid);
}
std::string subject_of(const store::MergeRequestKey& key) {
  return "mr/" + place_of(key);
}

// ---- What GitLab says of a job ----

Standing standing(std::string_view status) {
  if (status == "failed") return Standing::failed;
  if (status == "success") return Standing::passed;
  if (status == "canceled" || status == "skipped") return Standing::silent;
  return Standing::unfinished;
}

std::optional<microseconds> poll_wait(int attempts) {
  if (attempts >= kPolls) return std::nullopt;
  if (attempts >= kSlowPolls) return kSlowestPoll;
  if (attempts >= kQuickPolls) return kSlowPoll;
  double wait = kFirstPollUs;
  for (int i = 1; i < attempts && wait < kQuickPollUs; ++i) wait *= kPollGrowth;
  return microseconds(static_cast<int64_t>(std::min(wait, kQuickPollUs)));
}

std::optional<microseconds> recheck_wait(int rechecks) {
  using std::chrono::minutes;
  static constexpr minutes kWaits[] = {minutes(1), minutes(5), minutes(15)};
  if (rechecks < 0 || rechecks >= static_cast<int>(std::size(kWaits))) return std::nullopt;
  return kWaits[rechecks];
}

std::optional<microseconds> access_wait(int attempts) {
  using std::chrono::minutes;
  if (attempts >= kAccessTries) return std::nullopt;
  return std::min(minutes(1) * (1 << std::clamp(attempts - 1, 0, 6)), minutes(60));
}

std::optional<std::string> objection(const store::Job& job, const store::Scope& scope,
                                     const gitlab::Project& project, const gitlab::Job& at_gitlab) {
  const auto& said = job.report.runner();
  if (job.key.project_id > 0 && job.key.project_id != project.id)
    return "reported for project " + std::to_string(job.key.project_id) + ", GitLab says " +
           std::to_string(project.id);
  if (!job.project_path.empty() && !same_path(job.project_path, project.path))
    return "reported for " + job.project_path + ", GitLab says " + project.path;
  if (!store::allows(scope, job.key.instance, project.path))
    return "its agent may not speak for " + project.path;
  if (at_gitlab.id != job.key.job_id) return std::string("GitLab answered for another job");
  if (at_gitlab.project_id > 0 && at_gitlab.project_id != project.id)
    return "its pipeline belongs to project " + std::to_string(at_gitlab.project_id);
  if (!at_gitlab.started && at_gitlab.runner_id == 0 &&
      standing(at_gitlab.status) != Standing::unfinished)
    return std::string("GitLab says that no runner ever ran it");
  if (!said.system_id().empty() && !at_gitlab.runner_system_id.empty() &&
      said.system_id() != at_gitlab.runner_system_id)
    return "reported from runner system " + said.system_id() + ", GitLab says " +
           at_gitlab.runner_system_id;
  return std::nullopt;
}

std::optional<int64_t> merge_request_of_ref(std::string_view ref) {
  constexpr std::string_view kPrefix = "refs/merge-requests/";
  if (!ref.starts_with(kPrefix)) return std::nullopt;
  ref.remove_prefix(kPrefix.size());
  const auto slash = ref.find('/');
  if (slash == ref.npos) return std::nullopt;
  const auto kind = ref.substr(slash + 1);
  const auto iid = parse_int(ref.substr(0, slash));
  if (!iid || *iid <= 0 || (kind != "head" && kind != "merge" && kind != "train"))
    return std::nullopt;
  return iid;
}

bool runs_for(const gitlab::Job& job, const gitlab::MergeRequest& merge_request) {
  return (!job.sha.empty() && job.sha == merge_request.sha) ||
         (merge_request.head_pipeline && merge_request.head_pipeline->id == job.pipeline_id);
}

std::optional<microseconds> wait_for_head(const gitlab::MergeRequest& merge_request,
                                          int64_t pipeline, int attempts) {
  if (pipeline == 0 || attempts > kHeadPolls) return std::nullopt;
  const auto& head = merge_request.head_pipeline;
  // Of the newest commit there may be two pipelines, and GitLab shows the one it prefers.
  if (head && (head->id >= pipeline || head->sha == merge_request.sha)) return std::nullopt;
  return kHeadPoll;
}

store::GitlabFacts facts_of(const gitlab::Job& job,
                            std::optional<store::MergeRequestKey> merge_request,
                            UnixMicros read_at) {
  store::GitlabFacts out;
  out.status = job.status;
  out.failure_reason = job.failure_reason;
  out.name = job.name;
  out.stage = job.stage;
  out.ref = job.ref;
  out.sha = job.sha;
  out.web_url = job.web_url;
  out.pipeline_id = job.pipeline_id;
  out.allow_failure = job.allow_failure;
  out.runner_id = job.runner_id;
  out.finished_at = job.finished_at;
  out.merge_request = std::move(merge_request);
  out.read_at = read_at;
  return out;
}

// ---- The note ----

std::vector<note::JobView> joined(const std::vector<gitlab::Job>& jobs,
                                  std::vector<store::Job> reported) {
  std::map<int64_t, store::Job*> by_id;
  for (auto& job : reported)
    if (!job.running()) by_id[job.key.job_id] = &job;
  std::vector<note::JobView> out;
  for (const auto& job : jobs) {
    note::JobView& view = out.emplace_back();
    view.id = job.id;
    view.name = job.name;
    view.status = job.status;
    view.failure_reason = job.failure_reason;
    view.web_url = job.web_url;
    view.allow_failure = job.allow_failure;
    if (const auto found = by_id.find(job.id); found != by_id.end()) {
      view.report = std::move(found->second->report);
      view.fetched = found->second->agent_id.empty();
    }
  }
  return out;
}

std::optional<note::Seen> seen_of(const std::optional<store::SeenBefore>& before) {
  if (!before) return std::nullopt;
  note::Seen out;
  out.times = before->times;
  out.or_more = before->times >= store::kTimesCounted;
  out.first_at = before->first_at.value_or(UnixMicros{});
  out.elsewhere_times = before->elsewhere_times;
  out.elsewhere_projects = before->elsewhere_projects;
  out.flaky = before->passed_on_same_sha.has_value();
  if (before->last_passed) {
    out.cure = before->last_passed->same_sha ? note::Seen::Cure::retry : note::Seen::Cure::change;
    out.sha = before->last_passed->sha;
  }
  if (out.times == 0 && out.elsewhere_times == 0 && !out.flaky) return std::nullopt;
  return out;
}

std::vector<note::Act> acts_of(const std::vector<store::Act>& acts,
                               const std::vector<note::JobView>& jobs) {
  std::vector<note::Act> out;
  for (const auto& act : acts) {
    if (act.what != "job.retry") continue;
    note::Act& told = out.emplace_back();
    told.job_name = act.job_name;
    told.category = act.category;
    told.state = act.state;
    told.detail = act.detail;
    told.elsewhere = act.why == "elsewhere";
    told.asked_by = act.asked_by;
    const auto made = std::ranges::find(jobs, act.made, &note::JobView::id);
    if (act.made != 0 && made != jobs.end()) told.status = made->status;
  }
  return out;
}

std::optional<note::Explanation> explanation_of(const store::ModelAnswer& answer) {
  if (!answer.said) return std::nullopt;
  const auto& said = *answer.said;
  note::Explanation out{answer.model, said.explanation, said.fix, said.owner, {}};
  for (const auto& line : said.lines) out.lines.push_back({line.number, line.text});
  return out;
}

std::vector<const fleet::v1::JobReport*> unexplained(const note::View& view) {
  std::vector<const fleet::v1::JobReport*> out;
  if (!view.quote_logs) return out;
  for (const auto& job : view.jobs)
    if (job.status == "failed" && !job.allow_failure && job.report && !job.explanation)
      out.push_back(&*job.report);
  return out;
}

std::vector<const store::Job*> superseded(const std::vector<gitlab::Job>& jobs,
                                          const std::vector<store::Job>& reported) {
  std::map<std::string_view, int64_t> newest;
  std::set<int64_t> listed;
  for (const auto& job : jobs) {
    listed.insert(job.id);
    int64_t& id = newest[job.name];
    id = std::max(id, job.id);
  }
  std::vector<const store::Job*> out;
  for (const auto& job : reported) {
    if (!job.gitlab || job.gitlab->retried || listed.contains(job.key.job_id)) continue;
    const auto found = newest.find(job.gitlab->name);
    if (found != newest.end() && found->second > job.key.job_id) out.push_back(&job);
  }
  return out;
}

bool may_quote_logs(const gitlab::Project& pipeline_project, const gitlab::Project& target) {
  const bool members_only = pipeline_project.logs_for_members_only &&
                            pipeline_project.visibility != gitlab::Visibility::private_;
  return !members_only && pipeline_project.visibility >= target.visibility;
}

note::View view_of_report(const store::Job& job) {
  note::View view;
  view.place = job.key.instance + "/" + std::to_string(job.key.project_id) + "/job-" +
               std::to_string(job.key.job_id);
  note::JobView& only = view.jobs.emplace_back();
  only.id = job.key.job_id;
  only.status = job.report.outcome() == fleet::v1::OUTCOME_FAILED ? "failed" : "";
  only.failure_reason = job.report.failure_reason();
  only.report = job.report;
  return view;
}

const gitlab::Note* own_note(const std::vector<gitlab::Note>& notes, int64_t our_user,
                             std::string_view marker) {
  const auto ours = [&](const gitlab::Note& note) {
    return note.author_id == our_user && !note.system && note.body.starts_with(marker);
  };
  const auto found = std::ranges::find_if(notes, ours);
  return found == notes.end() ? nullptr : &*found;
}

queue::Verdict after_error(const Error& error, microseconds wait_hint, store::AuditRecord what) {
  queue::Verdict out;
  switch (error.code()) {
    case Code::permission_denied:
    case Code::not_found:
    case Code::invalid_argument:
    case Code::unimplemented:
      // Only a person can change this: it stays in the dead letters, and in the audit.
      what.outcome = "failed: " + error.to_string();
      out.what = queue::GiveUp{what.object + ": " + error.to_string() +
                               (error.code() == Code::permission_denied
                                    ? "; the bot needs the role Developer there"
                                    : "")};
      out.outcome.audit.push_back(std::move(what));
      break;
    default:
      out.what = queue::Failed{error, wait_hint};
  }
  return out;
}

}  // namespace gitaiops::reactions
