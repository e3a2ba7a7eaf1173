// A file's bytes without reading them: what several processes look at is in memory once.
//
// Who replaces such a file renames a new one over it: a file that is cut off in place takes its
// readers down.
#pragma once

#include <filesystem>
#include <utility>

#include "base/bytes/bytes.h"
#include "base/result/result.h"

namespace gitaiops {

class MappedFile {
 public:
  // A regular file, read-only.
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();
  Bytes bytes() const { return bytes_; }

 private:
  explicit MappedFile(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

}  // namespace gitaiops
