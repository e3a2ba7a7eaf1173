// Who is a runner, and who descends from one.
//
// A runner is a process that bears a runner's name, has a program behind it, runs as an accepted
// user, and does not descend from another runner, now or ever before. A job can take any name and
// can leave its tree (setsid, su, double fork), but it was born in the tree: once (pid, start) was
// seen there it keeps that attribution until it ends, whoever its parent is then. A process never
// seen in a tree is still attributed by its session, which can be made but not joined: a session
// made below a runner's child holds only processes of that child. The process group is no proof (a
// job can join another job's), so it is not used.
//
// One that left its tree with a session of its own before it was seen is known by where it works:
// an orphan (its parent is an ancestor of the runner) of the same user, born after the tree's root,
// with its working directory where a process of that tree works in its checkout, the longest such
// path deciding, belongs to that tree; where two trees work there, to none. Only its figures are
// told, and not what it says of itself: it must not make its tree doubtful. It is asked while it is
// young; the directory of no other stranger is read.
//
// Cost. Numbers of processes are given upwards, and the kernel tells the last one given: a scan
// looks at the numbers given since, at runners and at those that are young, and on a host where
// nothing is born that is all. All of /proc is listed, and every stranger looked at (it may become
// a runner by exec; a runner starts threads then, which take numbers too), every thirty seconds in
// which something was born, when too many numbers were given or they began anew, and, without
// strangers, in every scan where the last number cannot be known. That takes a tenth of a second on
// a host of some thousand processes, longer than a job may live: whoever has something more urgent
// is called in between.  Tests: process_table_test.cpp, bench/observer_scan.cpp.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/observer/procfs.h"
#include "agent/observer/wire.h"

namespace gitaiops::agent {

struct RunnerRules {
  std::vector<std::string> names = {
      "gitlab-runner"};  // compared as the kernel keeps them: 15 bytes
  std::vector<uint32_t> uids = {0};
};

// A process that bears a runner's name and was not taken for one.
struct Refused {
  wire::ProcessKey id;
  uint32_t uid = 0;
};

class ProcessTable {
 public:
  // `in_between` is called after every few processes that were looked at; it must not call the
  // table.
  ProcessTable(const ProcFs& proc, RunnerRules rules, std::function<void()> in_between = {});

  // Brings the table up to date: who lives, who belongs to whom. `now_us` as of monotonic_us().
  void scan(int64_t now_us);
  // Scans, then reads the figures of all descendants: parents before children, so that a child seen
  // alive is not yet in its parent's reaped times. At most wire::kMaxProcesses.
  std::vector<wire::ProcessRecord> sample(int64_t now_us);

  std::vector<wire::RunnerRecord> runners() const;
  std::vector<Refused> refused() const;
  std::size_t known() const { return table_.size(); }
  uint64_t cut() const {
    return cut_;
  }  // descendants left out of a reply because it was full, since the start

 private:
  enum class Role : uint8_t { stranger, runner, descendant };
  struct Entry {
    uint64_t inode = 0;
    uint32_t round = 0;   // of the last scan that saw it
    uint32_t judged = 0;  // of the last scan that decided its role
    uint32_t depth = 0;   // below its runner
    Role role = Role::stranger;
    uint8_t young = 0;  // scans that look at it again, because it was born lately and may exec
    bool bears_name = false;
    bool adopted = false;        // known by where it works, or descends from such a one
    uint32_t uid = 0;            // of one that bears a runner's name
    int32_t runner_session = 0;  // the session of its runner, when it was judged
    wire::ProcessKey runner, root;
    Stat stat;
    uint64_t claim_read_at = 0;  // Stat::environment_at when the claim was read
    std::optional<int64_t> claim;
    uint32_t samples = 0;
    Stat sampled;  // when what follows was read
    TaskIo io;
    std::string cwd;  // as its runner's root names it
  };
  struct Session {
    wire::ProcessKey runner, root;
    int32_t runner_session = 0;
    uint32_t depth = 0;
    bool adopted = false;
    uint32_t round = 0;
  };

  static bool may_change(const Entry& entry);
  bool born_lately(const Stat& stat) const;
  bool may_follow(std::optional<int32_t> newest) const;
  bool list();
  void follow(int32_t newest);
  void look(int32_t pid, uint64_t inode);
  void judge_all();
  void judge(int32_t pid);
  void decide(Entry& entry);
  template <class From>
  static void inherit(Entry& entry, const From& from) {
    entry.role = Role::descendant;
    entry.runner = from.runner;
    entry.root = from.root;
    entry.runner_session = from.runner_session;
    entry.depth = from.depth + 1;
    entry.adopted = from.adopted;
  }
  bool may_be_runner(Entry& entry) const;
  void remember_sessions();
  std::vector<int32_t> adopt();
  const Entry* neighbour(const Entry& orphan, const std::vector<const Entry*>& residents);
  bool left_to_reaper(const Entry& orphan, const wire::ProcessKey& runner);
  static std::string_view seen_from(std::string_view root, std::string_view path);
  Entry* parent_of(const Entry& entry);
  bool refresh(Entry& entry);
  void pause();
  wire::ProcessRecord record(Entry& entry);
  void read_more(Entry& entry);
  const std::string& root_of(const wire::ProcessKey& runner);

  const ProcFs& proc_;
  const RunnerRules rules_;
  const std::function<void()> in_between_;
  uint32_t steps_ = 0;  // since in_between_ was called
  const int64_t tick_us_;
  const int64_t page_bytes_;
  std::unordered_map<int32_t, Entry> table_;
  std::unordered_map<int32_t, Session> sessions_;
  std::vector<int32_t> open_;                       // to be judged in this scan
  std::unordered_map<int32_t, std::string> roots_;  // of runners, for one sample
  uint32_t round_ = 0;
  int64_t now_us_ = 0;  // of this scan
  std::optional<int32_t> newest_,
      newest_before_;                     // numbers given by the last scan and the one before
  std::optional<int32_t> newest_listed_;  // when /proc was listed
  int64_t next_listing_us_ = 0;
  uint64_t cut_ = 0;
};

}  // namespace gitaiops::agent
