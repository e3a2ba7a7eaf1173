#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/models/models.h"
#include "controller/models/openai.h"
#include "controller/models/prices.h"
#include "controller/models/prompt.h"
#include "controller/models/vertex.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;
using queue::Verdict;

constexpr std::string_view kExplain = "job.explain";
constexpr int kLast = 2;                                 // priority: the note is there already
constexpr double kSure = 0.6;                            // below, the rules are not
constexpr int64_t kFresh = 6 * 3600 * kMicrosPerSecond;  // nobody waits for what failed before
constexpr int64_t kUseAgain = 14 * 24 * 3600 * kMicrosPerSecond;
constexpr int64_t kDay = 24 * 3600 * kMicrosPerSecond;
constexpr std::size_t kAtOnce = 2;  // questions; the queue has other things to do
constexpr std::chrono::seconds kBehindOthers{2};
constexpr int64_t kBytesPerToken = 2;  // at least
constexpr int kQuestionsAtMost = 2;    // the answer's repair
constexpr std::size_t kMarkerBytes = 16;
constexpr std::size_t kLargestKey = 4 << 10;

Verdict failed(const Error& error, std::chrono::microseconds not_within = {}) {
  Verdict out;
  out.what = queue::Failed{error, not_within};
  return out;
}

// Worth another try later; else somebody has to change the configuration first.
bool passes(Code code) {
  return code == Code::unavailable || code == Code::deadline_exceeded ||
         code == Code::resource_exhausted || code == Code::unauthenticated ||
         code == Code::cancelled;
}

bool is_worth_asking(const fleet::v1::Diagnosis& diagnosis, Wish wish) {
  return wish == Wish::asked ? !diagnosis.packet().empty() : adds_something(diagnosis);
}

store::ModelUse negative(store::ModelUse use) {
  use.prompt_tokens = -use.prompt_tokens;
  use.output_tokens = -use.output_tokens;
  use.cost_microusd = -use.cost_microusd;
  return use;
}

store::ModelUse use_in(const store::Job& job, UnixMicros at, std::string model = {}) {
  store::ModelUse out;
  out.day = at.value / kDay;
  out.instance = job.key.instance;
  out.project_id = job.key.project_id;
  out.project_path = job.project_path;
  out.model = std::move(model);
  return out;
}

}  // namespace

bool has_price(const std::vector<Price>& own, const std::string& model, UnixMicros at) {
  return price_of(own, model, at.value / kDay, 0).has_value();
}

bool adds_something(const fleet::v1::Diagnosis& d) {
  if (d.packet().empty()) return false;
  if (d.category().empty() || d.category() == "unknown" || d.confidence() < kSure) return true;
  return d.owner() == "code" || d.owner() == "test" || d.owner() == "dependency" ||
         d.owner() == "config";
}

// One question at a time about one failure; the others find its answer.
struct Explainer::Asking {
  Asking(Explainer& explainer, std::string failure)
      : owner(explainer), what(std::move(failure)), first(owner.asking_.insert(what).second) {}
  ~Asking() {
    if (first) owner.asking_.erase(what);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  Explainer& owner;
  const std::string what;
  const bool first;
};

Explainer::Explainer(Settings settings, std::unique_ptr<Provider> provider, store::Store& store,
                     const Clock& clock)
    : settings_(std::move(settings)),
      provider_(std::move(provider)),
      store_(store),
      clock_(clock) {}

Explainer::~Explainer() = default;

void Explainer::attach(queue::Worker& worker) {
  worker.handle(std::string(kExplain),
                [this](store::Work work) { return explain(std::move(work)); });
}

std::chrono::microseconds Explainer::wait_hint() const {
  return provider_->wait_hint();
}

std::optional<store::NewWork> Explainer::work_for(const fleet::v1::JobReport& report,
                                                  Wish wish) const {
  const auto& key = report.key();
  if (!report.has_diagnosis() || !is_worth_asking(report.diagnosis(), wish)) return std::nullopt;
  if (!key.project_path().empty() &&
      !store::allows(settings_.projects, key.instance(), key.project_path()))
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
  if (!waited_for || !store::allows(settings_.projects, job.key.instance, job.project_path) ||
      !is_worth_asking(job.report.diagnosis(), wish))
    co_return Verdict();
  if (settings_.welcome && !settings_.welcome(job.key.instance, job.key.project_id))
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
  const Asking asking(*this,
                      answer.instance + "/" + std::to_string(answer.project_id) + "/" + failure);
  const queue::Again later{kBehindOthers, "other questions are being asked"};
  if (!asking.first || asking_.size() > kAtOnce) co_return Verdict{later, {}};

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
    auto moved = moved_to(*(*earlier)->said, job.report.diagnosis(), prompt.max_log_bytes);
    if (moved.ok()) {
      answer.model = (*earlier)->model;
      answer.cost_microusd = (*earlier)->cost_microusd;
      co_return use_again(std::move(job), std::move(answer), std::move(*moved));
    }
  }
  co_return co_await ask(std::move(job), std::move(answer));
}

Verdict Explainer::use_again(store::Job job, store::ModelAnswer answer, store::Explanation said) {
  ++counters_.reused;
  counters_.saved_microusd += answer.cost_microusd;
  auto use = use_in(job, clock_.now(), answer.model);
  use.reused = 1;
  use.saved_microusd = answer.cost_microusd;
  answer.reused = true;
  answer.at = clock_.now();
  answer.said = std::move(said);
  Verdict out;
  out.outcome.answer = std::move(answer);
  out.outcome.model_use = {std::move(use)};
  return out;
}

