#include "agent/usage/cgroup.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 64 << 10;
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxHierarchies = 64;
constexpr std::array<std::string_view, 5> kLegacy = {"cpu", "cpuacct", "memory", "blkio", "pids"};
// What one host can count; beyond it a file was misread.
constexpr int64_t kMaxCount = int64_t{1} << 53;

int64_t add(int64_t a, int64_t b) {
  return std::min(kMaxCount, a + std::min(b, kMaxCount));
}

// "/docker/<id>/init.scope" → "/docker/<id>"; nullopt when no part holds the id.
std::optional<std::string> cut_below(std::string_view path, std::string_view id) {
  if (path.size() > kMaxPath || !path.starts_with('/') || id.empty()) return std::nullopt;
  std::optional<std::string> found;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto end = std::min(path.find('/', at + 1), path.size());
    const auto part = path.substr(at + 1, end - at - 1);
    if (part == "..") return std::nullopt;  // outside of what we can see
    if (!found && part.find(id) != std::string_view::npos) found = std::string(path.substr(0, end));
    at = end;
  }
  return found;
}

// Hundreds a second are read where many containers run: almost all fit into what the stack has.
std::optional<std::string> text_of(const std::string& folder, const char* file) {
  const auto path = folder + '/' + file;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return std::nullopt;
  std::array<char, 4096> part;
  std::string text;
  while (text.size() < kMaxFile) {
    const ssize_t n = ::read(fd.get(), part.data(), part.size());
    if (n < 0) return std::nullopt;
    text.append(part.data(), static_cast<std::size_t>(n));
    if (static_cast<std::size_t>(n) < part.size()) break;
  }
  return text;
}

template <class Parse>
auto parsed(const std::string& folder, const char* file, Parse parse)
    -> decltype(parse(std::string_view())) {
  const auto text = text_of(folder, file);
  if (!text) return {};
  return parse(std::string_view(*text));
}

std::optional<int64_t> keyed(const std::string& folder, const char* file, std::string_view key) {
  return parsed(folder, file, [&](std::string_view text) { return parse_keyed(text, key); });
}

// "max", and version 1's largest number, are no limit.
std::optional<int64_t> parse_limit(std::string_view text) {
  const auto bytes = parse_count(text);
  return bytes && *bytes < kMaxCount ? bytes : std::nullopt;
}

void read_unified(const std::string& folder, CgroupReading& to) {
  if (const auto stat = text_of(folder, "cpu.stat")) {
    to.cpu_us = parse_keyed(*stat, "usage_usec");
    to.throttled_us = parse_keyed(*stat, "throttled_usec");
  }
  to.memory_bytes = parsed(folder, "memory.current", parse_count);
  to.memory_peak_bytes = parsed(folder, "memory.peak", parse_count);
  to.memory_limit_bytes = parsed(folder, "memory.max", parse_limit);
  to.oom_kills = keyed(folder, "memory.events", "oom_kill");
  if (const auto stat = text_of(folder, "io.stat")) {
    const auto io = parse_io_stat(*stat);
    to.read_bytes = io.read;
    to.write_bytes = io.written;
  }
  to.processes = parsed(folder, "pids.current", parse_count);
  to.processes_peak = parsed(folder, "pids.peak", parse_count);
  to.cpu_pressure_us = parsed(folder, "cpu.pressure", parse_pressure);
  to.memory_pressure_us = parsed(folder, "memory.pressure", parse_pressure);
  to.io_pressure_us = parsed(folder, "io.pressure", parse_pressure);
}

std::optional<int64_t> thousandth(std::optional<int64_t> nanoseconds) {
  return nanoseconds ? std::optional(*nanoseconds / 1000) : std::nullopt;
}

// In a hybrid host a controller is in one of the versions only: this one's word is added.
void read_legacy(std::string_view controller, const std::string& folder, CgroupReading& to) {
  const auto fill = [](std::optional<int64_t>& value, std::optional<int64_t> found) {
    if (found) value = found;
  };
  if (controller == "cpuacct") {
    fill(to.cpu_us, thousandth(parsed(folder, "cpuacct.usage", parse_count)));
  } else if (controller == "cpu") {
    fill(to.throttled_us, thousandth(keyed(folder, "cpu.stat", "throttled_time")));
  } else if (controller == "memory") {
    fill(to.memory_bytes, parsed(folder, "memory.usage_in_bytes", parse_count));
    fill(to.memory_peak_bytes, parsed(folder, "memory.max_usage_in_bytes", parse_count));
    fill(to.memory_limit_bytes, parsed(folder, "memory.limit_in_bytes", parse_limit));
    fill(to.oom_kills, keyed(folder, "memory.oom_control", "oom_kill"));
  } else if (controller == "blkio") {
    auto text = text_of(folder, "blkio.throttle.io_service_bytes_recursive");
    if (!text) text = text_of(folder, "blkio.throttle.io_service_bytes");
    if (!text) return;
    const auto io = parse_io_service_bytes(*text);
    to.read_bytes = io.read;
    to.write_bytes = io.written;
  } else if (controller == "pids") {
    fill(to.processes, parsed(folder, "pids.current", parse_count));
    fill(to.processes_peak, parsed(folder, "pids.peak", parse_count));
  }
}

}  // namespace

