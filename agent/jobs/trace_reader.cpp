#include "agent/jobs/trace_reader.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {
constexpr std::size_t kChunk = 256 << 10;
constexpr uint32_t kLinesMax = 100;
constexpr std::size_t kExcerptMax = 16 << 10;
}  // namespace

TraceReader::TraceReader(OpenedTrace trace, std::shared_ptr<const diagnosis::Rules> rules)
    : trace_(std::move(trace)), rules_(std::move(rules)), analyzer_(rules_) {}

TraceReader::Step TraceReader::step() {
  struct stat status{};
  if (::fstat(trace_.fd.get(), &status) != 0) {
    problem_ = errno_error("stat", "the trace").to_string();
    return Step::lost;
  }
  if (status.st_size < offset_) {
    analyzer_ = diagnosis::Analyzer(rules_);
    offset_ = 0;
    crc_.reset();
  }
  // Most looks find nothing new: they cost no buffer.
  ssize_t count = 0;
  if (status.st_size > offset_) {
    buffer_.resize(std::min(kChunk, static_cast<std::size_t>(status.st_size - offset_)));
    do {
      count = ::pread(trace_.fd.get(), buffer_.data(), buffer_.size(), offset_);
    } while (count < 0 && errno == EINTR);
  }
  if (count < 0) {
    problem_ = errno_error("read", "the trace").to_string();
    return Step::lost;
  }
  if (count > 0) {
    analyzer_.feed(std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
    crc_.process_bytes(buffer_.data(), static_cast<std::size_t>(count));
    offset_ += count;
    unlinked_ = false;
    return Step::more;
  }
  buffer_ = {};
  if (status.st_nlink != 0) return Step::idle;
  // The runner unlinks after its last write; one more empty read after having seen that proves the
  // end.
  if (!unlinked_) {
    unlinked_ = true;
    return Step::more;
  }
  complete_ = true;
  unlinked_at_ =
      UnixMicros{status.st_ctim.tv_sec * kMicrosPerSecond + status.st_ctim.tv_nsec / 1000};
  return Step::closed;
}

Result<diagnosis::Excerpt> TraceReader::lines_around(uint64_t line, uint32_t before,
                                                     uint32_t after) const {
  const uint64_t first =
      line > std::min(before, kLinesMax) ? line - std::min(before, kLinesMax) : 1;
  const uint64_t last = line + std::min(after, kLinesMax);
  diagnosis::Excerpt excerpt{first, 0, {}};
  std::string chunk(64 << 10, '\0'), raw;
  uint64_t number = 1;
  for (int64_t at = 0; number <= last && raw.size() < 4 * kExcerptMax;) {
    const ssize_t count = ::pread(trace_.fd.get(), chunk.data(), chunk.size(), at);
    if (count < 0) return errno_error("read", "the trace");
    if (count == 0) break;
    at += count;
    for (const char c : std::string_view(chunk.data(), static_cast<std::size_t>(count))) {
      if (number >= first && number <= last && raw.size() < 4 * kExcerptMax) raw += c;
      if (c == '\n') ++number;
    }
  }
  if (raw.empty()) return Error(Code::not_found, "the log has no line " + std::to_string(line));
  if (raw.ends_with('\n')) raw.pop_back();
  excerpt.last_line = first + static_cast<uint64_t>(std::ranges::count(raw, '\n'));
  excerpt.text = truncate_utf8(to_utf8(diagnosis::redact(raw).text), kExcerptMax);
  return excerpt;
}

}  // namespace gitaiops::agent
