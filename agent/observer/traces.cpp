#include "agent/observer/traces.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

constexpr int64_t kFirstGapUs = 1'000;  // between two looks after a file appeared
constexpr int64_t kLongestGapUs = 50'000;
constexpr int64_t kHotUs = 60'000;  // how long to look for the descriptor of a file that appeared
constexpr int64_t kUnwatchedGapUs = 100'000;  // how often to look where no watch is possible
constexpr std::size_t kMaxReleased = 4096;
constexpr std::size_t kMaxAppeared = 1024;
constexpr std::size_t kMaxTempPath = 1024;

std::string path_of(const Fd& fd) {
  return "/proc/self/fd/" + std::to_string(fd.get());
}

// What identifies a regular file, by path or ("" and AT_EMPTY_PATH) by descriptor; nothing is
// opened. The birth time tells a reused inode number from the former file.
std::optional<wire::TraceKey> identify(int folder, const char* path, int flags) {
  struct statx status{};
  if (::statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &status) != 0)
    return std::nullopt;
  if (!S_ISREG(status.stx_mode)) return std::nullopt;
  const auto& time = (status.stx_mask & STATX_BTIME) != 0 ? status.stx_btime : status.stx_ctime;
  return wire::TraceKey{(static_cast<uint64_t>(status.stx_dev_major) << 32) | status.stx_dev_minor,
                        status.stx_ino, time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

bool is_unlinked(const Fd& fd) {
  struct stat status{};
  return ::fstat(fd.get(), &status) == 0 && status.st_nlink == 0;
}

}  // namespace

TraceKeeper::TraceKeeper(const ProcFs& proc, std::size_t max_held)
    : proc_(proc), max_held_(max_held), inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

void TraceKeeper::tick(const std::vector<wire::RunnerRecord>& runners, int64_t now_us) {
  const auto lives = [&](const Watched& watched) {
    return std::any_of(runners.begin(), runners.end(),
                       [&](const auto& runner) { return runner.id == watched.runner; });
  };
  for (auto place = watched_.begin(); place != watched_.end();) {
    if (lives(*place)) {
      ++place;
    } else {
      unwatch(*place);
      place = watched_.erase(place);
    }
  }
  for (const auto& runner : runners) {
    if (std::any_of(watched_.begin(), watched_.end(),
                    [&](const auto& w) { return w.runner == runner.id; }))
      continue;
    Watched fresh;
    fresh.runner = runner.id;
    const auto temp = proc_.variable(runner.id.pid, "TMPDIR", kMaxTempPath);
    fresh.temp = temp && temp->starts_with('/') ? *temp : "/tmp";
    watched_.push_back(std::move(fresh));
  }
  open_.clear();
  for (auto& watched : watched_) {
    watch(watched);  // before the look: what appears in between is then an event
    look(watched);
    if (watched.wd < 0) watched.next_look = now_us + kUnwatchedGapUs;
  }
  std::erase_if(released_, [&](const auto& id) { return !open_.contains(id); });
}

// The folder is opened only for a moment: a descriptor kept would hold the runner's file system
// busy.
void TraceKeeper::watch(Watched& watched) {
  const auto process = proc_.folder(watched.runner.pid);
  const auto stat = ProcFs::stat(process);
  if (!stat || stat->start_ticks != watched.runner.start_ticks) return;
  const auto root = ProcFs::subfolder(process, "root", O_PATH);
  // IN_ROOT: an absolute link inside a runner's container means the container's path, not ours.
  const auto folder = open_beneath(root.get(), watched.temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  struct stat status{};
  if (!folder || ::fstat(folder.get(), &status) != 0) {
    watched.trouble = std::strerror(errno);
    unwatch(watched);
    return;
  }
  watched.seen_as = read_link(AT_FDCWD, path_of(folder).c_str()).value_or(watched.temp);
  if (watched.wd >= 0 && watched.device == status.st_dev && watched.inode == status.st_ino) return;
  unwatch(watched);
  watched.device = status.st_dev;
  watched.inode = status.st_ino;
  watched.wd = ::inotify_add_watch(inotify_.get(), path_of(folder).c_str(),
                                   IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
  watched.trouble = watched.wd < 0 ? std::strerror(errno) : "";
}

void TraceKeeper::unwatch(Watched& watched) {
  const int wd = std::exchange(watched.wd, -1);
  const bool shared = std::any_of(watched_.begin(), watched_.end(),
                                  [&](const auto& other) { return other.wd == wd; });
  if (wd >= 0 && !shared) ::inotify_rm_watch(inotify_.get(), wd);
}

void TraceKeeper::on_events(int64_t now_us) {
  alignas(inotify_event) char buffer[16 << 10];
  // Only so many reads at a time: a flood of names must not keep us from the rest of the loop.
  for (int reads = 0; reads < 16; ++reads) {
    const ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof *event + event->len);
      const bool lost = (event->mask & IN_Q_OVERFLOW) != 0;
      overflows_ += lost ? 1 : 0;
      const std::string_view name(event->name, ::strnlen(event->name, event->len));
      const bool trace = event->len > 0 && is_trace_name(name);
      if (trace) {
        if (appeared_.size() == kMaxAppeared) appeared_.pop_front();
        appeared_.push_back({++last_order_, event->wd, std::string(name)});
      }
      for (auto& watched : watched_) {
        if (lost || (trace && watched.wd == event->wd)) heat(watched, now_us);
        if ((event->mask & IN_IGNORED) != 0 && watched.wd == event->wd)
          watched.wd = -1;  // the next tick watches anew
      }
    }
  }
  on_time(now_us);
}

void TraceKeeper::heat(Watched& watched, int64_t now_us) {
  if (watched.hot_until <= now_us) {
    watched.gap = kFirstGapUs;
    watched.next_look = now_us;
  }
  watched.hot_until = now_us + kHotUs;
}

