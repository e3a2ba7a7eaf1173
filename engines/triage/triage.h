// What a reviewer wants to know of a change before reading it: how risky and how large it is
// compared with its own project's past, and why; what kind of change it is; how long a review
// takes; which reviews it needs; which labels say so.
//
//   ProjectHistory history;
//   for (const auto& commit : commits) history.add(commit);      // oldest first
//   const auto model = risk_model(history, now_s);               // now and then: some seconds
//   const auto t = triage(change, history, model);
//
// Each part is silent where nothing is known: no risk without files, no size without files, no kind
// without words and files, no effort without counts of lines.
//
// Complexity: linear in the change's files and the rules; of thousands of files, the first 1,000
// are looked up in the history. Memory: ProjectHistory's. Thread safety: triage() is pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/triage/change.h"
#include "engines/triage/kind/kind.h"
#include "engines/triage/project_history.h"
#include "engines/triage/risk/model.h"
#include "engines/triage/rules/labels.h"
#include "engines/triage/rules/rules.h"
#include "engines/triage/size.h"

namespace gitaiops::triage {

enum class Level : uint8_t { low, medium, high };
std::string_view to_string(Level level);
std::optional<Level> read_level(std::string_view word);  // those words

struct Risk {
  Level level = Level::low;  // high: the riskiest tenth of the project, medium: the three before
  double percentile = 0;     // so many in a hundred of the project's changes are less risky
  double probability = 0;    // that it will be reverted or repaired
  bool calibrated = false;   // the probability was checked on the project's own labels
  std::vector<std::string> reasons;  // at most three, the gravest first
};

enum class Priority : uint8_t { low, normal, high, urgent };
std::string_view to_string(Priority priority);

struct Triage {
  std::optional<Risk> risk;
  std::optional<Size> size;
  std::optional<Kind> kind;
  std::optional<Effort> effort;
  std::vector<RequiredReview> required_reviews;
  Priority priority = Priority::normal;
  // What the labels of the rules' allow-list say of it: risk::high, type::bugfix, size::large,
  // review:security, priority::urgent. Which to add and to remove: label_changes().
  std::vector<std::string> labels;
  std::vector<std::string> reasons;  // one sentence a part, for people
};

// Learnt from the project's own labels (blame.h) when there are enough, else the shipped one with
// this project's percentiles. `now_s`: Unix seconds. What is younger than two months is not learnt
// from: much of it may yet be blamed.
risk::Model risk_model(const ProjectHistory& history, int64_t now_s);

Triage triage(const Change& change, const ProjectHistory& history, const risk::Model& model,
              const Rules& rules = Rules::usual());

}  // namespace gitaiops::triage
