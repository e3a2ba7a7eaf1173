// What the kernel counts for a control group: one reading of its files, of version 1, 2 or both
// side by side (hybrid). These files are readable to everybody, so no privilege is needed. Figures
// include the groups below it.
//
//   figure          version 2                   version 1
//   CPU             cpu.stat usage_usec         cpuacct.usage
//   throttling      cpu.stat throttled_usec     cpu.stat throttled_time
//   memory          memory.current, .peak       memory.usage_in_bytes, .max_usage_in_bytes
//   limit           memory.max                  memory.limit_in_bytes
//   killed          memory.events oom_kill      memory.oom_control oom_kill
//   IO              io.stat rbytes, wbytes      blkio.throttle.io_service_bytes(_recursive)
//   processes       pids.current, pids.peak     pids.current, pids.peak
//   pressure        {cpu,memory,io}.pressure    –
//
// Memory is what the group is charged for: with the page cache of the files it read and wrote.
//
// Thread safety: none; one thread. Blocking reads of small files of the kernel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gitaiops::agent {

// Where a container's groups lie.
struct CgroupPlace {
  std::string unified;  // "/system.slice/docker-….scope"; empty: in none of version 2
  // By controller of version 1 ("memory"): the hierarchy's folder ("cpu,cpuacct") and the path in
  // it.
  struct Legacy {
    std::string hierarchy, path;
    auto operator<=>(const Legacy&) const = default;
  };
  std::map<std::string, Legacy> legacy;
  auto operator<=>(const CgroupPlace&) const = default;
};

// From /proc/PID/cgroup of a process in the container: the groups whose name holds the container's
// id, cut off below (what the container makes of its own group is its own). nullopt when no group
// is named so: then the process is not, or no longer, the container's.
std::optional<CgroupPlace> place_of(std::string_view proc_cgroup, std::string_view container_id);

// What a file did not say is absent.
struct CgroupReading {
  std::optional<int64_t> cpu_us, throttled_us;
  std::optional<int64_t> memory_bytes, memory_peak_bytes, oom_kills;
  std::optional<int64_t> memory_limit_bytes;  // absent: none
  std::optional<int64_t> read_bytes, write_bytes;
  std::optional<int64_t> processes, processes_peak;
  // Time in which some task of the group waited for it.
  std::optional<int64_t> cpu_pressure_us, memory_pressure_us, io_pressure_us;

  bool empty() const { return !cpu_us && !memory_bytes && !processes; }
};

class CgroupReader {
 public:
  // The folder where the kernel's groups are mounted: /sys/fs/cgroup.
  explicit CgroupReader(std::filesystem::path root);
  // Empty when the group is gone.
  CgroupReading read(const CgroupPlace& place) const;

 private:
  const std::string& folder_of(const std::string& controller, const std::string& hierarchy) const;

  std::filesystem::path root_;
  std::string unified_;                                 // where version 2 is; empty: nowhere
  mutable std::map<std::string, std::string> folders_;  // by controller of version 1
};

// ---- The files' formats, for the reader above and for tests ----

std::optional<int64_t> parse_count(std::string_view text);  // "123\n"; "max" is nullopt
// The number behind `key` in "key 123" lines.
std::optional<int64_t> parse_keyed(std::string_view text, std::string_view key);
struct IoBytes {
  int64_t read = 0, written = 0;
};
IoBytes parse_io_stat(std::string_view text);                  // "8:0 rbytes=1 wbytes=2 rios=…"
IoBytes parse_io_service_bytes(std::string_view text);         // "8:0 Read 1"
std::optional<int64_t> parse_pressure(std::string_view text);  // total of the line "some"

}  // namespace gitaiops::agent
