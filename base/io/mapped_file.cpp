#include "base/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io/files.h"

namespace gitaiops {

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return errno_error("open", path.string());
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return errno_error("stat", path.string());
  if (!S_ISREG(status.st_mode))
    return Error(Code::invalid_argument, path.string() + ": not a regular file");
  if (status.st_size == 0) return MappedFile(Bytes());
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return errno_error("map", path.string());
  return MappedFile(Bytes(static_cast<const std::byte*>(memory), size));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace gitaiops
