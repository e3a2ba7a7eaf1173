// A change that somebody proposes: what a merge request tells. Whatever is not known stays empty.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gitaiops::triage {

struct LineCount {
  int64_t added = 0, deleted = 0;
};

struct Change {
  std::string author;
  std::vector<std::string> files;  // paths, as they are afterwards
  int64_t time_s = 0;              // Unix seconds
  std::string title = {}, description = {};
  std::vector<std::string> labels = {};  // that it carries now
  std::vector<LineCount> lines = {};     // of each of `files`, in their order; empty: not known
  std::string added_text = {};  // the added lines of its diff, as far as somebody read them
};

}  // namespace gitaiops::triage
