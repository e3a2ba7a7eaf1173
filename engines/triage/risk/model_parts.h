// What a risk model consists of; for the files of this folder.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engines/triage/risk/model.h"
#include "engines/triage/risk/trees.h"

namespace gitaiops::triage::risk {

inline constexpr std::size_t kValueSteps = 40, kScoreSteps = 100;
inline constexpr std::size_t kFewestToCompare = 20;

// The values at equal steps through a sorted list, its first and its last among them; empty: none.
using Quantiles = std::vector<float>;
Quantiles quantiles_of(std::vector<float> values, std::size_t steps);
// So many in a hundred lie below; equal ones count half.
double percentile_of(const Quantiles& quantiles, double value);

struct Calibration {
  double slope = 1, shift = 0;  // of the log-odds
  bool own = false;             // fitted on the project's labels
};

struct Model::Parts {
  std::vector<Bag> own;
  std::shared_ptr<const Parts> general;  // null: this one is it
  double general_weight = 0;             // 0 to 1: of its trees in the mean of log-odds
  Calibration calibration;
  std::array<Quantiles, kFeatures> values;  // of the project's changes
  Quantiles scores;                         // of their log-odds, before calibration
  std::size_t examples = 0, risky = 0;

  Features usual() const;  // the middle of `values`, else of the general model's
};

// Before calibration.
double log_odds(const Model::Parts& parts, const Features& features);
double sigmoid(double log_odds);

std::vector<Cause> causes_of(const Features& features, const Features& usual,
                             const std::array<Quantiles, kFeatures>& values,
                             const std::function<double(const Features&)>& odds);

// The text of the shipped model (prior.txt).
std::string_view prior_text();

}  // namespace gitaiops::triage::risk
