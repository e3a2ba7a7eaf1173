// Which slot each job holds, from the runner's own rule: the lowest number that is free among the
// jobs of its entry and project. Where it cannot be known whether an earlier job still held its
// slot, both continuations are followed as worlds of their own, so that what is certain of several
// jobs together stays certain: of two jobs that share slots 0 and 3 in unknown order, no third can
// have either.
#include <algorithm>
#include <map>
#include <set>

#include "agent/tracker/trees.h"

namespace gitaiops::agent {
namespace {

constexpr int kMaxSlots = 256;
constexpr std::size_t kMaxWorlds = 64;
// Between the unlinking of a trace and the runner's forgetting of its job, and between a trace's
// birth and the choice.
constexpr int64_t kForgetting = 20'000;

using Slots = std::optional<std::vector<int>>;
using World = std::map<std::size_t, int>;  // who may still hold what

class Lane {
 public:
  Lane(std::span<const TreeJob> jobs, std::vector<Slots>& found) : jobs_(jobs), found_(found) {}

  // In the order of announcements.
  void add(std::size_t job) {
    forget(job);
    const auto& me = jobs_[job];
    const bool lost = worlds_.empty() || me.strangers || me.announced == 0 || !unknown_.empty();
    if (lost) return unknown(job);
    std::set<World> next;
    std::set<int> mine;
    for (const auto& world : worlds_)
      for (const auto& [slot, after] : choices(job, world)) {
        mine.insert(slot);
        next.insert(after);
      }
    if (next.empty() || next.size() > kMaxWorlds) return unknown(job);
    worlds_ = std::move(next);
    found_[job] = std::vector<int>(mine.begin(), mine.end());
  }

 private:
  bool freed_before(std::size_t other, std::size_t job) const {
    return jobs_[other].freed.until < jobs_[job].born.from - kForgetting;
  }
  bool held_at(std::size_t other, std::size_t job) const {
    return jobs_[other].ended > jobs_[job].announced ||
           jobs_[other].freed.from > jobs_[job].born.until + kForgetting;
  }

  // Those that surely gave their slots back are in no world any more.
  void forget(std::size_t job) {
    std::erase_if(unknown_, [&](auto other) { return freed_before(other, job); });
    std::set<World> kept;
    for (auto world : worlds_) {
      std::erase_if(world, [&](const auto& holder) { return freed_before(holder.first, job); });
      kept.insert(std::move(world));
    }
    worlds_ = std::move(kept);
    if (worlds_.empty() && unknown_.empty()) worlds_ = {{}};
  }

  void unknown(std::size_t job) {
    unknown_.insert(job);
    found_[job].reset();
    // What the others hold is no longer certain either.
    for (const auto& world : worlds_)
      for (const auto& [other, slot] : world) unknown_.insert(other);
    worlds_.clear();
  }

  std::vector<std::pair<int, World>> choices(std::size_t job, const World& world) const {
    std::map<int, std::size_t> holders;
    for (const auto& [other, slot] : world) holders[slot] = other;
    std::vector<std::pair<int, World>> found;
    const auto take = [&](int slot, std::size_t freed) {
      auto after = world;
      if (freed != kNobody) after.erase(freed);
      after[job] = slot;
      found.emplace_back(slot, std::move(after));
    };
    const auto& me = jobs_[job];
    for (int slot = 0; slot < kMaxSlots; ++slot) {
      const auto holder = holders.find(slot);
      const bool is_free = holder == holders.end();
      const bool wanted =
          !me.slots || std::find(me.slots->begin(), me.slots->end(), slot) != me.slots->end();
      if (wanted && (is_free || !held_at(holder->second, job)))
        take(slot, is_free ? kNobody : holder->second);
      if (is_free && !me.slots) break;
    }
    return found;
  }

  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  std::span<const TreeJob> jobs_;
  std::vector<Slots>& found_;
  std::set<World> worlds_ = {{}};
  std::set<std::size_t> unknown_;  // hold a slot that cannot be told
};

}  // namespace

std::vector<Slots> predict_slots(std::span<const TreeJob> jobs) {
  std::vector<Slots> found(jobs.size());
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> lanes;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    lanes[{jobs[i].runner_short, jobs[i].project}].push_back(i);
  for (auto& [name, members] : lanes) {
    // Those never announced came at an unknown place; first, so that they make unknown whatever
    // they may have met.
    std::sort(members.begin(), members.end(), [&](auto a, auto b) {
      return std::pair(jobs[a].announced, a) < std::pair(jobs[b].announced, b);
    });
    Lane lane(jobs, found);
    for (const auto job : members) lane.add(job);
  }
  return found;
}

}  // namespace gitaiops::agent
