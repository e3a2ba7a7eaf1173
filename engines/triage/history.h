// What a repository's history says of who changed what and who looked at it. Pure.
//
// JSON of one commit, a line each, oldest first:
//   {"commit": "1f2e…", "date": 1732639859, "author": "ann", "files": [["lib/a.c", 3, 1], …],
//    "reviewers": ["ben"], "acks": ["cem"], "message": "Read the whole line\n\nFixes: …"}
// `files` may also be names alone; `message` may be missing, or be called "subject". `date` is Unix
// seconds, to 2106. Cases are an array of the same objects, where what is to be found out
// (reviewers) may be missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/change.h"

namespace gitaiops::triage {

struct Commit {
  std::string id;
  int64_t time_s = 0;
  std::string author;  // empty: the change's authors are told by other commits, as of a merge
  std::vector<std::string> files;
  std::vector<std::string> reviewers;  // who looked at it
  std::vector<std::string> acks;       // who agreed without saying that they looked
  std::vector<std::string> co_authors = {};
  std::string message = {};           // its first 16 KiB
  std::vector<LineCount> lines = {};  // of each of `files`; empty: not known
};

// invalid_argument: what is wrong with the line, or with which member.
Result<Commit> read_commit(std::string_view json);
Result<std::vector<Commit>> read_cases(std::string_view json);

// Names of machines that commit and review: "release-bot", "Jenkins", "foo-ci".
bool is_machine(std::string_view person);

}  // namespace gitaiops::triage
