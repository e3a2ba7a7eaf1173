#include "controller/checks/checks.h"

#include <nlohmann/json.hpp>

#include "base/log/log.h"

namespace gitaiops::checks {
namespace {

using nlohmann::json;

constexpr std::string_view kTell = "merge_request.status";
constexpr std::size_t kMostRefused = 1000;
constexpr std::size_t kLongestUrl = 255;  // GitLab refuses a status with a longer one

std::string place_of(const store::MergeRequestKey& key) {
  return key.instance + "/" + std::to_string(key.project_id) + "/" + std::to_string(key.iid);
}

// Only people can change that.
bool for_good(Code code) {
  return code == Code::permission_denied || code == Code::not_found ||
         code == Code::invalid_argument || code == Code::unimplemented;
}

queue::Verdict failed(Error error, std::chrono::microseconds not_within = {}) {
  return {.what = queue::Failed{std::move(error), not_within}};
}

}  // namespace

// What there is to tell, and of what.
struct Checks::Asked {
  store::MergeRequestKey key;
  std::string project_path;  // of the merge request
  std::string head;          // its newest commit
  std::string url;           // where people read more
  int64_t project = 0;       // the pipeline's
  int64_t pipeline = 0;
  std::string sha;  // the pipeline's: of a merged result, or as `head`
  bool failed = false;
  std::string words;
};

struct Checks::Act {
  std::string name;  // for the audit
  std::string_view kind;
  std::string what;
};

void Checks::attach(queue::Worker& worker) {
  worker.handle(std::string(kTell), [this](store::Work work) { return tell(std::move(work)); });
}

std::optional<store::NewWork> Checks::work_for(const store::MergeRequestKey& key,
                                               const gitlab::MergeRequest& merge_request,
                                               const note::View& view, UnixMicros now) const {
  if (merge_request.state != "opened" || !merge_request.head_pipeline) return std::nullopt;
  const auto opinion = opinion_of(view, options_);
  if (!opinion) return std::nullopt;
  const json payload = {{"instance", key.instance},
                        {"project", key.project_id},
                        {"iid", key.iid},
                        {"path", merge_request.project_path},
                        {"head", merge_request.sha},
                        {"url", merge_request.web_url},
                        {"pipeline_project", view.jobs.front().project_id},
                        {"pipeline", merge_request.head_pipeline->id},
                        {"sha", merge_request.head_pipeline->sha},
                        {"failed", opinion->failed},
                        {"words", opinion->words}};
  return store::NewWork{std::string(kTell), place_of(key),
                        payload.dump(-1, ' ', false, json::error_handler_t::replace), now};
}

std::optional<Checks::Asked> Checks::read(const std::string& payload) {
  const auto j = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!j.is_object()) return std::nullopt;
  try {
    return Asked{.key = {j.at("instance"), j.at("project"), j.at("iid")},
                 .project_path = j.at("path"),
                 .head = j.at("head"),
                 .url = j.at("url"),
                 .project = j.at("pipeline_project"),
                 .pipeline = j.at("pipeline"),
                 .sha = j.at("sha"),
                 .failed = j.at("failed"),
                 .words = j.at("words")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Task<queue::Verdict> Checks::tell(store::Work work) {
  queue::Verdict out;
  auto asked = read(work.payload);
  if (!asked) {
    out.what = queue::GiveUp{"payload of merge_request.status cannot be read"};
    co_return out;
  }
  const auto instance = instances_.find(asked->key.instance);
  if (instance == instances_.end()) co_return out;  // its GitLab is not configured any more
  gitlab::Gitlab& gitlab = *instance->second;
  const auto note = co_await store_.note(store::everything(), "mr/" + place_of(asked->key));
  if (note.ok() && note->gitlab_note_id != 0 && !asked->url.empty())
    asked->url += "#note_" + std::to_string(note->gitlab_note_id);
  if (!options_.commit_status.empty()) {
    const Status set = co_await set_status(gitlab, *asked, out.outcome);
    if (!set.ok()) co_return failed(set.error(), gitlab.wait_hint());
  }
  if (!options_.external_check.empty()) {
    const Status answered = co_await answer_check(gitlab, *asked, out.outcome);
    if (!answered.ok()) co_return failed(answered.error(), gitlab.wait_hint());
  }
  co_return out;
}

Task<Status> Checks::set_status(gitlab::Gitlab& gitlab, Asked asked, store::WorkOutcome& outcome) {
  gitlab::CommitStatus status{.name = options_.commit_status,
                              .state = asked.failed ? "failed" : "success",
                              .description = asked.words,
                              .target_url = asked.url.size() > kLongestUrl ? "" : asked.url};
  const Act act{
      "commit_status.set", "commit",
      status.state + " in pipeline " + std::to_string(asked.pipeline) + ": " + status.description};
  const auto there = co_await gitlab.commit_statuses(asked.project, asked.sha, asked.pipeline,
                                                     options_.commit_status);
  if (!there.ok()) co_return settle(asked, act, there.error(), outcome);
  for (const auto& one : *there)
    if (one.name == status.name && one.state == status.state &&
        one.description == status.description)
      co_return Status();
  CO_RETURN_IF_ERROR(co_await plan(asked, act));
  const auto set = co_await gitlab.set_commit_status(asked.project, asked.sha, asked.pipeline,
                                                     std::move(status));
  co_return settle(asked, act, set.ok() ? Status() : Status(set.error()), outcome);
}

Task<Status> Checks::answer_check(gitlab::Gitlab& gitlab, Asked asked,
                                  store::WorkOutcome& outcome) {
  const std::string answer = asked.failed ? "failed" : "passed";
  const Act act{"status_check.answer", "external", answer + ": " + asked.words};
  const auto checks = co_await gitlab.status_checks(asked.key.project_id, asked.key.iid);
  if (!checks.ok()) co_return settle(asked, act, checks.error(), outcome);
  for (const auto& check : *checks) {
    if (check.name != options_.external_check || check.status == answer) continue;
    CO_RETURN_IF_ERROR(co_await plan(asked, act));
    const Status told = co_await gitlab.answer_status_check(asked.key.project_id, asked.key.iid,
                                                            asked.head, check.id, !asked.failed);
    // Pushed meanwhile: the newer commit gets an answer of its own.
    if (!told.ok() && told.error().code() == Code::already_exists) co_return Status();
    co_return settle(asked, act, told, outcome);
  }
  co_return Status();  // projects need not have one
}

store::AuditRecord Checks::record_of(const Asked& asked, const Act& act) const {
  const std::string project = asked.project_path.empty()
                                  ? "project " + std::to_string(asked.key.project_id)
                                  : asked.project_path;
  return {.at = clock_.now(),
          .actor = "reaction:status",
          .act = act.name,
          .instance = asked.key.instance,
          .project_id = asked.key.project_id,
          .object = "merge request " + std::to_string(asked.key.iid) + " of " + project,
          .outcome = ""};
}

Task<Status> Checks::plan(const Asked& asked, const Act& act) {
  store::AuditRecord record = record_of(asked, act);
  record.outcome = "decided: " + act.what;
  co_return co_await store_.add_audit(std::move(record));
}

Status Checks::settle(const Asked& asked, const Act& act, Status told,
                      store::WorkOutcome& outcome) {
  if (!told.ok() && !for_good(told.error().code())) return told;
  if (options_.on_told) options_.on_told(act.kind, told.ok() ? "done" : "refused");
  store::AuditRecord record = record_of(asked, act);
  record.outcome = told.ok() ? "done: " + act.what : "refused: " + told.error().to_string();
  const bool first = told.ok() || refused_.insert(act.name + " " + record.object).second;
  if (refused_.size() > kMostRefused) refused_.clear();
  if (!told.ok() && first)
    log::warning("GitLab does not take how a merge request stands",
                 {{"act", act.name}, {"of", record.object}, {"why", told.error().to_string()}});
  if (first) outcome.audit.push_back(std::move(record));
  return {};
}

}  // namespace gitaiops::checks
