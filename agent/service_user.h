// For `doctor` as root: go on as the user that the service runs as, with its rights and no more, so
// that what is said of this host is true for the service.
#pragma once

#include <filesystem>
#include <string>

#include "base/result/result.h"

namespace gitaiops::agent {

// The service's user is the owner of its state folder. Takes its user, groups (and systemd-journal,
// as the unit does) and, as ambient capabilities, the two of the observer. Returns the user's name,
// or "" when the folder does not exist or is root's: then nothing changes. After an error the
// process must end: it is neither the one nor the other.
Result<std::string> become_service_user(const std::filesystem::path& state_dir);

}  // namespace gitaiops::agent
