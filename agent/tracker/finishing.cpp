// How open jobs meet traces and process trees, when a job may be reported, and what is said of it.
#include <algorithm>
#include <tuple>

#include "agent/tracker/state.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxExplanations = 20;
constexpr std::size_t kMaxPast = 512;
constexpr int64_t kNoticing = 300'000;    // until we notice that a trace was closed
constexpr int64_t kStampError = 100'000;  // file stamps are as coarse as the kernel's tick
// From the runner's line to its creation of the trace: nothing but a few statements lie between.
constexpr int64_t kBirthAfterAnnouncement = 300'000;

}  // namespace

std::string name_of(const JobRef& ref) {
  return "job " + std::to_string(ref.job_id) + " of " + ref.instance;
}

// ---- matching ----

Between Tracker::State::birth_window(const OpenJob& job) const {
  if (job.announced.rank != 0)
    return {job.announced.at_us - job.announced.late_us - kStampError,
            job.announced.at_us + kBirthAfterAnnouncement};
  const auto window = options.birth_window_us;
  // Never announced: from what its end or the list of jobs say about its beginning.
  auto began = job.facts.number(Field::received_at);
  const auto finished = job.facts.number(Field::finished_at),
             duration = job.facts.number(Field::duration_us);
  if (!began && finished && duration) began = *finished - *duration;
  if (!began) return {0, -1};
  return {*began - window, *began + window};
}

std::map<JobRef, Tracker::State::Match> Tracker::State::match(SteadyMicros now) {
  std::vector<TraceRecord*> records;
  std::vector<TraceSide> sides;
  int64_t oldest = INT64_MAX;
  for (auto& [id, trace] : traces) {
    records.push_back(&trace);
    TraceSide side{trace.progress.runner_short,
                   trace.runner,
                   trace.birth_us(),
                   trace.order,
                   {},
                   trace.opened_at.value + options.announcement_lag_us,
                   trace.sum};
    if (trace.closed_at) side.closed_us = trace.closed_at->value;
    sides.push_back(std::move(side));
    oldest = std::min(oldest, trace.birth_us());
  }
  std::vector<JobSide> asked;
  for (const auto& [ref, job] : jobs) {
    const auto [from, until] = birth_window(job);
    const auto& lane = job.facts.text(Field::runner_short);
    JobSide side{lane,
                 unordered.contains(lane) ? 0 : job.announced.rank,
                 from,
                 until,
                 {},
                 job.known_since.value + options.announcement_lag_us,
                 job.announced.at_us - job.announced.late_us,
                 job.announced.at_us,
                 parse_trace_sum(job.facts.text(Field::trace_sum))};
    side.ended_us = job.end_written_us;
    asked.push_back(std::move(side));
  }
  for (const auto& gone : past)
    if (!gone.trace && gone.born.until >= oldest)
      asked.push_back({gone.runner_short,
                       unordered.contains(gone.runner_short) ? 0 : gone.announced.rank,
                       gone.born.from,
                       gone.born.until,
                       {},
                       0,
                       gone.announced.at_us - gone.announced.late_us,
                       gone.announced.at_us,
                       gone.sum});

  const auto arrived = time.known() ? time.to_unix(now.value) - options.announcement_lag_us : 0;
  const auto found = match_traces(asked, sides, now, {arrived});
  for (auto* record : records) record->wanted = record->related = record->stranger = false;
  for (std::size_t j = 0; j < found.size(); ++j)
    for (const auto t : found[j].possible) {
      records[t]->related = true;
      if (j < jobs.size()) records[t]->wanted = true;
      if (found[j].surplus && !found[j].open && found[j].trace != t) records[t]->stranger = true;
    }
  for (auto* record : records)
    if (!record->related && now >= record->opened_at + options.announcement_lag_us)
      record->stranger = true;
  for (const auto& match : found)
    if (match.trace) records[*match.trace]->stranger = false;
  std::map<JobRef, Match> matches;
  std::size_t i = 0;
  for (const auto& [ref, job] : jobs) {
    auto& match = matches[ref];
    if (found[i].trace) match.trace = records[*found[i].trace];
    for (const auto t : found[i].possible) match.possible.push_back(records[t]);
    if (found[i].settles_us) match.settles = SteadyMicros{*found[i].settles_us};
    match.surplus = found[i].surplus;
    match.proven = found[i].proven;
    match.open = found[i].open;
    ++i;
  }
  return matches;
}

