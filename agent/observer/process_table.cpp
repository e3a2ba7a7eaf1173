#include "agent/observer/process_table.h"

#include <algorithm>

#include <unistd.h>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr int64_t kListEveryUs = 30'000'000;
constexpr int32_t kMaxFollowed = 512;  // numbers looked at one by one; beyond, a listing is cheaper
constexpr uint8_t kYoungScans = 8;
constexpr int64_t kYoungUs = 10'000'000;
constexpr uint32_t kStepsAtOnce = 64;  // about a millisecond
constexpr std::size_t kMaxClaimDigits = 19;
// A process that slept since the last sample is read in full in its first samples and in every
// eighth.
constexpr uint32_t kSamplesInFull = 4;
constexpr uint32_t kReadMoreEvery = 8;

wire::ProcessKey key_of(const Stat& stat) {
  return {stat.pid, 0, stat.start_ticks};
}

}  // namespace

ProcessTable::ProcessTable(const ProcFs& proc, RunnerRules rules, std::function<void()> in_between)
    : proc_(proc),
      rules_([&] {
        for (auto& name : rules.names) name.resize(std::min(name.size(), sizeof(Stat::comm) - 1));
        return std::move(rules);
      }()),
      in_between_(std::move(in_between)),
      tick_us_(1'000'000 / std::max(1L, ::sysconf(_SC_CLK_TCK))),
      page_bytes_(::sysconf(_SC_PAGESIZE)) {}

void ProcessTable::scan(int64_t now_us) {
  ++round_;
  now_us_ = now_us;
  open_.clear();
  const auto newest = proc_.newest_pid();  // first: what is born from here on is for the next scan
  if (may_follow(newest)) {
    follow(*newest);
  } else {
    if (!list()) return;
    newest_listed_ = newest;
  }
  newest_before_ = std::exchange(newest_, newest);
  judge_all();
  remember_sessions();
}

bool ProcessTable::may_change(const Entry& entry) {
  return entry.role == Role::runner || (entry.role == Role::stranger && entry.young > 0);
}

// Of the whole host at first sight, only these are worth looking at again soon. Where the host was
// suspended, times of birth seem later than they were: that errs on the side of looking.
bool ProcessTable::born_lately(const Stat& stat) const {
  return static_cast<int64_t>(stat.start_ticks) * tick_us_ + kYoungUs >= now_us_;
}

bool ProcessTable::may_follow(std::optional<int32_t> newest) const {
  if (!newest || !newest_before_ || !newest_) return false;
  if (now_us_ >= next_listing_us_ && newest_listed_ != newest) return false;
  return *newest_before_ <= *newest_ && *newest_ <= *newest &&
         *newest - *newest_before_ <= kMaxFollowed;
}

bool ProcessTable::list() {
  const bool strangers_too = now_us_ >= next_listing_us_;
  const auto visit = [&](int32_t pid, uint64_t inode) {
    pause();
    const auto known = table_.find(pid);
    if (known == table_.end() || known->second.inode != inode || may_change(known->second) ||
        (strangers_too && known->second.role == Role::stranger))
      return look(pid, inode);
    known->second.round = round_;
  };
  // A listing that breaks off would make the rest look dead: keep the table as it is.
  if (!proc_.each(visit).ok()) return false;
  std::erase_if(table_, [this](const auto& item) { return item.second.round != round_; });
  if (strangers_too) next_listing_us_ = now_us_ + kListEveryUs;
  return true;
}

// The kernel gives a number a moment before its process can be seen: what was given before the last
// scan is looked for once more.
void ProcessTable::follow(int32_t newest) {
  for (int32_t pid = *newest_before_ + 1; pid <= newest; ++pid) {
    const auto known = table_.find(pid);
    if (known == table_.end() || pid > *newest_) look(pid, 0);
  }
  std::vector<std::pair<int32_t, uint64_t>> again;  // looking changes the table
  for (const auto& [pid, entry] : table_) {
    if (entry.round != round_ && may_change(entry)) again.emplace_back(pid, entry.inode);
  }
  for (const auto& [pid, inode] : again) {
    pause();
    look(pid, inode);
  }
}

void ProcessTable::look(int32_t pid, uint64_t inode) {
  const auto [place, created] = table_.try_emplace(pid);
  Entry& entry = place->second;
  const auto stat = proc_.stat(pid);
  if (!stat || stat->pid != pid || stat->thread) {
    table_.erase(place);
    return;
  }
  const bool fresh = created || stat->start_ticks != entry.stat.start_ticks;
  if (fresh) {
    entry = Entry{};
    entry.young = born_lately(*stat) ? kYoungScans : 0;
  } else if (entry.young > 0) {
    --entry.young;
  }
  const bool renamed = wire::text_of(stat->comm) != wire::text_of(entry.stat.comm);
  entry.inode = inode;
  entry.round = round_;
  entry.stat = *stat;
  if (fresh || (entry.role == Role::stranger && (renamed || entry.bears_name)))
    open_.push_back(pid);
}

