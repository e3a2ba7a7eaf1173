// Which trace belongs to which job: a pure function over values.
//
// Announcements of one runner entry and births of its traces have the same order; each trace is
// born within a window around its announcement. Jobs and traces that can reach one another through
// possible pairs form a group. Inside a group the largest order-preserving assignments are sought,
// and a pair is made only when it stands in every one of them. So a lost trace or announcement
// makes its neighbours ambiguous, never wrong.
//
// Where the runner's log told size and checksum of a job's whole trace, that comes first: a closed
// trace of other bytes is not the job's, and a pair whose bytes agree, with no other job or trace
// that could agree as well, is made whatever the order says. Who is paired so is out of the others'
// way. A job can choose what it writes, not what another job's log consists of: two that agree make
// each other ambiguous.
//
// Births of one instant whose order nobody saw are paired with nobody.
//
// A group is judged when it is complete: while one of its traces is so young that its announcement
// may be on its way, or a header is missing that would tell two entries apart, it waits. Where jobs
// come without a pause that would be never. So a group is cut where, for kQuiet, nothing was
// announced or born, everything before has arrived, and as many traces were born as jobs announced:
// what lies before the cut is judged for itself, if it leaves nobody over.
//
// Where the order says nothing (a job known only from its end, several runner processes behind one
// entry) the same question is asked of assignments without order, and only if they leave nobody
// over.
//
// What this relies on: in one group not both an announcement and a trace were lost, and none of
// them was lost just before a runner rested for kQuiet between an announcement and its trace.
// Nothing on the host could tell that.
//
// Cost: jobs x traces of a group; without order times its pairs. Groups beyond kMaxGroupEdges are
// left ambiguous.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/observer/observer.h"
#include "agent/sources/fact.h"
#include "base/clock/clock.h"

namespace gitaiops::agent {

constexpr std::size_t kMaxGroupEdges = 1 << 20;
constexpr int64_t kQuiet = 30'000;  // microseconds; several times what a file's stamp is coarse

struct JobSide {
  std::string runner_short;  // empty: unknown
  uint64_t announced = 0;    // rank among announcements; 0: never announced, has no order
  int64_t born_from_us = 0;  // its trace was born in this window, microseconds UTC
  int64_t born_until_us = -1;
  std::optional<int64_t> ended_us;  // not before this its end was written, steady
  int64_t settled_us = 0;           // steady; until then its trace may not have been noticed
  // It was announced between these two, microseconds UTC.
  int64_t announced_from_us = 0, announced_until_us = 0;
  std::optional<TraceSum> sum{};  // of its trace, as the runner told it at the end
};

struct TraceSide {
  std::string runner_short;  // empty: not read yet
  ProcessId runner;
  int64_t birth_us = 0;
  uint64_t order = 0;                // among births of one instant; 0: unknown
  std::optional<int64_t> closed_us;  // steady
  int64_t settled_us = 0;            // steady; until then its announcement may be on its way
  std::optional<TraceSum> sum{};     // once closed
};

struct TraceMatch {
  std::optional<std::size_t> trace;   // the pair that stands in every largest assignment
  std::vector<std::size_t> possible;  // all traces that could be this job's
  bool open = false;  // its group is not complete yet; ask again, at settles_us if that is told
  std::optional<int64_t> settles_us;
  bool proven = false;   // by its checksum
  bool surplus = false;  // its group has more traces than jobs: somebody's announcement was lost
};

// One answer a job. A trace that was closed before the job's end was written is not the job's.
// `arrived`: whatever happened before it is known.
std::vector<TraceMatch> match_traces(std::span<const JobSide> jobs,
                                     std::span<const TraceSide> traces, SteadyMicros now,
                                     UnixMicros arrived);

}  // namespace gitaiops::agent
