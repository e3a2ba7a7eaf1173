// How likely a change is to be reverted or repaired later, by what such changes became before.
//
//   auto learnt = train(examples);                    // Model, and in words what it rests on
//   auto score = learnt.model.score(features);
//   auto text = learnt.model.to_text();  Model::read(text);
//
// The learner: bagged boosted trees (depth-limited, histogram splits, rows and features sampled by
// a fixed seed) on the measures and a few ratios of them, averaged with the shipped model of other
// projects; calibrated on the newest fifth (Platt). Below kFewestLabels labels of both kinds only
// the shipped model speaks.
//
// Complexity: training 20,000 examples takes some seconds, scoring microseconds.
// Thread safety: values.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/risk/features.h"

namespace gitaiops::triage::risk {

inline constexpr std::size_t kFewestLabels = 40;  // of each kind
inline constexpr std::size_t kFewestExamples = 200;

struct Cause {
  Feature feature;
  double weight;     // how much it raises the log-odds over those of a usual change
  std::string text;  // "900 lines added, more than 97 % of this project's changes"
};

struct Score {
  double probability = 0;
  double percentile = 0;      // among the project's changes, 0 to 100
  std::vector<Cause> causes;  // at most three, the gravest first
};

class Model {
 public:
  // The shipped one, before it saw a project.
  static const Model& prior();
  // What to_text() wrote. invalid_argument: the line and what is wrong with it.
  static Result<Model> read(std::string_view text);
  std::string to_text() const;

  // Features that are not known count as this project's usual ones.
  Score score(const Features& features) const;
  double probability(const Features& features) const;

  bool calibrated() const;    // on the project's own labels
  std::string basis() const;  // in words

  struct Parts;
  explicit Model(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

 private:
  std::shared_ptr<const Parts> parts_;
};

// Oldest first. With too few labels: the shipped model, with percentiles of these examples.
Model train(std::span<const Example> examples);

}  // namespace gitaiops::triage::risk
