#include "base/io/files.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

namespace {

Result<std::string> read_all(int fd, const std::filesystem::path& path, std::size_t limit) {
  std::string bytes;
  char buffer[64 << 10];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path.native());
    if (n == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(n) > limit)
      return Error(Code::resource_exhausted,
                   path.native() + " is larger than " + std::to_string(limit) + " bytes");
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
}

Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", path.native());
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path.native());
  return read_all(fd.get(), path, limit);
}

Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& place) {
  namespace fs = std::filesystem;
  std::error_code problem;
  const auto status = fs::status(place, problem);
  if (problem || !fs::exists(status))
    return Error(Code::not_found, place.string() + ": no such file or folder");
  std::vector<fs::path> files;
  if (!fs::is_directory(status)) {
    files.push_back(place);
    return files;
  }
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(place, options, problem), end; !problem && at != end;
       at.increment(problem))
    if (std::error_code ignored; at->symlink_status(ignored).type() == fs::file_type::regular)
      files.push_back(at->path());
  std::sort(files.begin(), files.end());
  return files;
}

Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  auto temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) return errno_error("create", temporary.native());
  auto written = write_all(fd.get(), bytes, temporary);
  if (written.ok() && ::fchmod(fd.get(), mode) != 0)
    written = errno_error("chmod", temporary.native());
  if (written.ok() && ::fsync(fd.get()) != 0) written = errno_error("fsync", temporary.native());
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = errno_error("rename", path.native());
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory && ::fsync(directory.get()) != 0) return errno_error("fsync", folder.native());
  return {};
}

Result<std::string> read_secret_file(const std::filesystem::path& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path.native());
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return errno_error("stat", path.native());
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    return Error(
        Code::permission_denied,
        path.native() + " belongs to another user; a secret must belong to the service or to root");
  if ((status.st_mode & 077) != 0)
    return Error(Code::permission_denied,
                 path.native() + " can be read by others; run: chmod 600 " + path.native());
  ASSIGN_OR_RETURN(auto secret, read_all(fd.get(), path, limit));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

}  // namespace gitaiops
