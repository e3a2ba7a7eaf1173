// A model that says what the test wants, and remembers what it was asked.
#pragma once

#include <optional>
#include <vector>

#include "controller/models/provider.h"
#include "tests/unit/models/example.h"

namespace gitaiops::models::testing {

class Saying final : public Provider {
 public:
  Task<Result<Answer>> complete(Question question) override {
    questions.push_back(std::move(question));
    if (error) co_return *error;
    co_return answer;
  }
  std::chrono::microseconds wait_hint() const override { return std::chrono::seconds(7); }

  Answer answer{Answer::End::whole, "", good_answer(), "m-1", "", {1000, 200, 100}};
  std::optional<Error> error;
  std::vector<Question> questions;
};

}  // namespace gitaiops::models::testing
