#include "agent/tracker/trees.h"

#include <algorithm>

#include "base/clock/clock.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxPlaces = 64;
constexpr std::size_t kMaxClaims = 16;
// start_ticks counts in USER_HZ, which is 100 on every Linux we build for, since boot like the
// steady clock.
constexpr int64_t kMicrosPerTick = 10'000;
// Of start times in ticks, and of what relates UTC to the steady clock.
constexpr int64_t kTolerance = 50'000;

bool below(const Checkout& outer, const Checkout& inner) {
  return outer.runner_short == inner.runner_short && outer.slot == inner.slot &&
         inner.below.starts_with(outer.below) &&
         (inner.below.size() == outer.below.size() || inner.below[outer.below.size()] == '/');
}

bool same_lane(const TreeJob& a, const TreeJob& b) {
  return a.runner_short == b.runner_short && a.project == b.project;
}

bool overlap(const Tree& a, const Tree& b) {
  return a.root_first_us && b.root_first_us && *a.root_first_us <= *b.root_last_us &&
         *b.root_first_us <= *a.root_last_us;
}

// Entry, slot and project of the places that are some known job's.
struct Key {
  std::string runner_short;
  int slot;
  std::string project;
  auto operator<=>(const Key&) const = default;
};

class Decision {
 public:
  Decision(std::span<const TreeJob> jobs, std::size_t index, std::span<const Tree* const> trees)
      : jobs_(jobs), index_(index), me_(jobs[index]), trees_(trees), slots_(predict_slots(jobs)) {
    for (const auto* tree : trees_) keys_.push_back(keys_of(*tree));
    for (const auto& job : jobs_) earliest_.push_back(earliest(job));
  }

  TreeVerdict decide() {
    auto verdict = find();
    verdict.slots = slots_[index_];
    if (!verdict.trees.empty()) verdict.slots = {found_slot_};
    return verdict;
  }

 private:
  TreeVerdict find() {
    std::vector<std::size_t> mine;
    std::string doubt;
    for (std::size_t t = 0; t < trees_.size(); ++t) {
      if (trees_[t]->owner || !may_own(me_, index_, t)) continue;
      // At the very end it may already be of the next job in this checkout, announced or not; and
      // of one that was not seen before then nobody can say beside whom it ran.
      if (trees_[t]->started_us > me_.end.from ||
          trees_[t]->root_first_us.value_or(0) > me_.end.from)
        continue;
      if (is_siblings(t)) continue;
      auto why = objection(t);
      if (why.empty()) {
        mine.push_back(t);
      } else if (lasting(*trees_[t])) {
        doubts_.push_back({t, std::move(why)});
      }
    }
    // A doubtful tree that ran beside one of ours is another job's: a job has one at a time.
    for (const auto& [tree, why] : doubts_)
      if (std::none_of(mine.begin(), mine.end(), [&, t = tree](auto m) {
            return keys_[t].size() > 1 && overlap(*trees_[t], *trees_[m]);
          }))
        doubt = why;
    for (std::size_t a = 0; a < mine.size() && doubt.empty(); ++a)
      for (std::size_t b = a + 1; b < mine.size(); ++b)
        if (overlap(*trees_[mine[a]], *trees_[mine[b]]))
          doubt = "two process trees worked in its checkout at the same time";
    if (!doubt.empty()) return {{}, doubt, true, {}};
    if (mine.empty()) return {{}, "no process of this job was seen in its checkout", false, {}};
    TreeVerdict verdict;
    for (const auto t : mine) verdict.trees.push_back(trees_[t]->root);
    found_slot_ = keys_[mine.front()].begin()->slot;
    return verdict;
  }

  // ---- between jobs of one entry and project, what a job says of itself decides ----
  // A slot that is taken again the instant it was free is nobody's by its times alone.

  static bool says_it_is(const Tree& tree, const TreeJob& job) {
    return tree.claims.size() == 1 && *tree.claims.begin() == job.ref.job_id;
  }

  enum class Named { nothing, this_slot, another };
  static Named slot_in_log(const TreeJob& job, const Key& key) {
    auto named = Named::nothing;
    for (const auto& place : checkouts_in(job.claim)) {
      if (place.runner_short != job.runner_short || !inside(place, job.project)) continue;
      if (place.slot == key.slot) return Named::this_slot;
      named = Named::another;
    }
    return named;
  }

  // It says that it is of a job that began where ours ended, or the other way round.
  bool is_siblings(std::size_t t) const {
    if (keys_[t].size() != 1) return false;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (i != index_ && same_lane(jobs_[i], me_) && says_it_is(*trees_[t], jobs_[i]) &&
          may_own(jobs_[i], i, t) && slot_in_log(jobs_[i], *keys_[t].begin()) == Named::this_slot)
        return true;
    return false;
  }

  bool yields(const TreeJob& other, std::size_t t, const Key& key) const {
    return same_lane(other, me_) && slot_in_log(me_, key) == Named::this_slot &&
           (says_it_is(*trees_[t], me_) || slot_in_log(other, key) == Named::another);
  }

  std::set<Key> keys_of(const Tree& tree) const {
    std::set<Key> keys;
    for (const auto& place : tree.places)
      for (const auto& job : jobs_)
        if (place.runner_short == job.runner_short && inside(place, job.project))
          keys.insert({job.runner_short, place.slot, job.project});
    return keys;
  }

  bool slot_allowed(std::size_t job, int slot) const {
    const auto& slots = slots_[job];
    return !slots || std::find(slots->begin(), slots->end(), slot) != slots->end();
  }