void Tracker::State::note_strangers(const std::map<JobRef, Match>& matches) {
  for (auto& [ref, job] : jobs)
    if (matches.at(ref).surplus && !matches.at(ref).open) job.strangers = true;
  // A job that we hear of only at its end held a slot that we could not count with.
  for (const auto& [ref, late] : jobs) {
    if (late.announced.rank != 0) continue;
    const auto& lane = late.facts.text(Field::runner_short);
    const auto began = birth_window(late).from;
    for (auto& [other, job] : jobs)
      if (other != ref && (lane.empty() || lane == job.facts.text(Field::runner_short)) &&
          began <= birth_window(job).until)
        job.strangers = true;
  }
  for (const auto& [id, trace] : traces) {
    if (!trace.stranger) continue;
    for (auto& [ref, job] : jobs) {
      const auto* own = matches.at(ref).trace;
      const auto& lane = trace.progress.runner_short;
      if (!own || own->birth_us() < trace.birth_us()) continue;
      if (!lane.empty() && lane != job.facts.text(Field::runner_short)) continue;
      if (!trace.closed_at || time.to_unix(trace.closed_at->value) >= own->birth_us())
        job.strangers = true;
    }
  }
}

// ---- finishing ----

std::optional<SteadyMicros> Tracker::State::due(const OpenJob& job, const Match& match) const {
  std::optional<SteadyMicros> at;
  const auto sooner = [&](SteadyMicros when) { at = at ? std::min(*at, when) : when; };
  if (const auto* trace = match.trace) {
    const auto gone = gone_runners.find(trace->runner);
    const bool closed = trace->closed_at || !trace->lost.empty();
    // Its checksum was written before the trace was closed, and may be on its way.
    const bool sum_expected = sums_are_told && trace->closed_at && job.ended_rank != 0 &&
                              job.facts.text(Field::trace_sum).empty();
    if (job.ended)
      sooner(sum_expected ? std::max(job.ended_at, *trace->closed_at) + options.announcement_lag_us
             : closed     ? job.ended_at
                          : job.ended_at + options.trace_close_limit_us);
    if (trace->closed_at) sooner(*trace->closed_at + options.end_record_limit_us);
    if (gone != gone_runners.end()) sooner(gone->second + options.end_record_limit_us);
    return at;
  }
  if (job.ended) {
    const auto limit = match.open               ? options.settle_limit_us
                       : match.possible.empty() ? options.trace_notice_us
                                                : options.end_record_limit_us;
    return job.ended_at + limit;
  }
  if (job.runner_gone_at) return *job.runner_gone_at + options.end_record_limit_us;
  return std::nullopt;
}

void Tracker::State::attach_trace(const OpenJob& job, const Match& match, FinishedJob& done) {
  const auto withhold = [&](const std::string& why) {
    ++counters.withheld_traces;
    done.trace_reason = why;
    explain("the log of " + name_of(job.ref) + " is withheld: " + why);
  };
  const auto* trace = match.trace;
  if (!trace && match.possible.empty()) {
    done.trace_reason = "no trace file of this job was seen while it ran";
  } else if (!trace) {
    withhold("its trace cannot be told from those of other jobs that began at the same time (" +
             std::to_string(match.possible.size()) + " are possible)");
  } else if (!trace->lost.empty()) {
    done.trace_reason = trace->lost;
  } else if (trace->given_up) {
    done.trace_reason = "its trace ended long before the runner's log named the job";
  } else if (!match.proven &&
             contradicts(trace->progress.checkout_path, done.runner_short, done.project_path)) {
    withhold("the log says it is of " + to_utf8(trace->progress.checkout_path) +
             ", the runner says " + done.project_path);
  } else {
    done.trace = trace->id;
  }
}

