// Catches the log files ("traces") of runners while they exist, and keeps them open until the agent
// has read them.
//
// A runner writes a job's log to $TMPDIR/trace<digits>, mode 0600, and unlinks it at the job's end;
// a job may last no more than 200 ms. So the folder is watched with inotify, as the runner sees it
// (/proc/<runner>/root), and every new file of such a name makes us look at once at what the runner
// holds open. A file counts only if the runner process itself holds a descriptor of it: it is
// opened through /proc/<runner>/fd/N, which is that proof, and its place and kind are checked on
// the opened descriptor. A file that anybody else puts into the folder is never opened. The
// descriptor appears an instant after the file does, so the look is repeated with growing distance;
// growing, because whoever floods the folder with names must not make us spin. A scan every second
// covers lost events, folders without a watch, and runners found late.
//
// Tests: service_test.cpp (100 of 100), observer_test.cpp.
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/observer/procfs.h"
#include "agent/observer/wire.h"

namespace gitaiops::agent {

struct HeldTrace {
  wire::TraceKey id;
  wire::ProcessKey runner;
  uint64_t order = 0;  // see wire::TraceRecord
  Fd fd;
  bool delivered = false;
};

class TraceKeeper {
 public:
  TraceKeeper(const ProcFs& proc, std::size_t max_held);

  // The runners that live now: watches the folders of new ones, forgets those of dead ones (their
  // traces stay held). Call it once a second: it also follows a folder that was deleted and made
  // again, and scans.
  void tick(const std::vector<wire::RunnerRecord>& runners, int64_t now_us);

  int inotify_fd() const { return inotify_.get(); }
  void on_events(int64_t now_us);            // inotify_fd is readable
  std::optional<int64_t> next_look() const;  // when on_time wants to be called
  void on_time(int64_t now_us);

  // The oldest held trace that this agent has not got yet; nullptr when there is none. Valid until
  // the next call.
  HeldTrace* next_undelivered();
  void release(const wire::TraceKey& id);
  // A new agent: it gets everything that is held, and what is still open though the former one
  // released it.
  void offer_all_again();

  std::size_t held() const { return held_.size(); }
  uint64_t caught() const { return caught_; }
  uint64_t dropped() const { return dropped_; }  // given up because max_held was reached
  uint64_t overflows() const { return overflows_; }
  // "/tmp of runner 12: watched", one line a runner.
  std::vector<std::string> describe() const;

 private:
  struct Watched {
    wire::ProcessKey runner;
    std::string temp;     // as the runner names it
    std::string seen_as;  // as the kernel names it to us; kept when the folder vanishes
    uint64_t device = 0, inode = 0;
    int wd = -1;
    std::string trouble;    // why it is not watched
    int64_t hot_until = 0;  // look again and again until then
    int64_t next_look = 0;
    int64_t gap = 0;
  };

  void watch(Watched& watched);
  void unwatch(Watched& watched);
  void heat(Watched& watched, int64_t now_us);
  uint64_t order_of(std::string_view path, const Watched& watched) const;
  bool look(Watched& watched);  // true: found a trace that was not held
  std::optional<HeldTrace> open_trace(const Fd& descriptors, const char* number,
                                      const Watched& watched);
  bool is_place_of_traces(std::string_view path, const Watched& watched) const;
  bool make_room();

  const ProcFs& proc_;
  const std::size_t max_held_;
  Fd inotify_;
  std::vector<Watched> watched_;
  std::vector<HeldTrace> held_;        // oldest first
  std::set<wire::TraceKey> released_;  // still open in a runner: not to be offered again
  struct Appeared {
    uint64_t order;
    int wd;
    std::string name;
  };
  std::deque<Appeared> appeared_;  // the newest, oldest first
  uint64_t last_order_ = 0;
  std::set<wire::TraceKey> open_;  // what the current round of looks saw open
  uint64_t caught_ = 0, dropped_ = 0, overflows_ = 0;
};

}  // namespace gitaiops::agent
