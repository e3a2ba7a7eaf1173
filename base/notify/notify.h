// Words to the service manager in systemd's notify protocol: that the service is ready, and that it
// is alive. Without a manager (NOTIFY_SOCKET is not set) nothing happens. Thread safety: functions,
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gitaiops {

// "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=…"; never waits. What cannot be sent is lost: the
// manager then judges by the silence.
void notify_manager(std::string_view words);

// How often "WATCHDOG=1" is due: half of what the manager grants; nullopt when it does not watch
// this process.
std::optional<int64_t> watchdog_interval_us();

}  // namespace gitaiops
