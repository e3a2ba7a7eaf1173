#include "agent/tracker/attribution.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

namespace gitaiops::agent {
namespace {

bool possible(const JobSide& job, const TraceSide& trace) {
  if (trace.birth_us < job.born_from_us || trace.birth_us > job.born_until_us) return false;
  if (!job.runner_short.empty() && !trace.runner_short.empty() &&
      job.runner_short != trace.runner_short)
    return false;
  if (job.sum && trace.sum && *job.sum != *trace.sum) return false;
  return !(job.ended_us && trace.closed_us && *trace.closed_us < *job.ended_us);
}

// Pairs that agree in what the runner told of the trace, where nobody else could agree.
void pair_by_sum(std::span<const JobSide> jobs, std::span<const TraceSide> traces,
                 std::vector<TraceMatch>& matches) {
  std::vector<std::vector<std::size_t>> agreeing(traces.size());  // jobs, of each trace
  std::vector<std::size_t> count(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    for (const auto t : matches[j].possible) {
      if (!jobs[j].sum || !traces[t].sum) continue;
      agreeing[t].push_back(j);
      ++count[j];
    }
  }
  std::vector<char> gone(traces.size());
  for (std::size_t t = 0; t < traces.size(); ++t) {
    if (agreeing[t].size() != 1 || count[agreeing[t].front()] != 1) continue;
    auto& match = matches[agreeing[t].front()];
    match.possible = {t};
    match.trace = t;
    match.proven = true;
    gone[t] = 1;
  }
  for (auto& match : matches)
    if (!match.proven) std::erase_if(match.possible, [&](auto t) { return gone[t] != 0; });
}

// Jobs and traces connected by possible pairs; indices into the callers' spans.
struct Group {
  std::vector<std::size_t> jobs, traces;
  std::size_t edges = 0;
};

class Groups {
 public:
  Groups(std::size_t jobs, std::size_t traces) : jobs_(jobs), parent_(jobs + traces) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  void join(std::size_t job, std::size_t trace) { parent_[root(job)] = root(jobs_ + trace); }

  std::vector<Group> take(const std::vector<TraceMatch>& matches) {
    std::vector<Group> by_root(parent_.size());
    for (std::size_t i = 0; i < parent_.size(); ++i) {
      auto& group = by_root[root(i)];
      if (i < jobs_) {
        group.jobs.push_back(i);
        group.edges += matches[i].possible.size();
      } else {
        group.traces.push_back(i - jobs_);
      }
    }
    std::erase_if(by_root, [](const Group& g) { return g.edges == 0; });
    return by_root;
  }

 private:
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  std::size_t jobs_;
  std::vector<std::size_t> parent_;
};

class Matcher {
 public:
  Matcher(std::span<const JobSide> jobs, std::span<const TraceSide> traces,
          std::vector<TraceMatch>& matches, SteadyMicros now, UnixMicros arrived)
      : jobs_(jobs), traces_(traces), matches_(matches), now_(now.value), arrived_(arrived.value) {}

  void solve(Group& group) {
    cut_pieces_off(group);
    for (const auto j : group.jobs) matches_[j].surplus = group.traces.size() > group.jobs.size();
    if (const auto settles = settles_at(group); settles > now_) {
      for (const auto j : group.jobs) matches_[j].open = true, matches_[j].settles_us = settles;
      return;
    }
    if (!lanes_known(group)) {
      for (const auto j : group.jobs) matches_[j].open = true;
      return;
    }
    judge(group);
  }

 private:
  void judge(Group& group) {
    if (group.edges > kMaxGroupEdges) return;
    if (has_order(group)) return in_order(group);
    without_order(group);
  }

  // What was announced or born, on the clock that both share.
  struct Event {
    int64_t from, until;
    std::optional<std::size_t> job, trace;
    bool operator<(const Event& other) const { return from < other.from; }
  };

  std::vector<Event> events(const Group& group) const {
    std::vector<Event> list;
    for (const auto j : group.jobs)
      list.push_back({jobs_[j].announced_from_us, jobs_[j].announced_until_us, j, {}});
    for (const auto t : group.traces)
      list.push_back({traces_[t].birth_us, traces_[t].birth_us, {}, t});
    std::sort(list.begin(), list.end());
    return list;
  }