// What the question may cost at most, by the dearest model that may be asked; nothing: one has no
// price.
std::optional<store::ModelUse> Explainer::highest_use(const store::Job& job,
                                                      std::size_t bytes) const {
  auto use = use_in(job, clock_.now());
  const Tokens most{kQuestionsAtMost * static_cast<int64_t>(bytes) / kBytesPerToken, 0,
                    kQuestionsAtMost * failure_prompt().max_output_tokens};
  for (const auto& model : settings_.models) {
    const auto price = price_of(settings_.prices, model, use.day, most.prompt);
    if (!price) return std::nullopt;
    use.cost_microusd = std::max(use.cost_microusd, cost_microusd(*price, most));
  }
  use.prompt_tokens = most.prompt;
  use.output_tokens = most.output;
  return use;
}

Task<Verdict> Explainer::ask(store::Job job, store::ModelAnswer answer) {
  const Prompt& prompt = failure_prompt();
  const std::string marker = hex_encode(as_bytes(crypto::random_bytes(kMarkerBytes)));
  Question question = failure_question(prompt, job.report, marker);
  const fleet::v1::Diagnosis diagnosis = job.report.diagnosis();
  question.check = [&prompt, diagnosis](std::string_view said) -> Status {
    const auto read = read_failure_answer(prompt, said, diagnosis);
    return read.ok() ? Status() : Status(read.error());
  };
  const auto wish = highest_use(job, question.system.size() + question.user.size());
  if (!wish) {
    log::warning("no question to models: one of models.names has no price any more");
    co_return Verdict();
  }
  const auto reserved = co_await store_.model_answers().reserve(*wish, settings_.limits);
  if (!reserved.ok()) co_return failed(reserved.error());
  if (!*reserved) {
    ++counters_.over_budget;
    co_return Verdict();
  }
  auto said = co_await provider_->complete(std::move(question));
  Verdict out;
  out.outcome.model_use.push_back(negative(*wish));
  if (!said.ok()) {
    ++counters_.failed;
    const Error& error = said.error();
    if (passes(error.code())) out.what = queue::Failed{error, provider_->wait_hint()};
    if (!passes(error.code()))
      log::warning("a model could not be asked", {{"why", error.to_string()}});
    co_return out;
  }
  const auto price = price_of(settings_.prices, said->model, wish->day, said->tokens.prompt);
  auto use = use_in(job, clock_.now(), said->model);
  use.day = wish->day;
  use.requests = 1;
  use.prompt_tokens = said->tokens.prompt;
  use.cached_tokens = said->tokens.cached;
  use.output_tokens = said->tokens.output;
  use.cost_microusd = price ? cost_microusd(*price, said->tokens, said->traffic) : 0;
  auto& total = counters_.by_model[said->model];
  total.prompt_tokens += use.prompt_tokens;
  total.cached_tokens += use.cached_tokens;
  total.output_tokens += use.output_tokens;
  total.cost_microusd += use.cost_microusd;
  answer.model = said->model;
  answer.cost_microusd = use.cost_microusd;
  answer.at = clock_.now();
  std::string why = said->why;
  if (said->end == Answer::End::whole) {
    auto read = read_failure_answer(prompt, said->text, diagnosis);
    if (read.ok()) answer.said = std::move(*read);
    if (!read.ok()) why = read.error().message();
  }
  ++(answer.said ? counters_.answered : counters_.unusable);
  if (!answer.said)
    log::info("nothing is made of a model's answer",
              {{"model", said->model}, {"job", job.id}, {"why", why}});
  out.outcome.model_use.push_back(std::move(use));
  out.outcome.answer = std::move(answer);
  co_return out;
}

namespace {

// A provider with the client that it speaks by.
class WithClient final : public Provider {
 public:
  WithClient(std::unique_ptr<Outgoing> web, std::unique_ptr<Provider> inner)
      : web_(std::move(web)), inner_(std::move(inner)) {}
  Task<Result<Answer>> complete(Question question) override {
    return inner_->complete(std::move(question));
  }
  std::chrono::microseconds wait_hint() const override { return inner_->wait_hint(); }

 private:
  std::unique_ptr<Outgoing> web_;
  std::unique_ptr<Provider> inner_;
};

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

Status check_credentials(const Settings& settings) {
  if (settings.provider == "vertex") return check_google_credentials(settings.credentials_file);
  if (settings.provider == "openai" && !settings.api_key_file.empty())
    RETURN_IF_ERROR(read_secret_file(settings.api_key_file, kLargestKey));
  return {};
}

Result<std::unique_ptr<Explainer>> open(Settings settings, store::Store& store, const Clock& clock,
                                        asio::any_io_executor executor) {
  if (settings.provider == "none") return std::unique_ptr<Explainer>();
  auto web = std::make_unique<Outgoing>(executor, OutgoingOptions{.ca_file = settings.ca_file});
  std::unique_ptr<Provider> provider;
  if (settings.provider == "vertex") {
    ASSIGN_OR_RETURN(auto auth,
                     open_google_auth({.credentials_file = settings.credentials_file}, *web, clock),
                     "models.credentials_file");
    VertexOptions options{settings.google_project, settings.location, without_slash(settings.url)};
    options.list.models = settings.models;
    provider = open_vertex(std::move(options), std::move(auth), *web, clock);
  } else {
    OpenaiOptions options{.url = without_slash(settings.url)};
    options.list.models = settings.models;
    if (!settings.api_key_file.empty()) {
      ASSIGN_OR_RETURN(options.api_key, read_secret_file(settings.api_key_file, kLargestKey),
                       "models.api_key_file");
    }
    provider = open_openai(std::move(options), *web, clock);
  }
  auto whole = std::make_unique<WithClient>(std::move(web), std::move(provider));
  return std::make_unique<Explainer>(std::move(settings), std::move(whole), store, clock);
}

}  // namespace gitaiops::models
