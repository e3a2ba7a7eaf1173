// From the bytes of a log to its lines: what the runner, the terminal and the tools wrapped around
// the text is peeled off, and every line still knows its number and byte offset in the original.
//
// Peeled in this order: the runner's timestamp and stream prefix (with its continuation lines
// joined), GitLab and Travis section markers (delivered as events), ANSI escapes, all but the last
// non-blank carriage-return segment (of a line longer than kRawLineMax every segment is a line).
//
// Streaming: the lines do not depend on how the bytes were split. Holds at most kRawLineMax bytes
// for the open line and for each of kPendingMax timestamped streams; of a longer line head and tail
// are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::diagnosis {

inline constexpr std::size_t kRawLineMax = 16 << 10;
inline constexpr std::size_t kLineMax = 4 << 10;
inline constexpr std::size_t kPendingMax = 4;

enum LineFlag : uint8_t {
  kCommand = 1,     // the runner echoed this command before running it
  kRed = 2,         // coloured red: the tool itself says that this is bad
  kRunnerSaid = 4,  // timestamped form only: written by the runner, not by the job
  kJobSaid = 8,     // timestamped form only: written by the job or a service
};

struct SourceLine {
  uint64_t number = 0;  // 1-based
  uint64_t offset = 0;  // of its first byte in the original
  std::string_view text;
  uint8_t flags = 0;
};

enum class Marker : uint8_t { runner_start, runner_end, travis_start, travis_end };

class LineSink {
 public:
  virtual ~LineSink() = default;
  virtual void on_line(const SourceLine& line) = 0;
  virtual void on_marker(Marker marker, std::string_view name, uint8_t flags) = 0;
};

class LineSource {
 public:
  explicit LineSource(LineSink& sink) : sink_(&sink) {}
  void feed(std::string_view bytes);
  void finish();
  void rebind(LineSink& sink) { sink_ = &sink; }

  uint64_t bytes() const { return bytes_; }
  uint64_t lines() const { return lines_; }

 private:
  struct Pending {
    uint32_t stream = 0;
    uint64_t number = 0;
    uint64_t offset = 0;
    uint8_t flags = 0;
    bool complete = false;
    std::string raw;
  };

  void append_open(std::string_view bytes);
  void cut_open(std::size_t size);
  void close_open();
  void physical(std::string_view raw);
  void timestamped(std::string_view rest, uint32_t stream, bool continues);
  void emit_front();
  void emit_complete();
  void logical(std::string_view raw, uint64_t number, uint64_t offset, uint8_t flags);
  void logical_slow(std::string_view raw, uint64_t number, uint64_t offset, uint8_t flags);

  LineSink* sink_;
  uint64_t bytes_ = 0;       // fed
  uint64_t lines_ = 0;       // physical lines finished
  uint64_t line_start_ = 0;  // offset of the open physical line
  std::string open_;         // its bytes, capped
  uint64_t open_size_ = 0;   // its true size
  bool by_returns_ = false;  // its pieces between carriage returns are lines
  std::vector<Pending> pending_;
  std::string segment_, kept_;
  bool travis_command_ = false;  // a travis_time:start marker was the last thing
};

}  // namespace gitaiops::diagnosis