void ProcessTable::judge_all() {
  bool new_runner = false;
  for (const auto pid : open_) judge(pid);
  for (const auto pid : open_) new_runner |= table_.at(pid).role == Role::runner;
  if (!new_runner) return;
  // Who was a stranger until now may descend from the new runner; another "runner" too.
  open_.clear();
  for (auto place = table_.begin(); place != table_.end();) {
    Entry& entry = place->second;
    if (entry.role != Role::descendant && !refresh(entry)) {
      place = table_.erase(place);
      continue;
    }
    if (entry.role != Role::descendant) {
      entry.judged = 0;
      open_.push_back(place->first);
    }
    ++place;
  }
  for (const auto pid : open_) judge(pid);
}

// Judges the ancestors first; without recursion, because a job can build a chain of any length.
void ProcessTable::judge(int32_t pid) {
  std::vector<int32_t> chain;
  for (Entry* entry = &table_.at(pid); entry != nullptr && entry->judged != round_;
       entry = parent_of(*entry)) {
    if (entry->role == Role::descendant) break;
    entry->judged = round_;
    chain.push_back(entry->stat.pid);
  }
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) decide(table_.at(*at));
}

void ProcessTable::decide(Entry& entry) {
  if (const Entry* parent = parent_of(entry);
      parent != nullptr && parent->role == Role::descendant) {
    inherit(entry, *parent);
    return;
  } else if (parent != nullptr && parent->role == Role::runner) {
    entry.role = Role::descendant;
    entry.runner = key_of(parent->stat);
    entry.root = key_of(entry.stat);
    entry.runner_session = parent->stat.session;
    entry.depth = 1;
    return;
  }
  const auto session = sessions_.find(entry.stat.session);
  if (session != sessions_.end() && entry.stat.session != entry.stat.pid) {
    inherit(entry, session->second);
    return;
  }
  if (entry.role == Role::stranger && may_be_runner(entry)) entry.role = Role::runner;
}

bool ProcessTable::may_be_runner(Entry& entry) const {
  const auto name = wire::text_of(entry.stat.comm);
  entry.bears_name =
      std::find(rules_.names.begin(), rules_.names.end(), name) != rules_.names.end();
  if (!entry.bears_name || entry.stat.state == 'Z') return false;
  const auto uids = proc_.uids(entry.stat.pid);
  if (!uids) return false;
  entry.uid = uids->real;
  const auto accepted = [&](uint32_t uid) {
    return std::find(rules_.uids.begin(), rules_.uids.end(), uid) != rules_.uids.end();
  };
  return accepted(uids->real) && accepted(uids->effective) &&
         proc_.link(entry.stat.pid, "exe").has_value();
}

// A session that is not the runner's own, seen on a descendant, was made below the runner's child:
// all its members descend from there. Its number stays taken while it has members, so it can be
// forgotten as soon as it has none.
void ProcessTable::remember_sessions() {
  for (const auto& [pid, entry] : table_) {
    if (entry.role != Role::descendant || entry.stat.session == 0 ||
        entry.stat.session == entry.runner_session)
      continue;
    sessions_[entry.stat.session] = {entry.runner, entry.root,    entry.runner_session,
                                     entry.depth,  entry.adopted, round_};
  }
  std::erase_if(sessions_, [this](const auto& item) { return item.second.round != round_; });
}

// A parent starts before its child: one that started later only reuses the parent's pid.
ProcessTable::Entry* ProcessTable::parent_of(const Entry& entry) {
  const auto place = table_.find(entry.stat.parent);
  if (place == table_.end() || entry.stat.parent == entry.stat.pid) return nullptr;
  return place->second.stat.start_ticks <= entry.stat.start_ticks ? &place->second : nullptr;
}

void ProcessTable::pause() {
  if (++steps_ < kStepsAtOnce) return;
  steps_ = 0;
  if (in_between_) in_between_();
}

bool ProcessTable::refresh(Entry& entry) {
  pause();
  const auto stat = proc_.stat(entry.stat.pid);
  if (!stat || stat->start_ticks != entry.stat.start_ticks) return false;
  entry.stat = *stat;
  return true;
}

