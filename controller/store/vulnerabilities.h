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

struct MergeRequestKey;
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

// A ref of a project, whose newest matched inventory is meant.
struct RefOf {
  std::string project_path, ref;
  bool operator==(const RefOf&) const = default;
};

// An inventory with what was found in it.
struct Matched {
  int64_t n = 0;
  int64_t project_id = 0, job_id = 0;
  std::string project_path, ref, commit_sha;
  UnixMicros received_at;
  std::vector<Found> found;  // the riskiest first
};

// Versions of one package in two inventories; one of the two may be empty.
struct PackageChange {
  std::string ecosystem, name;  // as its registry compares names
  std::vector<std::string> before, after;
  bool operator==(const PackageChange&) const = default;
};
struct PackageChanges {
  int64_t added = 0, removed = 0, changed = 0;  // packages, by name
  std::vector<PackageChange> listed;            // by ecosystem and name, at most kMostListedChanges
};
inline constexpr std::size_t kMostListedChanges = 1000;

class Vulnerabilities {
 public:
  virtual ~Vulnerabilities() = default;
  // The next newest inventory of a ref that was not matched with this index: first those that were
  // not matched at all; then, behind number `after`, those of another index. Nothing: all are.
  virtual Task<Result<std::optional<Unmatched>>> unmatched(std::string index, int64_t after) = 0;
  // What was found replaces what was known of that ref; the same vulnerability, by whatever of its
  // names, keeps the time at which it was first seen. Absent: what was known stays. Appends
  // "inventory.matched" when that is a commit's whose ref is known, and "vulnerability.found" when
  // an advisory made the project newly affected.
  virtual Task<Result<MatchOutcome>> keep_match(int64_t n, std::string index,
                                                std::optional<std::vector<Found>> found,
                                                UnixMicros at) = 0;
  // Of the newest matched inventory of each ref, last found first.
  virtual Task<Result<Page<Vulnerability>>> vulnerabilities(std::vector<ProjectGlob> scope,
                                                            VulnerabilityFilter filter,
                                                            PageRequest page) = 0;

  // ---- What a merge request changes ----

  // The newest inventory of any of these refs that was matched; nothing: none was.
  virtual Task<Result<std::optional<Matched>>> newest_match(std::vector<ProjectGlob> scope,
                                                            std::string instance,
                                                            std::vector<RefOf> refs) = 0;
  // From one inventory to another, by their numbers; not_found: one is gone.
  virtual Task<Result<PackageChanges>> package_changes(int64_t before, int64_t after) = 0;
  // The number of a commit's inventory; nothing: it has none.
  virtual Task<Result<std::optional<int64_t>>> inventory_of_commit(std::string instance,
                                                                   std::string project_path,
                                                                   std::string commit_sha) = 0;
  // For each of these whether that inventory has the package in that version.
  virtual Task<Result<std::vector<bool>>> stood_in(int64_t inventory,
                                                   std::vector<Found> packages) = 0;
  // Merge requests that a note stands at: those into the project, and those that a fork's jobs of
  // late ran for. The one changed last first; at most `limit`.
  virtual Task<Result<std::vector<MergeRequestKey>>> noted_merge_requests(std::string instance,
                                                                          int64_t project_id,
                                                                          std::size_t limit) = 0;
};

}  // namespace gitaiops::store
