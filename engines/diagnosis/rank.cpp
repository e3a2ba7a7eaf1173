// Which candidate is the cause: the rule's weight × where the line stands × how near the end × how
// often × how new.
#include <algorithm>
#include <cmath>

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {
namespace {

constexpr double kEarlierCommand = 0.6;  // same section, a command that went on
constexpr double kEarlierSection = 0.3;
constexpr double kAfterwards = 0.2;  // after the failure was final
constexpr double kKnownLine = 0.45;  // passing runs print it too
constexpr double kRedBonus = 1.06;

bool in_folds(const Observed& seen, Seq seq) {
  return std::any_of(seen.folds.begin(), seen.folds.end(), [&](const Span& s) {
    return seq >= s.first_start && seq < s.last_end.value_or(seen.lines.end());
  });
}

double zone_factor(const Observed& seen, const Zone& zone, const LogEnd& end, const Found& found) {
  const bool verdict = seen.verdict && found.seq == seen.verdict->seq;
  if (verdict) return end.verdict_valid ? 1 : kAfterwards;
  if (in_folds(seen, found.seq)) return kAfterwards;
  if (found.seq >= zone.end) {
    // Between the failed section and the verdict only the runner writes.
    return end.verdict_valid && (found.flags & kRunnerSaid) ? 0.8 : kAfterwards;
  }
  if (found.seq >= zone.begin) return 1;
  return found.seq >= zone.section_begin ? kEarlierCommand : kEarlierSection;
}

// From 1 at the end of the zone down to 0.8, by the order of magnitude of the distance.
double proximity(const Zone& zone, Seq seq) {
  if (seq >= zone.end) return 1;
  return 1 - 0.2 * std::min(1.0, std::log2(1.0 + static_cast<double>(zone.end - seq)) / 14);
}

// Within one tool the first diagnostic is the cause and later ones follow from it.
double order(uint32_t ordinal) {
  return ordinal == 0 ? 1 : ordinal < 3 ? 0.95 : 0.9;
}

double rarity(uint32_t lines) {
  return lines <= 20 ? 1 : lines <= 200 ? 0.96 : 0.9;
}

}  // namespace

std::vector<Ranked> rank(const Observed& seen, const Zone& zone, const LogEnd& end,
                         const Baseline* baseline) {
  std::vector<Ranked> ranked;
  const auto& rules = seen.rules->all();
  for (const Found& found : seen.candidates) {
    const auto line = seen.lines.get(found.seq);
    if (!line) continue;
    const Rule& rule = rules[found.rule];
    double score = rule.weight * zone_factor(seen, zone, end, found);
    if (rule.kind == Kind::cause && !(seen.verdict && found.seq == seen.verdict->seq)) {
      score *=
          proximity(zone, found.seq) * order(found.ordinal) * rarity(seen.rule_lines[found.rule]);
      if (found.flags & kRed) score *= kRedBonus;
      if (baseline && !baseline->empty() && baseline->contains(template_hash(line->text)))
        score *= kKnownLine;
    }
    ranked.push_back(
        {found, std::min(score, 1.0), rule.category.empty() ? "unknown" : rule.category});
  }
  // Wrappers report another's failure: they never stand before a cause.
  const auto wraps = [&](const Ranked& r) { return rules[r.found.rule].kind != Kind::cause; };
  std::stable_sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
    if (wraps(a) != wraps(b)) return wraps(b);
    if (a.score != b.score) return a.score > b.score;
    return a.found.seq < b.found.seq;
  });
  return ranked;
}

}  // namespace gitaiops::diagnosis
