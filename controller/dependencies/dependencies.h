// What a change does to the dependencies of a project: which vulnerabilities it brings and which it
// ends.
//
// One vulnerability is one of a package, whatever version of it is there and by whatever of its
// names an advisory calls it: a change of version that keeps it neither brings nor ends it.
// And a stored inventory as the scanner's own, for what the scanner writes of one.
// Complexity: linear but for sorting. Thread safety: pure functions.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "controller/store/store.h"
#include "engines/scanner/findings.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/vex/vex.h"

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

// What people decided to live with, in the configuration and in the projects' own files, and what
// VEX documents say of it.
class Accepted {
 public:
  struct Ignore {
    std::vector<store::ProjectGlob> projects;
    scanner::Ignore ignore;
  };
  struct Statements {
    std::vector<store::ProjectGlob> projects;
    std::string document;  // its name, for the reason
    std::vector<scanner::VexStatement> statements;
  };
  Accepted() = default;
  Accepted(std::vector<Ignore> ignores, std::vector<Statements> vex)
      : ignores_(std::move(ignores)), vex_(std::move(vex)) {}

  // What a project lives with by its own word, in place of what it, or another one that had its
  // path, said before.
  void set_own(const std::string& instance, int64_t project_id, const std::string& path,
               std::vector<scanner::Ignore> own);
  // What projects said is kept when the configuration is read anew.
  void keep_own_of(Accepted& before) { own_ = std::move(before.own_); }

  // For each why it does not count in that project on that day (UTC); empty: it counts.
  std::vector<std::string> reasons(const std::string& instance, const std::string& path,
                                   const std::vector<store::Found>& found, UnixMicros now) const;

 private:
  std::vector<Ignore> ignores_;
  std::vector<Statements> vex_;
  struct Own {
    int64_t project_id = 0;
    std::vector<scanner::Ignore> ignores;
  };
  std::map<std::pair<std::string, std::string>, Own> own_;  // by instance and path
};

// An agent's word: positions beyond a set and ecosystems that are not ours are left out.
scanner::Inventory inventory_of(const fleet::v1::Inventory& message);
// What was found in it, in that order, each with why it does not count; what is of no package of it
// is left out.
scanner::Findings findings_of(const scanner::Inventory& inventory,
                              const std::vector<store::Found>& found,
                              const std::vector<std::string>& reasons);

}  // namespace gitaiops::dependencies
