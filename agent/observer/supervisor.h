// Starts the agent without any capability, and again when it dies, with growing distance.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/resource.h>

#include "base/io/files.h"
#include "base/result/result.h"

namespace gitaiops::agent {

class Supervisor {
 public:
  // `signals` and `files` are what the agent gets: the signal mask and the descriptor limit from
  // before ours.
  Supervisor(std::vector<std::string> command, sigset_t signals, rlimit files)
      : command_(std::move(command)), signals_(signals), files_(files) {}

  // Starts the agent; the descriptor is our end of a fresh socketpair, the number of its end is in
  // GITAIOPS_OBSERVER_FD. It is killed by the kernel when this process ends.
  Result<Fd> start();
  bool running() const { return pid_ > 0; }
  int64_t next_start_us() const { return next_start_; }
  void signal(int number) const;

  // Collects ended children. The exit code to end with, when the agent is not to be started again:
  // it ended on purpose (0), refused its command line or configuration (2, 64 to 78), or was told
  // to stop.
  std::optional<int> reap(bool stopping);

 private:
  [[noreturn]] void become_agent(int socket, int parent);

  const std::vector<std::string> command_;
  const sigset_t signals_;
  const rlimit files_;
  int pid_ = -1;
  int64_t started_ = 0;
  int64_t next_start_ = 0;
  int64_t backoff_ = 0;
};

}  // namespace gitaiops::agent
