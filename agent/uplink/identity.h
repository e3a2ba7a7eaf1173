// Private to agent/uplink: the identity folder (0700, files 0600): key.pem, cert.pem, ca.pem,
// identity.json.
//
// A new key and certificate replace the old ones in steps that survive a crash: both are written as
// *.next, then renamed, the key first. A key that does not fit cert.pem but fits cert.pem.next
// means that the second rename is missing: load() makes it.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock/clock.h"
#include "base/result/result.h"
#include "gitaiops/enrollment/v1/enrollment.pb.h"

namespace gitaiops::agent {

struct Identity {
  std::string agent_id;
  std::string key_pem, certificate_pem, ca_pem;
  UnixMicros not_after, renew_after;
};

// not_found when there is none: the message says how to enrol.
Result<Identity> load_identity(const std::filesystem::path& folder);

// The certificate with its key as it may be kept: it is for this key, signed by an authority of the
// reply, and already valid.
Result<Identity> checked_identity(std::string key_pem,
                                  const enrollment::v1::Certificate& certificate, UnixMicros now);
Status store_identity(const std::filesystem::path& folder, const Identity& identity);

}  // namespace gitaiops::agent
