#include "engines/triage/kind/kind.h"

#include <algorithm>
#include <cmath>

#include "base/bytes/bytes.h"
#include "engines/triage/kind/weights.h"
#include "engines/triage/paths.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kLongestDescription = 4096;
constexpr std::size_t kFilesLookedAt = 1'000;
constexpr double kWorthSaying = 0.25;               // a guess at random is right in one of ten
constexpr double kNearly = 0.6;                     // of the best one's probability
constexpr double kSaid = 0.95;                      // people do mislabel
constexpr double kOfDescription = 0.3;              // beside the title's words
constexpr double kOnlyFiles = 4, kMostFiles = 1.5;  // log-odds: what the parts of the files say

double& of(Scores& scores, Type type) {
  return scores[static_cast<std::size_t>(type)];
}

// Which type files of one part alone point to; config and generated ones point nowhere.
std::optional<Type> type_of(Role role) {
  switch (role) {
    case Role::test:
      return Type::test;
    case Role::docs:
      return Type::docs;
    case Role::ci:
      return Type::ci;
    case Role::build:
    case Role::dependency:
      return Type::build;
    default:
      return std::nullopt;
  }
}

// A change of docs alone is docs, whatever words are in its title; where code is touched, tests and
// docs only go with it.
void weigh_files(const Change& change, Scores& scores) {
  std::array<std::size_t, kTypes> of_type{};
  std::size_t code = 0;
  const auto count = std::min(change.files.size(), kFilesLookedAt);
  for (std::size_t i = 0; i < count; ++i) {
    const auto role = role_of(change.files[i]);
    if (const auto type = type_of(role)) ++of_type[static_cast<std::size_t>(*type)];
    code += role == Role::code || role == Role::migration;
  }
  for (std::size_t i = 0; i < kTypes; ++i) {
    if (of_type[i] == count)
      scores[i] += kOnlyFiles;
    else if (code == 0 && 2 * of_type[i] > count)
      scores[i] += kMostFiles;
  }
  if (2 * code > count)
    for (const auto type : {Type::docs, Type::test, Type::ci, Type::build})
      of(scores, type) -= kMostFiles;
}

// Paragraphs that people write, not templates: checklists, quotes and HTML are left out.
Scores of_description(std::string_view description) {
  Scores scores{};
  std::size_t lines = 0;
  for (const auto raw : split(description.substr(0, kLongestDescription), '\n')) {
    const auto line = trimmed(raw);
    if (line.empty() || line.starts_with('#') || line.starts_with('>') || line.starts_with('<') ||
        line.starts_with("- [") || line.starts_with("* [") || lines >= 3)
      continue;
    const auto words = KindWeights::shipped().of_title(line);
    for (std::size_t i = 0; i < kTypes; ++i)
      scores[i] += words[i] - KindWeights::shipped().start[i];
    ++lines;
  }
  for (auto& score : scores)
    score *= kOfDescription / static_cast<double>(std::max<std::size_t>(lines, 1));
  return scores;
}

std::optional<Type> said_by_label(const Change& change) {
  for (const auto& label : change.labels) {
    const auto name = std::string_view(label);
    const auto scope = name.rfind("::");
    if (const auto type = read_type(scope == name.npos ? name : name.substr(scope + 2)))
      if (scope == name.npos || name.starts_with("type") || name.starts_with("kind")) return type;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Kind> kind_by_content(const Change& change) {
  auto title = trimmed(change.title);
  if (const auto prefixed = conventional_prefix(title)) title = prefixed->rest;
  if (title.empty() && change.files.empty()) return std::nullopt;
  auto scores = KindWeights::shipped().of_title(title);
  const auto more = of_description(change.description);
  for (std::size_t i = 0; i < kTypes; ++i) scores[i] += more[i];
  if (!change.files.empty()) weigh_files(change, scores);
  const double top = *std::ranges::max_element(scores);
  double sum = 0;
  for (auto& score : scores) sum += score = std::exp(score - top);
  const auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
  if (scores[best] / sum < kWorthSaying) return std::nullopt;
  Kind kind{static_cast<Type>(best), scores[best] / sum, false, std::nullopt};
  double next = kNearly * scores[best];
  for (std::size_t i = 0; i < kTypes; ++i)
    if (i != best && scores[i] > next) next = scores[i], kind.other = static_cast<Type>(i);
  return kind;
}

std::optional<Kind> kind_of(const Change& change) {
  if (const auto prefixed = conventional_prefix(change.title))
    return Kind{prefixed->type, kSaid, true, std::nullopt};
  if (const auto type = said_by_label(change)) return Kind{*type, kSaid, true, std::nullopt};
  return kind_by_content(change);
}

}  // namespace gitaiops::triage
