// Why a change is riskier than a usual one, in words: for each measure, how far the log-odds fall
// when that measure alone is put back to its usual value.
#include <algorithm>
#include <cmath>

#include "engines/triage/risk/model_parts.h"

namespace gitaiops::triage::risk {
namespace {

constexpr double kWorthSaying = 0.08;  // log-odds
constexpr double kLittle = 25;         // percentile below which experience is "little"
constexpr std::size_t kMostCauses = 3;

std::string rounded(double value) {
  const double shown = std::abs(value) < 10 ? std::round(value * 10) / 10 : std::round(value);
  auto text = std::to_string(static_cast<int64_t>(std::clamp(shown, -1e15, 1e15)));
  const auto tenth = static_cast<int>(std::lround(std::abs(shown) * 10)) % 10;
  if (std::abs(value) < 10 && tenth != 0) text += "." + std::to_string(tenth);
  return text;
}

std::string counted(double value, std::string_view one, std::string_view many) {
  return rounded(value) + " " + std::string(value == 1 ? one : many);
}

// What the measure says where it is above (or below) the usual; empty: nothing that anybody would
// take for a cause ("the author has much experience").
std::string words_for(Feature feature, double value, bool above) {
  switch (feature) {
    case ns:
      return above ? "it touches " + counted(value, "subsystem", "subsystems") : "";
    case nd:
      return above ? "it touches " + counted(value, "folder", "folders") : "";
    case nf:
      return above ? "it touches " + counted(value, "file", "files") : "";
    case entropy:
      return above ? "its lines are spread over many files" : "";
    case la:
      return above ? counted(value, "line", "lines") + " added" : "";
    case ld:
      return above ? counted(value, "line", "lines") + " deleted" : "";
    case lt:
      return above ? "its files are long, " + counted(value, "line", "lines") + " on average" : "";
    case fix:
      return above ? "it repairs something, and repairs are often repaired again" : "";
    case ndev:
      return above ? counted(value, "person", "people") + " changed these files before" : "";
    case age:
      return above ? "its files had rested for " + counted(value, "day", "days")
                   : "its files were changed " +
                         (value < 1 ? std::string("less than a day")
                                    : counted(value, "day", "days")) +
                         " ago";
    case nuc:
      return above ? "its files were changed " + counted(value, "time", "times") + " before" : "";
    case exp:
      return above ? ""
             : value == 0
                 ? "it is the author's first change here"
                 : "the author made only " + counted(value, "change", "changes") + " here before";
    case rexp:
      return above ? "" : "the author changed little here lately";
    case sexp:
      return above        ? ""
             : value == 0 ? "the author is new to this part"
                          : "the author made only " + counted(value, "change", "changes") +
                                " in this part before";
    case kFeatures:
      break;
  }
  return "";
}

std::string compared(Feature feature, double value, const Quantiles& values) {
  if (feature == fix || values.size() < 2) return "";
  const double percentile = percentile_of(values, value);
  if (percentile > 70)
    return " (more than " + rounded(std::min(99.0, std::floor(percentile))) + " % of changes here)";
  return "";
}

// Measures that say nearly the same: one of each kind is enough.
int kind_of(Feature feature) {
  constexpr std::array<int, kFeatures> kKinds = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 5, 7, 7, 7};
  return kKinds[feature];
}

}  // namespace

std::vector<Cause> causes_of(const Features& features, const Features& usual,
                             const std::array<Quantiles, kFeatures>& values,
                             const std::function<double(const Features&)>& odds) {
  const double here = odds(features);
  std::vector<Cause> found;
  for (uint8_t i = 0; i < kFeatures; ++i) {
    const auto feature = static_cast<Feature>(i);
    const double value = features[feature];
    if (!std::isfinite(value) || value == usual[feature]) continue;
    auto other = features;
    other[feature] = usual[feature];
    const double weight = here - odds(other);
    if (weight < kWorthSaying) continue;
    const bool by_author = feature == exp || feature == rexp || feature == sexp;
    if (by_author && percentile_of(values[feature], value) > kLittle) continue;
    auto text = words_for(feature, value, value > usual[feature]);
    if (!text.empty())
      found.push_back({feature, weight, text + compared(feature, value, values[feature])});
  }
  std::ranges::stable_sort(found, std::greater(), &Cause::weight);
  std::vector<Cause> out;
  for (auto& one : found) {
    const auto same = [&](const Cause& c) { return kind_of(c.feature) == kind_of(one.feature); };
    if (out.size() < kMostCauses && std::ranges::none_of(out, same)) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace gitaiops::triage::risk
