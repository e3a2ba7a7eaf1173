#include "engines/triage/risk/inputs.h"

#include <algorithm>
#include <cmath>

namespace gitaiops::triage::risk {
namespace {

constexpr double kLargest = 1e12;  // beyond any real measure, and no trouble for a float

constexpr std::array<std::string_view, kInputs - kFeatures> kRatios = {
    "la/lt",    "ld/lt",    "la+ld", "la/churn", "la/nf",   "nuc/nf",
    "sexp/exp", "rexp/exp", "la-ld", "nuc/ndev", "ndev/nf", "entropy/nf"};

}  // namespace

Inputs inputs_of(const Features& features, const Features& usual) {
  std::array<double, kFeatures> f;
  for (std::size_t i = 0; i < kFeatures; ++i) {
    const double value = std::isfinite(features[i]) ? features[i] : usual[i];
    f[i] = std::isfinite(value) ? std::clamp(value, -kLargest, kLargest) : 0;
  }
  const auto at_least = [](double value, double least) { return std::max(value, least); };
  const double files = at_least(f[nf], 1);
  const double churn = f[la] + f[ld];
  const std::array<double, kInputs - kFeatures> ratios = {
      f[la] / (at_least(f[lt], 0) + 1),
      f[ld] / (at_least(f[lt], 0) + 1),
      churn,
      f[la] / (at_least(churn, 0) + 1),
      f[la] / files,
      f[nuc] / files,
      f[sexp] / (at_least(f[exp], 0) + 1),
      f[rexp] / (at_least(f[exp], 0) + 1),
      f[la] - f[ld],
      f[nuc] / (at_least(f[ndev], 0) + 1),
      f[ndev] / files,
      f[entropy] / at_least(std::log2(at_least(files, 2)), 1)};
  Inputs out;
  std::ranges::transform(f, out.begin(), [](double v) { return static_cast<float>(v); });
  std::ranges::transform(ratios, out.begin() + kFeatures,
                         [](double v) { return static_cast<float>(v); });
  return out;
}

std::string_view input_name(std::size_t input) {
  return input < kFeatures ? kNames[input] : kRatios[input - kFeatures];
}

std::optional<std::size_t> input_named(std::string_view name) {
  for (std::size_t i = 0; i < kInputs; ++i)
    if (input_name(i) == name) return i;
  return std::nullopt;
}

bool means_the_same_everywhere(std::size_t input) {
  const auto name = input_name(input);
  return name.find("exp") == name.npos;
}

}  // namespace gitaiops::triage::risk
