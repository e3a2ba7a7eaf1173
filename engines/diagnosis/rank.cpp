// Which candidate is the cause: the rule's weight × where the line stands × how near the end × how
// often × how new.
#include <algorithm>
#include <cmath>
#include <map>

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {
namespace {

constexpr double kEarlierCommand = 0.35;  // same section, a command that went on
constexpr double kEarlierSection = 0.25;
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

// From 1 at the end of the zone down to 0.8, by the order of magnitude of the distance. Later lines
// of a rule count as near as its first: they must not overtake it.
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

constexpr double kBesideTests = 0.8;  // a test report quotes much that is not the cause
constexpr double kTestReport =
    0.8;  // from this weight on a rule knows a test report when it sees one
constexpr double kInNativeBuild = 0.75;
constexpr std::size_t kLastWords = 3;
constexpr double kLastWordsWeight = 0.34;

// When nothing in the failing step was recognised, what it said last is the best guess.
void add_last_words(const Observed& seen, const Zone& zone, std::vector<Ranked>& ranked) {
  std::size_t taken = 0;
  for (Seq s = zone.end; s > zone.begin && taken < kLastWords; --s) {
    const auto line = seen.lines.get(s - 1);
    if (!line) break;
    if (trimmed(line->text).empty() || line->flags & kCommand) continue;
    const auto known = std::find_if(ranked.begin(), ranked.end(),
                                    [&](const Ranked& r) { return r.found.seq == s - 1; });
    if (known != ranked.end()) continue;
    ranked.push_back({{.seq = s - 1, .flags = line->flags},
                      kLastWordsWeight - 0.02 * static_cast<double>(taken),
                      "unknown"});
    ++taken;
  }
}

constexpr Seq kExplainedWithin = 60;
constexpr double kNothingExplained = 0.4;  // it went on in spite of it

// A line that tells why a later one of its step came about stands above it.
void add_explanations(const Observed& seen, std::vector<Ranked>& ranked) {
  for (Ranked& r : ranked) {
    const std::string& explained = rule_of(seen, r.found).explains;
    if (explained.empty()) continue;
    r.score *= kNothingExplained;
    if (r.found.ordinal > 0) continue;
    for (const Ranked& other : ranked) {
      if (other.category == explained && other.found.step == r.found.step &&
          other.found.seq > r.found.seq && other.found.seq < r.found.seq + kExplainedWithin)
        r.score = std::max(r.score, std::min(1.0, other.score * 1.05));
    }
  }
}

bool in_zone(const Zone& zone, Seq seq) {
  return seq >= zone.begin && seq < zone.end;
}

// A line of a test's report that also speaks of a host or a status: the test met that, and failed.
Found as_test_reports(const Observed& seen, Found found) {
  const Category* category = seen.rules->category(rule_of(seen, found).category);
  if (!category || category->owner != "infrastructure") return found;
  for (uint16_t& also : found.also) {
    if (also == kNoRule) break;
    const Rule& rule = seen.rules->all()[also];
    if (rule.category != "test_failure" || rule.weight < kTestReport) continue;
    std::swap(found.rule, also);
    break;
  }
  return found;
}

// A package that compiles while it is installed: that its compiler objects is a part of that.
bool part_of_native_build(const Rule& rule) {
  return rule.category == "compile_error" || rule.category == "link_error" ||
         rule.category == "script_error";
}

// Whether passing runs lack something that this one has: where they print all of it, being known
// says nothing about a line.
bool tells_apart(const Observed& seen, const Zone& zone, const Baseline& baseline) {
  return !baseline.empty() &&
         std::any_of(seen.candidates.begin(), seen.candidates.end(), [&](const Found& f) {
           const auto line = seen.lines.get(f.seq);
           return line && in_zone(zone, f.seq) && rule_of(seen, f).kind == Kind::cause &&
                  !baseline.contains(template_hash(line->text));
         });
}

}  // namespace

const Rule& rule_of(const Observed& seen, const Found& found) {
  static const Rule last_words = [] {
    Rule r;
    r.id = "last_words";
    r.category = "unknown";
    r.weight = kLastWordsWeight;
    return r;
  }();
  return found.rule == kNoRule ? last_words : seen.rules->all()[found.rule];
}

std::vector<Ranked> rank(const Observed& seen, const Zone& zone, const LogEnd& end,
                         const Baseline* baseline) {
  std::vector<Ranked> ranked;
  const bool tests =
      std::any_of(seen.candidates.begin(), seen.candidates.end(), [&](const Found& f) {
        const Rule& r = rule_of(seen, f);
        return in_zone(zone, f.seq) && r.category == "test_failure" && r.weight >= kTestReport;
      });
  const bool native =
      std::any_of(seen.candidates.begin(), seen.candidates.end(), [&](const Found& f) {
        return in_zone(zone, f.seq) && rule_of(seen, f).category == "native_ext_build";
      });
  const bool novelty = baseline && tells_apart(seen, zone, *baseline);
  std::map<std::pair<uint16_t, uint32_t>, double>
      first;  // proximity of a rule's first line in a step
  for (const Found& noted : seen.candidates) {
    const auto line = seen.lines.get(noted.seq);
    if (!line) continue;
    const Found found = as_test_reports(seen, noted);
    const Rule& rule = rule_of(seen, found);
    // Only one line is the runner's verdict; others that look like it were written by the job.
    const bool verdict = seen.verdict && found.seq == seen.verdict->seq;
    const bool forged = !verdict && line->text.starts_with("ERROR: Job failed");
    double score = rule.weight * (forged ? kAfterwards : zone_factor(seen, zone, end, found));
    if (rule.kind == Kind::cause && !verdict) {
      const double near =
          first.try_emplace({found.rule, found.step}, proximity(zone, found.seq)).first->second;
      score *= near * order(found.ordinal) * rarity(seen.rule_lines[found.rule]);
      if (found.flags & kRed) score *= kRedBonus;
      const Category* category = seen.rules->category(rule.category);
      if (tests && category && in_zone(zone, found.seq) && category->owner != "test" &&
          category->owner != "code" && category->owner != "runner") {
        score *= kBesideTests;
      }
      if (native && in_zone(zone, found.seq) && part_of_native_build(rule)) score *= kInNativeBuild;
      if (novelty && baseline->contains(template_hash(line->text))) score *= kKnownLine;
    }
    ranked.push_back(
        {found, std::min(score, 1.0), rule.category.empty() ? "unknown" : rule.category});
  }
  const bool recognised = std::any_of(ranked.begin(), ranked.end(), [&](const Ranked& r) {
    return in_zone(zone, r.found.seq) && rule_of(seen, r.found).kind == Kind::cause;
  });
  if (!recognised) add_last_words(seen, zone, ranked);
  add_explanations(seen, ranked);
  // Wrappers report another's failure: they never stand before a cause.
  const auto wraps = [&](const Ranked& r) { return rule_of(seen, r.found).kind != Kind::cause; };
  std::sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
    if (wraps(a) != wraps(b)) return wraps(b);
    if (a.score != b.score) return a.score > b.score;
    return a.found.seq < b.found.seq;
  });
  return ranked;
}

}  // namespace gitaiops::diagnosis
