#include "controller/models/model_list.h"

#include <algorithm>

#include "base/bytes/visible.h"
#include "base/crypto/crypto.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kMaxTries = 3;
constexpr milliseconds kShortestTry{2'000};  // with less left nothing is begun
constexpr microseconds kLongestWait = std::chrono::seconds(8);
constexpr std::size_t kMaxAnswer = 1 << 20;
constexpr std::size_t kMaxWhy = 200;
constexpr int64_t kMostTokens = 100'000'000;

// What an error's body says: {"error":{"message":…}}. Of answers about credentials nothing is
// repeated.
std::string message_of(const OutgoingResponse& response) {
  const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body.contains("error")) return {};
  const std::string said = word_in(body["error"], "message");
  return said.empty() ? "" : " (" + visible_line(said, kMaxWhy) + ")";
}

Error error_of(const std::string& model, const OutgoingResponse& response) {
  const std::string what = "model " + model + ": answer " + std::to_string(response.status);
  switch (response.status) {
    case 401:
      return {Code::unauthenticated, what + "; check the credentials"};
    case 403:
      return {Code::permission_denied, what + "; the credentials may not use it"};
    case 404:
      return {Code::not_found, what + "; it is not there (any more)"};
    case 429:
      return {Code::resource_exhausted, what};
    case 408:
    case 499:
      return {Code::unavailable, what};
    default:
      break;
  }
  if (response.status >= 500) return {Code::unavailable, what};
  if (response.status >= 300 && response.status < 400)
    return {Code::invalid_argument, what + " leads elsewhere; check models.url"};
  return {Code::invalid_argument, what + message_of(response)};
}

bool passes(Code code) {
  return code == Code::unavailable || code == Code::resource_exhausted ||
         code == Code::deadline_exceeded;
}

}  // namespace

int64_t count_in(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number_integer()) return 0;
  return std::clamp<int64_t>(object[key].get<int64_t>(), 0, kMostTokens);
}

std::string word_in(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return object[key].get<std::string>();
}

ModelList::ModelList(ListOptions options, Outgoing& outgoing, const Clock& clock)
    : options_(std::move(options)), outgoing_(outgoing), clock_(clock) {
  for (const auto& model : options_.models) states_[model];
}

milliseconds ModelList::time_left(SteadyMicros until) const {
  return std::chrono::duration_cast<milliseconds>(microseconds(until - clock_.steady()));
}

Task<Result<Answer>> ModelList::complete(Question question) {
  const SteadyMicros until = clock_.steady() + microseconds(kQuestionLimit).count();
  Error last(Code::not_found, "none of the models in models.names is there");
  for (const auto& model : options_.models) {
    if (clock_.steady() < states_[model].dead_until) continue;
    auto answer = co_await complete_by(model, question, until);
    if (answer.ok()) co_return answer;
    last = answer.error();
    if (last.code() == Code::not_found)
      states_[model].dead_until = clock_.steady() + microseconds(kDeadModel).count();
    if (last.code() != Code::not_found && !passes(last.code())) break;
    if (time_left(until) < kShortestTry) break;
  }
  co_return last;
}

Task<Result<Answer>> ModelList::complete_by(std::string model, Question question,
                                            SteadyMicros until) {
  HostGate& gate = states_[model].gate;
  for (int tries = 1;; ++tries) {
    auto answer = co_await ask(model, question, until);
    if (answer.ok()) co_return answer;
    if (!passes(answer.error().code()) || tries >= kMaxTries) co_return answer;
    const auto step = microseconds(options_.first_retry) * (1 << (tries - 1));
    const auto jitter = step * static_cast<int64_t>(crypto::random_u64() % 1000) / 2000;
    const auto wait = std::max(step + jitter, microseconds(gate.wait_us(clock_.steady())));
    const bool in_time = wait + kShortestTry < time_left(until);
    if (wait > kLongestWait || !in_time || !gate.spend_retry()) co_return answer;
    if (!co_await sleep_for(wait)) co_return Error(Code::cancelled, "model " + model);
  }
}

Task<Result<OutgoingResponse>> ModelList::send(std::string model, OutgoingRequest request,
                                               SteadyMicros until) {
  const milliseconds left = time_left(until);
  if (left.count() <= 0) co_return Error(Code::deadline_exceeded, "model " + model);
  HostGate& gate = states_[model].gate;
  switch (gate.ask(clock_.steady())) {
    case HostGate::Answer::rate_limited:
      co_return Error(Code::resource_exhausted, "model " + model + ": we were asked to wait");
    case HostGate::Answer::broken:
      co_return Error(Code::unavailable, "model " + model + " has not answered lately");
    case HostGate::Answer::pass:
      break;
  }
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json");
  request.total_timeout = std::min(options_.request_timeout, left);
  request.max_response_bytes = kMaxAnswer;
  auto response = co_await outgoing_.send(std::move(request));
  if (!response.ok()) {
    const Error error = response.error().within("model " + model);
    if (error.code() == Code::cancelled) {
      gate.abandoned();
    } else if (error.code() == Code::resource_exhausted) {
      gate.succeeded();  // it did answer, at length
      co_return Error(Code::internal, error.to_string());
    } else {
      gate.failed(clock_.steady());
    }
    co_return error;
  }
  if (response->status == 429) {
    gate.limited(clock_.steady(), demanded_wait_us(*response, clock_.now()));
  } else if (response->status >= 500) {
    gate.failed(clock_.steady());
  } else {
    gate.succeeded();
  }
  if (response->status != 200) co_return error_of(model, *response);
  co_return response;
}

microseconds ModelList::wait_hint() const {
  std::optional<int64_t> least;
  for (const auto& [model, state] : states_) {
    if (clock_.steady() < state.dead_until) continue;
    const int64_t wait = state.gate.wait_us(clock_.steady());
    least = std::min(least.value_or(wait), wait);
  }
  return microseconds(least.value_or(0));
}

}  // namespace gitaiops::models
