#include "controller/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>

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
  return store::open_sqlite({config.state.dir / "controller.db"}, clock);
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
