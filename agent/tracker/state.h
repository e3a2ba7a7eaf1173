// The tracker's inside: what it remembers, and the steps it takes, in the order of a job's life.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/sources/fact.h"
#include "agent/tracker/attribution.h"
#include "agent/tracker/folding.h"
#include "agent/tracker/tracker.h"
#include "agent/tracker/trees.h"

namespace gitaiops::agent {

// When a job was announced, and in which place among all announcements and ends that the log told.
struct Announcement {
  uint64_t rank = 0;  // 0: never announced
  int64_t at_us = 0;  // UTC
  int64_t late_us = 0;
};

struct OpenJob {
  JobRef ref;
  FoldedFacts facts;
  Announcement announced;
  bool ended = false;       // some record told its end
  uint64_t ended_rank = 0;  // of its end in the runner's log; 0: not told there
  SteadyMicros known_since, ended_at;
  int64_t ended_late_us = 0;              // how much earlier than ended_at the end may have been
  std::optional<int64_t> end_written_us;  // steady; not before this the log told its end
  std::optional<SteadyMicros> runner_gone_at;
  bool told = false;  // handed out as started
  bool strangers = false;
};

// A job that was reported: its late facts are ignored, its trace is nobody else's, and where it had
// none it goes on competing for those that it could have had.
struct PastJob {
  JobRef ref;
  std::string runner_short, project;
  Announcement announced;
  uint64_t ended_rank = 0;
  Between born{0, -1}, end, freed;  // as in TreeJob, but UTC
  bool strangers = false;
  std::optional<TraceSum> sum;  // as the runner told it
  std::optional<TraceId> trace;
  std::optional<std::vector<int>> slots;
};

struct TraceRecord {
  TraceId id;
  ProcessId runner;
  uint64_t order = 0;  // as in OpenedTrace
  SteadyMicros opened_at;
  TraceProgress progress;
  std::optional<SteadyMicros> closed_at;  // noticed
  std::optional<int64_t> unlinked_us;     // UTC, exact
  std::optional<TraceSum> sum;            // once closed
  std::string lost;                       // why; empty: it is there
  bool given_up = false;                  // the caller was told that it is nobody's
  bool wanted = false;                    // some open job could own it (as of the last match)
  bool related = false;                   // some open or past job could
  bool stranger = false;                  // probably of a job that nobody announced to us

  int64_t birth_us() const { return id.birth_ns / 1000; }
};

// Relates UTC to the steady clock by what is seen: every stamp is at most as late as the moment it
// is told at, so the smallest lateness of the last minutes is nearest to the truth.
class TimeScale {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  void saw(UnixMicros stamp, SteadyMicros now);
  bool known() const { return current_.has_value() || previous_.has_value(); }
  int64_t to_steady(int64_t unix_us) const {
    return unix_us == kNever ? kNever : unix_us - offset();
  }
  int64_t to_unix(int64_t steady_us) const {
    return steady_us == kNever ? kNever : steady_us + offset();
  }
  Between to_steady(Between utc) const { return {to_steady(utc.from), to_steady(utc.until)}; }
  Between to_unix(Between steady) const { return {to_unix(steady.from), to_unix(steady.until)}; }

 private:
  int64_t offset() const;
  std::optional<int64_t> current_, previous_;  // largest UTC - steady of this and the last period
  int64_t period_began_ = 0;
};

std::string name_of(const JobRef& ref);  // "job 7 of lab"

struct Tracker::State {
  explicit State(TrackerOptions o) : options(o) {}

  TrackerOptions options;
  Counters counters;
  std::deque<std::string> explanations;
  uint64_t last_rank = 0;
  TimeScale time;

  std::map<JobRef, OpenJob> jobs;
  std::deque<PastJob> past;  // newest last
  std::set<JobRef> past_refs;
  std::set<TraceId> past_traces;
  std::map<TraceId, TraceRecord> traces;
  std::map<ProcessId, Tree> trees;  // by root
  std::set<ProcessId> runners;      // alive
  std::map<ProcessId, SteadyMicros> gone_runners;
  std::vector<TraceId> orphans;          // found between two calls
  SteadyMicros latest;                   // moment we were told of
  bool sums_are_told = false;            // this host's runner tells them
  std::set<std::string> unordered;       // entries whose announcements and births crossed
  bool adopt = false;                    // restored: moments of this life are still to be set
  std::optional<SteadyMicros> deadline;  // of the last look

  void adopt_restored(SteadyMicros now);
  int64_t lateness(const Fact& fact) const;
  // Steady; not before this the fact's record was written.
  int64_t written_from(const Fact& fact, SteadyMicros now) const;
  OpenJob* job_of(const Fact& fact, SteadyMicros now);
  // The log's places of the job's announcement and end. Only the log has an order: what the other
  // sources tell may be read earlier or later.
  void rank(OpenJob& job, const Fact& fact, SteadyMicros now);
  void rank_past_end(const Fact& fact);
  void drop_oldest();

  // ---- matching: open jobs against traces ----
  struct Match {
    TraceRecord* trace = nullptr;  // forced
    std::vector<TraceRecord*> possible;
    bool open = false;  // no answer yet
    std::optional<SteadyMicros> settles;
    bool surplus = false;
    bool proven = false;  // by its checksum
  };
  std::map<JobRef, Match> match(SteadyMicros now);
  Between birth_window(const OpenJob& job) const;  // UTC
  // Learns from a pair that its checksum proved whether the entry's order can be relied on.
  void check_order(const PastJob& done);
  // Notes which jobs began beside traces of jobs that nobody announced to us.
  void note_strangers(const std::map<JobRef, Match>& matches);

  // ---- finishing ----
  // When the job may be reported; nullopt: not as things are.
  std::optional<SteadyMicros> due(const OpenJob& job, const Match& match) const;
  FinishedJob finish(const OpenJob& job, const Match& match, SteadyMicros now);
  void attach_trace(const OpenJob& job, const Match& match, FinishedJob& done);
  void attach_trees(const OpenJob& job, const std::map<JobRef, Match>& matches, FinishedJob& done,
                    PastJob& gone);
  PastJob past_of(const OpenJob& job, const Match& match, SteadyMicros now) const;
  void remember(PastJob job);
  void explain(std::string sentence);
  TreeJob tree_job(const OpenJob& job, const Match& match) const;
  std::vector<TreeJob> tree_jobs(const std::map<JobRef, Match>& matches) const;
};

}  // namespace gitaiops::agent
