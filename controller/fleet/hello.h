// Private to controller/fleet: the opening of a stream, pure.
#pragma once

#include <optional>
#include <string>

#include "base/result/result.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::fleet {

constexpr uint32_t kMinorsServed = 3;  // our own and the two before it

v1::Refusal refusal(v1::Refusal::Reason reason, std::string message, int64_t retry_after_us = 0);

// The Hello as it may be used (text clean and cut), or why the stream is refused.
struct Opening {
  v1::Hello hello;
  uint32_t minor = 0;  // what this stream speaks
  std::optional<v1::Refusal> refused;
};
Opening open_with(const v1::ConnectRequest& first, uint32_t our_minor);

}  // namespace gitaiops::fleet
