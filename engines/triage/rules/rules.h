// Which reviews a change needs, and which labels it may get: rules that a team can edit (TOML).
//
//   [[review]]
//   area = "security"                      # usual are security, performance, architecture,
//   database reason = "it touches how people sign in" paths = ["**/auth/**", "!**/test/**"]  # any
//   of them (glob.h); ! takes away again text = ["password", "set_permissions"] # any of them, as
//   whole words, in the added lines types = ["security"]                   # any of them min_files
//   = 200                        # changes of at least so many files
//
//   [labels]
//   allow = ["risk::low", "risk::medium", "risk::high"]
//
// A rule holds when each condition that it names holds. Files of tests and generated ones count
// only where `paths` is missing.
//
// Hostile input: at most 256 KiB, 200 rules, 200 patterns each; anything that is not understood is
// refused with its line. Thread safety: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/change.h"
#include "engines/triage/kind/kind.h"
#include "engines/triage/rules/glob.h"

namespace gitaiops::triage {

struct RequiredReview {
  std::string area;
  std::vector<std::string> reasons;  // in words: "it touches how people sign in"
  std::vector<std::string> files;    // that say so, at most three
};

struct ReviewRule {
  std::string area, reason;
  std::vector<Glob> paths, but_not;
  std::vector<std::string> text;
  std::vector<Type> types;
  int64_t min_files = 0;
};

struct Rules {
  std::vector<ReviewRule> reviews;
  std::vector<std::string> allowed_labels;

  // Those that come with the program: usual.toml.
  static const Rules& usual();
  static std::string_view usual_text();
  // `name`: the file's, for messages: triage.toml:14: unknown key "path"; did you mean "paths"?
  static Result<Rules> read(std::string_view toml, const std::string& name);
};

// One an area, in the rules' order.
std::vector<RequiredReview> required_reviews(const Change& change, std::optional<Type> type,
                                             const Rules& rules);

}  // namespace gitaiops::triage
