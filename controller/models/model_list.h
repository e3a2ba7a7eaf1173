// What providers have in common: an ordered list of models, each with its own breaker. The first
// that can answer does; one that is not there (404) is passed over for a day. What passes (408,
// 429, 499, 5xx, no answer) is tried twice more, at least a second apart, while the retry budget
// and the question's time last; then the next model has its turn. Private to this folder.
// Thread safety: one executor.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/outgoing/host_gate.h"
#include "base/outgoing/outgoing.h"
#include "controller/models/provider.h"

namespace gitaiops::models {

struct ListOptions {
  std::vector<std::string> models;  // the one that is wanted first
  std::chrono::milliseconds request_timeout{40'000};
  std::chrono::milliseconds first_retry{1'000};  // then doubled
};

class ModelList : public Provider {
 public:
  Task<Result<Answer>> complete(Question question) final;
  std::chrono::microseconds wait_hint() const final;

 protected:
  ModelList(ListOptions options, Outgoing& outgoing, const Clock& clock);

  // One question to one model, by one or more calls of send(), which are over by `until`.
  virtual Task<Result<Answer>> ask(std::string model, Question question, SteadyMicros until) = 0;
  // One request; an answer of 200, or what else it was as an error: not_found (404),
  // unauthenticated, permission_denied, invalid_argument (any other 4xx), resource_exhausted (429),
  // unavailable, deadline_exceeded.
  Task<Result<OutgoingResponse>> send(std::string model, OutgoingRequest request,
                                      SteadyMicros until);

 private:
  struct State {
    HostGate gate;
    SteadyMicros dead_until;
  };
  Task<Result<Answer>> complete_by(std::string model, Question question, SteadyMicros until);
  std::chrono::milliseconds time_left(SteadyMicros until) const;

  const ListOptions options_;
  Outgoing& outgoing_;
  const Clock& clock_;
  std::map<std::string, State> states_;
};

// The number that an answer gives of something; 0: none, or none that can be.
int64_t count_in(const nlohmann::json& object, const char* key);
std::string word_in(const nlohmann::json& object, const char* key);

}  // namespace gitaiops::models
