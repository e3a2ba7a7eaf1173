#include <filesystem>
#include <ostream>

#include "base/clock/clock.h"
#include "base/io/files.h"
#include "cli/commands.h"
#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::cli {
namespace {

using namespace scanner::provenance;

constexpr std::size_t kArtifactMax = std::size_t{8} << 30;  // bytes; it is held in memory
constexpr std::size_t kKeyMax = 64 << 10;

Result<Signer> expected_signer(const VerifyBundleOptions& options) {
  const bool by_identity = !options.identity.empty() || !options.issuer.empty();
  if (by_identity == !options.key.empty())
    return Error(Code::invalid_argument,
                 "say who must have signed: either --identity with --issuer, or --key");
  if (!options.key.empty()) {
    ASSIGN_OR_RETURN(auto pem, read_file(options.key, kKeyMax), "key");
    return Signer(PublicKey{std::move(pem)});
  }
  if (options.identity.empty() || options.issuer.empty())
    return Error(Code::invalid_argument,
                 "--identity and --issuer go together: anybody can get a certificate for a name "
                 "from some issuer");
  return Signer(Identity{options.identity, options.issuer});
}

struct Inputs {
  std::string bundle;
  std::string artifact_bytes;
  std::optional<Artifact> artifact;
};

Status read_inputs(const VerifyBundleOptions& options, Inputs& inputs) {
  ASSIGN_OR_RETURN(inputs.bundle, read_file(options.bundle), "bundle");
  if (!std::filesystem::exists(options.artifact)) {
    inputs.artifact = Artifact::from_text(options.artifact);
    if (inputs.artifact) return {};
  }
  ASSIGN_OR_RETURN(inputs.artifact_bytes, read_file(options.artifact, kArtifactMax), "artifact");
  inputs.artifact = Artifact(inputs.artifact_bytes);
  return {};
}

Result<Verdict> judge(const VerifyBundleOptions& options) {
  ASSIGN_OR_RETURN(const Signer signer, expected_signer(options));
  ASSIGN_OR_RETURN(const auto root_text, read_file(options.trusted_root), "trusted root");
  ASSIGN_OR_RETURN(const auto root, TrustedRoot::parse(root_text), options.trusted_root);
  Inputs inputs;
  RETURN_IF_ERROR(read_inputs(options, inputs));
  return scanner::provenance::verify_bundle(inputs.bundle, root, *inputs.artifact, signer);
}

std::string shown(Instant time) {
  return to_rfc3339(UnixMicros{time.time_since_epoch().count()});
}

// What stands in certificates and bundles is foreign text.
void print_line(std::ostream& out, const char* what, const std::string& value) {
  if (!value.empty()) out << "  " << what << to_utf8(value) << "\n";
}

}  // namespace

int verify_bundle(const VerifyBundleOptions& options, const Terminal& terminal) {
  const auto verdict = judge(options);
  if (!verdict) {
    terminal.err << "gitaiops: " << verdict.error().to_string() << "\n";
    return kUsage;
  }
  if (!verdict->verified()) {
    terminal.out << "rejected: " << options.artifact << ": " << to_utf8(verdict->reason) << "\n";
    return kFound;
  }
  terminal.out << "verified: " << options.artifact << "\n";
  print_line(terminal.out, "signed by   ", verdict->identity);
  print_line(terminal.out, "as told by  ", verdict->issuer);
  print_line(terminal.out, "built from  ", verdict->source_repository);
  print_line(terminal.out, "at commit   ", verdict->source_commit);
  for (const auto time : verdict->times) print_line(terminal.out, "signed at   ", shown(time));
  for (const auto& log : verdict->logs) print_line(terminal.out, "logged in   ", log);
  return kDone;
}

}  // namespace gitaiops::cli
