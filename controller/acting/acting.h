// Acts by itself, where the configuration allows it:
//
//   A job failed for a reason that passes        → it is retried at GitLab, once.
//   A host fails jobs of several projects for a
//   reason that the runner owns                  → it is reported and, if allowed, its runner
//   paused.
//
//   Somebody asked for it                        → the job is retried, as often as it is asked for.
//
// By itself nothing is done unless a rule names the project. An act is decided in a transaction
// with its audit record, under an identity that is decided only once (commit, job and category;
// runner and day), and then done as work of the queue: a crash between the two does it later, a
// crash after it finds at GitLab that it was done. Never retried: what has a code signal beside it,
// what somebody retried, what is not the newest run. Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::acting {

// Jobs of the projects that the globs name, of one of the categories or owners, are retried.
struct RetryRule {
  store::ProjectGlob project;
  std::vector<std::string> owners, categories;
  int64_t max_per_hour = 10;                   // in each project
  int64_t backoff_us = 60 * kMicrosPerSecond;  // before a retry that wants some time to pass
};

struct HostRule {
  int64_t window_us = 3600 * kMicrosPerSecond;
  int64_t jobs = 5, projects = 3;
  bool pause_runner = false;
};

struct Options {
  std::vector<RetryRule> retry;
  HostRule hosts;
  int64_t look_us = 30 * kMicrosPerSecond;  // at the hosts
};

// ---- Decisions: values in, values out ----

struct Retry {
  int64_t wait_us = 0;
  int64_t max_per_hour = 0;
  std::string why;
};
// Whether the report alone speaks for a retry by one of the rules.
std::optional<Retry> worth_a_retry(const store::Job& job, const std::vector<RetryRule>& rules,
                                   UnixMicros now);
// Why the job is not to be retried, by all runs of its pipeline and the acts so far; nothing: it
// may be.
std::optional<std::string> objection(const std::vector<gitlab::Job>& runs, int64_t job_id,
                                     const std::vector<store::Act>& acts);
// The same of a retry that somebody asked for: what was retried before may be so again.
std::optional<std::string> objection(const std::vector<gitlab::Job>& runs, int64_t job_id);
// The newest run of the job, when it is another one.
const gitlab::Job* newer_run(const std::vector<gitlab::Job>& runs, const std::string& name,
                             int64_t job_id);
// Another runner takes the project's jobs.
bool another_runner(const std::vector<gitlab::Runner>& runners, int64_t runner);

// ---- The reaction ----

class Acting {
 public:
  struct Counters {
    int64_t retries = 0, pauses = 0, refused = 0, failing_hosts = 0;
  };
  // Everything given must outlive this.
  Acting(store::Store& store, const Clock& clock, std::map<std::string, gitlab::Gitlab*> instances,
         Options options);

  // Registers the handlers of "retry.decide", "runner.decide" and "act.do".
  void attach(queue::Worker& worker);
  // Turns events of the outbox into work and looks at the hosts; returns after stop().
  Task<void> follow();
  void stop() { stopped_.set(); }
  const Counters& counters() const { return counters_; }

  Task<queue::Verdict> decide_retry(store::Work work);
  Task<queue::Verdict> decide_pause(store::Work work);
  Task<queue::Verdict> act(store::Work work);

 private:
  Task<Status> follow_once();
  Task<std::vector<store::NewWork>> look_at_hosts();
  Task<queue::Verdict> retry(store::Act act, gitlab::Gitlab& gitlab);
  Task<queue::Verdict> pause(store::Act act, gitlab::Gitlab& gitlab, std::string payload);
  queue::Verdict ended(store::Act act, std::string state, std::string detail, int64_t made = 0);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  Options options_;
  Counters counters_;
  SteadyMicros next_look_;
  std::set<std::string> told_;  // hosts that fail, and were told of
  Event stopped_;
};

}  // namespace gitaiops::acting