std::vector<wire::ProcessRecord> ProcessTable::sample(int64_t now_us) {
  scan(now_us);
  std::vector<std::pair<uint32_t, int32_t>> order;
  for (const auto& [pid, entry] : table_)
    if (entry.role == Role::descendant) order.emplace_back(entry.depth, pid);
  std::sort(order.begin(), order.end());
  if (order.size() > wire::kMaxProcesses) {
    cut_ += order.size() - wire::kMaxProcesses;
    order.resize(wire::kMaxProcesses);
  }
  std::vector<wire::ProcessRecord> records;
  records.reserve(order.size());
  roots_.clear();
  for (const auto& [depth, pid] : order) {
    Entry& entry = table_.at(pid);
    if (refresh(entry)) {
      records.push_back(record(entry));
    } else {
      table_.erase(pid);
    }
  }
  for (const auto pid : adopt())  // the others' directories have just been read
    if (records.size() < wire::kMaxProcesses) records.push_back(record(table_.at(pid)));
  return records;
}

wire::ProcessRecord ProcessTable::record(Entry& entry) {
  const Stat& stat = entry.stat;
  wire::ProcessRecord record;
  record.id = key_of(stat);
  record.parent.pid = stat.parent;
  if (const Entry* parent = parent_of(entry); parent != nullptr && parent->role != Role::stranger)
    record.parent = key_of(parent->stat);
  record.runner = entry.runner;
  record.root = entry.root;
  record.cpu_us = stat.cpu_ticks * tick_us_;
  record.reaped_cpu_us = stat.reaped_cpu_ticks * tick_us_;
  record.rss_bytes = stat.rss_pages * page_bytes_;
  record.state = stat.state;
  wire::set_text(record.comm, wire::text_of(stat.comm));
  // A process that did nothing since has read, written and changed nothing either.
  const bool active = stat.cpu_ticks != entry.sampled.cpu_ticks ||
                      stat.reaped_cpu_ticks != entry.sampled.reaped_cpu_ticks ||
                      stat.environment_at != entry.sampled.environment_at;
  if (active || entry.samples < kSamplesInFull || entry.samples % kReadMoreEvery == 0)
    read_more(entry);
  ++entry.samples;
  if (entry.claim) {
    record.claimed_job = *entry.claim;
    record.present |= wire::kHasClaim;
  }
  if (entry.io.read_bytes) {
    record.read_bytes = *entry.io.read_bytes;
    record.present |= wire::kHasRead;
  }
  if (entry.io.write_bytes) {
    record.write_bytes = *entry.io.write_bytes;
    record.present |= wire::kHasWrite;
  }
  if (!entry.adopted && entry.cwd.size() <= wire::kMaxCwd) {
    wire::set_text(record.cwd, entry.cwd);
    record.cwd_length = static_cast<uint16_t>(entry.cwd.size());
  }
  return record;
}

void ProcessTable::read_more(Entry& entry) {
  const Stat& stat = entry.stat;
  if (!entry.adopted && stat.environment_at != entry.claim_read_at) {
    const auto text = proc_.variable(stat.pid, "CI_JOB_ID", kMaxClaimDigits);
    const auto number = text ? parse_int(*text) : std::nullopt;
    entry.claim = number && *number > 0 ? number : std::nullopt;
    entry.claim_read_at = stat.environment_at;
  }
  entry.sampled = stat;
  entry.io = proc_.io(stat.pid);
  // The kernel names it from our root; a runner in a chroot names it from its own.
  const auto cwd = proc_.link(stat.pid, "cwd").value_or("");
  entry.cwd = seen_from(root_of(entry.runner), cwd);
}

// Where the runner's root is, seen from ours; empty once it is gone.
const std::string& ProcessTable::root_of(const wire::ProcessKey& runner) {
  const auto [place, created] = roots_.try_emplace(runner.pid);
  const auto entry = table_.find(runner.pid);
  if (created && entry != table_.end() && entry->second.stat.start_ticks == runner.start_ticks)
    place->second = proc_.link(runner.pid, "root").value_or("");
  return place->second;
}

std::vector<wire::RunnerRecord> ProcessTable::runners() const {
  std::vector<wire::RunnerRecord> records;
  for (const auto& [pid, entry] : table_) {
    if (entry.role != Role::runner || entry.stat.state == 'Z') continue;
    wire::RunnerRecord record;
    record.id = key_of(entry.stat);
    record.uid = entry.uid;
    wire::set_text(record.comm, wire::text_of(entry.stat.comm));
    records.push_back(record);
  }
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return records;
}

std::vector<Refused> ProcessTable::refused() const {
  std::vector<Refused> refused;
  for (const auto& [pid, entry] : table_)
    if (entry.bears_name && entry.role == Role::stranger)
      refused.push_back({key_of(entry.stat), entry.uid});
  return refused;
}

}  // namespace gitaiops::agent