FinishedJob Tracker::State::finish(const OpenJob& job, const Match& match, SteadyMicros now) {
  FinishedJob done;
  const auto& facts = job.facts;
  const auto small = [&](Field field) -> std::optional<int> {
    const auto number = facts.number(field);
    return number && *number <= INT32_MAX ? std::optional(static_cast<int>(*number)) : std::nullopt;
  };
  const auto moment = [&](Field field) -> std::optional<UnixMicros> {
    const auto number = facts.number(field);
    return number ? std::optional(UnixMicros{*number}) : std::nullopt;
  };
  done.ref = job.ref;
  done.project_path = facts.text(Field::project_path);
  done.project_id = facts.number(Field::project_id).value_or(0);
  done.runner_short = facts.text(Field::runner_short);
  done.runner_name = facts.text(Field::runner_name);
  done.runner_system_id = facts.text(Field::runner_system_id);
  done.executor = facts.text(Field::executor);
  done.outcome = facts.text(Field::outcome);
  done.failure_reason = facts.text(Field::failure_reason);
  done.exit_code = small(Field::exit_code);
  done.signal = small(Field::signal);
  done.received_at = moment(Field::received_at);
  done.finished_at = moment(Field::finished_at);
  done.wall_us = facts.number(Field::duration_us);
  attach_trace(job, match, done);
  if (done.outcome.empty()) {
    const bool says = done.trace && match.trace->progress.ended && match.trace->progress.failed;
    done.outcome = !says ? "unknown" : *match.trace->progress.failed ? "failed" : "passed";
  }
  if (!done.finished_at && match.trace && match.trace->closed_at)
    done.finished_at = UnixMicros{time.to_unix(match.trace->closed_at->value)};
  else if (!done.finished_at)
    done.finished_at = UnixMicros{time.to_unix(now.value)};
  if (!done.wall_us && done.received_at && *done.received_at <= *done.finished_at)
    done.wall_us = *done.finished_at - *done.received_at;
  return done;
}

TreeJob Tracker::State::tree_job(const OpenJob& job, const Match& match) const {
  constexpr auto kNever = TimeScale::kNever;
  TreeJob tree;
  tree.ref = job.ref;
  tree.runner_short = job.facts.text(Field::runner_short);
  tree.project = job.facts.text(Field::project_path);
  tree.announced = job.announced.rank;
  tree.ended = job.ended_rank;
  tree.strangers = job.strangers || match.open;
  tree.end = tree.freed = {kNever, kNever};
  if (job.ended) tree.end = {job.ended_at.value - job.ended_late_us, job.ended_at.value};
  if (const auto* trace = match.trace) {
    const auto birth = std::min(time.to_steady(trace->birth_us()), trace->opened_at.value);
    tree.born = {birth, birth};
    // The record of the end may come long after it was written; its duration says when that was.
    if (const auto duration = job.facts.number(Field::duration_us); duration && job.ended)
      tree.end.from = std::clamp(birth + *duration, tree.end.from, tree.end.until);
    tree.claim = trace->progress.checkout_path;
    if (trace->closed_at) {
      // A trace that we opened long after its birth may have been closed long before we noticed.
      const bool reopened = trace->opened_at.value - birth > kNoticing;
      const auto closed = trace->closed_at->value;
      tree.freed = {reopened ? birth : closed - kNoticing, closed};
      if (trace->unlinked_us)
        tree.freed.from = tree.freed.until = std::min(closed, time.to_steady(*trace->unlinked_us));
      tree.end = {std::min(tree.end.from, tree.freed.from), std::min(tree.end.until, closed)};
    }
  } else {
    const auto window = birth_window(job);
    tree.born = window.until < 0 ? Between{0, job.known_since.value} : time.to_steady(window);
    // Unseen, it may be gone without a word, if its end record was lost too.
    tree.freed.from = job.ended ? tree.end.from : tree.born.until;
    if (job.ended) tree.freed.until = job.ended_at.value + options.trace_close_limit_us;
  }
  return tree;
}

