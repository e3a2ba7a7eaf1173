// What a project decides for itself: `.gitaiops.yml` on its default branch.
//
//   note:               # or `note: off`: none at all
//     usage: off        # a section, by its name in kSections
//     explanation: off  # nothing of this project is sent to a model
//   ignore:             # vulnerabilities that it lives with
//     - id: CVE-2021-23337
//       package: lodash              # optional
//       reason: only used by a test
//       until: 2027-03-31            # optional, that day included
//   guidelines:         # for those who review (guidelines.h)
//     - name: SQL
//       files: ["**/*.sql", "!old/**"]
//       text: Has it an index, and does it hold no lock?
//
// What the file does not say is as the controller's configuration has it. The default branch is
// read, never the branch of a merge request: a change cannot switch off what is said of it. A
// mistake takes away nothing else: the line that has it is named, the others count.
//
// Any bytes are accepted. Complexity: linear. Thread safety: pure.
// Tests: tests/unit/project_file, tests/fuzz/project_file.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engines/project_file/guidelines.h"
#include "engines/scanner/findings.h"

namespace gitaiops::project_file {

inline constexpr std::string_view kName = ".gitaiops.yml";
inline constexpr std::size_t kMaxBytes = 64 << 10;
inline constexpr std::array<std::string_view, 8> kSections = {
    "failures",        "explanation", "risk",      "look_at",
    "vulnerabilities", "usage",       "reviewers", "guidelines"};

struct ProjectFile {
  bool readable = true;  // false: it is no YAML, and nothing is known of what it wants
  bool note = true;
  std::map<std::string, bool, std::less<>> sections;  // on or off; of kSections
  std::vector<scanner::Ignore> ignores;               // at most kMaxIgnores
  std::vector<Guideline> guidelines;                  // at most kMaxGuidelines
  // At most kMaxMistakes, each with its place and the cure. They quote the file: foreign text.
  std::vector<std::string> mistakes;
};
inline constexpr std::size_t kMaxMistakes = 5, kMaxIgnores = 500;

// `text` has at most kMaxBytes.
ProjectFile read(std::string_view text);

// The sections that are not wanted: those that `by_default` names unless the file wants them, and
// those that the file does not want.
std::set<std::string, std::less<>> unwanted(const ProjectFile& file,
                                            const std::vector<std::string>& by_default);

}  // namespace gitaiops::project_file
