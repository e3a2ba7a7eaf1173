#include "engines/triage/risk/model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engines/triage/risk/model_parts.h"

namespace gitaiops::triage::risk {
namespace {

std::string with_commas(std::size_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

}  // namespace

Quantiles quantiles_of(std::vector<float> values, std::size_t steps) {
  std::erase_if(values, [](float value) { return !std::isfinite(value); });
  Quantiles out;
  if (values.empty()) return out;
  std::ranges::sort(values);
  for (std::size_t i = 0; i <= steps; ++i) out.push_back(values[(values.size() - 1) * i / steps]);
  return out;
}

double percentile_of(const Quantiles& quantiles, double value) {
  if (quantiles.size() < 2) return 50;
  const auto place = [&](auto at) { return static_cast<double>(at - quantiles.begin()); };
  const auto below =
      std::ranges::lower_bound(quantiles, value, {}, [](float q) { return double{q}; });
  const auto above =
      std::ranges::upper_bound(quantiles, value, {}, [](float q) { return double{q}; });
  const auto last = static_cast<double>(quantiles.size() - 1);
  if (below != above)
    return 100 * std::clamp((place(below) + place(above) - 1) / 2 / last, 0.0, 1.0);
  if (below == quantiles.begin()) return 0;
  if (below == quantiles.end()) return 100;
  const double low = *(below - 1), high = *below;
  return 100 * (place(below) - 1 + (value - low) / (high - low)) / last;
}

Features Model::Parts::usual() const {
  Features out;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    const auto& known = values[i].empty() && general ? general->values[i] : values[i];
    out[i] = known.empty() ? 0 : known[known.size() / 2];
  }
  return out;
}

double sigmoid(double log_odds) {
  return 1 / (1 + std::exp(-log_odds));
}

double log_odds(const Model::Parts& parts, const Features& features) {
  const auto inputs = inputs_of(features, parts.usual());
  double odds = 0;
  if (parts.general_weight < 1) odds += (1 - parts.general_weight) * log_odds(parts.own, inputs);
  if (parts.general_weight > 0) odds += parts.general_weight * log_odds(parts.general->own, inputs);
  return odds;
}

const Model& Model::prior() {
  static const Model model = [] {
    auto read = Model::read(prior_text());
    if (!read.ok()) std::abort();  // it is built in, and tested
    return *std::move(read);
  }();
  return model;
}

double Model::probability(const Features& features) const {
  const auto& c = parts_->calibration;
  return sigmoid(c.slope * log_odds(*parts_, features) + c.shift);
}

Score Model::score(const Features& features) const {
  const double odds = log_odds(*parts_, features);
  const auto& c = parts_->calibration;
  const auto& scores =
      parts_->scores.empty() && parts_->general ? parts_->general->scores : parts_->scores;
  return {sigmoid(c.slope * odds + c.shift), percentile_of(scores, odds),
          causes_of(features, parts_->usual(), parts_->values,
                    [this](const Features& f) { return log_odds(*parts_, f); })};
}

bool Model::calibrated() const {
  return parts_->calibration.own;
}

std::string Model::basis() const {
  const auto labelled = with_commas(parts_->examples) + " changes of this project, " +
                        with_commas(parts_->risky) + " of them known to be risky";
  if (parts_->own.empty()) return "other projects, because there are too few labels: " + labelled;
  return labelled;
}

}  // namespace gitaiops::triage::risk
