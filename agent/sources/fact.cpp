#include "agent/sources/fact.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {

std::string_view to_string(Source source) {
  constexpr std::array<std::string_view, 6> kNames = {"usage_log", "runner_log", "debug_jobs",
                                                      "trace",     "processes",  "environment"};
  const auto index = static_cast<std::size_t>(source);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::string_view to_string(Field field) {
  constexpr std::array<std::string_view, 15> kNames = {
      "received_at",      "project_path", "project_id",  "runner_short", "runner_name",
      "runner_system_id", "executor",     "stage",       "outcome",      "failure_reason",
      "exit_code",        "signal",       "duration_us", "finished_at",  "trace_sum"};
  const auto index = static_cast<std::size_t>(field);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::string to_string(const TraceSum& sum) {
  char crc[32];
  std::snprintf(crc, sizeof crc, " crc32:%08x", sum.crc32);
  return std::to_string(sum.bytes) + crc;
}

std::optional<uint32_t> parse_crc32(std::string_view text) {
  constexpr std::string_view kPrefix = "crc32:";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<TraceSum> parse_trace_sum(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto bytes = parse_int(text.substr(0, blank));
  const auto crc32 = parse_crc32(text.substr(blank + 1));
  if (!bytes || *bytes < 0 || !crc32) return std::nullopt;
  return TraceSum{*bytes, *crc32};
}

}  // namespace gitaiops::agent
