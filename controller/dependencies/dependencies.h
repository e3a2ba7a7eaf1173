// What a change does to the dependencies of a project: which vulnerabilities it brings and which it
// ends.
//
// One vulnerability is one of a package, whatever version of it is there and by whatever of its
// names an advisory calls it: a change of version that keeps it neither brings nor ends it.
// Complexity: linear but for sorting. Thread safety: pure functions.
#pragma once

#include <vector>

#include "controller/store/store.h"

namespace gitaiops::dependencies {

struct Comparison {
  std::vector<store::Found> added, removed;  // each in the order of what it was found in
};
Comparison compare(const std::vector<store::Found>& before, const std::vector<store::Found>& after);

// The refs that the pipelines of a merge request run for, in the words of GitLab: its source
// branch, and the refs that GitLab keeps of it. A fork may have a merge request of the same number
// into itself: `source_path` and `target_path` tell them apart only together with the job's own
// merge request.
std::vector<store::RefOf> refs_of_merge_request(const std::string& source_path,
                                                const std::string& source_branch,
                                                const std::string& target_path, int64_t iid);

}  // namespace gitaiops::dependencies
