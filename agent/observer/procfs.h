// The kernel's own tables under /proc, read defensively: whatever does not look as documented in
// proc(5) is treated as unreadable. Nothing here reads a file that a job can write, but the
// environment, of which one variable is extracted.
//
// Thread safety: one thread. A process that ends while it is read is simply absent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/observer/wire.h"
#include "base/io/files.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// Microseconds of CLOCK_MONOTONIC: for the observer's timers.
int64_t monotonic_us();

// Of /proc/PID/stat, what is used here.
struct Stat {
  int32_t pid = 0;
  int32_t parent = 0;
  int32_t session = 0;
  char state = '?';
  char comm[16] = {};
  uint64_t start_ticks = 0;
  int64_t cpu_ticks = 0;         // utime + stime
  int64_t reaped_cpu_ticks = 0;  // cutime + cstime
  int64_t rss_pages = 0;
  uint64_t environment_at = 0;  // changes with every exec; 0 when hidden from us
  bool thread = false;          // not a process: a thread that is not its process' first
};
std::optional<Stat> parse_stat(std::string_view text);

struct TaskIo {
  std::optional<int64_t> read_bytes, write_bytes;
};
TaskIo parse_io(std::string_view text);

struct Uids {
  uint32_t real = 0, effective = 0;
};
// From the "Uid:" line of /proc/PID/status. The owner of /proc/PID is no substitute: it reads root
// for any process that made itself undumpable.
std::optional<Uids> parse_uids(std::string_view status);

// From the "NSpid:" line of /proc/self/status: our number in every pid namespace from that of this
// /proc down to our own. One number: it is the same.
bool is_of_our_pids(std::string_view status);

// `trace` and digits, nothing else.
bool is_trace_name(std::string_view name);

// "x (deleted)" → "x": how the kernel names a file without a name.
std::string_view without_deleted(std::string_view path);

class ProcFs {
 public:
  static Result<ProcFs> open(const std::string& root);

  const std::string& root() const { return root_; }

  // Every process: its pid and the inode of its folder. A reused pid gets a fresh inode, so an
  // unchanged one is the same process, at no cost (the kernel drops the folder's entry when a
  // process ends).
  Status each(const std::function<void(int32_t pid, uint64_t inode)>& visit) const;

  // The number that the last process or thread got, from proc(5) loadavg. While it stays the same
  // nothing was born; numbers are given upwards until they begin anew. nullopt where that cannot be
  // told: /proc of another pid namespace than our own.
  std::optional<int32_t> newest_pid() const;

  // The folder of a process. What is read through it is that process or nothing, even when its pid
  // is used again.
  Fd folder(int32_t pid) const;
  // A folder or link beneath that; an empty Fd when it cannot be opened.
  static Fd subfolder(const Fd& folder, const char* name, int extra_flags);

  std::optional<Stat> stat(int32_t pid) const;
  static std::optional<Stat> stat(const Fd& folder);
  TaskIo io(int32_t pid) const;
  std::optional<Uids> uids(int32_t pid) const;
  // Where "exe", "cwd" or "root" points; nullopt when it cannot be read.
  std::optional<std::string> link(int32_t pid, const char* name) const;
  // One variable of the environment at exec, at most `limit` bytes of value; the other variables
  // are never kept.
  std::optional<std::string> variable(int32_t pid, std::string_view name, std::size_t limit) const;

 private:
  ProcFs(std::string root, Fd fd);
  std::string root_;
  Fd fd_;
  bool ours_ = false;  // the numbers in it are of our own pid namespace
};

// readlinkat with the answer as a string; nullopt on error or when longer than 4095 bytes.
std::optional<std::string> read_link(int folder, const char* name);
// openat2; an empty Fd and errno on failure.
Fd open_beneath(int folder, const std::string& path, uint64_t flags, uint64_t resolve);

}  // namespace gitaiops::agent
