#include "engines/scanner/cvss/cvss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <string>

#include "base/bytes/bytes.h"
#include "engines/scanner/cvss/metrics.h"

namespace gitaiops::scanner {
namespace {

constexpr std::array<std::string_view, 6> kSeverities = {"unknown", "none", "low",
                                                         "medium",  "high", "critical"};

// A metric's weight; the first weight that is asked for and missing spoils the score.
struct Weights {
  const Metrics& metrics;
  bool complete = true;

  using Table = std::initializer_list<std::pair<std::string_view, double>>;
  double operator()(std::string_view name, Table table) { return of(metrics[name], table); }
  // 1 when the metric is not defined.
  double optional(std::string_view name, Table table) {
    const auto value = metrics.defined(name);
    return value.empty() ? 1 : of(value, table);
  }

 private:
  double of(std::string_view value, Table table) {
    for (const auto& [word, weight] : table)
      if (word == value) return weight;
    complete = false;
    return 0;
  }
};

// The smallest number with one digit that is not below x, safe from the noise of binary fractions
// (CVSS 3.1, appendix A).
double round_up(double x) {
  const auto scaled = static_cast<int64_t>(std::llround(x * 100000));
  if (scaled % 10000 == 0) return static_cast<double>(scaled) / 100000;
  return static_cast<double>(scaled / 10000 + 1) / 10;
}

double round_to_tenth(double x) {
  return std::round(x * 10) / 10;
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> severity_of(std::string_view word) {
  std::string text(word);
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (text == "moderate") return Severity::medium;
  for (std::size_t i = 0; i < kSeverities.size(); ++i)
    if (text == kSeverities[i]) return static_cast<Severity>(i);
  return std::nullopt;
}

Severity severity_of(double score) {
  if (score <= 0) return Severity::none;
  if (score < 4) return Severity::low;
  if (score < 7) return Severity::medium;
  return score < 9 ? Severity::high : Severity::critical;
}

std::optional<Metrics> Metrics::read(std::string_view text) {
  Metrics out;
  for (const auto part : split(text, '/')) {
    const auto colon = part.find(':');
    if (colon == part.npos || colon == 0 || colon + 1 == part.size()) return std::nullopt;
    const auto name = part.substr(0, colon);
    if (!out[name].empty()) return std::nullopt;
    out.all_.emplace_back(name, part.substr(colon + 1));
  }
  return out;
}

std::string_view Metrics::operator[](std::string_view name) const {
  for (const auto& [key, value] : all_)
    if (key == name) return value;
  return "";
}

std::string_view Metrics::defined(std::string_view name) const {
  const auto value = (*this)[name];
  return value == "X" || value == "ND" ? "" : value;
}

std::optional<CvssScore> cvss2_score(const Metrics& metrics) {
  Weights weight{metrics};
  const Weights::Table impact_weights = {{"N", 0}, {"P", 0.275}, {"C", 0.660}};
  const double c = weight("C", impact_weights), i = weight("I", impact_weights),
               a = weight("A", impact_weights);
  const double access = weight("AV", {{"L", 0.395}, {"A", 0.646}, {"N", 1.0}}) *
                        weight("AC", {{"H", 0.35}, {"M", 0.61}, {"L", 0.71}}) *
                        weight("Au", {{"M", 0.45}, {"S", 0.56}, {"N", 0.704}});
  const double temporal =
      weight.optional("E", {{"U", 0.85}, {"POC", 0.9}, {"F", 0.95}, {"H", 1}}) *
      weight.optional("RL", {{"OF", 0.87}, {"TF", 0.9}, {"W", 0.95}, {"U", 1}}) *
      weight.optional("RC", {{"UC", 0.9}, {"UR", 0.95}, {"C", 1}});
  if (!weight.complete) return std::nullopt;
  const double impact = 10.41 * (1 - (1 - c) * (1 - i) * (1 - a));
  const double factor = impact == 0 ? 0 : 1.176;
  const double base = round_to_tenth((0.6 * impact + 0.4 * 20 * access - 1.5) * factor);
  return CvssScore{base, round_to_tenth(base * temporal)};
}

std::optional<CvssScore> cvss3_score(const Metrics& metrics) {
  Weights weight{metrics};
  const bool changed = weight("S", {{"U", 0}, {"C", 1}}) == 1;
  const Weights::Table impact_weights = {{"H", 0.56}, {"L", 0.22}, {"N", 0}};
  const double c = weight("C", impact_weights), i = weight("I", impact_weights),
               a = weight("A", impact_weights);
  const double exploitability =
      8.22 * weight("AV", {{"N", 0.85}, {"A", 0.62}, {"L", 0.55}, {"P", 0.2}}) *
      weight("AC", {{"L", 0.77}, {"H", 0.44}}) *
      weight("PR", {{"N", 0.85}, {"L", changed ? 0.68 : 0.62}, {"H", changed ? 0.5 : 0.27}}) *
      weight("UI", {{"N", 0.85}, {"R", 0.62}});
  const double temporal = weight.optional("E", {{"U", 0.91}, {"P", 0.94}, {"F", 0.97}, {"H", 1}}) *
                          weight.optional("RL", {{"O", 0.95}, {"T", 0.96}, {"W", 0.97}, {"U", 1}}) *
                          weight.optional("RC", {{"U", 0.92}, {"R", 0.96}, {"C", 1}});
  if (!weight.complete) return std::nullopt;
  const double part = 1 - (1 - c) * (1 - i) * (1 - a);
  const double impact =
      changed ? 7.52 * (part - 0.029) - 3.25 * std::pow(part - 0.02, 15) : 6.42 * part;
  double base = 0;
  if (impact > 0)
    base = round_up(std::min((changed ? 1.08 : 1.0) * (impact + exploitability), 10.0));
  return CvssScore{base, round_up(base * temporal)};
}

std::optional<CvssScore> cvss_score(std::string_view vector) {
  vector = trimmed(vector);
  int version = 2;
  if (vector.starts_with("CVSS:")) {
    const auto slash = std::min(vector.find('/'), vector.size());
    const auto name = vector.substr(5, slash - 5);
    if (name == "4.0")
      version = 4;
    else if (name == "3.0" || name == "3.1")
      version = 3;
    else
      return std::nullopt;
    vector.remove_prefix(std::min(slash + 1, vector.size()));
  } else if (vector.starts_with('(') && vector.ends_with(')')) {
    vector = vector.substr(1, vector.size() - 2);  // how version 2 was often written
  }
  const auto metrics = Metrics::read(vector);
  if (!metrics) return std::nullopt;
  return version == 4   ? cvss4_score(*metrics)
         : version == 3 ? cvss3_score(*metrics)
                        : cvss2_score(*metrics);
}

}  // namespace gitaiops::scanner
