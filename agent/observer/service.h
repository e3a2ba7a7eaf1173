// The observer's loop body: watches runners, and answers one agent over a socket with the closed
// set of requests in wire.h.
//
// It never blocks on the agent: replies are sent without waiting, and while some are unsent no
// further request is read, so the backlog is bounded by one reply. A request that is malformed is
// answered with an error or ignored, and counted.
//
// Thread safety: one thread.  Tests: service_test.cpp, observer_test.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/observer/containers.h"
#include "agent/observer/process_table.h"
#include "agent/observer/procfs.h"
#include "agent/observer/traces.h"
#include "agent/observer/wire.h"

namespace gitaiops::agent {

struct ServiceOptions {
  std::string proc_root = "/proc";
  std::string host_root = "/";
  ContainerRoots containers;
  RunnerRules runners;
  std::size_t max_held_traces = 1024;
};

class Service {
 public:
  Service(ServiceOptions options, ProcFs proc);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // A new agent speaks at the other end of this SOCK_SEQPACKET socket; it gets every held trace
  // again.
  void attach(Fd socket);
  bool attached() const { return static_cast<bool>(socket_); }
  // When the agent last asked for something, or was attached (monotonic_us()).
  int64_t last_heard_us() const { return last_heard_; }

  // Waits for something to do until `until_us` (monotonic_us) at most, and does it. True when
  // `wake_fd` became readable.
  bool step(int wake_fd, int64_t until_us);

 private:
  struct Outgoing {
    std::string packet;
    Fd fd;
  };

  void detach();
  void tick();
  void receive();
  void answer(std::string_view packet);
  void reply(wire::Kind kind, uint32_t call, std::string_view body, Fd fd = Fd(),
             bool more = false);
  void refuse(wire::Kind kind, uint32_t call, const Error& error);
  template <class Record>
  void reply_list(wire::Kind kind, uint32_t call, const std::vector<Record>& records);
  void offer_traces();
  void flush();
  Result<Fd> open_checkout(std::string_view body) const;
  Result<Fd> open_inside(std::string_view body) const;
  Result<std::string> cgroup_of(std::string_view body) const;
  Result<Fd> open_container(std::string_view body) const;
  bool runner_lives_in(std::string_view container) const;
  std::string self_check() const;

  const ServiceOptions options_;
  const ProcFs proc_;
  TraceKeeper traces_;
  ProcessTable table_;  // lets the traces look while it is busy
  const ContainerFolders containers_;
  Fd socket_;
  std::deque<Outgoing> backlog_;
  std::deque<uint32_t> waiting_;  // calls of next_trace
  int64_t next_tick_ = 0;
  int64_t sampled_at_ = 0;  // a look of its own is not needed soon after
  int64_t last_heard_ = 0;
  uint64_t malformed_ = 0;
};

}  // namespace gitaiops::agent
