// Learning a project's risk model, and how far to believe it.
#include <algorithm>
#include <cmath>

#include "engines/triage/risk/model.h"
#include "engines/triage/risk/model_parts.h"

namespace gitaiops::triage::risk {
namespace {

constexpr std::size_t kMostExamples = 20'000;
constexpr double kCalibrationShare = 0.2;       // the newest ones
constexpr std::size_t kFewestToCalibrate = 10;  // of each kind
// With so many labels a project's own trees and the general ones weigh the same: the best mean on
// the learning curves of six projects.
constexpr double kEqualAt = 800;

struct Counted {
  std::size_t yes = 0, no = 0;
};
Counted count(std::span<const Example> examples) {
  const auto yes = static_cast<std::size_t>(std::ranges::count(examples, true, &Example::risky));
  return {yes, examples.size() - yes};
}

// A project changes: the newest example counts twice as much as the oldest.
std::vector<Row> rows_of(std::span<const Example> examples, const Features& usual) {
  std::vector<Row> rows;
  rows.reserve(examples.size());
  const auto n = static_cast<double>(examples.size());
  for (const auto& one : examples)
    rows.push_back({inputs_of(one.features, usual),
                    static_cast<float>(std::exp2(static_cast<double>(rows.size()) / n - 1)),
                    one.risky});
  return rows;
}

Growth growth_for(std::size_t examples) {
  Growth growth;
  if (examples < 2'000) growth.depth = 4, growth.trees = 100;
  return growth;
}

double general_weight_for(std::size_t examples) {
  return 1 / (1 + std::sqrt(static_cast<double>(examples) / kEqualAt));
}

struct Judged {
  double odds;
  bool yes;
};

// Logistic regression of the labels on the log-odds by Newton's method; the slope is held near 1 as
// if a few more examples said so.
Calibration calibrate(std::span<const Judged> judged) {
  constexpr double kHold = 10;
  Calibration c{.own = true};
  for (int round = 0; round < 50; ++round) {
    double a = kHold * (c.slope - 1), b = 0, aa = kHold, ab = 0, bb = 1e-6;
    for (const auto& one : judged) {
      const double p = 1 / (1 + std::exp(-(c.slope * one.odds + c.shift)));
      const double w = p * (1 - p);
      a += (p - one.yes) * one.odds;
      b += p - one.yes;
      aa += w * one.odds * one.odds;
      ab += w * one.odds;
      bb += w;
    }
    const double determinant = aa * bb - ab * ab;
    if (!(determinant > 1e-12)) break;
    const double slope = std::clamp((bb * a - ab * b) / determinant, -1.0, 1.0);
    const double shift = std::clamp((aa * b - ab * a) / determinant, -1.0, 1.0);
    c.slope = std::max(0.05, c.slope - slope);
    c.shift -= shift;
    if (std::abs(slope) + std::abs(shift) < 1e-9) break;
  }
  return c;
}

// What the trees of the older examples say of the newer ones, and how that fits.
void check_on_newest(std::span<const Example> examples, Model::Parts& parts) {
  const auto cut =
      static_cast<std::size_t>((1 - kCalibrationShare) * static_cast<double>(examples.size()));
  const auto older = examples.first(cut), newer = examples.subspan(cut);
  auto trial = parts;
  trial.own = grow(rows_of(older, parts.usual()), growth_for(older.size()));
  if (trial.own.empty()) trial.general_weight = 1;
  std::vector<Judged> judged;
  std::vector<float> scores;
  for (const auto& one : newer) {
    judged.push_back({log_odds(trial, one.features), one.risky});
    scores.push_back(static_cast<float>(judged.back().odds));
  }
  parts.scores = quantiles_of(std::move(scores), kScoreSteps);
  const auto labels = count(newer);
  if (labels.yes >= kFewestToCalibrate && labels.no >= kFewestToCalibrate)
    parts.calibration = calibrate(judged);
}

Quantiles scores_of(std::span<const Example> examples, const Model::Parts& parts) {
  std::vector<float> scores;
  for (const auto& one : examples)
    scores.push_back(static_cast<float>(log_odds(parts, one.features)));
  return quantiles_of(std::move(scores), kScoreSteps);
}

void describe(std::span<const Example> examples, Model::Parts& parts) {
  parts.examples = examples.size();
  parts.risky = count(examples).yes;
  for (std::size_t f = 0; f < kFeatures; ++f) {
    std::vector<float> values;
    for (const auto& one : examples) values.push_back(static_cast<float>(one.features[f]));
    parts.values[f] = quantiles_of(std::move(values), kValueSteps);
  }
}

}  // namespace

Model train(std::span<const Example> examples, const Model& general) {
  examples = examples.last(std::min(examples.size(), kMostExamples));
  const auto parts = std::make_shared<Model::Parts>();
  parts->general = general.parts();
  parts->general_weight = 1;
  describe(examples, *parts);
  const auto labels = count(examples);
  if (labels.yes >= kFewestLabels && labels.no >= kFewestLabels) {
    parts->general_weight = general_weight_for(examples.size());
    check_on_newest(examples, *parts);
    parts->own = grow(rows_of(examples, parts->usual()), growth_for(examples.size()));
  } else if (examples.size() >= kFewestToCompare) {
    parts->scores = scores_of(examples, *parts);
  }
  return Model(parts);
}

Model train_general(std::span<const std::vector<Example>> projects) {
  constexpr double kRiskyShare = 0.25, kWeightOfProject = 10'000;
  const auto parts = std::make_shared<Model::Parts>();
  std::vector<Example> all;
  for (const auto& project : projects) all.insert(all.end(), project.begin(), project.end());
  describe(all, *parts);
  std::vector<Row> rows;
  for (const auto& project : projects) {
    const auto labels = count(project);
    if (labels.yes == 0 || labels.no == 0) continue;
    for (const auto& one : project)
      rows.push_back(
          {inputs_of(one.features, parts->usual()),
           static_cast<float>(kWeightOfProject *
                              (one.risky ? kRiskyShare / static_cast<double>(labels.yes)
                                         : (1 - kRiskyShare) / static_cast<double>(labels.no))),
           one.risky});
  }
  Growth growth{.bags = 1, .trees = 100, .depth = 3, .rate = 0.06, .least_weight = 50};
  growth.use = means_the_same_everywhere;
  parts->own = grow(rows, growth);
  parts->scores = scores_of(all, *parts);
  return Model(parts);
}

}  // namespace gitaiops::triage::risk
