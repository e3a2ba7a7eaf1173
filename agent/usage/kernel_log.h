// The kernel's messages about processes it killed for memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <asio/any_io_executor.hpp>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// The pid in "Out of memory: Killed process 12 (cc1plus) …" or "Memory cgroup out of memory: Killed
// process 12 …", with or without what the journal, syslog or /dev/kmsg puts before it; nullopt for
// every other line. The name in parentheses is the process' to choose and is not looked at. In a
// container's host namespace the pid is the host's.
std::optional<int32_t> parse_oom_kill(std::string_view line);

// Follows the kernel's own log from now on. Thread safety: the loop's thread.
class KernelLog {
 public:
  // /dev/kmsg, or, where that is closed to us (it usually wants CAP_SYSLOG), the kernel's entries
  // in the journal. The error of the latter when neither can be read: kills stay unknown then.
  static Result<KernelLog> open(const asio::any_io_executor& executor);
  static Result<KernelLog> open_device(const asio::any_io_executor& executor,
                                       const char* path = "/dev/kmsg");
  // Of this host, or of a folder with journal files. permission_denied: there is none that we may
  // read; unimplemented: built without libsystemd.
  static Result<KernelLog> open_journal(const asio::any_io_executor& executor,
                                        const std::string& folder = "");

  // Waits for the next kill. What the kernel overwrote before we read it is skipped.
  Task<Result<int32_t>> next_oom_kill() { return reader_->next(reader_); }

  class Reader {
   public:
    virtual ~Reader() = default;
    // `self` keeps the reader alive while the task waits.
    virtual Task<Result<int32_t>> next(std::shared_ptr<Reader> self) = 0;
  };

 private:
  explicit KernelLog(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}
  std::shared_ptr<Reader> reader_;
};

}  // namespace gitaiops::agent
