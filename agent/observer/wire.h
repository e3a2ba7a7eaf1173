// What the observer and the agent say to each other over their SOCK_SEQPACKET socketpair: one
// message a packet, a fixed header and a body. Both ends are of one build and one machine, so
// bodies are plain structs in native byte order; each end still checks version, kind and every
// length, because the agent parses foreign text and may be taken over.
//
//   request:  Header{kind, call} + body                      agent → observer
//   reply:    Header{kind, call, code, more} + body [+ fd]   observer → agent; `more` announces
//   another packet of this call
//
//   kind           request body                 reply body                         descriptor
//   runners        –                            RunnerRecord…
//   processes      –                            ProcessRecord…
//   next_trace     –                            TraceRecord                        the trace,
//   read-only, at offset 0 release        TraceKey                     – (no reply at all)
//   open_checkout  ProcessKey, then the path    –                                  the directory
//   self_check     –                            lines separated by \n
//   containers     –                            ContainerRecord…
//   open_container ContainerKey                 –                                  the file
//   cgroup_of      ProcessKey (only its pid)    /proc/PID/cgroup
//   open_inside    ContainerKey, ProcessKey (only its pid), then the path      the directory
//
// A reply with a code has the error's message as its body.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result/result.h"

namespace gitaiops::agent::wire {

constexpr uint8_t kVersion = 1;
constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxPath = 4095;
constexpr std::size_t kMaxCwd = 1023;  // a longer working directory is reported as unreadable
constexpr std::size_t kMaxProcesses =
    4096;  // a reply lists no more; those nearest to the runner come first
constexpr std::size_t kMaxContainers = 1024;  // of one engine; a reply lists no more
constexpr int64_t kMaxContainerFile = 4 << 20;
constexpr std::size_t kMaxErrorText = 512;
constexpr char kSocketVariable[] = "GITAIOPS_OBSERVER_FD";

enum class Kind : uint8_t {
  runners = 1,
  processes,
  next_trace,
  release,
  open_checkout,
  self_check = 7,
  containers,
  open_container,
  cgroup_of,
  open_inside,
};

struct Header {
  uint8_t version = kVersion;
  uint8_t kind = 0;
  uint8_t code = 0;  // 0, or 1 + Code
  uint8_t more = 0;
  uint32_t call = 0;
  uint32_t length = 0;  // of the body; the packet ends there
};

struct ProcessKey {
  int32_t pid = 0;
  uint32_t reserved = 0;
  uint64_t start_ticks = 0;
  auto operator<=>(const ProcessKey&) const = default;
};

struct TraceKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;
  auto operator<=>(const TraceKey&) const = default;
};

struct RunnerRecord {
  ProcessKey id;
  uint32_t uid = 0;
  uint32_t reserved = 0;
  char comm[16] = {};
};

struct TraceRecord {
  TraceKey id;
  ProcessKey runner;
  uint64_t order = 0;  // its place among the files that appeared; 0: not seen appearing
};

enum Present : uint32_t { kHasClaim = 1, kHasRead = 2, kHasWrite = 4 };

struct ProcessRecord {
  ProcessKey id, parent, runner, root;
  int64_t claimed_job = 0;
  int64_t cpu_us = 0;
  int64_t reaped_cpu_us = 0;
  int64_t rss_bytes = 0;
  int64_t read_bytes = 0;
  int64_t write_bytes = 0;
  uint32_t present = 0;
  uint16_t cwd_length = 0;
  char state = '?';
  char reserved = 0;
  char comm[16] = {};
  char cwd[kMaxCwd + 1] = {};
};

enum class Engine : uint8_t { docker = 1, podman, containerd };
// log: what the container printed; only of one that a runner lives in.
enum class ContainerFile : uint8_t { state = 1, pid, names, log };

struct ContainerKey {
  uint8_t engine = 0;
  uint8_t file = 0;
  uint16_t reserved = 0;
  uint32_t reserved_too = 0;
  char id[64] = {};  // lower-case hexadecimal
};
struct ContainerRecord {
  ContainerKey key;      // without file
  uint64_t version = 0;  // differs when its state or process was written since
};

// The text of a fixed field: up to its first NUL or its end.
template <std::size_t N>
std::string_view text_of(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}
template <std::size_t N>
void set_text(char (&field)[N], std::string_view text) {
  const auto length = text.size() < N ? text.size() : N - 1;
  std::memcpy(field, text.data(), length);
  std::memset(field + length, 0, N - length);
}

template <class T>
std::string_view bytes_of(const T& record) {
  static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>,
                "no padding leaves here");
  return {reinterpret_cast<const char*>(&record), sizeof record};
}
// Takes a T off the front of `bytes`; nullopt when they do not suffice.
template <class T>
std::optional<T> take(std::string_view& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T record;
  std::memcpy(&record, bytes.data(), sizeof record);
  bytes.remove_prefix(sizeof record);
  return record;
}

inline std::string packet(Kind kind, uint32_t call, std::string_view body, bool more = false,
                          uint8_t code = 0) {
  Header header;
  header.kind = static_cast<uint8_t>(kind);
  header.call = call;
  header.code = code;
  header.more = more ? 1 : 0;
  header.length = static_cast<uint32_t>(body.size());
  return std::string(bytes_of(header)).append(body);
}

struct Message {
  Header header;
  std::string_view body;
};
// A packet as it came; nullopt unless version and length are right.
inline std::optional<Message> parse(std::string_view bytes) {
  const auto header = take<Header>(bytes);
  if (!header || header->version != kVersion || header->length != bytes.size()) return std::nullopt;
  return Message{*header, bytes};
}

inline uint8_t to_wire(Code code) {
  return static_cast<uint8_t>(1 + static_cast<uint8_t>(code));
}
inline Code code_from_wire(uint8_t code) {
  return code >= 1 && code <= to_wire(Code::internal) ? static_cast<Code>(code - 1)
                                                      : Code::internal;
}

}  // namespace gitaiops::agent::wire
