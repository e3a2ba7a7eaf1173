// Whoever answers a prompt: one face, two makes (vertex.h, openai.h). Private to this folder.
//
// A model is given no tools and no credentials; what it says is text of which nothing is believed
// before prompt.h has checked it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::models {

// What is asked. `system` is the same for each question of a kind, so that providers can keep it;
// everything foreign stands in `user`.
struct Question {
  std::string system;
  std::string user;
  std::string name;       // of the schema, [a-z_]
  nlohmann::json schema;  // JSON Schema, as far as schema.h goes
  int64_t max_output_tokens = 0;
  // Whether the answer is one: a provider that cannot hold a model to the schema asks once more.
  std::function<Status(std::string_view)> check = {};
};

// As the provider counts them. Thinking counts as output, and what was cached as prompt, too.
struct Tokens {
  int64_t prompt = 0, cached = 0, output = 0;
};

// What came back; it was paid for, whatever `end` says.
struct Answer {
  enum class End { whole, cut_off, blocked, empty };
  End end = End::empty;
  std::string why;      // the provider's word where it is not whole: "MAX_TOKENS"
  std::string text;     // JSON if all went well
  std::string model;    // which one of the list
  std::string traffic;  // Vertex: how it was billed; empty: not said
  Tokens tokens;
};

class Provider {
 public:
  virtual ~Provider() = default;
  // unavailable, deadline_exceeded, resource_exhausted: later again; unauthenticated,
  // permission_denied: the credentials; not_found: no model of the list is there;
  // invalid_argument: the request was refused. Nothing was paid for then, as far as is known.
  virtual Task<Result<Answer>> complete(Question question) = 0;
  // How long they want to be left alone; 0: not at all.
  virtual std::chrono::microseconds wait_hint() const = 0;
};

// All tries of one question together; below what the queue allows a piece of work.
inline constexpr std::chrono::seconds kQuestionLimit{50};
inline constexpr std::chrono::hours kDeadModel{
    24};  // before a model that was not there is asked again

}  // namespace gitaiops::models
