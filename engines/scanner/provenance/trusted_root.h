// Private to provenance: what stands in a trusted root.
// Form: sigstore/protobuf-specs, sigstore_trustroot.proto.
#pragma once

#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {

// A transparency log (Rekor) or a certificate transparency log.
struct Log {
  std::string host;           // of its base URL, with port and path: how it signs checkpoints
  std::string id;             // raw: SHA-256 of its key (Rekor 1, CT), or its note key id (Rekor 2)
  std::string checkpoint_id;  // whose first four bytes its checkpoints name
  Validity valid;
  std::string key;  // DER, not yet read: most verifications need one log of many
};

// A certificate authority or timestamp authority: a chain up to its anchor.
struct Authority {
  std::string name;  // its URI
  Validity valid;
  // DER, not yet read. Leaf's issuer (or a timestamp authority's leaf) first, the anchor last.
  std::vector<std::string> chain;
};

struct TrustedRoot::Parts {
  std::vector<Log> logs;
  std::vector<Log> ct_logs;
  std::vector<Authority> certificate_authorities;
  std::vector<Authority> timestamp_authorities;
};

}  // namespace gitaiops::scanner::provenance