  // A job announced after the end of another of its lane began after it.
  int64_t earliest(const TreeJob& job) const {
    auto from = job.born.from;
    for (const auto& other : jobs_)
      if (same_lane(other, job) && other.ended != 0 && other.ended < job.announced)
        from = std::max(from, other.end.from);
    return from;
  }

  // One of the tree's places could be the job's, and the job lived when it started.
  bool may_own(const TreeJob& job, std::size_t index, std::size_t t) const {
    const auto started = trees_[t]->started_us;
    if (started < earliest_[index] - kTolerance || started > job.end.until) return false;
    return std::any_of(keys_[t].begin(), keys_[t].end(), [&](const Key& key) {
      return key.runner_short == job.runner_short && key.project == job.project &&
             slot_allowed(index, key.slot);
    });
  }

  // Seen in more than one sample: what is shorter cannot distort a job's usage, and is only left
  // out.
  static bool lasting(const Tree& tree) {
    return tree.root_first_us && *tree.root_first_us < *tree.root_last_us;
  }

  // Why the tree is not surely ours; empty when it is.
  std::string objection(std::size_t t) const {
    const auto& tree = *trees_[t];
    if (keys_[t].size() > 1 || tree.crowded)
      return "a process tree worked in more than one checkout";
    for (const auto claim : tree.claims)
      if (claim != me_.ref.job_id)
        return "a process tree in its checkout says it is of job " + std::to_string(claim);
    const auto& key = *keys_[t].begin();
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (i != index_ && may_own(jobs_[i], i, t) && !yields(jobs_[i], t, key))
        return "a process tree could also be of job " + std::to_string(jobs_[i].ref.job_id);
    if (auto why = claim_objection(key); !why.empty()) return why;
    return silent_job(t);
  }

  // The path in the job's own log must not name another slot, and must name this one where the slot
  // cannot be predicted.
  std::string claim_objection(const Key& key) const {
    bool named = false;
    for (const auto& place : checkouts_in(me_.claim)) {
      if (place.runner_short != me_.runner_short || !inside(place, me_.project)) continue;
      if (place.slot != key.slot)
        return "its log names another checkout than its processes work in";
      named = true;
    }
    if (!slots_[index_] && !named)
      return "its checkout cannot be told from those of jobs that began before the agent";
    return {};
  }

  // Somebody who lived all the time that the tree was seen, and was seen nowhere himself, may be
  // its real owner.
  std::string silent_job(std::size_t t) const {
    const auto& tree = *trees_[t];
    if (!tree.root_first_us) return {};
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const auto& other = jobs_[i];
      if (i == index_ || other.born.until > *tree.root_first_us ||
          other.end.until < *tree.root_last_us)
        continue;
      if (works_in_checkouts(other.runner_short) && !seen_beside(i, tree) &&
          !seen_elsewhere(i, tree))
        return "job " + std::to_string(other.ref.job_id) +
               " ran at the same time and none of its processes were seen where they belong";
    }
    return {};
  }

  bool seen_beside(std::size_t job, const Tree& tree) const {
    for (std::size_t t = 0; t < trees_.size(); ++t)
      if (trees_[t] != &tree && overlap(*trees_[t], tree) && may_own(jobs_[job], job, t))
        return true;
    return false;
  }

  // Outside every checkout (`cd /srv`), a tree that names just this job explains where its
  // processes are.
  bool seen_elsewhere(std::size_t job, const Tree& tree) const {
    for (std::size_t t = 0; t < trees_.size(); ++t)
      if (keys_[t].empty() && overlap(*trees_[t], tree) &&
          trees_[t]->claims == std::set{jobs_[job].ref.job_id})
        return true;
    return false;
  }

  // Jobs of other executors have no such processes at all.
  bool works_in_checkouts(const std::string& runner_short) const {
    return std::any_of(keys_.begin(), keys_.end(), [&](const std::set<Key>& keys) {
      return std::any_of(keys.begin(), keys.end(),
                         [&](const Key& k) { return k.runner_short == runner_short; });
    });
  }

  struct Doubt {
    std::size_t tree;
    std::string why;
  };
  std::span<const TreeJob> jobs_;
  std::size_t index_;
  const TreeJob& me_;
  std::span<const Tree* const> trees_;
  std::vector<std::optional<std::vector<int>>> slots_;
  std::vector<std::set<Key>> keys_;
  std::vector<int64_t> earliest_;  // when each job's first process may have started
  std::vector<Doubt> doubts_;
  int found_slot_ = 0;  // of the trees that are ours
};

}  // namespace

Tree::Tree(const ProcessId& root_id, const ProcessId& runner_id, int64_t now_us)
    : root(root_id),
      runner(runner_id),
      started_us(root_id.start_ticks != 0
                     ? static_cast<int64_t>(root_id.start_ticks) * kMicrosPerTick
                     : now_us),
      last_seen_us(now_us) {}

void Tree::saw(const ProcessSample& process, int64_t now_us) {
  last_seen_us = now_us;
  if (process.id == root) {
    if (!root_first_us) root_first_us = now_us;
    root_last_us = now_us;
  }
  if (process.claimed_job && claims.size() < kMaxClaims) claims.insert(*process.claimed_job);
  for (auto& place : checkouts_in(process.cwd)) {
    if (std::any_of(places.begin(), places.end(),
                    [&](const auto& known) { return below(known, place); }))
      continue;
    std::erase_if(places, [&](const auto& known) { return below(place, known); });
    if (places.size() == kMaxPlaces) {
      crowded = true;
      continue;
    }
    places.push_back(std::move(place));
  }
}

TreeVerdict trees_of(std::span<const TreeJob> jobs, std::size_t index,
                     std::span<const Tree* const> trees) {
  return Decision(jobs, index, trees).decide();
}

}  // namespace gitaiops::agent
