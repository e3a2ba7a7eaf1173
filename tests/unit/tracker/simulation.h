// A runner host in miniature, for tests of the tracker: runner entries that announce jobs, traces,
// process trees, a log with latency, an agent that may be restarted. Everything follows from the
// seed. Knows the truth, so that attributions can be judged.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/tracker/tracker.h"

namespace gitaiops::agent::simulation {

struct Options {
  uint64_t seed = 1;
  int entries = 1;
  int projects = 2;
  int jobs = 50;
  int64_t spread_us = 2'000'000;  // jobs begin within this
  int64_t shortest_us = 200'000, longest_us = 20'000'000;
  int64_t log_latency_us = 800'000;  // at most; order is kept
  bool journal_stamps = false;       // facts carry the moment of writing
  bool usage_log = false;            // tells of each end as well, sooner or later than the log
  double doubled = 0;                // share of log records that come twice
  double lose_announcement = 0, lose_end = 0, lose_trace = 0;
  double liars = 0;          // share of jobs that lie in log, environment and directory
  double wanderers = 0;      // share of stages that work outside their checkout
  bool unlink_known = true;  // closings come with the moment of unlinking
  int concurrent = 0;        // jobs at once, the next one begins as soon as one is over; 0: any
  double claimed = 0.3;      // share of stages whose environment names the job
  double starved = 0;        // share of jobs whose trace comes up to 0.25 s after the announcement
  bool slow_upload = false;  // traces are closed up to 5 s after the end
  int restarts = 0;          // of the agent, each 0.2 to 3 s long
  int requests = 1;          // how many jobs an entry asks for at once (request_concurrency)
  bool sums = false;         // the log tells size and checksum of each trace after the job's end
  double lose_sum = 0;       // share of those records that are lost
  double same_text = 0;      // share of jobs whose log is, byte for byte, that of the one before
};

struct Outcome {
  int finished = 0;
  int with_trace = 0, with_trees = 0;
  std::vector<std::string> wrong;  // what must never be: each a sentence
  std::map<std::string, int> trace_reasons, usage_reasons;
};

Outcome run(const Options& options);

}  // namespace gitaiops::agent::simulation
