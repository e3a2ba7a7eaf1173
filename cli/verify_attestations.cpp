#include <filesystem>
#include <ostream>

#include "base/io/files.h"
#include "cli/commands.h"
#include "engines/scanner/provenance/attestations.h"
#include "engines/scanner/provenance/lock_checks.h"

namespace gitaiops::cli {
namespace {

using namespace scanner::provenance;

constexpr std::size_t kArtifactMax = std::size_t{2} << 30;  // bytes; it is held in memory

// "sha512-BASE64" as a lock file writes it, or "sha512:HEX".
std::optional<Artifact> digest_of(const std::string& text) {
  if (auto artifact = Artifact::from_text(text)) return artifact;
  const auto dash = text.find('-');
  const auto hash = hash_named(text.substr(0, dash));
  if (dash == std::string::npos || !hash) return std::nullopt;
  auto raw = raw_digest({std::string(to_string(*hash)), text.substr(dash + 1)});
  if (raw.empty()) return std::nullopt;
  return Artifact(*hash, std::move(raw));
}

// "@scope/name@1.2.3" → name and version.
void read_package(const std::string& package, Release& release) {
  const auto at = package.rfind('@');
  if (at == std::string::npos || at == 0) {
    release.name = package;
  } else {
    release.name = package.substr(0, at);
    release.version = package.substr(at + 1);
  }
}

Result<std::vector<Attestation>> judge(const VerifyAttestationsOptions& options) {
  ASSIGN_OR_RETURN(const auto answer, read_file(options.attestations), "attestations");
  ASSIGN_OR_RETURN(const auto root_text, read_file(options.trusted_root), "trusted root");
  ASSIGN_OR_RETURN(const auto root, TrustedRoot::parse(root_text), options.trusted_root);
  std::vector<RegistryKey> keys;
  if (!options.registry_keys.empty()) {
    ASSIGN_OR_RETURN(const auto text, read_file(options.registry_keys), "registry keys");
    ASSIGN_OR_RETURN(keys, parse_registry_keys(text), options.registry_keys);
  }
  Release release;
  release.source = options.source;
  if (!options.package.empty()) {
    read_package(options.package, release);
    if (release.version.empty())
      return Error(Code::invalid_argument, "--package needs a version: NAME@VERSION");
  }
  std::string bytes;
  auto artifact = digest_of(options.artifact);
  if (!artifact || std::filesystem::exists(options.artifact)) {
    ASSIGN_OR_RETURN(bytes, read_file(options.artifact, kArtifactMax), "artifact");
    artifact = Artifact(bytes);
    // A Python distribution is told by its file's name.
    const auto name = std::filesystem::path(options.artifact).filename().string();
    if (options.package.empty() && (name.ends_with(".whl") || name.ends_with(".tar.gz")))
      release.file = name;
  }
  return verify_attestations(answer, release, *artifact, root, keys);
}

void print(std::ostream& out, const Attestation& attestation) {
  const Verdict& verdict = attestation.verdict;
  if (!verdict.verified()) {
    out << "rejected: " << to_utf8(verdict.reason) << "\n";
    return;
  }
  out << "verified: " << to_utf8(attestation.predicate_type) << "\n";
  const auto line = [&](const char* what, const std::string& value) {
    if (!value.empty()) out << "  " << what << to_utf8(value) << "\n";
  };
  line("signed by   ", verdict.identity.empty() ? "the registry's key" : verdict.identity);
  line("as told by  ", verdict.issuer);
  if (!attestation.provenance) return;
  line("built by    ", attestation.provenance->builder);
  line("built from  ", attestation.provenance->source_repository);
  line("at commit   ", attestation.provenance->source_commit);
  line("as          ", attestation.provenance->entry_point);
}

}  // namespace

int verify_attestations(const VerifyAttestationsOptions& options, const Terminal& terminal) {
  const auto found = judge(options);
  if (!found) {
    terminal.err << "gitaiops: " << found.error().to_string() << "\n";
    return kUsage;
  }
  bool all_hold = !found->empty();
  if (found->empty()) terminal.out << "rejected: the answer holds no attestation\n";
  for (const auto& attestation : *found) {
    print(terminal.out, attestation);
    all_hold = all_hold && attestation.verdict.verified();
  }
  return all_hold ? kDone : kFound;
}

}  // namespace gitaiops::cli
