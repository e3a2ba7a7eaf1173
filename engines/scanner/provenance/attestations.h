// What a registry hands out beside a package: npm's attestations and PyPI's (PEP 740), verified
// offline from the registry's answer.
//
//   npm:  GET /-/npm/v1/attestations/NAME@VERSION, and its keys (GET /-/npm/v1/keys)
//   PyPI: GET /integrity/PROJECT/VERSION/FILE/provenance, or one attestation of it
//
// A proxy in front of a registry may strip attestations, and many packages have none: their absence
// proves nothing. Thread safety: pure functions. Any bytes are accepted.
#pragma once

#include "engines/scanner/provenance/sigstore.h"
#include "engines/scanner/provenance/statement.h"

namespace gitaiops::scanner::provenance {

// The keys that npm's registry signs publish attestations with; both the registry's own form and
// that of Sigstore's TUF repository are read.
struct RegistryKey {
  std::string id;  // "SHA256:…"
  std::string pem;
  Validity valid;
};
Result<std::vector<RegistryKey>> parse_registry_keys(std::string_view json);

// Which package the answer has to be about. Empty fields are not compared.
struct Release {
  std::string name;  // as the registry writes it
  std::string version;
  std::string file;    // PyPI: the distribution's file name
  std::string source;  // repository URI that it must have been built from
};

struct Attestation {
  std::string predicate_type;
  Verdict verdict;
  std::optional<Provenance> provenance;  // of a verified SLSA statement
};

// Each attestation of the answer with its verdict, in the answer's order. An error when the text is
// no such answer at all.
Result<std::vector<Attestation>> verify_attestations(std::string_view answer,
                                                     const Release& release,
                                                     const Artifact& artifact,
                                                     const TrustedRoot& root,
                                                     const std::vector<RegistryKey>& keys);

}  // namespace gitaiops::scanner::provenance
