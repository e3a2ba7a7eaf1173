// Lines of a log as they may leave its host: what the runner and the terminal wrapped around them
// peeled off first, then redacted. In that order: a terminal code inside a secret must not hide it.
//
// Streaming, bounded, any bytes, as the Analyzer. Thread safety: one thread at a time.
// Tests: tests/unit/diagnosis/lines_around_test.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result/result.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {

// From a log's bytes to its lines, each with its number in the original: peeled, redacted, valid
// UTF-8, without control characters but tabs. Numbers grow; physical lines that say nothing by
// themselves (markers, continued ones) are left out.
class CleanLines {
 public:
  using Sink = std::function<void(uint64_t number, const std::string& text)>;
  explicit CleanLines(Sink sink);
  ~CleanLines();
  void feed(std::string_view bytes);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Collects the lines around one. What is too long goes from the ends, so that the line itself
// stays.
class LinesAround {
 public:
  static constexpr uint32_t kMost = 100;              // before, and after
  static constexpr std::size_t kMaxBytes = 16 << 10;  // together
  LinesAround(uint64_t line, uint32_t before, uint32_t after);
  void take(uint64_t number, std::string_view text);  // in order
  bool complete() const { return complete_; }         // later lines are not needed
  // Every number from the first to the last has its line, empty where the log has none. not_found:
  // the log does not reach so far.
  Result<Excerpt> excerpt() const;

 private:
  uint64_t line_, first_, last_, newest_ = 0;
  bool complete_ = false;
  std::deque<std::pair<uint64_t, std::string>> lines_;
};

}  // namespace gitaiops::diagnosis
