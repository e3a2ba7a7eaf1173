// CVSS 4.0: every vector belongs to one of 270 sets of like severity ("macrovectors"), which
// experts ranked; a vector's place in its set takes off a share of the step to the next lower one
// (specification, section 8.2 and its tables 24 to 30).
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "engines/scanner/cvss/metrics.h"

namespace gitaiops::scanner {
namespace {

// How bad a value is within its metric: 0 is the worst. Scope's "S" (safety) comes before "H".
struct Metric {
  std::string_view name;
  std::string_view values;  // worst first; a value's distance from the worst is its position
  bool base;
};
enum Name { AV, PR, UI, AC, AT, VC, VI, VA, CR, IR, AR, SC, SI, SA, E, kMetrics };
constexpr std::array<Metric, kMetrics> kNames = {{{"AV", "NALP", true},
                                                  {"PR", "NLH", true},
                                                  {"UI", "NPA", true},
                                                  {"AC", "LH", true},
                                                  {"AT", "NP", true},
                                                  {"VC", "HLN", true},
                                                  {"VI", "HLN", true},
                                                  {"VA", "HLN", true},
                                                  {"CR", "HML", false},
                                                  {"IR", "HML", false},
                                                  {"AR", "HML", false},
                                                  {"SC", "SHLN", true},
                                                  {"SI", "SHLN", true},
                                                  {"SA", "SHLN", true},
                                                  {"E", "APU", false}}};
using Values = std::array<int, kMetrics>;  // positions

// What the base metrics say, or with the environment's and threat's changes; nullopt for a value
// that is none.
std::optional<Values> read_values(const Metrics& metrics, bool base_only) {
  Values out{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto& metric = kNames[i];
    auto value = metric.base ? metrics[metric.name] : metrics.defined(metric.name);
    const bool safety = i == SI || i == SA;
    if (metric.base && (value.empty() || value == "S")) return std::nullopt;
    const auto modified = metrics.defined("M" + std::string(metric.name));
    if (!base_only && metric.base && !modified.empty()) value = modified;
    if (value.empty()) continue;  // not defined: as the worst
    const auto position = value.size() == 1 ? metric.values.find(value) : value.npos;
    if (position == value.npos || (value == "S" && !safety)) return std::nullopt;
    out[i] = base_only && !metric.base ? 0 : static_cast<int>(position);
  }
  return out;
}

// The five independent levels; the fourth's level stands for equivalence sets 3 and 6 together.
enum Set { kAccess, kComplexity, kVulnerable, kSubsequent, kExploit, kSets };
using Levels = std::array<int, kSets>;
// Sets 3 and 6: (0,0), (0,1), (1,0), (1,1), (2,1).
enum Vulnerable { kBothHighRequired, kBothHigh, kOneHighRequired, kOneHigh, kNoneHigh };

// Tenths of a score for (access, complexity), then (sets 3 and 6 as ordered in FIRST's table: set
// 3, subsequent, exploit, set 6). FIRST's own figures.
constexpr uint8_t kScores[6][45] = {
    {100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68, 98, 95, 95, 92, 90,
     84,  93, 92, 89, 81, 81, 65,  88, 80, 78, 70, 69, 48, 92, 82, 72, 79, 69, 50, 69, 55, 27},
    {99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53, 95, 93, 92, 85, 85,
     73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30, 86, 75, 52, 71, 52, 29, 63, 29, 17},
    {98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49, 94, 89, 88, 77, 76,
     67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25, 83, 70, 54, 65, 58, 26, 53, 21, 13},
    {95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30, 89, 78, 76, 67, 62,
     58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16, 71, 59, 30, 58, 26, 15, 23, 13, 6},
    {93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22, 85, 75, 74, 55, 62,
     51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8,  64, 51, 20, 47, 21, 11, 24, 9,  4},
    {88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11, 75, 55, 58, 45, 40,
     21, 61, 51, 48, 18, 20, 9,  46, 18, 17, 7,  8,  2,  53, 24, 14, 24, 12, 5,  10, 3,  1},
};

double score_of(const Levels& l) {
  const int three = l[kVulnerable] / 2, six = l[kVulnerable] == kNoneHigh ? 1 : l[kVulnerable] % 2;
  const int place = three == 2 ? 36 + l[kSubsequent] * 3 + l[kExploit]
                               : three * 18 + l[kSubsequent] * 6 + l[kExploit] * 2 + six;
  return kScores[l[kAccess] * 2 + l[kComplexity]][place];
}

Levels levels_of(const Values& v) {
  Levels out{};
  const int unhindered = (v[AV] == 0) + (v[PR] == 0) + (v[UI] == 0);
  out[kAccess] = unhindered == 3 ? 0 : unhindered > 0 && v[AV] != 3 ? 1 : 2;
  out[kComplexity] = v[AC] == 0 && v[AT] == 0 ? 0 : 1;
  const bool required =
      (v[VC] == 0 && v[CR] == 0) || (v[VI] == 0 && v[IR] == 0) || (v[VA] == 0 && v[AR] == 0);
  if (v[VC] == 0 && v[VI] == 0)
    out[kVulnerable] = required ? kBothHighRequired : kBothHigh;
  else if (v[VC] == 0 || v[VI] == 0 || v[VA] == 0)
    out[kVulnerable] = required ? kOneHighRequired : kOneHigh;
  else
    out[kVulnerable] = kNoneHigh;
  const auto any = [&](int position) {
    return v[SC] == position || v[SI] == position || v[SA] == position;
  };
  out[kSubsequent] = any(0) ? 0 : any(1) ? 1 : 2;
  out[kExploit] = v[E];
  return out;
}

// The worst vectors of each level, as positions of the set's metrics, and how many steps lie in it.
struct Level {
  std::vector<std::vector<int>> worst;
  int depth;
};
const std::array<std::vector<Level>, 4>& shapes() {
  static const std::array<std::vector<Level>, 4> all = {{
      // AV, PR, UI
      {{{{0, 0, 0}}, 1}, {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, 4}, {{{3, 0, 0}, {1, 1, 1}}, 5}},
      // AC, AT
      {{{{0, 0}}, 1}, {{{1, 0}, {0, 1}}, 2}},
      // VC, VI, VA, CR, IR, AR
      {{{{0, 0, 0, 0, 0, 0}}, 7},
       {{{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}}, 6},
       {{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}}, 8},
       {{{1, 0, 1, 0, 1, 0},
         {1, 0, 0, 0, 1, 1},
         {0, 1, 0, 1, 0, 1},
         {0, 1, 1, 1, 0, 0},
         {1, 1, 0, 0, 0, 1}},
        8},
       {{{1, 1, 1, 0, 0, 0}}, 10}},
      // SC, SI, SA
      {{{{1, 0, 0}}, 6}, {{{1, 1, 1}}, 5}, {{{2, 2, 2}}, 4}},
  }};
  return all;
}

// Steps from the first of the level's worst vectors that is nowhere better than `v`.
int distance(const Level& level, const int* v, std::size_t count) {
  for (const auto& worst : level.worst) {
    int steps = 0;
    bool covers = true;
    for (std::size_t i = 0; i < count; ++i) {
      steps += v[i] - worst[i];
      covers = covers && v[i] >= worst[i];
    }
    if (covers) return steps;
  }
  return 0;
}

// The score one level lower in `set`; nothing where there is none.
std::optional<double> next_lower(const Levels& levels, Set set) {
  static constexpr std::array<int, kSets> kLowest = {2, 1, kNoneHigh, 2, 2};
  Levels next = levels;
  if (levels[set] == kLowest[set]) return std::nullopt;
  if (set != kVulnerable) {
    ++next[set];
    return score_of(next);
  }
  // Two ways down from the worst one: the higher score counts.
  const int now = levels[set];
  next[set] = now == kBothHigh || now == kBothHighRequired ? now + 2 : now + 1;
  double score = score_of(next);
  if (now == kBothHighRequired) {
    next[set] = kBothHigh;
    score = std::max(score, score_of(next));
  }
  return score;
}

double score(const Values& v) {
  constexpr int kNoImpact = 3;
  if (v[VC] == 2 && v[VI] == 2 && v[VA] == 2 && v[SC] == kNoImpact && v[SI] == kNoImpact &&
      v[SA] == kNoImpact)
    return 0;
  constexpr std::array<std::size_t, 4> kFirst = {AV, AC, VC, SC}, kCount = {3, 2, 6, 3};
  const Levels levels = levels_of(v);
  const double top = score_of(levels);
  double off = 0;
  int ways = 0;
  for (int set = 0; set < kSets; ++set) {
    const auto lower = next_lower(levels, static_cast<Set>(set));
    if (!lower) continue;
    ++ways;
    if (set == kExploit) continue;  // one metric: always the worst of its level
    const auto s = static_cast<std::size_t>(set);
    const Level& level = shapes()[s][static_cast<std::size_t>(levels[s])];
    off += (top - *lower) * distance(level, &v[kFirst[s]], kCount[s]) / level.depth;
  }
  if (ways > 0) off /= ways;
  constexpr double kNoise = 1e-6;  // of binary fractions, so that halves round up
  return std::clamp(std::floor(top - off + 0.5 + kNoise) / 10, 0.0, 10.0);
}

}  // namespace

std::optional<CvssScore> cvss4_score(const Metrics& metrics) {
  const auto base = read_values(metrics, true), all = read_values(metrics, false);
  if (!base || !all) return std::nullopt;
  return CvssScore{score(*base), score(*all)};
}

}  // namespace gitaiops::scanner
