// The [log] section that every daemon has.
//
// Thread safety: log_section as Schema; configure_log as log::configure.
#pragma once

#include <string>

#include "base/config/config.h"

namespace gitaiops::config {

struct LogSettings {
  std::string level = "info";
  std::string format = "text";
};

// Declares log.level and log.format, bound to Config::log. `whose`: "The agent's".
template <class Config>
void log_section(Schema<Config>& schema, const std::string& whose) {
  schema.section("log", whose + " own log, on standard error.");
  schema.key("log.level", "How much is said.", [](Config& c) -> auto& { return c.log.level; })
      .one_of({"debug", "info", "warning", "error"})
      .reloadable();
  schema
      .key("log.format", "Lines for people or for machines.",
           [](Config& c) -> auto& { return c.log.format; })
      .one_of({"text", "json"});
}

// From here on the process logs so.
void configure_log(const LogSettings& settings);

}  // namespace gitaiops::config
