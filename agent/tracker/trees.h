// Which process trees belong to a job. Pure.
//
// The chain: a tree descends from the runner; its working directories name runner entry, slot and
// project; the slot follows from the runner's own announcements and ends; the job lives while the
// tree starts. What a job can write (its directory, its environment, the path in its log) can break
// this chain and make nothing of it: a tree that works in two checkouts, that names another job,
// that runs beside another tree in the same checkout, or that runs while some other job is nowhere
// to be seen, is withheld, and with it the usage of the jobs it might be of.
//
// Between jobs of one entry and project, where a slot was taken again the instant it was free, a
// job's word decides: the checkout its log names, and the job its processes' environment names. So
// two jobs of one project that exchange their places can exchange their own usage, and nobody
// else's.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agent/observer/observer.h"
#include "agent/sources/fact.h"
#include "agent/tracker/checkout.h"

namespace gitaiops::agent {

// What was seen of one tree. All times steady, microseconds.
class Tree {
 public:
  Tree(const ProcessId& root, const ProcessId& runner, int64_t now_us);

  void saw(const ProcessSample& process, int64_t now_us);

  ProcessId root, runner;
  int64_t started_us;  // from the root's start time
  int64_t last_seen_us;
  std::optional<int64_t> root_first_us, root_last_us;  // samples in which the root itself was alive
  std::vector<Checkout> places;                        // shortest ones only
  bool crowded = false;                                // more places than we keep
  std::set<int64_t> claims;                            // CI_JOB_ID values
  std::optional<JobRef>
      owner;  // given to a job that was reported; still shows where that job was when
};

// Something happened between these two moments, microseconds.
struct Between {
  int64_t from = 0;
  int64_t until = std::numeric_limits<int64_t>::max();
};

// A job as far as trees concern it. Times are steady here; the tracker keeps those of past jobs in
// UTC.
struct TreeJob {
  JobRef ref;
  std::string runner_short, project;
  uint64_t announced =
      0;  // rank of the announcement and of the end in the order of the log; 0: none
  uint64_t ended = 0;
  Between born;       // its trace was created
  Between end;        // its last process ended
  Between freed;      // the runner took its slot back
  std::string claim;  // checkout path in its trace
  bool strangers =
      false;  // jobs that nobody announced to us were there when it began: its slot is unknown
  std::optional<std::vector<int>> slots;  // what was found when the job was reported
};

// For each job the slots that the runner may have given to it; nullopt: cannot be told.
std::vector<std::optional<std::vector<int>>> predict_slots(std::span<const TreeJob> jobs);

struct TreeVerdict {
  std::vector<ProcessId> trees;
  std::string reason;  // why there are none; empty when there are
  bool withheld = false;
  std::optional<std::vector<int>> slots;  // for TreeJob once the job is reported
};

TreeVerdict trees_of(std::span<const TreeJob> jobs, std::size_t index,
                     std::span<const Tree* const> trees);

}  // namespace gitaiops::agent
