// The agent's window on what only a privileged process may see. The observer (its own small binary)
// holds CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, starts the agent without them, and answers over a
// socketpair with values and read-only descriptors. It keeps the trace descriptors it opened until
// the agent releases them, so an agent that dies and is started again gets them once more.
//
// Thread safety: Observer belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/files.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// A process, once and for all: pids are reused, (pid, start) is not.
struct ProcessId {
  int32_t pid = 0;
  uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  auto operator<=>(const ProcessId&) const = default;
};

// A trace file, identified by what the kernel calls it.
struct TraceId {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;  // statx btime, else ctime at opening
  auto operator<=>(const TraceId&) const = default;
};

struct RunnerProcess {
  ProcessId id;
  std::string comm;
  uint32_t uid = 0;
};

struct OpenedTrace {
  TraceId id;
  ProcessId runner;  // the runner process that held it open: checked, not assumed
  // Its place among the trace files that appeared: births are told only to the tick of the kernel's
  // clock. 0: it was there before we looked.
  uint64_t order = 0;
  Fd fd;  // read-only
};

// One process descending from a runner. Figures are the kernel's; what could not be read is absent.
struct ProcessSample {
  ProcessId id;
  ProcessId parent;  // start_ticks 0 when the parent is gone
  ProcessId runner;  // the runner it descends from, remembered when intermediate parents died
  ProcessId root;    // the child of the runner at the top of its tree: one a job stage
  std::string comm;
  std::string cwd;  // as the runner's mount namespace names it; empty when unreadable
  std::optional<int64_t> claimed_job;  // CI_JOB_ID in its environment: a claim
  int64_t cpu_us = 0;                  // utime + stime
  int64_t reaped_cpu_us = 0;           // cutime + cstime
  int64_t rss_bytes = 0;
  std::optional<int64_t> read_bytes;  // /proc/PID/io
  std::optional<int64_t> write_bytes;
  char state = '?';
};

enum class ContainerEngine : uint8_t { docker = 1, podman, containerd };
// Of a container: its state as the engine keeps it, the number of its process, and, one for all,
// their names. What the engines keep there has secrets in it; see agent/containers. `log` is what
// docker keeps of a container's output: given out only of a container that a runner lives in, for
// what jobs print is not masked there.
enum class ContainerFile : uint8_t { state = 1, pid, names, log };

struct ContainerId {
  ContainerEngine engine = ContainerEngine::docker;
  std::string id;  // 64 lower-case hexadecimal digits
  auto operator<=>(const ContainerId&) const = default;
};

struct ListedContainer {
  ContainerId id;
  uint64_t version = 0;  // differs when its state or process was written since
};

class Observer {
 public:
  virtual ~Observer() = default;

  virtual Task<Result<std::vector<RunnerProcess>>> runners() = 0;
  // All live descendants of all runners.
  virtual Task<Result<std::vector<ProcessSample>>> processes() = 0;

  // Waits for the next trace that a runner opened (each is delivered once an agent's life, oldest
  // first; after a restart of the agent all that are still held or open come again).
  virtual Task<Result<OpenedTrace>> next_trace() = 0;
  // The trace was read to its end: the observer may close its copy.
  virtual void release(const TraceId& id) = 0;

  // A directory below a runner's checkout, opened for reading without following links out of it.
  virtual Task<Result<Fd>> open_checkout(const ProcessId& runner, const std::string& path) = 0;
  // Containers that exist now, running or not.
  virtual Task<Result<std::vector<ListedContainer>>> containers() = 0;
  // Opened for reading: a regular file of at most 4 MiB (a log may be longer), reached without a
  // symbolic link.
  virtual Task<Result<Fd>> open_container(const ContainerId& id, ContainerFile file) = 0;
  // A directory as the first process of a container sees it, likewise. permission_denied when the
  // process does not live in that container.
  virtual Task<Result<Fd>> open_inside(const ContainerId& id, int32_t pid,
                                       const std::string& path) = 0;
  // /proc/PID/cgroup, as it is.
  virtual Task<Result<std::string>> cgroup_of(int32_t pid) = 0;

  // What this process may do, for `doctor`: one line a capability or limit, in plain words.
  virtual Task<Result<std::vector<std::string>>> self_check() = 0;
};

// Speaks to the observer over the inherited socket (the number is in GITAIOPS_OBSERVER_FD).
Result<std::unique_ptr<Observer>> connect_observer(const asio::any_io_executor& executor,
                                                   int socket);

}  // namespace gitaiops::agent
