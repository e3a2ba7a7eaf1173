// Guidelines that a project has for its reviewers, by the files that they are about:
// `.gitlab/duo/mr-review-instructions.yaml` as GitLab documents it
// (https://docs.gitlab.com/user/gitlab_duo/customize_duo/review_instructions/), and the same in the
// project's own file.
//
// Patterns are as GitLab takes them: `*` within a folder, `**` over folders, `{a,b}` one of these,
// "!" in front for files that it is not about; without a pattern all files are meant. Case does not
// matter. Any bytes are accepted. Thread safety: values.
// Tests: tests/unit/project_file, tests/fuzz/project_file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/triage/rules/glob.h"

namespace gitaiops::project_file {

inline constexpr std::string_view kReviewInstructions = ".gitlab/duo/mr-review-instructions.yaml";
inline constexpr std::size_t kMaxGuidelines = 50, kMaxPatterns = 20;

class Guideline {
 public:
  // At most kMaxPatterns patterns, with their unions written out; the rest does not count.
  Guideline(std::string name, const std::vector<std::string>& patterns, std::string text);
  const std::string& name() const { return name_; }  // foreign, as is the text
  const std::string& text() const { return text_; }
  bool is_about(std::string_view path) const;

 private:
  std::string name_, text_;
  std::vector<triage::Glob> of_, not_of_;
};

// Those of GitLab's file, at most kMaxGuidelines; what has no name or no text is left out. A file
// that is no YAML has none: GitLab tells of that itself.
std::vector<Guideline> read_review_instructions(std::string_view text);

// Those that are about one of the files, in their order.
std::vector<Guideline> about(const std::vector<Guideline>& all,
                             const std::vector<std::string>& paths);

}  // namespace gitaiops::project_file
