// Time is a value that comes in: whoever needs it takes a Clock. Two scales, never mixed:
//  - UnixMicros: microseconds since 1970-01-01 UTC, for stamps that are stored or sent;
//  - SteadyMicros: microseconds of CLOCK_BOOTTIME (goes on during suspend), for durations and
//  timeouts.
// Thread safety: Clock implementations may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gitaiops {

struct UnixMicros {
  int64_t value = 0;
  auto operator<=>(const UnixMicros&) const = default;
};
struct SteadyMicros {
  int64_t value = 0;
  auto operator<=>(const SteadyMicros&) const = default;
};

inline int64_t operator-(SteadyMicros a, SteadyMicros b) {
  return a.value - b.value;
}
inline int64_t operator-(UnixMicros a, UnixMicros b) {
  return a.value - b.value;
}
inline SteadyMicros operator+(SteadyMicros a, int64_t micros) {
  return {a.value + micros};
}
inline UnixMicros operator+(UnixMicros a, int64_t micros) {
  return {a.value + micros};
}

constexpr int64_t kMicrosPerSecond = 1'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMicros now() const = 0;
  virtual SteadyMicros steady() const = 0;
};

// The machine's clocks.
const Clock& system_clock();

// For tests: stands still until stepped.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t unix_micros = 1'700'000'000'000'000) : unix_(unix_micros) {}
  UnixMicros now() const override { return {unix_}; }
  SteadyMicros steady() const override { return {steady_}; }
  void advance(int64_t micros) {
    unix_ += micros;
    steady_ += micros;
  }
  // The operator set the clock: wall time jumps, the steady clock does not.
  void jump(int64_t micros) { unix_ += micros; }

 private:
  std::atomic<int64_t> unix_;
  std::atomic<int64_t> steady_ = 0;
};

// RFC 3339 in UTC with microseconds: "2026-11-22T13:27:49.000001Z".
std::string to_rfc3339(UnixMicros time);
// Accepts any RFC 3339 offset and fraction; nullopt on anything else.
std::optional<UnixMicros> parse_rfc3339(std::string_view text);

}  // namespace gitaiops