  // Judges whole pieces from the beginning on and takes them out of the group.
  void cut_pieces_off(Group& group) {
    const bool countable = std::all_of(group.jobs.begin(), group.jobs.end(),
                                       [&](auto j) { return jobs_[j].announced != 0; }) &&
                           std::all_of(group.traces.begin(), group.traces.end(), [&](auto t) {
                             return traces_[t].runner == traces_[group.traces.front()].runner;
                           });
    if (!countable) return;
    const auto list = events(group);
    Group piece;
    auto reached = std::numeric_limits<int64_t>::min();
    std::size_t judged = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      reached = std::max(reached, list[i].until);
      if (list[i].job) piece.jobs.push_back(*list[i].job);
      if (list[i].trace) piece.traces.push_back(*list[i].trace);
      const auto next = i + 1 < list.size() ? std::min(list[i + 1].from, arrived_) : arrived_;
      if (next - reached < kQuiet || piece.jobs.size() != piece.traces.size()) continue;
      if (settles_at(piece) > now_ || !lanes_known(piece) || !judge_whole(piece)) continue;
      piece = {};
      judged = i + 1;
    }
    group = {};
    for (std::size_t i = judged; i < list.size(); ++i) {
      if (list[i].job) group.jobs.push_back(*list[i].job);
      if (list[i].trace) group.traces.push_back(*list[i].trace);
    }
    for (const auto j : group.jobs) group.edges += matches_[j].possible.size();
  }

  // False, and nothing is said of them, when somebody is left over.
  bool judge_whole(Group& piece) {
    piece.edges = piece.jobs.size() * piece.traces.size();
    judge(piece);
    const auto found = [&](auto j) { return matches_[j].trace.has_value(); };
    if (std::all_of(piece.jobs.begin(), piece.jobs.end(), found)) return true;
    for (const auto j : piece.jobs) matches_[j].trace.reset();
    return false;
  }

  int64_t settles_at(const Group& group) const {
    int64_t at = 0;
    for (const auto j : group.jobs) at = std::max(at, jobs_[j].settled_us);
    for (const auto t : group.traces) at = std::max(at, traces_[t].settled_us);
    return at;
  }

  // With one runner entry in play no header is needed; with several every trace must name its own.
  bool lanes_known(const Group& group) const {
    if (group.jobs.empty()) return true;
    const auto& lane = jobs_[group.jobs.front()].runner_short;
    return std::all_of(group.jobs.begin(), group.jobs.end(),
                       [&](auto j) { return jobs_[j].runner_short == lane; }) ||
           std::none_of(group.traces.begin(), group.traces.end(),
                        [&](auto t) { return traces_[t].runner_short.empty(); });
  }

  bool has_order(const Group& group) const {
    if (group.jobs.empty() || group.traces.empty()) return true;
    const auto& lane = jobs_[group.jobs.front()].runner_short;
    const auto& runner = traces_[group.traces.front()].runner;
    return std::all_of(
               group.jobs.begin(), group.jobs.end(),
               [&](auto j) { return jobs_[j].announced != 0 && jobs_[j].runner_short == lane; }) &&
           std::all_of(group.traces.begin(), group.traces.end(),
                       [&](auto t) { return traces_[t].runner == runner; });
  }

  bool edge(std::size_t job, std::size_t trace) const {
    const auto& list = matches_[job].possible;
    return std::binary_search(list.begin(), list.end(), trace);
  }

  void sort(Group& group) const {
    std::sort(group.jobs.begin(), group.jobs.end(),
              [&](auto a, auto b) { return jobs_[a].announced < jobs_[b].announced; });
    std::sort(group.traces.begin(), group.traces.end(), [&](auto a, auto b) {
      const auto &x = traces_[a], &y = traces_[b];
      return std::pair(x.birth_us, x.order) < std::pair(y.birth_us, y.order);
    });
  }

