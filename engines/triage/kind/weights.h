// The linear model's weights: what each word of a title adds to each type's score. As text, a word
// a line with a tab between, then type:weight for those that are not near 0:
//
//   memory leak	bugfix:1.21 performance:0.43
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result/result.h"
#include "engines/triage/kind/kind.h"

namespace gitaiops::triage {

using Scores = std::array<double, kTypes>;

struct KindWeights {
  std::unordered_map<std::string, Scores> words;
  Scores start{};  // of a title without known words

  Scores of_title(std::string_view title) const;

  static const KindWeights& shipped();
  static Result<KindWeights> read(std::string_view text);
};

std::string_view kind_weights_text();

}  // namespace gitaiops::triage
