#include "agent/tracker/tracker.h"

#include <algorithm>

#include "agent/tracker/state.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxTraces = 8192;
constexpr std::size_t kMaxTrees = 8192;
constexpr int64_t kLongestLateness = 366LL * 24 * 3600 * kMicrosPerSecond;
constexpr int64_t kLatestMoment = 1LL << 60;
constexpr int64_t kTimePeriod = 2 * 60 * kMicrosPerSecond;
constexpr int64_t kTreeMemory = 60 * kMicrosPerSecond;    // of trees that no known job could own
constexpr int64_t kTraceMemory = 600 * kMicrosPerSecond;  // of traces that were given up

}  // namespace

// ---- TimeScale ----

void TimeScale::saw(UnixMicros stamp, SteadyMicros now) {
  if (now.value - period_began_ > kTimePeriod) {
    previous_ = std::exchange(current_, std::nullopt);
    period_began_ = now.value;
  }
  if (stamp.value < 0 || stamp.value > kLatestMoment) return;
  const int64_t difference = stamp.value - now.value;
  current_ = current_ ? std::max(*current_, difference) : difference;
}

int64_t TimeScale::offset() const {
  if (current_ && previous_) return std::max(*current_, *previous_);
  return current_ ? *current_ : previous_.value_or(0);
}

// ---- what comes in ----

Tracker::Tracker(TrackerOptions options) : state_(std::make_unique<State>(options)) {}
Tracker::~Tracker() = default;

void Tracker::State::adopt_restored(SteadyMicros now) {
  latest = std::max(latest, now);
  if (!std::exchange(adopt, false)) return;
  for (auto& [ref, job] : jobs) {
    job.known_since = now;
    if (!job.ended) continue;
    job.ended_at = now;
    job.ended_late_us = kLongestLateness;
  }
}

int64_t Tracker::State::lateness(const Fact& fact) const {
  return fact.late_us < 0 ? options.birth_window_us : std::min(fact.late_us, kLongestLateness);
}

OpenJob* Tracker::State::job_of(const Fact& fact, SteadyMicros now) {
  if (past_refs.contains(fact.job)) return nullptr;
  const auto found = jobs.find(fact.job);
  if (found != jobs.end()) return &found->second;
  // Only the runner's own records make a job known; what a job writes or shows joins to a known
  // one.
  if (fact.source > Source::debug_jobs || fact.job.job_id <= 0 || fact.job.instance.empty())
    return nullptr;
  if (jobs.size() >= options.max_jobs) drop_oldest();
  auto& job = jobs[fact.job];
  job.ref = fact.job;
  job.known_since = now;
  return &job;
}

void Tracker::State::drop_oldest() {
  const auto oldest = std::min_element(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
    return a.second.known_since < b.second.known_since;
  });
  if (oldest == jobs.end()) return;
  ++counters.jobs_dropped;
  explain(name_of(oldest->first) + " was dropped: more than " + std::to_string(options.max_jobs) +
          " jobs are open, and it is the oldest");
  remember(past_of(oldest->second, {}, oldest->second.known_since));
  jobs.erase(oldest);
}

void Tracker::on_fact(const Fact& fact, SteadyMicros now) {
  auto& s = *state_;
  s.adopt_restored(now);
  s.time.saw(fact.observed_at, now);
  auto* job = s.job_of(fact, now);
  if (!job) return s.rank_past_end(fact);
  if (fact.field == Field::trace_sum) {
    s.sums_are_told = true;
    if (job->ended_rank == 0) return;  // of a part: the job still runs
  }
  const bool taken = job->facts.fold(fact.field, fact.value, fact.source);
  s.rank(*job, fact, now);
  const bool from_log = fact.source == Source::runner_log || fact.source == Source::usage_log;
  if (fact.field == Field::outcome && taken && from_log && !job->ended) {
    job->ended = true;
    job->ended_at = now;
    // The usage log is written some time after the end.
    const auto after = fact.source == Source::usage_log ? s.options.birth_window_us : 0;
    job->ended_late_us = now.value - s.written_from(fact, now) + after;
  }
}

// Neither a stamp nor a bound lies more than this before the moment we hear of it.
int64_t Tracker::State::written_from(const Fact& fact, SteadyMicros now) const {
  return std::min(now.value, time.to_steady(fact.observed_at.value)) - lateness(fact);
}

void Tracker::State::rank(OpenJob& job, const Fact& fact, SteadyMicros now) {
  if (fact.source != Source::runner_log) return;
  if (fact.field == Field::outcome && job.ended_rank == 0) {
    job.ended_rank = ++last_rank;
    job.end_written_us = written_from(fact, now);
  }
  if (fact.field != Field::received_at || job.announced.rank != 0) return;
  const auto at = parse_int(fact.value);
  if (at && *at >= 0 && *at <= kLatestMoment) job.announced = {++last_rank, *at, lateness(fact)};
}

