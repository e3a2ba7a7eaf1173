#include "controller/fleet/hello.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "controller/ingest/ingest.h"

namespace gitaiops::fleet {
namespace {

void cut(std::string* text, std::size_t limit) {
  *text = truncate_utf8(*text, limit);
}

v1::Refusal too_old(const v1::Hello& hello, uint32_t our_minor, uint32_t oldest) {
  return refusal(v1::Refusal::REASON_TOO_OLD,
                 "agent " +
                     (hello.agent_version().empty() ? "(unknown version)" : hello.agent_version()) +
                     " speaks protocol 1." + std::to_string(hello.protocol_minor()) +
                     "; this controller serves 1." + std::to_string(oldest) + " to 1." +
                     std::to_string(our_minor) +
                     ": upgrade gitaiops-agent on this host to the controller's version");
}

}  // namespace

v1::Refusal refusal(v1::Refusal::Reason reason, std::string message, int64_t retry_after_us) {
  v1::Refusal out;
  out.set_reason(reason);
  out.set_message(truncate_utf8(message, 512));
  out.set_retry_after_us(retry_after_us);
  return out;
}

Opening open_with(const v1::ConnectRequest& first, uint32_t our_minor) {
  Opening out;
  if (!first.has_hello()) {
    out.refused = refusal(v1::Refusal::REASON_BAD_HELLO, "the first message must be Hello");
    return out;
  }
  out.hello = first.hello();
  ingest::sanitise(out.hello);
  cut(out.hello.mutable_agent_version(), 64);
  cut(out.hello.mutable_host_name(), 253);
  cut(out.hello.mutable_observation(), 512);
  // Minor 0 is no revision: it is what a Hello without one looks like.
  const uint32_t oldest = our_minor > kMinorsServed ? our_minor - (kMinorsServed - 1) : 1;
  if (out.hello.protocol_minor() < oldest) {
    out.refused = too_old(out.hello, our_minor, oldest);
    return out;
  }
  out.minor = std::min(out.hello.protocol_minor(), our_minor);
  if (out.hello.epoch() == 0) {
    out.refused = refusal(v1::Refusal::REASON_BAD_HELLO, "hello.epoch is missing");
  } else if (out.hello.oldest_seq() > out.hello.newest_seq()) {
    out.refused = refusal(v1::Refusal::REASON_BAD_HELLO, "hello.oldest_seq is above newest_seq");
  }
  return out;
}

}  // namespace gitaiops::fleet