  // Longest common subsequence, with possible pairs for equal letters, from both ends: before[i][k]
  // counts the pairs among the first i jobs and k traces, after[i][k] those from there on. A pair
  // stands in some largest assignment when the two and itself add up to the whole; its rank in
  // every such assignment is before + 1. It stands in all of them when it is the only one of its
  // rank.
  void in_order(Group& group) {
    sort(group);
    const auto n = group.jobs.size(), m = group.traces.size(), width = m + 1;
    std::vector<uint32_t> before((n + 1) * width), after((n + 1) * width);
    std::vector<char> pairs(n * m);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < m; ++k) pairs[i * m + k] = edge(group.jobs[i], group.traces[k]);
    for (std::size_t i = 1; i <= n; ++i)
      for (std::size_t k = 1; k <= m; ++k)
        before[i * width + k] =
            std::max({before[(i - 1) * width + k], before[i * width + k - 1],
                      pairs[(i - 1) * m + k - 1] ? before[(i - 1) * width + k - 1] + 1 : 0});
    for (std::size_t i = n; i-- > 0;)
      for (std::size_t k = m; k-- > 0;)
        after[i * width + k] =
            std::max({after[(i + 1) * width + k], after[i * width + k + 1],
                      pairs[i * m + k] ? after[(i + 1) * width + k + 1] + 1 : 0});
    const auto best = after[0];
    struct Rank {
      std::size_t job = 0, trace = 0, count = 0;
    };
    std::vector<Rank> ranks(best);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < m; ++k) {
        if (!pairs[i * m + k]) continue;
        const auto rank = before[i * width + k];
        if (rank + 1 + after[(i + 1) * width + k + 1] != best) continue;
        ranks[rank] = {group.jobs[i], group.traces[k], ranks[rank].count + 1};
      }
    const auto twins = without_known_order(group);
    for (const auto& rank : ranks)
      if (rank.count == 1 && !twins.contains(rank.trace)) matches_[rank.job].trace = rank.trace;
  }

  // Sorted traces that were born in one instant, in an order that nobody saw.
  std::set<std::size_t> without_known_order(const Group& group) const {
    std::set<std::size_t> twins;
    for (std::size_t k = 1; k < group.traces.size(); ++k) {
      const auto &before = traces_[group.traces[k - 1]], &here = traces_[group.traces[k]];
      if (before.birth_us != here.birth_us || (before.order != 0 && before.order != here.order))
        continue;
      twins.insert({group.traces[k - 1], group.traces[k]});
    }
    return twins;
  }

  // Kuhn's augmenting paths; a pair stands in every largest matching when none as large exists
  // without it.
  void without_order(Group& group) {
    sort(group);
    owner_.assign(traces_.size(), kNone);
    std::size_t size = 0;
    for (const auto j : group.jobs) size += augment(j, kNone, kNone);
    if (size != group.jobs.size() || size != group.traces.size()) return;
    const auto largest = owner_;
    for (const auto t : group.traces) {
      const auto j = largest[t];
      if (j == kNone) continue;
      owner_ = largest;
      owner_[t] = kNone;
      if (!augment(j, j, t))
        matches_[j].trace = t;  // nobody else is free: only j could make it whole again
    }
    refuse_crossings(group);
  }

  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  // Finds a trace for `job`, moving others; the pair (banned_job, banned_trace) is not to be used.
  bool augment(std::size_t job, std::size_t banned_job, std::size_t banned_trace) {
    visited_.assign(traces_.size(), 0);
    return reach(job, banned_job, banned_trace);
  }
  bool reach(std::size_t job, std::size_t banned_job, std::size_t banned_trace) {
    for (const auto t : matches_[job].possible) {
      if (visited_[t] || (job == banned_job && t == banned_trace)) continue;
      visited_[t] = 1;
      if (owner_[t] == kNone || reach(owner_[t], banned_job, banned_trace)) {
        owner_[t] = job;
        return true;
      }
    }
    return false;
  }

  // Pairs of one entry and one runner process that contradict its order: then nothing here can be
  // trusted.
  void refuse_crossings(const Group& group) {
    for (const auto a : group.jobs)
      for (const auto b : group.jobs) {
        const auto &x = matches_[a].trace, &y = matches_[b].trace;
        if (!x || !y || jobs_[a].announced == 0 || jobs_[a].announced >= jobs_[b].announced)
          continue;
        if (jobs_[a].runner_short != jobs_[b].runner_short ||
            traces_[*x].runner != traces_[*y].runner)
          continue;
        if (traces_[*x].birth_us <= traces_[*y].birth_us) continue;
        for (const auto j : group.jobs) matches_[j].trace.reset();
        return;
      }
  }

  std::span<const JobSide> jobs_;
  std::span<const TraceSide> traces_;
  std::vector<TraceMatch>& matches_;
  const int64_t now_, arrived_;
  std::vector<std::size_t> owner_;  // of each trace
  std::vector<char> visited_;
};

}  // namespace

std::vector<TraceMatch> match_traces(std::span<const JobSide> jobs,
                                     std::span<const TraceSide> traces, SteadyMicros now,
                                     UnixMicros arrived) {
  std::vector<TraceMatch> matches(jobs.size());
  Groups groups(jobs.size(), traces.size());
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (std::size_t t = 0; t < traces.size(); ++t)
      if (possible(jobs[j], traces[t])) matches[j].possible.push_back(t);
  pair_by_sum(jobs, traces, matches);
  for (std::size_t j = 0; j < jobs.size(); ++j)
    if (!matches[j].proven)
      for (const auto t : matches[j].possible) groups.join(j, t);
  Matcher matcher(jobs, traces, matches, now, arrived);
  for (auto& group : groups.take(matches)) matcher.solve(group);
  return matches;
}

}  // namespace gitaiops::agent
