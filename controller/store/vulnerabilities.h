// What is wrong with what the projects depend on: the newest inventory of each ref of each project
// is matched against the advisories, and what was found is kept until it is gone. Part of store.h,
// whose rules hold here as well; include that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::store {

struct ProjectGlob;
struct PageRequest;
template <class T>
struct Page;

// One vulnerability of one version of a package.
struct Found {
  std::string ecosystem, package, version;  // the package as its registry compares names
  std::string advisory;                     // the name that tells most
  std::vector<std::string> aliases;         // all its other names
  std::string summary;
  int severity = 0;   // 0 unknown, 1 none, 2 low, 3 medium, 4 high, 5 critical
  double score = -1;  // CVSS base score; below 0: none
  std::string fixed;  // the lowest version that is fixed; empty: none known
  double risk = 0;    // 0 to 100
  bool known_exploited = false;
  std::vector<std::string> path;  // "name@version", from what the project asks for to the package
  bool operator==(const Found&) const = default;
};

// The same with where it is.
struct Vulnerability {
  int64_t n = 0;
  std::string instance;
  int64_t project_id = 0;  // 0: not known
  std::string project_path, ref, commit_sha;
  Found found;
  UnixMicros first_seen;
};

// Fields that are absent match anything.
struct VulnerabilityFilter {
  std::optional<std::string> instance, project_path, ref;
  std::optional<int> least_severity;
  std::optional<std::string> advisory;  // any of its names
  std::optional<std::string> ecosystem, package;
};

// An inventory that the index has not been asked about.
struct Unmatched {
  int64_t n = 0;
  std::string instance, project_path;
  bool again = false;    // it was, with another index
  bool damaged = false;  // its bytes cannot be read: `body` is empty and says nothing
  fleet::v1::Inventory body;
};

struct MatchOutcome {
  int64_t added = 0, gone = 0;
  bool by_advisory = false;  // it was matched before: no commit, but an advisory is what is new
};

class Vulnerabilities {
 public:
  virtual ~Vulnerabilities() = default;
  // The next newest inventory of a ref that was not matched with this index: first those that were
  // not matched at all; then, behind number `after`, those of another index. Nothing: all are.
  virtual Task<Result<std::optional<Unmatched>>> unmatched(std::string index, int64_t after) = 0;
  // What was found replaces what was known of that ref; the same vulnerability, by whatever of its
  // names, keeps the time at which it was first seen. Absent: what was known stays. Appends
  // "vulnerability.found" when an advisory made the project newly affected.
  virtual Task<Result<MatchOutcome>> keep_match(int64_t n, std::string index,
                                                std::optional<std::vector<Found>> found,
                                                UnixMicros at) = 0;
  // Of the newest matched inventory of each ref, last found first.
  virtual Task<Result<Page<Vulnerability>>> vulnerabilities(std::vector<ProjectGlob> scope,
                                                            VulnerabilityFilter filter,
                                                            PageRequest page) = 0;
};

}  // namespace gitaiops::store
