// The input as packets of the observer's socket: each a length of two bytes, then the packet. A
// packet whose first byte is zero gets a right header from its next two bytes (kind, call), because
// chance seldom writes one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/observer/wire.h"

namespace gitaiops::agent {

inline std::vector<std::string> packets_of(std::string_view input) {
  std::vector<std::string> packets;
  while (const auto length = wire::take<uint16_t>(input)) {
    const auto packet = input.substr(0, *length);
    input.remove_prefix(packet.size());
    if (packet.size() < 3 || packet[0] != 0) {
      packets.emplace_back(packet);
      continue;
    }
    const auto flags = static_cast<uint8_t>(packet[2]);
    packets.push_back(wire::packet(static_cast<wire::Kind>(packet[1]), flags & 7, packet.substr(3),
                                   (flags & 8) != 0, static_cast<uint8_t>(flags >> 4)));
  }
  return packets;
}

}  // namespace gitaiops::agent
