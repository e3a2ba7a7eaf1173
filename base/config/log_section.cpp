#include "base/config/log_section.h"

#include "base/log/log.h"

namespace gitaiops::config {

void configure_log(const LogSettings& settings) {
  using log::Level;
  const auto& level = settings.level;
  log::configure(level == "debug"     ? Level::debug
                 : level == "warning" ? Level::warning
                 : level == "error"   ? Level::error
                                      : Level::info,
                 settings.format == "json" ? log::Format::json : log::Format::text);
}

}  // namespace gitaiops::config
