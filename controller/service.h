// The service: wires the controller's rooms together and runs until it is told to stop.
#pragma once

#include <filesystem>

#include "base/result/result.h"
#include "controller/config/config.h"

namespace gitaiops::controller {

// Until SIGTERM or SIGINT; SIGHUP reads the file again. An error says why it could not start.
Status run_service(const std::filesystem::path& config_path, Config config);

}  // namespace gitaiops::controller
