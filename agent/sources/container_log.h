// One line of the file in which docker keeps what a container prints (driver json-file):
//   {"log":"text\n","stream":"stderr","time":"2026-11-22T22:16:16.058495123Z"}
// A line of the container longer than 16 KiB is spread over several, of which only the last one's
// text ends in a line end. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock/clock.h"

namespace gitaiops::agent {

class ContainerLogLines {
 public:
  struct Line {
    std::string text;    // without its line end
    std::string stream;  // "stdout", "stderr"
    UnixMicros time;     // when docker read it
  };
  // nullopt: not whole yet, or not of this form (then counted).
  std::optional<Line> feed(std::string_view line);
  uint64_t unreadable() const { return unreadable_; }
  bool halfway() const { return !begun_.empty(); }

 private:
  std::map<std::string, std::string> begun_;  // by stream
  uint64_t unreadable_ = 0;
};

}  // namespace gitaiops::agent
