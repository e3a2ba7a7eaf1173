// Private to provenance: a bundle as it is written, before anything of it is believed.
// Form: sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::scanner::provenance {

struct InclusionProof {
  int64_t index = 0;
  int64_t tree_size = 0;
  std::string root_hash;
  std::vector<std::string> hashes;  // from leaf to root
  std::string checkpoint;           // a signed note; empty without
};

struct LogEntry {
  int64_t index = 0;
  std::string log_id;
  std::string kind, version;
  int64_t integrated_time = 0;  // seconds; 0 without
  std::string promise;          // signed entry timestamp; empty without
  std::optional<InclusionProof> proof;
  std::string body;  // canonicalised
};

// A detached signature over the artifact.
struct Message {
  std::optional<Hash> hash;  // of the digest that is given as a hint
  std::string digest;        // empty without
  std::string signature;
};

// DSSE; a bundle's envelope carries exactly one signature.
struct Envelope {
  std::string payload_type;
  std::string payload;
  std::string signature;
};

struct Bundle {
  int minor_version = 0;                  // of 0.1 to 0.3
  std::vector<std::string> certificates;  // DER, the signer's first; empty: a key
  std::string key_hint;
  std::vector<LogEntry> entries;
  std::vector<std::string> timestamps;  // DER TimeStampResp
  std::variant<Message, Envelope> content;

  const std::string& signature() const;
};

Result<Bundle> parse_bundle(std::string_view json);
// The same from a document that parse_json accepted.
Result<Bundle> read_bundle(const nlohmann::json& json);
// A Python attestation (PEP 740): the same things under other names.
Result<Bundle> read_python_attestation(const nlohmann::json& json);

// What a DSSE signature covers (pre-authentication encoding).
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

// As verify_bundle, for a bundle that came in another dress.
Verdict verify(const Bundle& bundle, const TrustedRoot& root, const Artifact& artifact,
               const Signer& signer);

}  // namespace gitaiops::scanner::provenance