std::optional<CgroupPlace> place_of(std::string_view proc_cgroup, std::string_view container_id) {
  CgroupPlace place;
  bool any = false;
  std::size_t lines = 0;
  for (const auto line : split(proc_cgroup, '\n')) {
    if (++lines > kMaxHierarchies) break;
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const auto hierarchy = line.substr(first + 1, second - first - 1);
    const auto path = cut_below(line.substr(second + 1), container_id);
    if (!path) continue;
    if (hierarchy.empty() && line.substr(0, first) == "0") {
      place.unified = *path;
      any = true;
      continue;
    }
    if (hierarchy.find('/') != std::string_view::npos || hierarchy.starts_with('.')) continue;
    for (const auto controller : split(hierarchy, ',')) {
      if (std::find(kLegacy.begin(), kLegacy.end(), controller) == kLegacy.end()) continue;
      place.legacy[std::string(controller)] = {std::string(hierarchy), *path};
      any = true;
    }
  }
  return any ? std::optional(std::move(place)) : std::nullopt;
}

CgroupReader::CgroupReader(fs::path root) : root_(std::move(root)) {
  std::error_code ignored;
  for (const auto& candidate : {root_, root_ / "unified"})
    if (unified_.empty() && fs::exists(candidate / "cgroup.controllers", ignored))
      unified_ = candidate;
}

CgroupReading CgroupReader::read(const CgroupPlace& place) const {
  CgroupReading reading;
  if (!unified_.empty() && !place.unified.empty()) read_unified(unified_ + place.unified, reading);
  for (const auto& [controller, legacy] : place.legacy)
    read_legacy(controller, folder_of(controller, legacy.hierarchy) + legacy.path, reading);
  return reading;
}

// Controllers that are mounted together have a folder of all their names; some hosts have only a
// link or folder of the single name. Mounts of version 1 stay where they are.
const std::string& CgroupReader::folder_of(const std::string& controller,
                                           const std::string& hierarchy) const {
  const auto [place, fresh] = folders_.try_emplace(controller);
  if (fresh) {
    std::error_code ignored;
    const auto together = root_ / hierarchy;
    place->second = fs::is_directory(together, ignored) ? together : root_ / controller;
  }
  return place->second;
}

std::optional<int64_t> parse_count(std::string_view text) {
  const auto count = parse_uint(trimmed(text));
  if (!count) return std::nullopt;
  return static_cast<int64_t>(std::min<uint64_t>(*count, kMaxCount));
}

std::optional<int64_t> parse_keyed(std::string_view text, std::string_view key) {
  for (const auto line : split(text, '\n'))
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return parse_count(line.substr(key.size() + 1));
  return std::nullopt;
}

IoBytes parse_io_stat(std::string_view text) {
  IoBytes sum;
  for (const auto line : split(text, '\n')) {
    for (const auto word : split(line, ' ')) {
      const auto value = [&](std::string_view name) {
        return word.starts_with(name) ? parse_count(word.substr(name.size())).value_or(0) : 0;
      };
      sum.read = add(sum.read, value("rbytes="));
      sum.written = add(sum.written, value("wbytes="));
    }
  }
  return sum;
}

IoBytes parse_io_service_bytes(std::string_view text) {
  IoBytes sum;
  for (const auto line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() != 3) continue;
    const auto value = parse_count(words[2]).value_or(0);
    if (words[1] == "Read") sum.read = add(sum.read, value);
    if (words[1] == "Write") sum.written = add(sum.written, value);
  }
  return sum;
}

std::optional<int64_t> parse_pressure(std::string_view text) {
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with("some ")) continue;
    const auto at = line.find(" total=");
    if (at != std::string_view::npos) return parse_count(line.substr(at + 7));
  }
  return std::nullopt;
}

}  // namespace gitaiops::agent
