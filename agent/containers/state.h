// What the engines' state files say of a container, and what the runner wrote on it. Only labels
// (annotations), names, process and whether it ran out of memory leave these readers; the
// environment in the same files is passed over without being copied. Pure.
//
// Labels are the runner's word, but whoever may use the engine's socket can write the same: they
// are a claim until they fit a job that the runner itself announced (see containers.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::agent {

// What a container says about whose it is.
struct ContainerClaim {
  int64_t job_id = 0;      // 0: not told
  int64_t project_id = 0;  // 0: not told
  std::string job_url;     // "https://gitlab.example.com/grp/demo/-/jobs/4242"
  std::string runner_short;
  std::string kind;  // "build", "helper", "service", "init", "other"

  bool any() const { return job_id > 0 || (project_id > 0 && !runner_short.empty()); }
};

struct ContainerState {
  ContainerClaim claim;
  std::string name;            // at most 128 bytes
  std::string pod;             // id of the sandbox it belongs to; empty: none
  bool sandbox = false;        // it is the sandbox itself
  std::optional<int32_t> pid;  // of its first process; nullopt: told elsewhere; 0: does not run
  bool oom_killed = false;
  bool contradicted = false;  // labels and annotations name different jobs: then there is no claim
};

// Docker's config.v2.json. invalid_argument: not one; the message never quotes it.
Result<ContainerState> read_docker_state(std::string_view json);
// An OCI runtime's config.json (podman, CRI-O, containerd): annotations only.
Result<ContainerState> read_oci_config(std::string_view json);
// Podman's containers.json: the first name of the container; empty when it is not in there.
Result<std::string> read_podman_name(std::string_view json, std::string_view id);
// init.pid, pidfile; nullopt: not a number.
std::optional<int32_t> read_pid(std::string_view text);

// The container that a process lives in, by its /proc/PID/cgroup; empty: in none.
std::string container_in(std::string_view proc_cgroup);

// "/runner-AbCdEfGhI-project-77-concurrent-0-1a2b3c4d5e6f7a8b-build": what the runner calls its
// containers and pods. A claim without a job; nothing when it is another name.
std::optional<ContainerClaim> claim_of_name(std::string_view name);

}  // namespace gitaiops::agent
