#include "base/io/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gitaiops {
namespace {

constexpr uint64_t kStayBeneath =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
constexpr std::size_t kAskEvery = 256;  // entries between two questions whether it is enough
constexpr std::size_t kMaxUnreadable = 100;
constexpr std::size_t kMaxOthers = 10'000;

Fd open_beneath(int folder, const std::string& path, uint64_t flags) {
  open_how how{};
  how.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = kStayBeneath;
  return Fd(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

// Owns an open stream of folder entries.
using Entries = std::unique_ptr<DIR, decltype([](DIR* entries) { ::closedir(entries); })>;

enum class Kind { file, folder, other };

Kind kind_of(int folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return Kind::file;
  if (entry.d_type == DT_DIR) return Kind::folder;
  struct stat info{};
  if (entry.d_type != DT_UNKNOWN ||
      ::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return Kind::other;
  return S_ISREG(info.st_mode) ? Kind::file : S_ISDIR(info.st_mode) ? Kind::folder : Kind::other;
}

// One walk: folders that wait for their turn, and what was found.
class Walker {
 public:
  Walker(int root, const Folder::Walk& walk) : root_(root), walk_(walk) {}

  Folder::Listing run() {
    waiting_.push_back({".", 0});
    while (!waiting_.empty() && !found_.cut_short) {
      const auto next = std::move(waiting_.back());
      waiting_.pop_back();
      visit(next);
    }
    std::ranges::sort(found_.files);
    std::ranges::sort(found_.unreadable);
    std::ranges::sort(found_.others);
    return std::move(found_);
  }

 private:
  struct Waiting {
    std::string path;
    std::size_t depth = 0;
  };

  void visit(const Waiting& at) {
    Fd folder = open_beneath(root_, at.path, O_DIRECTORY);
    const Entries entries(folder ? ::fdopendir(folder.get()) : nullptr);
    if (!entries) return unreadable(at.path, std::strerror(errno));
    const int fd = folder.release();  // the stream's now
    for (errno = 0; const dirent* entry = ::readdir(entries.get()); errno = 0) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++seen_ > walk_.max_entries ||
          (seen_ % kAskEvery == 0 && walk_.enough && walk_.enough())) {
        found_.cut_short = true;
        return;
      }
      take(at, fd, *entry);
    }
    if (errno != 0) unreadable(at.path, std::strerror(errno));
  }

  void take(const Waiting& at, int folder, const dirent& entry) {
    auto path = at.depth == 0 ? std::string(entry.d_name) : at.path + "/" + entry.d_name;
    switch (kind_of(folder, entry)) {
      case Kind::file:
        found_.files.push_back(std::move(path));
        break;
      case Kind::folder:
        if (walk_.enter && !walk_.enter(path)) break;
        if (at.depth + 1 > walk_.max_depth)
          unreadable(path, "nested too deeply");
        else
          waiting_.push_back({std::move(path), at.depth + 1});
        break;
      case Kind::other:
        if (found_.others.size() < kMaxOthers) found_.others.push_back(std::move(path));
        break;
    }
  }

  void unreadable(const std::string& path, std::string_view why) {
    if (found_.unreadable.size() < kMaxUnreadable)
      found_.unreadable.push_back(path + ": " + std::string(why));
    else
      found_.cut_short = true;
  }

  const int root_;
  const Folder::Walk& walk_;
  std::vector<Waiting> waiting_;
  Folder::Listing found_;
  std::size_t seen_ = 0;
};

}  // namespace

Result<Folder> Folder::open(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open", path.string());
  return Folder(std::move(fd));
}

Folder::Listing Folder::list(const Walk& walk) const {
  return Walker(fd_.get(), walk).run();
}

Result<std::string> Folder::read(std::string_view path, std::size_t limit) const {
  const std::string name(path);
  const Fd file = open_beneath(fd_.get(), name, 0);
  if (!file) return errno_error("open", path);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return errno_error("look at", path);
  if (!S_ISREG(info.st_mode)) return Error(Code::invalid_argument, name + " is no regular file");
  const auto size = static_cast<std::size_t>(info.st_size);
  const auto too_large = [&] {
    return Error(Code::resource_exhausted,
                 name + " is larger than the limit of " + std::to_string(limit) + " bytes");
  };
  if (size > limit) return too_large();
  // It may grow while it is read: one byte more than it was said to have tells.
  std::string bytes(size + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    const auto n = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
    if (filled > limit) return too_large();
    if (filled == bytes.size()) bytes.resize(std::min(limit + 1, bytes.size() * 2));
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace gitaiops
