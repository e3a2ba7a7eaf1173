#include "agent/sources/fact.h"

#include <array>

namespace gitaiops::agent {

std::string_view to_string(Source source) {
  constexpr std::array<std::string_view, 6> kNames = {"usage_log", "runner_log", "debug_jobs",
                                                      "trace",     "processes",  "environment"};
  const auto index = static_cast<std::size_t>(source);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::string_view to_string(Field field) {
  constexpr std::array<std::string_view, 14> kNames = {
      "received_at",      "project_path", "project_id",  "runner_short", "runner_name",
      "runner_system_id", "executor",     "stage",       "outcome",      "failure_reason",
      "exit_code",        "signal",       "duration_us", "finished_at"};
  const auto index = static_cast<std::size_t>(field);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace gitaiops::agent
