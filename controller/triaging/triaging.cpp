#include "controller/triaging/triaging.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/crypto/crypto.h"

namespace gitaiops::triaging {
namespace {

using nlohmann::json;
using queue::Verdict;

constexpr std::string_view kTriage = "merge_request.triage";
constexpr std::string_view kLabel = "merge_request.label";
constexpr std::string_view kActor = "reaction:triage";
constexpr std::chrono::seconds kLookAgain{5};
constexpr int kLooks = 250;       // at a history that is being read: as long as a fetch may take
constexpr int kLooksForHead = 6;  // until git shows the commit that the API shows
constexpr std::size_t kDescription = 4 << 10;  // of which the triage reads no more
constexpr int kSoon = 1, kLater = 2;           // priorities: of the latter nobody waits for

bool holds(const std::vector<std::string>& labels, const std::string& label) {
  return std::ranges::find(labels, label) != labels.end();
}

std::vector<std::string> without(std::vector<std::string> labels,
                                 const std::vector<std::string>& others) {
  std::erase_if(labels, [&](const std::string& label) { return holds(others, label); });
  return labels;
}

void add_to(std::vector<std::string>& labels, const std::vector<std::string>& more) {
  for (const auto& label : more)
    if (!holds(labels, label)) labels.push_back(label);
}

std::vector<std::string> labels_of_people(const gitlab::MergeRequest& merge_request,
                                          const store::OwnLabels& own) {
  return without(without(merge_request.labels, own.set), own.adding);
}

bool for_good(const Error& error) {
  switch (error.code()) {
    case Code::permission_denied:
    case Code::not_found:
    case Code::invalid_argument:
      return true;
    default:
      return false;
  }
}

Verdict failed(const Error& error, std::chrono::microseconds wait = {}) {
  return {queue::Failed{error, wait}, {}};
}

// "add risk::high, remove risk::low"
std::string words(const store::OwnLabels& labels) {
  std::string out;
  for (const auto& label : labels.adding) out += (out.empty() ? "add " : ", add ") + label;
  for (const auto& label : labels.removing) out += (out.empty() ? "remove " : ", remove ") + label;
  return out;
}

store::AuditRecord audit_of(const store::TriagedMergeRequest& one, std::string outcome,
                            UnixMicros at) {
  return {.at = at,
          .actor = std::string(kActor),
          .act = "labels.set",
          .instance = one.instance,
          .project_id = one.project_id,
          .object = "merge request " + std::to_string(one.iid) + " of " + one.project_path,
          .outcome = std::move(outcome)};
}

}  // namespace

std::string input_of(const gitlab::MergeRequest& merge_request, const store::OwnLabels& own,
                     const std::string& version) {
  auto labels = labels_of_people(merge_request, own);
  std::ranges::sort(labels);
  const json input = {version, merge_request.sha, merge_request.title,
                      merge_request.description.substr(0, kDescription), labels};
  return crypto::sha256_hex(input.dump(-1, ' ', false, json::error_handler_t::replace));
}

void Triaging::attach(queue::Worker& worker) {
  worker.handle(std::string(kTriage),
                [this](store::Work work) { return find_out(std::move(work)); });
  worker.handle(std::string(kLabel), [this](store::Work work) { return label(std::move(work)); });
}

std::optional<store::NewWork> Triaging::work_for(
    const std::string& instance, const gitlab::MergeRequest& merge_request,
    const std::optional<store::TriagedMergeRequest>& known, UnixMicros now) const {
  const auto own = known ? known->labels : store::OwnLabels();
  if (known && known->input == input_of(merge_request, own, options_.version)) return std::nullopt;
  return queue::work_on(kTriage, {instance, merge_request.project_id, merge_request.iid}, now,
                        kSoon);
}

Task<Verdict> Triaging::find_out(store::Work work) {
  Verdict out;
  const auto key = queue::merge_request_in(work.payload);
  const auto instance = key ? instances_.find(key->instance) : instances_.end();
  if (instance == instances_.end()) co_return out;  // its GitLab is not configured any more
  gitlab::Gitlab& gitlab = *instance->second;
  auto merge_request = co_await gitlab.merge_request(key->project_id, key->iid);
  if (!merge_request.ok()) {
    if (for_good(merge_request.error())) co_return out;  // nobody is there to tell
    co_return failed(merge_request.error(), gitlab.wait_hint());
  }
  if (merge_request->state != "opened") co_return out;
  auto known = co_await store_.triages().triaged(store::everything(), key->instance,
                                                 key->project_id, key->iid);
  if (!known.ok() && known.error().code() != Code::not_found) co_return failed(known.error());
  auto row = known.ok() ? std::move(*known) : store::TriagedMergeRequest();
  const auto input = input_of(*merge_request, row.labels, options_.version);
  if (row.input == input) co_return out;

  auto asked = *merge_request;
  asked.labels = labels_of_people(*merge_request, row.labels);
  auto assessed = co_await options_.assess(key->instance, std::move(asked));
  if (!assessed.ok()) {
    if (for_good(assessed.error())) co_return out;
    co_return failed(assessed.error(), gitlab.wait_hint());
  }
  const bool behind = assessed->known && assessed->known->sha != merge_request->sha;
  if ((assessed->pending && work.attempts < kLooks) || (behind && work.attempts < kLooksForHead)) {
    out.what = queue::Again{kLookAgain, "the project's history is being read"};
    co_return out;
  }
  if (!assessed->known) {
    ++counters_.unknown;
    co_return out;
  }
  row.instance = key->instance;
  row.project_id = key->project_id;
  row.iid = key->iid;
  row.project_path = merge_request->project_path;
  if (row.project_path.empty()) {
    const auto project = co_await gitlab.project(std::to_string(key->project_id));
    if (!project.ok()) co_return failed(project.error(), gitlab.wait_hint());
    row.project_path = project->path;
  }
  row.title = merge_request->title;
  row.web_url = merge_request->web_url;
  row.sha = assessed->known->sha;
  row.input = behind ? "" : input;
  row.basis = assessed->known->basis;
  row.triage = std::move(assessed->known->triage);
  row.at = clock_.now();
  ++counters_.triaged;
  if (!options_.labels.empty())
    out.outcome.follow_up.push_back(queue::work_on(kLabel, *key, clock_.now(), kLater));
  out.outcome.triaged = std::move(row);
  co_return out;
}

Task<Verdict> Triaging::label(store::Work work) {
  Verdict out;
  const auto key = queue::merge_request_in(work.payload);
  const auto instance = key ? instances_.find(key->instance) : instances_.end();
  if (instance == instances_.end() || options_.labels.empty()) co_return out;
  gitlab::Gitlab& gitlab = *instance->second;
  auto known = co_await store_.triages().triaged(store::everything(), key->instance,
                                                 key->project_id, key->iid);
  if (!known.ok()) {
    if (known.error().code() == Code::not_found) co_return out;
    co_return failed(known.error());
  }
  auto& own = known->labels;
  // What was decided is done, whatever happened since: perhaps it was already.
  if (own.adding.empty() && own.removing.empty()) {
    const auto merge_request = co_await gitlab.merge_request(key->project_id, key->iid);
    if (!merge_request.ok()) {
      if (for_good(merge_request.error())) co_return out;
      co_return failed(merge_request.error(), gitlab.wait_hint());
    }
    if (merge_request->state != "opened") co_return out;
    const auto before = own;
    add_to(own.declined, without(own.set, merge_request->labels));
    own.set = without(own.set, own.declined);
    const auto allowed = without(options_.labels, own.declined);
    const auto changes =
        triage::label_changes(merge_request->labels, own.set, known->triage.labels, allowed);
    own.adding = changes.add;
    own.removing = changes.remove;
    if (own.adding.empty() && own.removing.empty()) {
      if (own != before)
        out.outcome.labels = store::LabelsOf{key->instance, key->project_id, key->iid, own};
      co_return out;
    }
    store::LabelsOf plan{key->instance, key->project_id, key->iid, own};
    auto audit = audit_of(*known, "decided: " + words(own), clock_.now());
    const auto planned = co_await store_.triages().plan_labels(std::move(plan), std::move(audit));
    if (!planned.ok()) co_return failed(planned.error());
  }
  co_return co_await set_labels(gitlab, std::move(*known));
}

Task<Verdict> Triaging::set_labels(gitlab::Gitlab& gitlab, store::TriagedMergeRequest known) {
  Verdict out;
  auto& own = known.labels;
  const auto done =
      co_await gitlab.change_labels(known.project_id, known.iid, own.adding, own.removing);
  if (!done.ok() && !for_good(done.error())) co_return failed(done.error(), gitlab.wait_hint());
  std::string outcome = "done: " + words(own);
  if (done.ok()) {
    counters_.labels_set += static_cast<int64_t>(own.adding.size());
    counters_.labels_removed += static_cast<int64_t>(own.removing.size());
    own.set = without(own.set, own.removing);
    add_to(own.set, own.adding);
  } else {
    ++counters_.labels_refused;
    outcome = "refused: " + done.error().to_string();
    add_to(own.declined, own.adding);
    own.set = without(own.set, own.removing);  // or it would be tried again with each push
  }
  out.outcome.audit.push_back(audit_of(known, std::move(outcome), clock_.now()));
  own.adding.clear();
  own.removing.clear();
  out.outcome.labels = store::LabelsOf{known.instance, known.project_id, known.iid, own};
  co_return out;
}

}  // namespace gitaiops::triaging
