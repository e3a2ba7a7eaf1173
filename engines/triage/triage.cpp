#include "engines/triage/triage.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engines/triage/blame.h"

namespace gitaiops::triage {
namespace {

constexpr std::array<std::string_view, 3> kLevels = {"low", "medium", "high"};

constexpr int64_t kMayYetBeBlamedS = 60 * 86'400;
constexpr double kSureOfKind = 0.6;  // enough for a label
constexpr double kHighPercentile = 90, kMediumPercentile = 60;

std::string whole(double value) {
  return std::to_string(static_cast<int64_t>(std::lround(value)));
}

// "25 minutes", "3 hours", "2 days"
std::string duration(double hours) {
  if (hours < 1) return whole(std::max(5.0, std::round(hours * 12) * 5)) + " minutes";
  if (hours < 1.5) return "1 hour";
  if (hours < 48) return whole(hours) + " hours";
  return whole(hours / 24) + " days";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

std::optional<Risk> risk_of(const Change& change, const ProjectHistory& history,
                            const risk::Model& model) {
  if (change.files.empty()) return std::nullopt;
  const auto score = model.score(history.features(change));
  Risk risk;
  risk.percentile = score.percentile;
  risk.probability = score.probability;
  risk.calibrated = model.calibrated();
  risk.level = score.percentile >= kHighPercentile     ? Level::high
               : score.percentile >= kMediumPercentile ? Level::medium
                                                       : Level::low;
  for (const auto& cause : score.causes) risk.reasons.push_back(cause.text);
  return risk;
}

// A repair that is needed now comes first, then what fixes security; what nobody waits for last.
Priority priority_of(const Change& change, const Triage& t) {
  if (is_hotfix(change.title)) return Priority::urgent;
  if (t.kind && t.kind->type == Type::security) return Priority::high;
  if (t.kind && t.kind->type == Type::bugfix && t.kind->said && t.risk &&
      t.risk->level == Level::high)
    return Priority::high;
  const bool quiet = t.kind && (t.kind->type == Type::docs || t.kind->type == Type::chore ||
                                t.kind->type == Type::test);
  if (quiet && t.required_reviews.empty() && (!t.risk || t.risk->level == Level::low))
    return Priority::low;
  return Priority::normal;
}

std::vector<std::string> labels_of(const Triage& t, const Rules& rules) {
  std::vector<std::string> all;
  const auto say = [&](std::string_view scope, std::string_view value) {
    all.push_back(std::string(scope) + std::string(value));
  };
  if (t.risk) say("risk::", to_string(t.risk->level));
  if (t.kind && t.kind->confidence >= kSureOfKind) say("type::", to_string(t.kind->type));
  if (t.size) say("size::", to_string(t.size->complexity));
  for (const auto& review : t.required_reviews) say("review:", review.area);
  if (t.priority != Priority::normal) say("priority::", to_string(t.priority));
  std::erase_if(all, [&](const std::string& label) {
    return std::ranges::find(rules.allowed_labels, label) == rules.allowed_labels.end();
  });
  return all;
}

std::vector<std::string> sentences(const Triage& t) {
  std::vector<std::string> out;
  if (t.risk)
    out.push_back("Riskier than " + whole(std::floor(t.risk->percentile)) +
                  " % of this project's changes" +
                  (t.risk->reasons.empty() ? "." : ": " + joined(t.risk->reasons) + "."));
  if (t.size && t.size->percentile)
    out.push_back("Larger than " + whole(std::floor(*t.size->percentile)) +
                  " % of this project's changes.");
  if (t.effort)
    out.push_back(t.effort->from_history
                      ? "Half of the reviews of changes of this size took up to " +
                            duration(t.effort->p50_h) + ", four in five up to " +
                            duration(t.effort->p80_h) + "."
                      : "Reading it takes about " + duration(t.effort->p50_h) + ", or up to " +
                            duration(t.effort->p80_h) + " with care.");
  for (const auto& review : t.required_reviews)
    out.push_back("Needs a review of its " + review.area + ": " + joined(review.reasons) + ".");
  return out;
}

}  // namespace

std::string_view to_string(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<Level> read_level(std::string_view word) {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == word) return static_cast<Level>(i);
  return std::nullopt;
}

std::string_view to_string(Priority priority) {
  constexpr std::array<std::string_view, 4> kPriorities = {"low", "normal", "high", "urgent"};
  return kPriorities[static_cast<std::size_t>(priority)];
}

risk::Model risk_model(const ProjectHistory& history, int64_t now_s) {
  std::vector<risk::Example> examples;
  for (const auto& one : history.past())
    if (one.telling && one.time_s <= now_s - kMayYetBeBlamedS) examples.push_back(one);
  return risk::train(examples);
}

Triage triage(const Change& change, const ProjectHistory& history, const risk::Model& model,
              const Rules& rules) {
  Triage out;
  out.kind = kind_of(change);
  out.size = size_of(change, history);
  if (out.size) out.effort = effort_of(*out.size, history);
  out.risk = risk_of(change, history, model);
  out.required_reviews =
      required_reviews(change, out.kind ? std::optional(out.kind->type) : std::nullopt, rules);
  out.priority = priority_of(change, out);
  out.labels = labels_of(out, rules);
  out.reasons = sentences(out);
  return out;
}

}  // namespace gitaiops::triage
