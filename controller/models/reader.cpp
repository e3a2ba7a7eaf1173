// A merge request that a model reads.
#include <algorithm>

#include "base/log/log.h"
#include "controller/models/change_prompt.h"
#include "controller/models/models.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;
using queue::Verdict;

constexpr std::string_view kRead = "merge_request.read";
constexpr int kLast = 2;  // priority: the note is there already
constexpr std::chrono::seconds kBehindOthers{2};

Verdict failed(const Error& error, std::chrono::microseconds not_within = {}) {
  Verdict out;
  out.what = queue::Failed{error, not_within};
  return out;
}

// Asking again does not help.
bool for_good(Code code) {
  return code == Code::not_found || code == Code::permission_denied ||
         code == Code::invalid_argument;
}

bool is_read(const std::optional<store::ReadMergeRequest>& known,
             const gitlab::MergeRequest& merge_request) {
  return known && known->sha == merge_request.sha && known->prompt == change_prompt().name();
}

// In the payload beside what names the merge request.
std::string with(const std::string& payload, const std::vector<Vulnerability>& brought) {
  json out = json::parse(payload);
  for (std::size_t i = 0; i < std::min(brought.size(), Reader::kMostVulnerabilities); ++i)
    out["brought"].push_back(
        {brought[i].package, brought[i].version, brought[i].name, brought[i].summary});
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<Vulnerability> brought_in(const std::string& payload) {
  std::vector<Vulnerability> out;
  const json whole = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!whole.is_object() || !whole.contains("brought")) return out;
  for (const auto& one : whole["brought"])
    if (one.is_array() && one.size() == 4 &&
        std::ranges::all_of(one, [](const json& text) { return text.is_string(); }))
      out.push_back({one[0].get<std::string>(), one[1].get<std::string>(),
                     one[2].get<std::string>(), one[3].get<std::string>()});
  return out;
}

Payer payer_of(const store::ReadMergeRequest& row) {
  return {row.instance, row.project_id, row.project_path,
          "merge request " + std::to_string(row.iid)};
}

}  // namespace

void Reader::attach(queue::Worker& worker) {
  worker.handle(std::string(kRead), [this](store::Work work) { return read(std::move(work)); });
}

std::optional<store::NewWork> Reader::work_for(const std::string& instance,
                                               const gitlab::MergeRequest& merge_request,
                                               const std::optional<store::ReadMergeRequest>& known,
                                               const std::vector<Vulnerability>& brought) const {
  if (merge_request.draft || merge_request.sha.empty() || is_read(known, merge_request))
    return std::nullopt;
  if (!merge_request.project_path.empty() &&
      !asker_.may_ask_about({instance, merge_request.project_id, merge_request.project_path}))
    return std::nullopt;
  auto work = queue::work_on(kRead, {instance, merge_request.project_id, merge_request.iid},
                             clock_.now(), kLast);
  if (!brought.empty()) work.payload = with(work.payload, brought);
  return work;
}

Task<Verdict> Reader::read(store::Work work) {
  Verdict out;
  const auto key = queue::merge_request_in(work.payload);
  const auto instance = key ? instances_.find(key->instance) : instances_.end();
  if (instance == instances_.end()) co_return out;  // its GitLab is not configured any more
  gitlab::Gitlab& gitlab = *instance->second;
  const auto after = [&](const Error& error) {
    return for_good(error.code()) ? Verdict() : failed(error, gitlab.wait_hint());
  };
  const auto merge_request = co_await gitlab.merge_request(key->project_id, key->iid);
  if (!merge_request.ok()) co_return after(merge_request.error());
  if (merge_request->state != "opened" || merge_request->draft) co_return out;
  Payer payer{key->instance, key->project_id, merge_request->project_path};
  if (payer.project_path.empty()) {
    const auto project = co_await gitlab.project(std::to_string(key->project_id));
    if (!project.ok()) co_return after(project.error());
    payer.project_path = project->path;
  }
  if (!asker_.may_ask_about(payer)) co_return out;
  std::optional<store::ReadMergeRequest> known;
  auto found = co_await store_.readings().reading(store::everything(), key->instance,
                                                  key->project_id, key->iid);
  if (!found.ok() && found.error().code() != Code::not_found) co_return failed(found.error());
  if (found.ok()) known = std::move(*found);
  if (is_read(known, *merge_request)) co_return out;
  const auto diffs = co_await gitlab.diffs(key->project_id, key->iid);
  if (!diffs.ok()) co_return after(diffs.error());
  const auto guidelines = co_await guidelines_(gitlab, key->instance, *merge_request);
  if (!guidelines.ok()) co_return after(guidelines.error());

  ChangeData data =
      change_data(change_prompt(), *merge_request, *diffs, *guidelines, brought_in(work.payload));
  store::ReadMergeRequest row;
  row.instance = key->instance;
  row.project_id = key->project_id;
  row.iid = key->iid;
  row.project_path = std::move(payer.project_path);
  row.sha = merge_request->sha;
  row.prompt = change_prompt().name();
  row.content = content_of(change_prompt(), data.text);
  row.at = clock_.now();
  if (known && known->content == row.content) {  // it was rebased, no more
    if (known->said)
      out.outcome.model_use = {asker_.use_again(payer_of(row), known->model, known->cost_microusd)};
    row.model = known->model;
    row.cost_microusd = known->cost_microusd;
    row.said = known->said;
    out.outcome.read = std::move(row);
    co_return out;
  }
  if (data.places.empty()) {  // nothing that people read
    out.outcome.read = std::move(row);
    co_return out;
  }
  co_return co_await ask(std::move(row), std::move(data));
}

Task<Verdict> Reader::ask(store::ReadMergeRequest row, ChangeData data) {
  const auto turn = asker_.turn("change " + row.instance + "/" + std::to_string(row.project_id) +
                                "/" + std::to_string(row.iid));
  const queue::Again later{kBehindOthers, "other questions are being asked"};
  if (!turn) co_return Verdict{later, {}};
  const Prompt& prompt = change_prompt();
  Question question = question_of(prompt, data.text, fresh_marker());
  question.check = [&prompt, &data](std::string_view said) -> Status {
    const auto reading = read_change_answer(prompt, said, data);
    return reading.ok() ? Status() : Status(reading.error());
  };
  Payer payer = payer_of(row);
  auto asked = co_await asker_.ask(std::move(payer), std::move(question));
  if (!asked.paid) co_return std::move(asked.verdict);
  row.model = asked.model;
  row.cost_microusd = asked.cost_microusd;
  if (asked.said) row.said = read_change_answer(prompt, *asked.said, data).value();
  asked.verdict.outcome.read = std::move(row);
  co_return std::move(asked.verdict);
}

}  // namespace gitaiops::models
