#include "controller/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/log/log.h"

namespace gitaiops::controller {

Result<Config> load(const std::filesystem::path& path) {
  return schema().load_file(path, check);
}

Status make_state_dir(const Config& config) {
  std::error_code error;
  std::filesystem::create_directories(config.state.dir, error);
  if (error)
    return Error(Code::permission_denied,
                 "state.dir: cannot create " + config.state.dir.string() + ": " + error.message());
  return {};
}

std::filesystem::path folder_of_advisories(const Config& config) {
  return config.state.dir / "advisories";
}

Result<std::unique_ptr<store::Store>> open_store(const Config& config, const Clock& clock) {
  RETURN_IF_ERROR(make_state_dir(config));
  const auto file = config.state.dir / "controller.db";
  std::error_code none;
  const bool is_new = !std::filesystem::exists(file, none) || std::filesystem::is_empty(file, none);
  ASSIGN_OR_RETURN(auto store, store::open_sqlite({file}, clock));
  // Whoever wants to begin anew may; whoever lost it must not find out by silence.
  if (is_new && std::filesystem::exists(config.state.dir / "pki" / "ca.key", none))
    log::warning(
        "the database is new, but its certificate authority is not: agents that were "
        "enrolled are strangers now",
        {{"database", file.string()},
         {"cure",
          "if that was not meant, stop the service and put the last backup in "
          "place: gitaiops-controller restore FILE (docs/operate.md)"}});
  return store;
}

Result<Fd> claim(const std::filesystem::path& state_dir) {
  const auto path = state_dir / "serve.lock";
  Fd file(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return errno_error("create", path.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK)
    return Error(Code::already_exists, "another gitaiops-controller serves from " +
                                           state_dir.string() +
                                           "; stop it first, or set state.dir to another folder");
  return errno_error("lock", path.string());
}

}  // namespace gitaiops::controller
