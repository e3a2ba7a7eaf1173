// What an attestation says: in-toto statements (v0.1, v1) and the build provenance in them (SLSA
// v0.2, as GitLab Runner writes it, and v1).
//
// A statement is only worth what its signature is worth: verify the bundle that it came in first.
// Any bytes are accepted. Thread safety: pure functions, values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::scanner::provenance {

inline constexpr std::string_view kInTotoPayloadType = "application/vnd.in-toto+json";

struct ResourceDigest {
  std::string algorithm;  // "sha256", "sha512", "gitCommit", "sha1", …
  std::string value;      // hexadecimal, as written
};

struct Resource {
  std::string name;  // or URI
  std::vector<ResourceDigest> digests;
};

struct Statement {
  std::string type;            // "https://in-toto.io/Statement/v1"
  std::string predicate_type;  // "https://slsa.dev/provenance/v1"
  std::vector<Resource> subjects;
};
// The types v0.1 and v1 are known; another one is an error.
Result<Statement> parse_statement(std::string_view json);

// Whether a subject's SHA-2 digest is the artifact's, none of the same subject contradicting.
bool names_artifact(const Statement& statement, const Artifact& artifact);

struct Provenance {
  std::string predicate_type;
  std::string builder;              // URI of who built: a runner, a workflow service
  std::string build_type;           // URI of what the other fields mean
  std::string source_repository;    // URI, without a "git+" before and an "@ref" behind it
  std::string source_ref;           // "refs/tags/v1.2.3"; empty when unknown
  std::string source_commit;        // hexadecimal; empty when unknown
  std::string entry_point;          // workflow file or job
  std::vector<Resource> materials;  // everything that went in, the source among them
};
// An error when the statement is no provenance of a known version.
Result<Provenance> parse_provenance(std::string_view statement_json);

}  // namespace gitaiops::scanner::provenance