void Tracker::State::rank_past_end(const Fact& fact) {
  if (fact.source != Source::runner_log || fact.field != Field::outcome) return;
  const auto gone = std::find_if(past.rbegin(), past.rend(),
                                 [&](const PastJob& job) { return job.ref == fact.job; });
  if (gone != past.rend() && gone->ended_rank == 0) gone->ended_rank = ++last_rank;
}

void Tracker::on_trace_opened(const TraceId& id, const ProcessId& runner, SteadyMicros now,
                              uint64_t order) {
  auto& s = *state_;
  s.adopt_restored(now);
  s.time.saw({id.birth_ns / 1000}, now);
  s.runners.insert(runner);
  if (s.past_traces.contains(id)) {
    s.orphans.push_back(id);
    return;
  }
  if (s.traces.contains(id)) return;
  if (s.traces.size() >= kMaxTraces) {
    const auto oldest = std::min_element(
        s.traces.begin(), s.traces.end(),
        [](const auto& a, const auto& b) { return a.second.opened_at < b.second.opened_at; });
    if (!oldest->second.given_up) s.orphans.push_back(oldest->first);
    s.traces.erase(oldest);
  }
  auto& trace = s.traces[id];
  trace.id = id;
  trace.runner = runner;
  trace.order = order;
  trace.opened_at = now;
}

void Tracker::on_trace_progress(const TraceId& id, const TraceProgress& progress) {
  const auto found = state_->traces.find(id);
  if (found == state_->traces.end()) return;
  auto& known = found->second.progress;
  // The header is the first thing in a trace: what was read once stays. A claim that changes is
  // still a claim.
  auto runner_short = known.runner_short.empty() ? progress.runner_short : known.runner_short;
  known = progress;
  known.runner_short = std::move(runner_short);
}

void Tracker::on_trace_closed(const TraceId& id, SteadyMicros now,
                              std::optional<UnixMicros> unlinked, std::optional<TraceSum> sum) {
  state_->adopt_restored(now);
  const auto found = state_->traces.find(id);
  if (found == state_->traces.end() || found->second.closed_at) return;
  found->second.closed_at = now;
  found->second.sum = sum;
  if (unlinked && unlinked->value >= found->second.birth_us() && unlinked->value <= kLatestMoment)
    found->second.unlinked_us = unlinked->value;
}

void Tracker::on_trace_lost(const TraceId& id, std::string reason) {
  const auto found = state_->traces.find(id);
  if (found == state_->traces.end()) return;
  auto& trace = found->second;
  trace.lost = reason.empty() ? "its trace could not be read" : std::move(reason);
}

void Tracker::on_processes(const std::vector<ProcessSample>& processes, SteadyMicros now) {
  auto& s = *state_;
  s.adopt_restored(now);
  for (const auto& process : processes) {
    s.runners.insert(process.runner);
    auto found = s.trees.find(process.root);
    if (found == s.trees.end()) {
      if (s.trees.size() >= kMaxTrees) continue;
      found = s.trees.emplace(process.root, Tree(process.root, process.runner, now.value)).first;
    }
    found->second.saw(process, now.value);
  }
  std::set<std::string> entries;
  auto oldest = now;
  for (const auto& [ref, job] : s.jobs) {
    entries.insert(job.facts.text(Field::runner_short));
    oldest = std::min(oldest, job.known_since);
  }
  std::erase_if(s.trees, [&](const auto& entry) {
    const auto& tree = entry.second;
    if (now.value - tree.last_seen_us < kTreeMemory) return false;
    if (tree.owner) return tree.last_seen_us < oldest.value - kTreeMemory;
    return std::none_of(tree.places.begin(), tree.places.end(), [&](const Checkout& place) {
      return entries.contains(place.runner_short);
    });
  });
}

void Tracker::on_runner_gone(const ProcessId& runner, SteadyMicros now) {
  auto& s = *state_;
  s.adopt_restored(now);
  s.runners.erase(runner);
  s.gone_runners.emplace(runner, now);
  if (s.gone_runners.size() > 64) s.gone_runners.erase(s.gone_runners.begin());
  // Which process a job belongs to is known only by its trace; without one, only when no other
  // runner is left.
  if (!s.runners.empty()) return;
  for (auto& [ref, job] : s.jobs)
    if (!job.ended && !job.runner_gone_at) job.runner_gone_at = now;
}

// ---- what goes out ----

