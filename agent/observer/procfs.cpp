#include "agent/observer/procfs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

// Fields of /proc/PID/stat are numbered from 1 in proc(5); those after the name are counted from
// `state`, the third.
constexpr std::size_t after_name(std::size_t field) {
  return field - 3;
}
constexpr std::size_t kLastField = 51;

// A file of the kernel's that fits into the buffer; what is longer is cut. The kernel gives such a
// file in one piece.
template <std::size_t N>
std::string_view read_into(std::array<char, N>& buffer, int folder, const char* name) {
  const Fd fd(::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return {};
  const ssize_t n = ::read(fd.get(), buffer.data(), N);
  return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

struct PathOf {
  char text[48];
  PathOf(int32_t pid, const char* name) { std::snprintf(text, sizeof text, "%d/%s", pid, name); }
};

int64_t non_negative(std::string_view text) {
  return std::max<int64_t>(0, parse_int(text).value_or(0));
}

// The text after "key:" of the line that starts with it.
std::optional<std::string_view> line_after(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (line.starts_with(key)) return trimmed(line.substr(key.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

int64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::optional<Stat> parse_stat(std::string_view text) {
  // The name may hold blanks and parentheses: it ends at the last one.
  const auto open = text.find(" (");
  const auto close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
    return std::nullopt;
  const auto pid = parse_int(text.substr(0, open));
  std::array<std::string_view, after_name(kLastField) + 1> fields{};
  std::size_t count = 0;
  for (auto rest = trimmed(text.substr(close + 2)); !rest.empty() && count < fields.size();
       ++count) {
    const auto end = std::min(rest.find(' '), rest.size());
    fields[count] = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (count <= after_name(24) || fields[0].size() != 1) return std::nullopt;
  const auto field = [&](std::size_t number) { return fields[after_name(number)]; };
  const auto parent = parse_int(field(4));
  const auto session = parse_int(field(6));
  const auto start = parse_uint(field(22));
  const auto is_pid = [](const std::optional<int64_t>& n) {
    return n && *n >= 0 && *n <= INT32_MAX;
  };
  if (!is_pid(pid) || *pid == 0 || !is_pid(parent) || !session || !start) return std::nullopt;
  Stat stat;
  stat.pid = static_cast<int32_t>(*pid);
  stat.parent = static_cast<int32_t>(*parent);
  stat.session = is_pid(session) ? static_cast<int32_t>(*session) : 0;
  stat.state = fields[0][0];
  wire::set_text(stat.comm, text.substr(open + 2, close - open - 2));
  stat.start_ticks = *start;
  stat.cpu_ticks = non_negative(field(14)) + non_negative(field(15));
  stat.reaped_cpu_ticks = non_negative(field(16)) + non_negative(field(17));
  stat.rss_pages = non_negative(field(24));
  stat.thread = field(38) == "-1";  // threads end without a signal to a parent
  stat.environment_at = parse_uint(field(50)).value_or(0);
  return stat;
}

TaskIo parse_io(std::string_view text) {
  const auto counter = [&](std::string_view key) -> std::optional<int64_t> {
    const auto value = line_after(text, key);
    const auto number = value ? parse_int(*value) : std::nullopt;
    return number && *number >= 0 ? number : std::nullopt;
  };
  return {counter("read_bytes:"), counter("write_bytes:")};
}

std::optional<Uids> parse_uids(std::string_view status) {
  const auto line = line_after(status, "Uid:");
  if (!line) return std::nullopt;
  const auto parts = split(*line, '\t');
  if (parts.size() != 4) return std::nullopt;
  const auto real = parse_uint(parts[0]), effective = parse_uint(parts[1]);
  if (!real || !effective || *real > UINT32_MAX || *effective > UINT32_MAX) return std::nullopt;
  return Uids{static_cast<uint32_t>(*real), static_cast<uint32_t>(*effective)};
}

bool is_trace_name(std::string_view name) {
  constexpr std::string_view prefix = "trace";
  if (!name.starts_with(prefix) || name.size() == prefix.size() || name.size() > 32) return false;
  name.remove_prefix(prefix.size());
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_deleted(std::string_view path) {
  constexpr std::string_view suffix = " (deleted)";
  return path.ends_with(suffix) ? path.substr(0, path.size() - suffix.size()) : path;
}

bool is_of_our_pids(std::string_view status) {
  const auto numbers = line_after(status, "NSpid:");
  return numbers && !numbers->empty() && numbers->find('\t') == std::string_view::npos;
}

ProcFs::ProcFs(std::string root, Fd fd) : root_(std::move(root)), fd_(std::move(fd)) {
  std::array<char, 4096> buffer;
  ours_ = is_of_our_pids(read_into(buffer, fd_.get(), "self/status"));
}

Result<ProcFs> ProcFs::open(const std::string& root) {
  Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open", root);
  return ProcFs(root, std::move(fd));
}

Status ProcFs::each(const std::function<void(int32_t, uint64_t)>& visit) const {
  struct Entry {  // linux_dirent64
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[1];
  };
  alignas(Entry) char buffer[32 << 10];
  if (::lseek(fd_.get(), 0, SEEK_SET) != 0) return errno_error("rewind", root_);
  for (;;) {
    const long n = ::syscall(SYS_getdents64, fd_.get(), buffer, sizeof buffer);
    if (n < 0) return errno_error("list", root_);
    if (n == 0) return {};
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      const std::string_view name(static_cast<const char*>(entry->name));
      int32_t pid = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
      if (error == std::errc{} && end == name.data() + name.size() && pid > 0)
        visit(pid, entry->inode);
      at += entry->length;
    }
  }
}

std::optional<int32_t> ProcFs::newest_pid() const {
  if (!ours_) return std::nullopt;
  std::array<char, 128> buffer;
  const auto text = trimmed(read_into(buffer, fd_.get(), "loadavg"));
  const auto number = parse_int(text.substr(text.rfind(' ') + 1));
  if (!number || *number <= 0 || *number > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*number);
}

Fd ProcFs::folder(int32_t pid) const {
  return Fd(::openat(fd_.get(), std::to_string(pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Fd ProcFs::subfolder(const Fd& folder, const char* name, int extra_flags) {
  return Fd(::openat(folder.get(), name, O_DIRECTORY | O_CLOEXEC | extra_flags));
}

std::optional<Stat> ProcFs::stat(int32_t pid) const {
  std::array<char, 1024> buffer;
  return parse_stat(read_into(buffer, fd_.get(), PathOf(pid, "stat").text));
}

std::optional<Stat> ProcFs::stat(const Fd& folder) {
  std::array<char, 1024> buffer;
  return parse_stat(read_into(buffer, folder.get(), "stat"));
}

TaskIo ProcFs::io(int32_t pid) const {
  std::array<char, 512> buffer;
  return parse_io(read_into(buffer, fd_.get(), PathOf(pid, "io").text));
}

std::optional<Uids> ProcFs::uids(int32_t pid) const {
  std::array<char, 4096> buffer;
  return parse_uids(read_into(buffer, fd_.get(), PathOf(pid, "status").text));
}

std::optional<std::string> ProcFs::link(int32_t pid, const char* name) const {
  return read_link(fd_.get(), PathOf(pid, name).text);
}

std::optional<std::string> ProcFs::variable(int32_t pid, std::string_view name,
                                            std::size_t limit) const {
  constexpr std::size_t kReadAtMost = 1 << 20;
  const Fd fd(::openat(fd_.get(), PathOf(pid, "environ").text, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return std::nullopt;
  // One entry at a time, and of each only as much as is needed to know it or to return it.
  std::string entry;
  const std::size_t keep = name.size() + 1 + limit;
  bool whole = true;
  char buffer[4096];
  for (std::size_t total = 0; total < kReadAtMost;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    total += static_cast<std::size_t>(n);
    for (ssize_t i = 0; i < n; ++i) {
      if (buffer[i] != '\0') {
        if (entry.size() < keep) {
          entry += buffer[i];
        } else {
          whole = false;
        }
        continue;
      }
      if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
        return whole ? std::optional(entry.substr(name.size() + 1)) : std::nullopt;
      entry.clear();
      whole = true;
    }
  }
  return std::nullopt;
}

std::optional<std::string> read_link(int folder, const char* name) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::readlinkat(folder, name, buffer.data(), buffer.size());
  if (n <= 0 || static_cast<std::size_t>(n) == buffer.size()) return std::nullopt;
  return std::string(buffer.data(), static_cast<std::size_t>(n));
}

Fd open_beneath(int folder, const std::string& path, uint64_t flags, uint64_t resolve) {
  open_how how{};
  how.flags = flags;
  how.resolve = resolve;
  return Fd(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

}  // namespace gitaiops::agent
