// Registries' answers, statements, registry keys, names and checksums from anybody: nothing may
// crash, leak or run long.
#include <cstdlib>

#include "engines/scanner/provenance/attestations.h"
#include "engines/scanner/provenance/lock_checks.h"
#include "engines/scanner/provenance/lookalike.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner;
  using namespace gitaiops::scanner::provenance;
  const std::string input(reinterpret_cast<const char*>(data), size);
  static const auto root = TrustedRoot::parse(
      R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"})");
  const auto keys = parse_registry_keys(input);
  const auto found = verify_attestations(input, {}, Artifact("x"), *root,
                                         keys.ok() ? *keys : std::vector<RegistryKey>());
  if (found.ok()) {
    for (const auto& attestation : *found) {
      if (attestation.verdict.verified()) std::abort();  // nobody is trusted here
    }
  }
  (void)parse_provenance(input);
  for (const auto ecosystem : {Ecosystem::npm, Ecosystem::pypi, Ecosystem::go})
    (void)look_alike(ecosystem, input);
  (void)raw_digest({"sha256", input});
  PackageSet set;
  set.lock = "lock";
  set.packages.resize(1);
  set.packages[0].name = input;
  set.packages[0].source = input;
  (void)check_lock(set, {});
  return 0;
}
