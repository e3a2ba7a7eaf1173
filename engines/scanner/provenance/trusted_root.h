// Private to provenance: what stands in a trusted root, with its keys and certificates read.
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
  KeyPtr key;  // empty when it cannot be read
  std::string key_problem;
};

// A certificate authority or timestamp authority: a chain up to its anchor.
struct Authority {
  std::string name;  // its URI
  Validity valid;
  std::vector<CertificatePtr> chain;  // leaf's issuer (or a timestamp authority's leaf) first, the
                                      // anchor last; never empty
};

struct TrustedRoot::Parts {
  std::vector<Log> logs;
  std::vector<Log> ct_logs;
  std::vector<Authority> certificate_authorities;
  std::vector<Authority> timestamp_authorities;
};

}  // namespace gitaiops::scanner::provenance
