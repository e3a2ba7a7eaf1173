// Files and descriptors, with errors as values. Blocking: for start-up, small files and tools, not
// for the hot path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result/result.h"

namespace gitaiops {

// Owns a descriptor; closes it. -1 is empty.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// At most `limit` bytes; a larger file is resource_exhausted, with its size in the message.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 16 << 20);
// The file itself, or all regular files beneath a folder, sorted by path; links are not followed.
// not_found when nothing is there; parts of a folder that cannot be read are passed over.
Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& place);
// Whole or not at all: writes a temporary file beside it, fsyncs file and folder, renames. `mode`
// as for open(2).
Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes,
                         mode_t mode = 0644);
// A secret: its file must belong to us or root and be closed to group and others (0600 or
// stricter). Trailing newline off.
Result<std::string> read_secret_file(const std::filesystem::path& path,
                                     std::size_t limit = 64 << 10);

}  // namespace gitaiops
