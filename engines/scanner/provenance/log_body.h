// Private to provenance: whether a log entry speaks of what the bundle holds. Entry types of Rekor:
// hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2.
#pragma once

#include <functional>

#include "engines/scanner/provenance/bundle.h"

namespace gitaiops::scanner::provenance {

// What the entry has to name.
struct Logged {
  const Bundle& bundle;
  std::string verifier;  // DER of the certificate or of the public key
  // Digest of what the signature covers: the artifact, or the envelope's encoding. Nothing when the
  // artifact is known only by another one.
  std::function<std::optional<std::string>(Hash)> digest;
};

Status check_body(const LogEntry& entry, const Logged& logged);

}  // namespace gitaiops::scanner::provenance
