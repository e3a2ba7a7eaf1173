// Processes that left their tree before anybody saw them in it (setsid and double fork between two
// scans): known by where they work. See process_table.h.
#include <algorithm>

#include "agent/observer/process_table.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxSlotDigits = 5;

// In a checkout of the shell executor: <builds_dir>/<short token>/<slot>/<namespace>/<project>.
bool in_checkout(std::string_view cwd) {
  const auto parts = split(cwd, '/');  // the first is empty
  for (std::size_t i = 2; i + 2 < parts.size(); ++i)
    if (parts[i].size() <= kMaxSlotDigits && parse_uint(parts[i])) return true;
  return false;
}

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::vector<int32_t> ProcessTable::adopt() {
  std::vector<std::pair<uint64_t, int32_t>> strangers;  // by birth: parents before children
  std::vector<const Entry*> residents;
  for (const auto& [pid, entry] : table_) {
    if (entry.role == Role::stranger && entry.young > 0)
      strangers.emplace_back(entry.stat.start_ticks, pid);
    if (entry.role == Role::descendant && !entry.adopted && in_checkout(entry.cwd))
      residents.push_back(&entry);
  }
  std::vector<int32_t> adopted;
  if (residents.empty()) return adopted;
  std::sort(strangers.begin(), strangers.end());
  for (const auto& [start, pid] : strangers) {
    Entry& entry = table_.at(pid);
    const Entry* parent = parent_of(entry);
    const Entry* kin = parent != nullptr && parent->role == Role::descendant
                           ? parent
                           : neighbour(entry, residents);
    if (kin == nullptr) continue;
    inherit(entry, *kin);
    entry.adopted = true;
    adopted.push_back(pid);
  }
  return adopted;
}

// A process of the one tree whose checkout the orphan works in; nullptr when there is none, or two.
const ProcessTable::Entry* ProcessTable::neighbour(const Entry& orphan,
                                                   const std::vector<const Entry*>& residents) {
  std::optional<std::string> cwd;
  const Entry* best = nullptr;
  bool shared = false;
  for (const Entry* resident : residents) {
    if (orphan.stat.start_ticks < resident->root.start_ticks ||
        !left_to_reaper(orphan, resident->runner))
      continue;
    if (!cwd) cwd = proc_.link(orphan.stat.pid, "cwd").value_or("");
    if (!is_within(seen_from(root_of(resident->runner), *cwd), resident->cwd)) continue;
    if (best == nullptr || resident->cwd.size() > best->cwd.size()) {
      best = resident;
      shared = false;
    } else if (resident->cwd.size() == best->cwd.size()) {
      shared |= resident->root != best->root;
    }
  }
  if (best == nullptr || shared) return nullptr;
  const auto theirs = proc_.uids(best->stat.pid), its = proc_.uids(orphan.stat.pid);
  const bool same_user =
      theirs && its && theirs->real == its->real && theirs->effective == its->effective;
  return same_user ? best : nullptr;
}

// The kernel gives an orphan to the nearest ancestor that reaps, at last to the first process: from
// a runner's tree that is an ancestor of the runner.
bool ProcessTable::left_to_reaper(const Entry& orphan, const wire::ProcessKey& runner) {
  if (orphan.stat.parent == 1) return true;
  const auto place = table_.find(runner.pid);
  std::size_t steps = 0;
  for (const Entry* entry = place == table_.end() ? nullptr : &place->second;
       entry != nullptr && steps <= table_.size(); entry = parent_of(*entry), ++steps)
    if (entry->stat.parent == orphan.stat.parent) return true;
  return false;
}

std::string_view ProcessTable::seen_from(std::string_view root, std::string_view path) {
  const bool below = root.size() > 1 && path.size() > root.size() && is_within(path, root);
  return below ? path.substr(root.size()) : path;
}

}  // namespace gitaiops::agent
