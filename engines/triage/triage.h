// What a reviewer wants to know of a change before reading it: how risky and how large it is
// compared with its own project's past, and why; what kind of change it is; how long a review
// takes; which reviews it needs; which labels say so.
//
//   ProjectHistory history;
//   for (const auto& commit : commits) history.add(commit);      // oldest first
//   const auto model = risk_model(history);                      // now and then; seconds at most
//   const auto t = triage(change, history, model, Rules::usual());
//
// Each part is silent where nothing is known: no risk without a history, no size without files, no
// type without words and files.
//
// Complexity: linear in the change's files; of a change of thousands of files, the first 1,000 are
// looked up in the history. Thread safety: triage() is pure; the values are values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/triage/change.h"
#include "engines/triage/kind/kind.h"
#include "engines/triage/project_history.h"
#include "engines/triage/risk/model.h"
#include "engines/triage/rules/rules.h"
#include "engines/triage/size.h"

namespace gitaiops::triage {

enum class Level : uint8_t { low, medium, high };
std::string_view to_string(Level level);

struct Risk {
  Level level = Level::low;  // high: the riskiest tenth, medium: the next three tenths
  double percentile = 0;     // of this project's newest changes, 0 to 100: so many are less risky
  double probability = 0;    // that it will be reverted or fixed later
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
  LabelChanges labels;
  std::vector<std::string> reasons;  // a sentence for each thing above that needs one
};

// Learnt from the project's own labels when there are enough, else the shipped one, with this
// project's own past for the percentiles. `now_s`: Unix seconds; what is younger than a month may
// yet turn out to be wrong.
risk::Model risk_model(const ProjectHistory& history, int64_t now_s);

Triage triage(const Change& change, const ProjectHistory& history, const risk::Model& model,
              const Rules& rules);

}  // namespace gitaiops::triage
