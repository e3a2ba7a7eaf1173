// Asking a model: leave, budget, answer, bill.
#include <algorithm>

#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/models/models.h"
#include "controller/models/openai.h"
#include "controller/models/prices.h"
#include "controller/models/provider.h"
#include "controller/models/vertex.h"

namespace gitaiops::models {
namespace {

constexpr int64_t kDay = 24 * 3600 * kMicrosPerSecond;
constexpr std::size_t kAtOnce = 2;     // questions; the queue has other things to do
constexpr int64_t kBytesPerToken = 2;  // at least
constexpr int kQuestionsAtMost = 2;    // the answer's repair
constexpr std::size_t kLargestKey = 4 << 10;

// Worth another try later; else somebody has to change the configuration first.
bool passes(Code code) {
  return code == Code::unavailable || code == Code::deadline_exceeded ||
         code == Code::resource_exhausted || code == Code::unauthenticated ||
         code == Code::cancelled;
}

store::ModelUse negative(store::ModelUse use) {
  use.prompt_tokens = -use.prompt_tokens;
  use.output_tokens = -use.output_tokens;
  use.cost_microusd = -use.cost_microusd;
  return use;
}

store::ModelUse use_of(const Payer& payer, UnixMicros at, std::string model = {}) {
  store::ModelUse out;
  out.day = at.value / kDay;
  out.instance = payer.instance;
  out.project_id = payer.project_id;
  out.project_path = payer.project_path;
  out.model = std::move(model);
  return out;
}

void add(Counters::Used& total, const store::ModelUse& use) {
  total.prompt_tokens += use.prompt_tokens;
  total.cached_tokens += use.cached_tokens;
  total.output_tokens += use.output_tokens;
  total.cost_microusd += use.cost_microusd;
}

}  // namespace

bool has_price(const std::vector<Price>& own, const std::string& model, UnixMicros at) {
  return price_of(own, model, at.value / kDay, 0).has_value();
}

Asker::Turn::Turn(std::set<std::string>& taken, std::string what)
    : taken_(taken), what_(std::move(what)) {
  taken_.insert(what_);
}
Asker::Turn::~Turn() {
  taken_.erase(what_);
}

Asker::Asker(Settings settings, std::unique_ptr<Provider> provider, store::Store& store,
             const Clock& clock)
    : settings_(std::move(settings)),
      provider_(std::move(provider)),
      store_(store),
      clock_(clock) {}

Asker::~Asker() = default;

std::chrono::microseconds Asker::wait_hint() const {
  return provider_->wait_hint();
}

std::unique_ptr<Asker::Turn> Asker::turn(const std::string& what) {
  if (asking_.contains(what) || asking_.size() >= kAtOnce) return nullptr;
  return std::make_unique<Turn>(asking_, what);
}

bool Asker::may_ask_about(const Payer& payer) const {
  if (!store::allows(settings_.projects, payer.instance, payer.project_path)) return false;
  return !settings_.welcome || settings_.welcome(payer.instance, payer.project_id);
}

store::ModelUse Asker::use_again(const Payer& payer, const std::string& model,
                                 int64_t saved_microusd) {
  ++counters_.reused;
  counters_.saved_microusd += saved_microusd;
  auto use = use_of(payer, clock_.now(), model);
  use.reused = 1;
  use.saved_microusd = saved_microusd;
  return use;
}

// What the question may cost at most, by the dearest model that may be asked; nothing: one has no
// price.
std::optional<store::ModelUse> Asker::highest_use(const Payer& payer,
                                                  const Question& question) const {
  auto use = use_of(payer, clock_.now());
  const auto bytes = static_cast<int64_t>(question.system.size() + question.user.size());
  const Tokens most{kQuestionsAtMost * bytes / kBytesPerToken, 0,
                    kQuestionsAtMost * question.max_output_tokens};
  for (const auto& model : settings_.models) {
    const auto price = price_of(settings_.prices, model, use.day, most.prompt);
    if (!price) return std::nullopt;
    use.cost_microusd = std::max(use.cost_microusd, cost_microusd(*price, most));
  }
  use.prompt_tokens = most.prompt;
  use.output_tokens = most.output;
  return use;
}

Task<Asked> Asker::ask(Payer payer, Question question) {
  Asked out;
  const auto wish = highest_use(payer, question);
  if (!wish) {
    log::warning("no question to models: one of models.names has no price any more");
    co_return out;
  }
  const auto reserved = co_await store_.model_answers().reserve(*wish, settings_.limits);
  if (!reserved.ok()) {
    out.verdict.what = queue::Failed{reserved.error()};
    co_return out;
  }
  if (!*reserved) {
    ++counters_.over_budget;
    co_return out;
  }
  const auto check = question.check;
  const auto said = co_await provider_->complete(std::move(question));
  auto& bill = out.verdict.outcome.model_use;
  bill.push_back(negative(*wish));
  if (!said.ok()) {
    ++counters_.failed;
    const Error& error = said.error();
    if (passes(error.code())) out.verdict.what = queue::Failed{error, provider_->wait_hint()};
    if (!passes(error.code()))
      log::warning("a model could not be asked", {{"why", error.to_string()}});
    co_return out;
  }
  const auto price = price_of(settings_.prices, said->model, wish->day, said->tokens.prompt);
  auto use = use_of(payer, clock_.now(), said->model);
  use.day = wish->day;
  use.requests = 1;
  use.prompt_tokens = said->tokens.prompt;
  use.cached_tokens = said->tokens.cached;
  use.output_tokens = said->tokens.output;
  use.cost_microusd = price ? cost_microusd(*price, said->tokens, said->traffic) : 0;
  add(counters_.by_model[said->model], use);
  out.paid = true;
  out.model = said->model;
  out.cost_microusd = use.cost_microusd;
  bill.push_back(std::move(use));
  std::string why = said->why;
  if (said->end == Answer::End::whole) {
    const Status right = check(said->text);
    if (right.ok()) out.said = said->text;
    if (!right.ok()) why = right.error().message();
  }
  ++(out.said ? counters_.answered : counters_.unusable);
  if (!out.said)
    log::info("nothing is made of a model's answer", {{"model", said->model},
                                                      {"project", payer.project_path},
                                                      {"about", payer.about},
                                                      {"why", why}});
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

Result<std::unique_ptr<Asker>> open(Settings settings, store::Store& store, const Clock& clock,
                                    asio::any_io_executor executor) {
  if (settings.provider == "none") return std::unique_ptr<Asker>();
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
  return std::make_unique<Asker>(std::move(settings), std::move(whole), store, clock);
}

}  // namespace gitaiops::models
