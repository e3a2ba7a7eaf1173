// The kernel's messages about processes it killed for memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <asio/posix/stream_descriptor.hpp>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// The pid in "Out of memory: Killed process 12 (cc1plus) …" or "Memory cgroup out of memory: Killed
// process 12 …", with or without what the journal, syslog or /dev/kmsg puts before it; nullopt for
// every other line. The name in parentheses is the process' to choose and is not looked at. In a
// container's host namespace the pid is the host's.
std::optional<int32_t> parse_oom_kill(std::string_view line);

// Follows the kernel's own log from now on. /dev/kmsg usually wants CAP_SYSLOG; without it open()
// fails with permission_denied, and kills have to come from elsewhere or stay unknown. Thread
// safety: the loop's thread.
class KernelLog {
 public:
  static Result<KernelLog> open(const asio::any_io_executor& executor,
                                const char* path = "/dev/kmsg");
  // Waits for the next kill. What the kernel overwrote before we read it is skipped.
  Task<Result<int32_t>> next_oom_kill();

 private:
  struct State;
  explicit KernelLog(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace gitaiops::agent