std::vector<StartedJob> Tracker::take_started() {
  std::vector<const OpenJob*> fresh;
  for (auto& [ref, job] : state_->jobs) {
    if (job.told || job.facts.text(Field::project_path).empty()) continue;
    job.told = true;
    fresh.push_back(&job);
  }
  std::sort(fresh.begin(), fresh.end(), [](const OpenJob* a, const OpenJob* b) {
    return std::pair(a->announced.rank, a->ref) < std::pair(b->announced.rank, b->ref);
  });
  std::vector<StartedJob> started;
  for (const auto* job : fresh)
    started.push_back({job->ref,
                       job->facts.text(Field::project_path),
                       job->facts.text(Field::runner_short),
                       {job->facts.number(Field::received_at).value_or(0)}});
  return started;
}

std::optional<TraceId> Tracker::trace_of(const JobRef& job) const {
  const auto matches = state_->match(state_->latest);
  const auto found = matches.find(job);
  if (found == matches.end() || !found->second.trace) return std::nullopt;
  return found->second.trace->id;
}

std::vector<FinishedJob> Tracker::take_finished(SteadyMicros now) {
  auto& s = *state_;
  s.adopt_restored(now);
  std::vector<FinishedJob> finished;
  for (;;) {
    const auto matches = s.match(now);
    s.note_strangers(matches);
    s.deadline.reset();
    const OpenJob* ready = nullptr;
    std::optional<SteadyMicros> ready_at;
    for (auto& [ref, job] : s.jobs) {
      const auto& match = matches.at(ref);
      if (match.trace && s.runners.contains(match.trace->runner)) job.runner_gone_at.reset();
      const auto at = s.due(job, match);
      if (match.settles && (!s.deadline || *match.settles < *s.deadline))
        s.deadline = match.settles;
      if (!at) continue;
      if (*at > now) {
        if (!s.deadline || *at < *s.deadline) s.deadline = at;
      } else if (!ready_at || *at < *ready_at) {
        ready = &job;
        ready_at = at;
      }
    }
    if (!ready) break;
    // One at a time: each report changes what is left for the others.
    const auto& match = matches.at(ready->ref);
    auto done = s.finish(*ready, match, now);
    auto gone = s.past_of(*ready, match, now);
    s.attach_trees(*ready, matches, done, gone);
    if (match.proven) s.check_order(gone);
    s.remember(std::move(gone));
    if (match.trace) {
      if (!done.trace && !match.trace->given_up) s.orphans.push_back(match.trace->id);
      s.traces.erase(match.trace->id);
    }
    for (const auto& root : done.trees) s.trees.at(root).owner = done.ref;
    s.jobs.erase(done.ref);
    ++s.counters.jobs_reported;
    finished.push_back(std::move(done));
  }
  return finished;
}

std::vector<TraceId> Tracker::take_orphaned_traces(SteadyMicros now) {
  auto& s = *state_;
  s.adopt_restored(now);
  s.match(now);
  auto orphans = std::exchange(s.orphans, {});
  for (auto& [id, trace] : s.traces) {
    if (trace.given_up || trace.wanted) continue;
    auto since = trace.closed_at;
    const auto gone = s.gone_runners.find(trace.runner);
    if (!since && gone != s.gone_runners.end()) since = gone->second;
    if (!since && !trace.lost.empty()) since = trace.opened_at;
    if (!since || now < *since + s.options.end_record_limit_us) continue;
    trace.given_up = true;
    if (!trace.closed_at) trace.closed_at = now;
    orphans.push_back(id);
    if (trace.related) continue;  // explained when its job was reported
    ++s.counters.withheld_traces;
    s.explain("a trace that ended was given up: no source named its job" +
              (trace.progress.runner_short.empty()
                   ? std::string()
                   : " (runner " + to_utf8(trace.progress.runner_short) + ")"));
  }
  std::erase_if(s.traces, [&](const auto& entry) {
    const auto& trace = entry.second;
    return trace.given_up && !trace.wanted && now - *trace.closed_at > kTraceMemory;
  });
  return orphans;
}

std::optional<SteadyMicros> Tracker::next_deadline() const {
  auto at = state_->deadline;
  for (const auto& [id, trace] : state_->traces) {
    if (trace.given_up || !trace.closed_at) continue;
    const auto orphaned = *trace.closed_at + state_->options.end_record_limit_us;
    if (!at || orphaned < *at) at = orphaned;
  }
  return at;
}

const Tracker::Counters& Tracker::counters() const {
  return state_->counters;
}
std::vector<std::string> Tracker::explanations() const {
  return {state_->explanations.begin(), state_->explanations.end()};
}
std::size_t Tracker::open_jobs() const {
  return state_->jobs.size();
}

}  // namespace gitaiops::agent
