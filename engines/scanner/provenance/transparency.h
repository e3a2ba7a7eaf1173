// Private to provenance: what a transparency log says of an entry, checked with the log's key.
// Formats: Rekor 1's signed entry timestamp (a signature over canonical JSON); RFC 6962 / RFC 9162
// §2.1.3.2 inclusion proofs; C2SP signed-note and tlog-checkpoint.
#pragma once

#include "engines/scanner/provenance/bundle.h"
#include "engines/scanner/provenance/trusted_root.h"

namespace gitaiops::scanner::provenance {

// `key`: the log's, read. The log's promise to include the entry; it also covers the integrated
// time.
Status check_promise(const LogEntry& entry, EVP_PKEY* key);
// The tree head that the proof leads to is one that the log has signed. Signatures of others
// (witnesses) are left out of account: their keys are not known.
Status check_checkpoint(const InclusionProof& proof, const Log& log, EVP_PKEY* key);
// The entry's body is the leaf of that tree at that index.
Status check_inclusion(const LogEntry& entry);

}  // namespace gitaiops::scanner::provenance
