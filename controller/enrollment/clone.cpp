#include "controller/enrollment/enrollment.h"

namespace gitaiops::enrollment {

std::string holder_name(const std::string& host, std::string address) {
  // gRPC's "ipv4:192.0.2.7:51234": who, not from which port.
  if (const auto scheme = address.find(':'); scheme != std::string::npos)
    address.erase(0, scheme + 1);
  if (const auto port = address.rfind(':'); port != std::string::npos) address.erase(port);
  if (host.empty()) return address.empty() ? "unknown" : address;
  return address.empty() ? host : host + " (" + address + ")";
}

std::string describe_clone(const store::Agent& agent) {
  return "this identity is held twice: by " + agent.holder + " and by " + agent.clone +
         ". If one is a copy of the other (an image, a restored snapshot), enrol it by itself: "
         "gitaiops-agent enroll. If one is not yours, revoke the agent: gitaiops-controller agents "
         "revoke " +
         agent.id;
}

}  // namespace gitaiops::enrollment