// Jobs as far as trees concern them: all that are open, and the past ones that may still hold a
// slot or own a tree.
std::vector<TreeJob> Tracker::State::tree_jobs(const std::map<JobRef, Match>& matches) const {
  std::vector<TreeJob> list;
  int64_t earliest = INT64_MAX;
  for (const auto& [ref, job] : jobs) {
    auto tree = tree_job(job, matches.at(ref));
    if (tree.runner_short.empty() || tree.project.empty()) continue;
    earliest = std::min(earliest, tree.born.from);
    list.push_back(std::move(tree));
  }
  for (const auto& gone : past) {
    const auto freed = time.to_steady(gone.freed);
    if (freed.until < earliest - kNoticing || gone.runner_short.empty() || gone.project.empty())
      continue;
    TreeJob tree;
    tree.ref = gone.ref;
    tree.runner_short = gone.runner_short;
    tree.project = gone.project;
    tree.announced = gone.announced.rank;
    tree.ended = gone.ended_rank;
    tree.born = time.to_steady(gone.born);
    tree.end = time.to_steady(gone.end);
    tree.freed = freed;
    tree.strangers = gone.strangers;
    tree.slots = gone.slots;
    list.push_back(std::move(tree));
  }
  return list;
}

void Tracker::State::attach_trees(const OpenJob& job, const std::map<JobRef, Match>& matches,
                                  FinishedJob& done, PastJob& gone) {
  if (trees.empty()) {
    done.usage_reason = "no process of a runner was seen while it ran";
    return;
  }
  const auto list = tree_jobs(matches);
  const auto me =
      std::find_if(list.begin(), list.end(), [&](const TreeJob& j) { return j.ref == job.ref; });
  if (me == list.end()) {
    done.usage_reason =
        "the runner's log did not name its project, so no process can be told to be its own";
    return;
  }
  std::vector<const Tree*> seen;
  for (const auto& [root, tree] : trees) seen.push_back(&tree);
  auto verdict = trees_of(list, static_cast<std::size_t>(me - list.begin()), seen);
  done.trees = std::move(verdict.trees);
  done.usage_reason = std::move(verdict.reason);
  if (verdict.withheld) {
    ++counters.withheld_trees;
    explain("the usage of " + name_of(job.ref) + " is withheld: " + done.usage_reason);
  }
  gone.slots = std::move(verdict.slots);
  // Later, with less of the past at hand, it could not be told better.
  if (!gone.slots) gone.strangers = true;
}

PastJob Tracker::State::past_of(const OpenJob& job, const Match& match, SteadyMicros now) const {
  PastJob gone;
  gone.ref = job.ref;
  gone.runner_short = job.facts.text(Field::runner_short);
  gone.project = job.facts.text(Field::project_path);
  gone.announced = job.announced;
  gone.sum = parse_trace_sum(job.facts.text(Field::trace_sum));
  gone.strangers = job.strangers;
  gone.ended_rank = job.ended_rank;
  const auto tree = tree_job(job, match);
  gone.born =
      match.trace ? Between{match.trace->birth_us(), match.trace->birth_us()} : birth_window(job);
  // What has not happened yet happens from now on.
  const auto closing = now + options.trace_close_limit_us;
  const auto settled = [&](Between b) {
    return Between{std::min(b.from, now.value),
                   b.until == TimeScale::kNever ? closing.value : b.until};
  };
  gone.end = time.to_unix(settled(tree.end));
  gone.freed = time.to_unix(settled(tree.freed));
  if (match.trace) gone.trace = match.trace->id;
  return gone;
}

void Tracker::State::check_order(const PastJob& done) {
  if (done.announced.rank == 0 || unordered.contains(done.runner_short)) return;
  const bool crossed = std::any_of(past.begin(), past.end(), [&](const PastJob& other) {
    return other.trace && other.announced.rank != 0 && other.runner_short == done.runner_short &&
           (other.announced.rank < done.announced.rank) != (other.born.from < done.born.from) &&
           other.born.from != done.born.from;
  });
  if (!crossed) return;
  unordered.insert(done.runner_short);
  explain("runner " + to_utf8(done.runner_short) +
          " asks for several jobs at once (request_concurrency): from now on its logs are told "
          "apart by their checksums, not by their order");
}

void Tracker::State::remember(PastJob job) {
  past_refs.insert(job.ref);
  if (job.trace) past_traces.insert(*job.trace);
  past.push_back(std::move(job));
  if (past.size() <= kMaxPast) return;
  past_refs.erase(past.front().ref);
  if (past.front().trace) past_traces.erase(*past.front().trace);
  past.pop_front();
}

void Tracker::State::explain(std::string sentence) {
  explanations.push_front(truncate_utf8(sentence, 512));
  if (explanations.size() > kMaxExplanations) explanations.pop_back();
}

}  // namespace gitaiops::agent
