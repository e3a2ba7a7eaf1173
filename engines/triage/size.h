// How large a change is to its reader, and how long reading it takes.
#pragma once

#include <optional>
#include <string_view>

#include "engines/triage/change.h"
#include "engines/triage/project_history.h"

namespace gitaiops::triage {

// By the lines to read: at most 10, 100, 400, 1,000, more. Beyond 400 reviewers find fewer of a
// change's defects (Cohen, "Best Kept Secrets of Peer Code Review", 2006).
enum class Complexity : uint8_t { trivial, small, medium, large, huge };
std::string_view to_string(Complexity complexity);

struct Size {
  int64_t files = 0;
  std::optional<LineCount> lines;        // of all files
  std::optional<int64_t> lines_to_read;  // added, and half of the deleted; not in lock files,
                                         // vendored or generated ones
  Complexity complexity = Complexity::trivial;
  std::optional<double> percentile;  // so many in a hundred changes of this project are smaller
};

// nullopt: no files.
std::optional<Size> size_of(const Change& change, const ProjectHistory& history);

struct Effort {
  double p50_h = 0, p80_h = 0;  // half, and four in five, of such changes need no longer
  // True: how long this project's reviews of changes like this took, from start to end. False: time
  // to read it, by the pace of 300 to 500 lines an hour of the study above.
  bool from_history = false;
  std::optional<double> percentile;  // of this project's reviews, by p50_h
};
// nullopt: the lines are not known.
std::optional<Effort> effort_of(const Size& size, const ProjectHistory& history);

}  // namespace gitaiops::triage
