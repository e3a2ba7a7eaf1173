// Which reviews a change needs, and which labels it gets: rules that a team can edit (TOML).
//
//   [[review]]
//   area = "security"                      # security, performance, architecture, database, or own
//   reason = "it touches how people sign in"
//   paths = ["**/auth/**", "!**/test/**"]  # any of them; ! takes away
//   text = ["password", "set_permissions"] # any of them, as whole words, in the added lines
//   types = ["security"]                   # any of them
//   min_files = 200                        # changes of at least so many files
//
//   [labels]
//   allow = ["risk::low", "risk::medium", "risk::high", "type::bugfix", …]
//
// A rule holds when each condition that it names holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/change.h"
#include "engines/triage/kind/kind.h"

namespace gitaiops::triage {

struct RequiredReview {
  std::string area;
  std::string reason;              // in words: "it touches how people sign in"
  std::vector<std::string> files;  // which of its files say so, at most three
};

struct ReviewRule {
  std::string area, reason;
  std::vector<std::string> paths, text;
  std::vector<Type> types;
  int64_t min_files = 0;
};

struct Rules {
  std::vector<ReviewRule> reviews;
  std::vector<std::string> allowed_labels;

  // Those that come with the program.
  static const Rules& usual();
  // `name`: the file's, for messages: "triage.toml:14: unknown key "path"; did you mean "paths"?"
  static Result<Rules> read(std::string_view toml, const std::string& name);
};

std::vector<RequiredReview> required_reviews(const Change& change, std::optional<Type> type,
                                             const Rules& rules);

struct LabelChanges {
  std::vector<std::string> add, remove;
};
// What to change so that `wanted` are there. Only labels of `allowed` are added; only those of
// `ours` (which we added before) are removed. A scoped label ("risk::high") is not added where a
// person has set another one of its scope.
LabelChanges label_changes(const std::vector<std::string>& current,
                           const std::vector<std::string>& ours,
                           const std::vector<std::string>& wanted,
                           const std::vector<std::string>& allowed);

}  // namespace gitaiops::triage
