// How a source's position is written down: one JSON object, versioned by its keys; what is unknown
// is ignored.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/sources/follower.h"

namespace gitaiops::agent {

struct Cursor {
  std::string file;                            // name inside a followed folder
  std::optional<FilePosition> position;        // of a file
  std::string journal;                         // sd-journal's own cursor
  std::map<std::string, std::string> runners;  // runner entry → instance, learnt from announcements
};

std::string encode(const Cursor& cursor);
// nullopt: not one of ours; the source then starts as if it had none.
std::optional<Cursor> decode(std::string_view text);

}  // namespace gitaiops::agent