std::optional<int64_t> TraceKeeper::next_look() const {
  std::optional<int64_t> next;
  for (const auto& watched : watched_)
    if (watched.next_look != 0)
      next = std::min(next.value_or(watched.next_look), watched.next_look);
  return next;
}

void TraceKeeper::on_time(int64_t now_us) {
  for (auto& watched : watched_) {
    if (watched.next_look == 0 || watched.next_look > now_us) continue;
    watched.gap = look(watched) ? kFirstGapUs : std::min(watched.gap * 2, kLongestGapUs);
    if (now_us < watched.hot_until) {
      watched.next_look = now_us + watched.gap;
    } else {
      watched.next_look = watched.wd < 0 ? now_us + kUnwatchedGapUs : 0;
    }
  }
}

// /folder/trace123, and /folder/trace123 (deleted).
bool TraceKeeper::is_place_of_traces(std::string_view path, const Watched& watched) const {
  path = without_deleted(path);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || !is_trace_name(path.substr(slash + 1))) return false;
  const std::string_view folder = watched.seen_as.empty() ? watched.temp : watched.seen_as;
  return path.substr(0, slash) == without_deleted(folder == "/" ? "" : folder);
}

// A name that comes twice was seen first when the file was made: the runner still holds that one.
uint64_t TraceKeeper::order_of(std::string_view path, const Watched& watched) const {
  const auto name = without_deleted(path).substr(path.rfind('/') + 1);
  const auto seen = std::find_if(appeared_.begin(), appeared_.end(), [&](const Appeared& event) {
    return event.wd == watched.wd && event.name == name;
  });
  return seen == appeared_.end() ? 0 : seen->order;
}

bool TraceKeeper::look(Watched& watched) {
  const auto process = proc_.folder(watched.runner.pid);
  const auto stat = ProcFs::stat(process);
  if (!stat || stat->start_ticks != watched.runner.start_ticks) return false;
  const auto descriptors = ProcFs::subfolder(process, "fd", O_RDONLY);
  if (!descriptors) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(
      ::fdopendir(::fcntl(descriptors.get(), F_DUPFD_CLOEXEC, 0)), ::closedir);
  if (!listing) return false;
  std::vector<HeldTrace> found;
  while (const dirent* entry = ::readdir(listing.get())) {
    const auto path = read_link(descriptors.get(), entry->d_name);
    if (!path || !is_place_of_traces(*path, watched)) continue;
    // Nothing but a regular file is ever opened: opening a device or a FIFO can have effects.
    const auto id = identify(descriptors.get(), entry->d_name, 0);
    if (!id) continue;
    open_.insert(*id);
    const auto same = [&](const HeldTrace& other) { return other.id == *id; };
    if (released_.contains(*id) || std::any_of(held_.begin(), held_.end(), same)) continue;
    if (auto trace = open_trace(descriptors, entry->d_name, watched); trace && trace->id == *id)
      found.push_back(std::move(*trace));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.id.birth_ns, a.order) < std::pair(b.id.birth_ns, b.order);
  });
  bool any = false;
  for (auto& trace : found) {
    if (!make_room()) break;  // it stays open in the runner: the next look tries again
    held_.push_back(std::move(trace));
    ++caught_;
    any = true;
  }
  return any;
}

std::optional<HeldTrace> TraceKeeper::open_trace(const Fd& descriptors, const char* number,
                                                 const Watched& watched) {
  HeldTrace trace;
  trace.fd = Fd(::openat(descriptors.get(), number, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!trace.fd) return std::nullopt;
  // The runner may have put another file behind the number meanwhile: what counts is what we hold
  // now.
  const auto path = read_link(AT_FDCWD, path_of(trace.fd).c_str());
  const auto id = identify(trace.fd.get(), "", AT_EMPTY_PATH);
  if (!path || !is_place_of_traces(*path, watched) || !id) return std::nullopt;
  trace.id = *id;
  trace.runner = watched.runner;
  trace.order = order_of(*path, watched);
  return trace;
}

// Oldest unlinked first: a trace without a name is at its end and lost once closed, but newer ones
// are worth more.
bool TraceKeeper::make_room() {
  if (held_.size() < max_held_) return true;
  const auto oldest = std::find_if(held_.begin(), held_.end(),
                                   [](const auto& trace) { return is_unlinked(trace.fd); });
  if (oldest == held_.end()) return false;
  ++dropped_;
  release(wire::TraceKey(oldest->id));
  return true;
}

HeldTrace* TraceKeeper::next_undelivered() {
  HeldTrace* next = nullptr;
  for (auto& trace : held_)
    if (!trace.delivered && (next == nullptr || trace.id.birth_ns < next->id.birth_ns))
      next = &trace;
  return next;
}

void TraceKeeper::release(const wire::TraceKey& id) {
  const auto place =
      std::find_if(held_.begin(), held_.end(), [&](const auto& trace) { return trace.id == id; });
  if (place == held_.end()) return;
  held_.erase(place);
  if (released_.size() < kMaxReleased) released_.insert(id);
}

void TraceKeeper::offer_all_again() {
  for (auto& trace : held_) trace.delivered = false;
  released_.clear();
}

std::vector<std::string> TraceKeeper::describe() const {
  std::vector<std::string> lines;
  for (const auto& watched : watched_) {
    const auto whose = "runner process " + std::to_string(watched.runner.pid) +
                       ": temporary folder " + watched.temp;
    lines.push_back(
        watched.wd >= 0
            ? whose + " is watched"
            : whose + " cannot be watched (" + watched.trouble +
                  "): its traces are looked for ten times a second, short jobs can be missed");
  }
  return lines;
}

}  // namespace gitaiops::agent
