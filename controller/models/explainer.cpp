#include <algorithm>

#include "controller/models/model_list.h"
#include "controller/models/models.h"
#include "controller/models/prompt.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;
using queue::Verdict;

constexpr std::string_view kExplain = "job.explain";
constexpr int kLast = 2;                                 // priority: the note is there already
constexpr double kSure = 0.6;                            // below, the rules are not
constexpr int64_t kFresh = 6 * 3600 * kMicrosPerSecond;  // nobody waits for what failed before
constexpr int64_t kUseAgain = 14 * 24 * 3600 * kMicrosPerSecond;
constexpr std::chrono::seconds kBehindOthers{2};

Verdict failed(const Error& error) {
  Verdict out;
  out.what = queue::Failed{error};
  return out;
}

bool is_worth_asking(const fleet::v1::Diagnosis& diagnosis, Wish wish) {
  return wish == Wish::asked ? !diagnosis.packet().empty() : adds_something(diagnosis);
}

Payer payer_of(const store::Job& job) {
  return {job.key.instance, job.key.project_id, job.project_path, "job " + job.id};
}

}  // namespace

bool adds_something(const fleet::v1::Diagnosis& d) {
  if (d.packet().empty()) return false;
  if (d.category().empty() || d.category() == "unknown" || d.confidence() < kSure) return true;
  return d.owner() == "code" || d.owner() == "test" || d.owner() == "dependency" ||
         d.owner() == "config";
}

void Explainer::attach(queue::Worker& worker) {
  worker.handle(std::string(kExplain),
                [this](store::Work work) { return explain(std::move(work)); });
}

std::optional<store::NewWork> Explainer::work_for(const fleet::v1::JobReport& report,
                                                  Wish wish) const {
  const auto& key = report.key();
  if (!report.has_diagnosis() || !is_worth_asking(report.diagnosis(), wish)) return std::nullopt;
  if (!key.project_path().empty() &&
      !asker_.may_ask_about({key.instance(), key.project_id(), key.project_path()}))
    return std::nullopt;
  store::NewWork work;
  work.kind = kExplain;
  work.unique_key = key.instance() + "/" + std::to_string(key.job_id());
  json payload = {{"instance", key.instance()}, {"job", key.job_id()}};
  if (wish == Wish::asked) {
    work.unique_key += "/asked";
    payload["asked"] = true;
  }
  work.payload = payload.dump();
  work.not_before = clock_.now();
  work.priority = kLast;
  return work;
}

Task<Verdict> Explainer::explain(store::Work work) {
  const json payload = json::parse(work.payload, nullptr, /*allow_exceptions=*/false);
  const bool whole =
      payload.is_object() && payload.contains("job") && payload["job"].is_number_integer();
  if (!whole) {
    Verdict unreadable;
    unreadable.what = queue::GiveUp{"payload of job.explain cannot be read"};
    co_return unreadable;
  }
  auto found = co_await store_.job_by_key(store::everything(), word_in(payload, "instance"),
                                          payload["job"].get<int64_t>());
  if (!found.ok()) {
    if (found.error().code() == Code::not_found) co_return Verdict();  // retention was faster
    co_return failed(found.error());
  }
  store::Job job = std::move(*found);
  const Wish wish =
      payload.contains("asked") && payload["asked"] == true ? Wish::asked : Wish::usual;
  const bool failed_now = job.gitlab && job.gitlab->status == "failed" && !job.gitlab->retried;
  const bool waited_for =
      failed_now && (wish == Wish::asked || clock_.now() - job.gitlab->finished_at < kFresh);
  if (!waited_for || !asker_.may_ask_about(payer_of(job)) ||
      !is_worth_asking(job.report.diagnosis(), wish))
    co_return Verdict();
  std::vector<std::string> ids = {job.id};
  const auto known = co_await store_.model_answers().model_answers(std::move(ids));
  if (!known.ok()) co_return failed(known.error());
  if (!known->empty()) co_return Verdict();

  const Prompt& prompt = failure_prompt();
  store::ModelAnswer answer;
  answer.job = job.id;
  answer.instance = job.key.instance;
  answer.project_id = job.key.project_id;
  answer.prompt = prompt.name();
  answer.fingerprint = job.report.diagnosis().fingerprint();
  answer.content = content_of(prompt, job.report);
  const std::string failure = answer.fingerprint.empty() ? answer.content : answer.fingerprint;
  const auto turn =
      asker_.turn(answer.instance + "/" + std::to_string(answer.project_id) + "/" + failure);
  const queue::Again later{kBehindOthers, "other questions are being asked"};
  if (!turn) co_return Verdict{later, {}};

  auto earlier = co_await store_.model_answers().earlier_answer(
      answer.instance, answer.project_id, answer.prompt, answer.content, answer.fingerprint,
      clock_.now() + -kUseAgain);
  if (!earlier.ok()) co_return failed(earlier.error());
  if (*earlier && !(*earlier)->said) {  // the very same question, of which nothing came
    Verdict out;
    out.outcome.answer = std::move(answer);
    out.outcome.answer->at = (*earlier)->at;
    co_return out;
  }
  if (*earlier) {
    auto moved = moved_to(*(*earlier)->said, job.report.diagnosis(), prompt.max_data_bytes);
    if (moved.ok()) {
      answer.model = (*earlier)->model;
      answer.cost_microusd = (*earlier)->cost_microusd;
      co_return use_again(job, std::move(answer), std::move(*moved));
    }
  }
  co_return co_await ask(std::move(job), std::move(answer));
}

Verdict Explainer::use_again(const store::Job& job, store::ModelAnswer answer,
                             store::Explanation said) {
  Verdict out;
  out.outcome.model_use = {asker_.use_again(payer_of(job), answer.model, answer.cost_microusd)};
  answer.reused = true;
  answer.at = clock_.now();
  answer.said = std::move(said);
  out.outcome.answer = std::move(answer);
  return out;
}

Task<Verdict> Explainer::ask(store::Job job, store::ModelAnswer answer) {
  const Prompt& prompt = failure_prompt();
  Question question = failure_question(prompt, job.report, fresh_marker());
  const fleet::v1::Diagnosis diagnosis = job.report.diagnosis();
  question.check = [&prompt, diagnosis](std::string_view said) -> Status {
    const auto read = read_failure_answer(prompt, said, diagnosis);
    return read.ok() ? Status() : Status(read.error());
  };
  Payer payer = payer_of(job);
  auto asked = co_await asker_.ask(std::move(payer), std::move(question));
  if (!asked.paid) co_return std::move(asked.verdict);
  answer.model = asked.model;
  answer.cost_microusd = asked.cost_microusd;
  answer.at = clock_.now();
  if (asked.said) answer.said = read_failure_answer(prompt, *asked.said, diagnosis).value();
  asked.verdict.outcome.answer = std::move(answer);
  co_return std::move(asked.verdict);
}

}  // namespace gitaiops::models
