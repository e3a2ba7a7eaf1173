#include "base/clock/clock.h"

#include <cstdio>
#include <ctime>

#include "base/bytes/digits.h"

namespace gitaiops {
namespace {

int64_t read_clock(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * kMicrosPerSecond + t.tv_nsec / 1000;
}

class SystemClock final : public Clock {
 public:
  UnixMicros now() const override { return {read_clock(CLOCK_REALTIME)}; }
  SteadyMicros steady() const override { return {read_clock(CLOCK_BOOTTIME)}; }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string to_rfc3339(UnixMicros time) {
  int64_t seconds = time.value / kMicrosPerSecond;
  int64_t micros = time.value % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --seconds;
  }
  std::tm parts{};
  const time_t whole = seconds;
  gmtime_r(&whole, &parts);
  char buffer[80];
  const int length =
      std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<int>(micros));
  return {buffer, static_cast<std::size_t>(length)};
}

std::optional<UnixMicros> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':')
    return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 ||
      *second > 60)
    return std::nullopt;
  std::size_t at = 19;
  int64_t micros = 0;
  if (at < text.size() && text[at] == '.') {
    int64_t unit = 100'000;
    std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      micros += (text[at] - '0') * unit;
    if (at == first) return std::nullopt;
  }
  int64_t offset = 0;
  const auto zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const auto h = digits(zone, 1, 2), m = digits(zone, 4, 2);
    if (!h || !m) return std::nullopt;
    offset = (*h * 60 + *m) * 60 * (zone[0] == '+' ? 1 : -1);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  std::tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  return UnixMicros{(timegm(&parts) - offset) * kMicrosPerSecond + micros};
}

}  // namespace gitaiops
