// How likely a change is to be reverted or repaired later, by what such changes became before.
//
//   const auto model = train(examples);            // oldest first
//   const auto score = model.score(features);
//   const auto text = model.to_text();             // Model::read(text)
//
// Boosted trees (trees.h) learnt from the project's own labels, averaged in log-odds with those
// shipped, which were learnt from other projects and weigh the more the fewer labels there are;
// calibrated on the newest fifth of the examples (Platt 1999). With fewer than kFewestLabels
// changes of either kind the shipped trees speak alone, and percentiles are still the project's.
//
// Complexity: training takes about a second of processor time for each 5,000 examples, of which the
// newest 20,000 are used; scoring 20 microseconds, with causes 300. Thread safety: values.
// Measured: docs/triage.md, bench/bench_triage.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/risk/features.h"

namespace gitaiops::triage::risk {

inline constexpr std::size_t kFewestLabels = 30;  // of each kind

struct Cause {
  Feature feature;
  double weight;     // by how much it raises the log-odds over those of a usual value
  std::string text;  // "900 lines added (more than 97 % of changes here)"
};

struct Score {
  double probability = 0;     // 0 to 1
  double percentile = 0;      // so many in a hundred of the project's changes are less risky
  std::vector<Cause> causes;  // at most three, the gravest first
};

class Model {
 public:
  // The shipped one, which knows no project: its percentiles are of projects in general.
  static const Model& prior();
  // What to_text() wrote; anything else is invalid_argument with the line and what is wrong there.
  static Result<Model> read(std::string_view text);
  std::string to_text() const;

  // A measure that is not known (NaN) counts as the project's usual one.
  Score score(const Features& features) const;
  double probability(const Features& features) const;

  // Whether probabilities were checked on labels of the project; else only their order means much.
  bool calibrated() const;
  // "1,200 labelled changes of this project, 301 of them risky"
  std::string basis() const;

  struct Parts;
  explicit Model(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  const std::shared_ptr<const Parts>& parts() const { return parts_; }

 private:
  std::shared_ptr<const Parts> parts_;
};

// Oldest first.
Model train(std::span<const Example> examples, const Model& general = Model::prior());

// A model for projects that it has not seen, learnt from several: what is shipped. Each project
// weighs as much as the others, whatever its size and however many of its changes are risky.
Model train_general(std::span<const std::vector<Example>> projects);

}  // namespace gitaiops::triage::risk
