// The controller's configuration file and its state folder, as every command opens them.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock/clock.h"
#include "base/io/files.h"
#include "base/result/result.h"
#include "controller/config/config.h"
#include "controller/store/store.h"

namespace gitaiops::controller {

Result<Config> load(const std::filesystem::path& path);
Status make_state_dir(const Config& config);
// Makes the folder where it is missing.
Result<std::unique_ptr<store::Store>> open_store(const Config& config, const Clock& clock);
// Where copies of the sources of advisories are, and the index made from them.
std::filesystem::path folder_of_advisories(const Config& config);
// One service a state directory: two would answer the same agents and renew the same certificates.
// Commands beside it are welcome. already_exists: another one serves from it.
Result<Fd> claim(const std::filesystem::path& state_dir);

}  // namespace gitaiops::controller
