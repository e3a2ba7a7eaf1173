// For `enroll` and `doctor` as root: go on as the user that the service runs as. What `enroll`
// writes is then the service's, and what `doctor` says of this host is true for the service.
#pragma once

#include <filesystem>
#include <string>

#include "base/result/result.h"

namespace gitaiops::agent {

enum class Keep {
  nothing,               // no capability: for what needs the service's files only
  observer_capabilities  // CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, ambient, as the unit gives them
};

// The service's user is the owner of its state folder. Where the folder does not exist yet, because
// the service was never started, it is the unit's user, if `state_dir` is the unit's and that user
// exists; the folder is made for it, as systemd would (0700). Takes its user and groups (and
// systemd-journal, as the unit does). Returns the user's name, or "" when nothing changed: not
// root, the folder is root's, or there is no such user. After an error the process must end: it is
// neither the one nor the other.
Result<std::string> become_service_user(const std::filesystem::path& state_dir, Keep keep);

}  // namespace gitaiops::agent
