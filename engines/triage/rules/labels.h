// Which labels to add and to remove. People come first: what they set stays.
#pragma once

#include <string>
#include <vector>

namespace gitaiops::triage {

struct LabelChanges {
  std::vector<std::string> add, remove;
  bool operator==(const LabelChanges&) const = default;
};

// So that the change carries `wanted`, as far as `allowed`. Only labels of `ours` (which we added
// before, and nobody since) are removed. A scoped label ("risk::high"; the scope is "risk") is not
// added where a person has set another one of its scope: GitLab would take that one away.
LabelChanges label_changes(const std::vector<std::string>& current,
                           const std::vector<std::string>& ours,
                           const std::vector<std::string>& wanted,
                           const std::vector<std::string>& allowed);

}  // namespace gitaiops::triage
