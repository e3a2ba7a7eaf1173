// The containers that the runner starts for its jobs (docker, podman, Kubernetes executors): finds
// them in the engines' own folders, meters their control groups, and adds up what belongs to one
// job. The engine's socket is not used: access to it is as good as root.
//
//   observer lists folders → state file: labels, process → /proc/PID/cgroup → the kernel's counts
//
// A container's group vanishes with its last process, and its counts with it. So its first process
// is watched (pidfd): when it ends, everything else in the container has ended, and the group is
// read at once, before the engine removes it. Between, a container is read at least every fiftieth
// of its age (at most every 50 ms, at least once an interval): whatever a kernel or engine does not
// let us see at the end is then at most two hundredths.
//
// Whose a container is: its labels name instance, project, job and runner entry; they count when
// all of them fit a job that this runner announced. Where an engine keeps no labels on disk
// (podman, Kubernetes without annotations) its name tells runner entry and project; that counts
// when only one job of them lived meanwhile. A job that holds the engine's socket can label
// containers with another job's numbers; it can then add to that job's usage, nothing more.
//
// Memory: at most 1,024 containers; what nobody asked for is forgotten ten minutes after it ended.
// Thread safety: the loop's thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/containers/state.h"
#include "agent/observer/observer.h"
#include "base/clock/clock.h"
#include "base/io/io.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

struct ContainersOptions {
  std::filesystem::path cgroup_root = "/sys/fs/cgroup";
  struct Instance {
    std::string id, url;
  };
  std::vector<Instance> instances;  // as configured
  int64_t interval_us = kMicrosPerSecond;
};

// A job as the runner told of it. Empty and 0: not told.
struct ContainerJob {
  std::string instance;
  int64_t job_id = 0;
  std::string project_path;
  int64_t project_id = 0;
  std::string runner_short;
};

class ContainerWatch {
 public:
  ContainerWatch(asio::any_io_executor executor, ContainersOptions options, Observer& observer,
                 const Clock& clock);
  ~ContainerWatch();

  // Until `stopping`. `busy`: a job is open, so containers are looked for five times a second, and
  // fifty times in the second after a job began or a container ended.
  Task<void> run(Event* stopping, std::function<bool()> busy);
  void started(const ContainerJob& job);  // wakes it up
  void set_interval(int64_t micros);

  struct Verdict {
    std::optional<fleet::v1::Usage> usage;
    std::string reason;  // why there is none, if containers were seen that might be its own
  };
  // Of a job that is over; its containers are forgotten.
  Verdict take(const ContainerJob& job);

  // A container that runs a job's own commands, and certainly that job's. Its sources are there,
  // because the runner starts it after it fetched them; but the containers of a pod start together.
  // Such a one is told only where no other job of its project runs.
  struct Build {
    ContainerJob job;
    ContainerId id;
    int32_t pid = 0;
    bool in_pod = false;
  };
  std::vector<Build> builds() const;

  std::size_t live() const;  // of runners' jobs, running now

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Whether what a container claims is the job. `certain`: by labels; otherwise only its name was
// told, which other jobs of the same project may share.
enum class Fit { no, by_name, certain };
Fit fits(const ContainerClaim& claim, const ContainerJob& job,
         const std::vector<ContainersOptions::Instance>& instances);

}  // namespace gitaiops::agent
