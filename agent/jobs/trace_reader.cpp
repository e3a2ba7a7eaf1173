#include "agent/jobs/trace_reader.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "engines/diagnosis/lines_around.h"

namespace gitaiops::agent {
namespace {
constexpr std::size_t kChunk = 256 << 10;   // read at once for a question
constexpr int64_t kMostScanned = 64 << 20;  // of a log, for one question
}  // namespace

TraceReader::TraceReader(OpenedTrace trace, std::shared_ptr<const diagnosis::Rules> rules)
    : trace_(std::move(trace)),
      rules_(std::move(rules)),
      baseline_(std::make_unique<diagnosis::Baseline>()),
      analyzer_(rules_, baseline_.get()) {
  analyzer_.learn();
}

TraceReader::Step TraceReader::step(std::span<char> room) {
  struct stat status{};
  if (::fstat(trace_.fd.get(), &status) != 0) {
    problem_ = errno_error("stat", "the trace").to_string();
    return Step::lost;
  }
  if (status.st_size < offset_) {
    analyzer_ = diagnosis::Analyzer(rules_, baseline_.get());
    analyzer_.learn();
    offset_ = 0;
    crc_ = 0;
  }
  ssize_t count = 0;
  if (status.st_size > offset_) {
    do {
      count = ::pread(trace_.fd.get(), room.data(), room.size(), offset_);
    } while (count < 0 && errno == EINTR);
  }
  if (count < 0) {
    problem_ = errno_error("read", "the trace").to_string();
    return Step::lost;
  }
  if (count > 0) {
    const std::string_view news(room.data(), static_cast<std::size_t>(count));
    analyzer_.feed(news);
    crc_ = static_cast<uint32_t>(
        ::crc32_z(crc_, reinterpret_cast<const unsigned char*>(news.data()), news.size()));
    offset_ += count;
    unlinked_ = false;
    return Step::more;
  }
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

Result<std::string> TraceReader::read_at(int64_t offset, std::size_t limit) const {
  std::string bytes(limit, '\0');
  ssize_t count = 0;
  do {
    count = ::pread(trace_.fd.get(), bytes.data(), bytes.size(), offset);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno_error("read", "the trace");
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

Result<diagnosis::Excerpt> TraceReader::lines_around(uint64_t line, uint32_t before,
                                                     uint32_t after) const {
  diagnosis::LinesAround around(line, before, after);
  diagnosis::CleanLines clean(
      [&](uint64_t number, const std::string& text) { around.take(number, text); });
  for (int64_t at = 0; !around.complete() && at < kMostScanned;) {
    ASSIGN_OR_RETURN(const auto chunk, read_at(at, kChunk));
    if (chunk.empty()) {
      clean.finish();
      break;
    }
    clean.feed(chunk);
    at += static_cast<int64_t>(chunk.size());
  }
  return around.excerpt();
}

}  // namespace gitaiops::agent
