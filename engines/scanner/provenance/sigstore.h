// Is this artifact what that signer signed? Sigstore bundles, verified offline.
//
//   auto root = TrustedRoot::parse(trusted_root_json);
//   Verdict v = verify_bundle(bundle_json, *root, Artifact(bytes), Identity{san, issuer});
//   if (!v.verified()) … v.reason …   // "timestamp: it was made for another signature"
//
// Everything that is proven is proven from what is handed in: no clock (the time of signing comes
// from the bundle's own proofs), no network, no file. Bundles 0.1 to 0.3; messages and DSSE
// envelopes; Rekor 1 (promise, proof, checkpoint) and Rekor 2 (proof, checkpoint, timestamp
// authority); certificates of Fulcio with their embedded SCT, or a key that the caller trusts.
// After Sigstore's client specification (architecture-docs, client-spec.md and rekor-v2-spec.md),
// RFC 5280, 6962 and 3161, C2SP signed-note and tlog-checkpoint, DSSE. What it leaves open is
// decided strictly: at least one log entry and, with a certificate, one SCT and one proven time
// are needed, and every log entry and every timestamp that the bundle carries must hold.
//
// Any bytes are accepted as input. At most 16 MiB of JSON, 64 levels deep.
// Thread safety: a TrustedRoot may be shared; functions from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes/bytes.h"
#include "base/result/result.h"

namespace gitaiops::scanner::provenance {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// A closed interval; without an end it goes on. The start is obligatory: an authority or a log
// whose start is not known has never been valid.
struct Validity {
  std::optional<Instant> start;
  std::optional<Instant> end;
  bool contains(Instant time) const;
};

enum class Hash : uint8_t { sha256, sha384, sha512 };
// "sha256", also as protobuf ("SHA2_256") and npm ("sha512") write it, in any letter case.
std::optional<Hash> hash_named(std::string_view name);
std::string_view to_string(Hash hash);

// Whom and what to trust: the logs, certificate authorities and timestamp authorities of one
// Sigstore instance, from its trusted_root.json (which is distributed by TUF; how it got here is
// the caller's business). An entry whose key or certificate cannot be read fails whatever it would
// have to vouch for; a text that is no trusted root is an error.
class TrustedRoot {
 public:
  static Result<TrustedRoot> parse(std::string_view json);

  struct Parts;  // private to provenance
  const Parts& parts() const { return *parts_; }

 private:
  explicit TrustedRoot(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// What was signed: its bytes, or only digests of it (raw, not hex). Bytes must outlive it.
class Artifact {
 public:
  explicit Artifact(std::string_view bytes) : bytes_(bytes) {}
  Artifact(Hash hash, std::string raw_digest) { digests_.emplace_back(hash, raw_digest); }
  // "sha256:…" or "sha512:…" in hexadecimal.
  static std::optional<Artifact> from_text(std::string_view text);

  std::optional<std::string_view> bytes() const { return bytes_; }
  // Computed at the first question; nothing when only other digests are known.
  std::optional<std::string> digest(Hash hash) const;

 private:
  Artifact() = default;
  std::optional<std::string_view> bytes_;
  mutable std::vector<std::pair<Hash, std::string>> digests_;
};

// Who must have signed: the certificate's subject alternative name and the issuer of the identity,
// both exactly. An empty field accepts anybody that the trusted root vouches for.
struct Identity {
  std::string san;
  std::string issuer;
};
// A key that the caller trusts, in PEM; `valid` bounds the proven time of signing.
struct PublicKey {
  std::string pem;
  std::optional<Validity> valid = {};
};
using Signer = std::variant<Identity, PublicKey>;

enum class Check : uint8_t {
  bundle,       // the bundle's own form and version
  signer,       // key or certificate, as the caller expects one of them
  log_entry,    // the entry's log is not trusted, or its form is wrong
  promise,      // the log's signed entry timestamp (SET)
  checkpoint,   // the log's signed tree head
  inclusion,    // the Merkle proof
  timestamp,    // RFC 3161
  time,         // no proven time, or outside the validity of a key
  certificate,  // chain, usage
  sct,          // the certificate's own transparency
  identity,     // subject alternative name
  issuer,       //
  binding,      // the log entry speaks of something else than the bundle
  artifact,     // the bundle speaks of something else than the artifact
  signature,    //
};
std::string_view to_string(Check check);

struct Verdict {
  std::optional<Check> failed = {};  // nothing: verified
  std::string reason = {};  // for a person, begins with the check's name; empty when verified

  // Proven facts, once verified.
  std::string identity = {};           // the certificate's subject alternative name
  std::string issuer = {};             // of the identity (OIDC)
  std::string source_repository = {};  // what the issuer said of the build, from the certificate:
  std::string source_commit = {};      //   URI and commit; empty when it says nothing
  std::string build_signer = {};       //   the build instructions' URI
  std::vector<Instant> times = {};  // when it was signed, one for each proof, at least one with a
                                    // certificate
  std::vector<std::string> logs = {};  // "rekor.sigstore.dev #1234"
  std::string payload_type = {};       // of a DSSE envelope; empty for a plain message
  std::string payload = {};

  bool verified() const { return !failed; }
};

Verdict verify_bundle(std::string_view bundle_json, const TrustedRoot& root,
                      const Artifact& artifact, const Signer& signer);

}  // namespace gitaiops::scanner::provenance
