#include "agent/sources/follower.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto/crypto.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kMaxLine = 64 << 10;
constexpr std::size_t kTail = 64;
// A writer may go on for a moment in the file that was renamed away under it.
constexpr int kStepsAfterRename = 3;

std::string hash_of(std::string_view bytes) {
  return crypto::sha256_hex(bytes).substr(0, 16);
}

// The up to 64 bytes before `offset`.
std::string bytes_before(int fd, uint64_t offset) {
  std::string bytes(std::min<uint64_t>(offset, kTail), '\0');
  const auto n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset - bytes.size()));
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

Result<Fd> open_regular(const std::filesystem::path& path, struct stat& status) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // not to hang on a FIFO
  if (!fd) return errno_error("open", path.native());
  if (::fstat(fd.get(), &status) != 0) return errno_error("stat", path.native());
  if (!S_ISREG(status.st_mode))
    return Error(Code::invalid_argument, path.native() + " is not a regular file");
  return fd;
}

}  // namespace

FileFollower::FileFollower(std::filesystem::path path, std::optional<FilePosition> position,
                           From from)
    : path_(std::move(path)), saved_(std::move(position)), from_(from) {
  if (saved_) read_at_us_ = saved_->read_at_us;
}

Status FileFollower::begin(Fd fd, uint64_t offset) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return errno_error("stat", path_.native());
  fd_ = std::move(fd);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  offset_ = offset;
  tail_ = bytes_before(fd_.get(), offset);
  partial_.clear();
  skipping_ = false;
  renamed_steps_ = 0;
  first_open_ = false;
  return {};
}

// The file we stood in: under its own name, or under another one beside it.
Status FileFollower::open_saved() {
  const auto saved = *std::exchange(saved_, std::nullopt);
  const auto matches = [&](const std::filesystem::path& path) -> Fd {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || status.st_ino != saved.inode ||
        status.st_dev != saved.device)
      return Fd();
    auto fd = open_regular(path, status);
    if (!fd.ok() || static_cast<uint64_t>(status.st_size) < saved.offset) return Fd();
    if (hash_of(bytes_before(fd->get(), saved.offset)) != saved.before) return Fd();
    return std::move(*fd);
  };
  if (Fd fd = matches(path_)) return begin(std::move(fd), saved.offset);
  std::error_code error;
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().native().starts_with(path_.filename().native()))
      if (Fd fd = matches(entry->path())) return begin(std::move(fd), saved.offset);
  return Error(Code::not_found, "the file of the saved position is gone");
}

Status FileFollower::open(UnixMicros now) {
  if (saved_ && open_saved().ok()) return {};
  struct stat status{};
  auto opened = open_regular(path_, status);
  const bool appeared_later = !first_open_;
  // Whatever appears after this is new to us and read whole; after a lost position too.
  if (!opened.ok()) {
    first_open_ = false;
    return opened.error();
  }
  const bool from_end = from_ == From::end && !appeared_later && read_at_us_ == 0;
  if (from_end) read_at_us_ = now.value;
  return begin(std::move(*opened), from_end ? static_cast<uint64_t>(status.st_size) : 0);
}

// Truncated, or truncated and grown again: the bytes before our offset are not those that we read.
bool FileFollower::rewritten(uint64_t size) const {
  return size < offset_ || (size > offset_ && bytes_before(fd_.get(), offset_) != tail_);
}

void FileFollower::cut(std::string_view chunk, Step& step) {
  while (!chunk.empty()) {
    const auto end = chunk.find('\n');
    const auto part = chunk.substr(0, end);
    if (!skipping_ && partial_.size() + part.size() > kMaxLine) {
      skipping_ = true;
      ++step.too_long;
      partial_.clear();
    }
    if (!skipping_) partial_ += part;
    if (end == std::string_view::npos) return;
    if (!skipping_) {
      if (partial_.ends_with('\r')) partial_.pop_back();
      step.lines.push_back(std::move(partial_));
    }
    partial_.clear();
    skipping_ = false;
    chunk.remove_prefix(end + 1);
  }
}

Result<FileFollower::Step> FileFollower::step(UnixMicros now) {
  Step step;
  if (!fd_) {
    RETURN_IF_ERROR(open(now));
    step.switched = true;
  }
  if (read_at_us_ != 0) step.late_us = std::max<int64_t>(0, now.value - read_at_us_);
  struct stat here{};
  if (::fstat(fd_.get(), &here) != 0) return errno_error("stat", path_.native());
  if (rewritten(static_cast<uint64_t>(here.st_size))) {
    offset_ = 0;
    tail_.clear();
    partial_.clear();
    skipping_ = false;
  }
  std::string chunk;  // most looks find nothing new
  if (const auto size = static_cast<uint64_t>(here.st_size); size > offset_)
    chunk.resize(std::min<uint64_t>(kChunk, size - offset_));
  const auto n = ::pread(fd_.get(), chunk.data(), chunk.size(), static_cast<off_t>(offset_));
  if (n < 0) return errno_error("read", path_.native());
  chunk.resize(static_cast<std::size_t>(n));
  offset_ += chunk.size();
  tail_ = (tail_ + chunk).substr(std::max(tail_.size() + chunk.size(), kTail) - kTail);
  cut(chunk, step);
  step.more = chunk.size() == kChunk;
  at_end_ = !step.more;
  if (step.more) return step;
  read_at_us_ = now.value;

  struct stat named{};
  if (::stat(path_.c_str(), &named) == 0 && (named.st_ino != inode_ || named.st_dev != device_)) {
    at_end_ = false;
    if (++renamed_steps_ >= kStepsAfterRename) {
      if (!partial_.empty()) step.lines.push_back(std::move(partial_));  // its writer has left
      partial_.clear();
      fd_.reset();
      step.more = true;
    }
  }
  return step;
}

FilePosition FileFollower::position() const {
  const auto offset = offset_ - std::min<uint64_t>(offset_, partial_.size());
  return {device_, inode_, offset, fd_ ? hash_of(bytes_before(fd_.get(), offset)) : "",
          read_at_us_};
}

}  // namespace gitaiops::agent
