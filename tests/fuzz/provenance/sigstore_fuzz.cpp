// Bundles, trusted roots, and the DER, notes and JSON inside of them, from anybody. No input may
// crash, leak or run long, and none may be verified: the fuzzer does not hold the keys.
//
// The first byte says what the rest is: a bundle, a trusted root, or bytes that replace one field
// of a bundle that would verify. A replaced field may happen to be what it was; then it verifies.
// Of an ECDSA signature or a timestamp there are several writings, so those may verify as well.
#include <cstdlib>

#include "engines/scanner/provenance/sigstore.h"
#include "tests/unit/provenance/instance.h"

namespace gitaiops::scanner::provenance {
namespace {

using testing::Instance;
using testing::Json;

const std::string kArtifact = "artifact";

struct Good {
  Instance instance;
  Json bundle = instance.bundle(kArtifact, {.timestamp = true});
  Json root = instance.trusted_root();
};

Good& good() {
  static Good made;
  return made;
}

Verdict judge(const std::string& bundle, const std::string& root) {
  const auto parsed = TrustedRoot::parse(root);
  if (!parsed) {
    Verdict verdict;
    verdict.failed = Check::log_entry;
    return verdict;
  }
  return verify_bundle(bundle, *parsed, Artifact(kArtifact),
                       Identity{testing::kSubject, testing::kIssuer});
}

// The fields whose bytes reach OpenSSL or another parser of ours.
struct Field {
  const char* place;
  bool one_writing;  // another text than the good one is never right
};
constexpr Field kFields[] = {
    {"/verificationMaterial/certificate/rawBytes", true},
    {"/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp", false},
    {"/verificationMaterial/tlogEntries/0/canonicalizedBody", true},
    {"/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp", false},
    {"/verificationMaterial/tlogEntries/0/inclusionProof/rootHash", true},
    {"/messageSignature/signature", true},
};
constexpr const char* kRootFields[] = {
    "/tlogs/0/publicKey/rawBytes",
    "/ctlogs/0/publicKey/rawBytes",
    "/certificateAuthorities/0/certChain/certificates/0/rawBytes",
    "/timestampAuthorities/0/certChain/certificates/0/rawBytes",
};

bool replaced(Json& document, const char* field, const std::string& value) {
  auto& place = document[Json::json_pointer(field)];
  if (place == value) return false;
  place = value;
  return true;
}

}  // namespace
}  // namespace gitaiops::scanner::provenance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner::provenance;
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto& base = good();
  const unsigned what = data[0] % 16;
  Json bundle = base.bundle, root = base.root;
  if (what == 0) {
    if (judge(input, root.dump()).verified()) std::abort();
  } else if (what == 1) {
    (void)judge(bundle.dump(), input);
  } else if (what == 2) {
    const Json::json_pointer note(
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope");
    bundle[note] = input;
    (void)judge(bundle.dump(-1, ' ', true, Json::error_handler_t::replace), root.dump());
  } else if (what < 10) {
    const Field& field = kFields[what % std::size(kFields)];
    const bool changed = replaced(bundle, field.place, testing::base64(input));
    const bool verified = judge(bundle.dump(), root.dump()).verified();
    if (changed && verified && field.one_writing) std::abort();
  } else {
    (void)replaced(root, kRootFields[what % std::size(kRootFields)], testing::base64(input));
    (void)judge(bundle.dump(), root.dump());
  }
  return 0;
}
