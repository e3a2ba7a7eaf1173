// The order of the checks: what was logged, when it was signed, who signed, what was signed. Each
// step believes only what the steps before it have proven.
#include <algorithm>
#include <set>

#include "engines/scanner/provenance/certificate.h"
#include "engines/scanner/provenance/json.h"
#include "engines/scanner/provenance/log_body.h"
#include "engines/scanner/provenance/statement.h"
#include "engines/scanner/provenance/timestamp.h"
#include "engines/scanner/provenance/transparency.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr const char* kBuildSignerOid = "1.3.6.1.4.1.57264.1.9";
constexpr const char* kSourceRepositoryOid = "1.3.6.1.4.1.57264.1.12";
constexpr const char* kSourceCommitOid = "1.3.6.1.4.1.57264.1.13";

class Verification {
 public:
  Verification(const Bundle& bundle, const TrustedRoot& root, const Artifact& artifact,
               const Signer& signer)
      : bundle_(bundle), root_(root.parts()), artifact_(artifact), signer_(signer) {}

  Verdict run() {
    const bool holds = read_signer() && logged() && timestamped() && logs_valid_then() &&
                       signed_by_whom() && log_speaks_of_it() && artifact_named() &&
                       signature_holds();
    if (!holds) {
      // Nothing that was gathered on the way has been proven.
      Verdict rejected;
      rejected.failed = verdict_.failed;
      rejected.reason = std::move(verdict_.reason);
      return rejected;
    }
    return std::move(verdict_);
  }

 private:
  bool fail(Check check, const std::string& why) {
    verdict_.failed = check;
    verdict_.reason = std::string(to_string(check)) + ": " + why;
    return false;
  }
  bool passed(Check check, const Status& status) {
    return status.ok() || fail(check, status.error().to_string());
  }

  bool read_signer() {
    if (const auto* trusted = std::get_if<PublicKey>(&signer_)) {
      if (!bundle_.certificates.empty())
        return fail(Check::signer, "a key is expected, the bundle carries a certificate");
      auto key = key_from_pem(trusted->pem);
      if (!key) return fail(Check::signer, "the expected key: " + key.error().to_string());
      own_key_ = std::move(*key);
      key_ = own_key_.get();
      verifier_ = spki_der(key_);
      return true;
    }
    if (bundle_.certificates.empty())
      return fail(Check::signer, "a certificate is expected, the bundle names a key");
    for (const auto& der : bundle_.certificates) {
      auto read = certificate_from_der(der);
      if (!read) return fail(Check::certificate, read.error().to_string());
      if (is_self_signed(read->get()))
        return fail(Check::certificate, "a self-signed certificate does not belong in a bundle");
      // Intermediate ones come from the trusted root only.
      if (!certificate_) certificate_ = std::move(*read);
    }
    key_ = X509_get0_pubkey(certificate_.get());
    verifier_ = certificate_der(certificate_.get());
    return true;
  }

  bool logged() {
    if (bundle_.entries.empty()) return fail(Check::log_entry, "no transparency log has it");
    std::set<std::pair<std::string, int64_t>> seen;
    for (const auto& entry : bundle_.entries) {
      if (!seen.emplace(entry.log_id, entry.index).second)
        return fail(Check::log_entry, "the bundle carries the same log entry twice");
      const auto log = std::find_if(root_.logs.begin(), root_.logs.end(),
                                    [&](const Log& l) { return l.id == entry.log_id; });
      if (log == root_.logs.end())
        return fail(Check::log_entry, "its log is none of the trusted root's");
      if (!in_log(entry, *log)) return false;
      verdict_.logs.push_back(log->host + " #" + std::to_string(entry.index));
      entry_logs_.push_back(&*log);
    }
    return true;
  }

  bool in_log(const LogEntry& entry, const Log& log) {
    const auto key = key_from_der(log.key);
    if (!key) return fail(Check::log_entry, "the log's key: " + key.error().to_string());
    if (!log.valid.start)
      return fail(Check::log_entry, "the trusted root gives no start of validity for " + log.host);
    if (!entry.promise.empty()) {
      if (!passed(Check::promise, check_promise(entry, key->get()))) return false;
      verdict_.times.push_back(Instant{std::chrono::seconds(entry.integrated_time)});
    }
    if (!entry.proof || entry.proof->checkpoint.empty()) return true;  // 0.1: the promise suffices
    // Rekor 2 counts in one tree only; Rekor 1's index runs over several.
    if (entry.kind == "hashedrekord" && entry.version == "0.0.2" &&
        entry.index != entry.proof->index)
      return fail(Check::inclusion, "the proof is for another index than the entry's");
    return passed(Check::checkpoint, check_checkpoint(*entry.proof, log, key->get())) &&
           passed(Check::inclusion, check_inclusion(entry));
  }

  bool timestamped() {
    if (root_.timestamp_authorities.empty()) return true;  // this instance has none
    for (const auto& timestamp : bundle_.timestamps) {
      const auto time =
          check_timestamp(timestamp, bundle_.signature(), root_.timestamp_authorities);
      if (!time) return fail(Check::timestamp, time.error().to_string());
      verdict_.times.push_back(*time);
    }
    return true;
  }

  bool logs_valid_then() {
    for (const Log* log : entry_logs_) {
      for (const Instant time : verdict_.times) {
        if (!log->valid.contains(time))
          return fail(Check::time,
                      "it was signed outside of the validity that the trusted root "
                      "gives to " +
                          log->host);
      }
    }
    return true;
  }

  bool signed_by_whom() {
    if (const auto* trusted = std::get_if<PublicKey>(&signer_)) return key_valid_then(*trusted);
    if (verdict_.times.empty())
      return fail(Check::time,
                  "nothing proves when it was signed (neither a log's promise nor a "
                  "timestamp)");
    if (!passed(Check::certificate, check_usage(certificate_.get()))) return false;
    const auto chain = chain_to(certificate_.get(), root_.certificate_authorities, verdict_.times);
    if (!chain) return fail(Check::certificate, chain.error().to_string());
    if (sk_X509_num(chain->get()) < 2) return fail(Check::certificate, "it vouches for itself");
    return passed(Check::sct,
                  check_sct(certificate_.get(), sk_X509_value(chain->get(), 1), root_.ct_logs)) &&
           identified(std::get<Identity>(signer_));
  }

  bool key_valid_then(const PublicKey& trusted) {
    if (!trusted.valid) return true;
    if (verdict_.times.empty()) return fail(Check::time, "nothing proves when it was signed");
    for (const Instant time : verdict_.times) {
      if (!trusted.valid->contains(time))
        return fail(Check::time, "it was signed when the key was not valid");
    }
    return true;
  }

  bool identified(const Identity& expected) {
    X509* certificate = certificate_.get();
    const auto names = subject_names(certificate);
    if (names.empty()) return fail(Check::identity, "the certificate names nobody");
    const auto named = std::find(names.begin(), names.end(), expected.san);
    if (!expected.san.empty() && named == names.end())
      return fail(Check::identity, "the certificate names " + to_utf8(names.front()) + ", not " +
                                       to_utf8(expected.san));
    verdict_.identity = named == names.end() ? names.front() : *named;
    verdict_.issuer = identity_issuer(certificate);
    if (!expected.issuer.empty() && verdict_.issuer != expected.issuer)
      return fail(Check::issuer,
                  "the identity was told by " +
                      (verdict_.issuer.empty() ? "nobody" : to_utf8(verdict_.issuer)) +
                      ", not by " + to_utf8(expected.issuer));
    verdict_.source_repository = extension_text(certificate, kSourceRepositoryOid);
    verdict_.source_commit = extension_text(certificate, kSourceCommitOid);
    verdict_.build_signer = extension_text(certificate, kBuildSignerOid);
    return true;
  }

  // Of what the signature covers.
  std::optional<std::string> covered_digest(Hash hash) const {
    if (const auto* envelope = std::get_if<Envelope>(&bundle_.content))
      return digest(hash, pre_authentication_encoding(envelope->payload_type, envelope->payload));
    return artifact_.digest(hash);
  }

  bool log_speaks_of_it() {
    const Logged logged{bundle_, verifier_, [this](Hash hash) { return covered_digest(hash); }};
    for (const auto& entry : bundle_.entries) {
      if (!passed(Check::binding, check_body(entry, logged))) return false;
    }
    return true;
  }

  bool artifact_named() {
    if (const auto* message = std::get_if<Message>(&bundle_.content)) {
      if (message->digest.empty()) return true;
      const auto expected = artifact_.digest(*message->hash);
      return !expected || *expected == message->digest ||
             fail(Check::artifact, "the bundle's digest is another artifact's");
    }
    const auto& envelope = std::get<Envelope>(bundle_.content);
    if (envelope.payload_type != kInTotoPayloadType)
      return fail(Check::artifact,
                  "the envelope holds \"" + to_utf8(envelope.payload_type) + "\", no statement");
    const auto statement = parse_statement(envelope.payload);
    if (!statement) return fail(Check::artifact, statement.error().to_string());
    if (!names_artifact(*statement, artifact_))
      return fail(Check::artifact, "none of the statement's subjects is this artifact");
    verdict_.payload_type = envelope.payload_type;
    verdict_.payload = envelope.payload;
    return true;
  }

  bool signature_holds() {
    const std::string& signature = bundle_.signature();
    if (is_ed25519(key_)) return pure_signature_holds(signature);
    // The hash that is named, the one of the key's size, and what older signers always took.
    std::vector<Hash> hashes{hash_for(key_), Hash::sha256};
    const auto* message = std::get_if<Message>(&bundle_.content);
    if (message && message->hash) hashes.insert(hashes.begin(), *message->hash);
    bool known = false;
    for (const Hash hash : std::set<Hash>(hashes.begin(), hashes.end())) {
      const auto covered = covered_digest(hash);
      if (!covered) continue;
      known = true;
      if (digest_signed_by(key_, hash, *covered, signature)) return true;
    }
    if (!known)
      return fail(Check::signature, "it covers a digest of the artifact that is not known");
    return fail(Check::signature, "it is not over this, or not by this key");
  }

  bool pure_signature_holds(const std::string& signature) {
    std::string covered;
    if (const auto* envelope = std::get_if<Envelope>(&bundle_.content))
      covered = pre_authentication_encoding(envelope->payload_type, envelope->payload);
    else if (artifact_.bytes())
      covered = *artifact_.bytes();
    else
      return fail(Check::signature, "an Ed25519 signature needs the artifact itself, not a digest");
    return signed_by(key_, Hash::sha512, covered, signature) ||
           fail(Check::signature, "it is not over this, or not by this key");
  }

  const Bundle& bundle_;
  const TrustedRoot::Parts& root_;
  const Artifact& artifact_;
  const Signer& signer_;
  Verdict verdict_;
  KeyPtr own_key_;
  CertificatePtr certificate_;
  EVP_PKEY* key_ = nullptr;  // one of the two above
  std::string verifier_;     // its DER
  std::vector<const Log*> entry_logs_;
};

}  // namespace

Verdict verify(const Bundle& bundle, const TrustedRoot& root, const Artifact& artifact,
               const Signer& signer) {
  const ErrorQueue errors;
  return Verification(bundle, root, artifact, signer).run();
}

Verdict verify_bundle(std::string_view bundle_json, const TrustedRoot& root,
                      const Artifact& artifact, const Signer& signer) {
  const auto bundle = parse_bundle(bundle_json);
  if (bundle.ok()) return verify(*bundle, root, artifact, signer);
  Verdict verdict;
  verdict.failed = Check::bundle;
  verdict.reason = "bundle: " + bundle.error().to_string();
  return verdict;
}

std::string_view to_string(Check check) {
  switch (check) {
    case Check::bundle:
      return "bundle";
    case Check::signer:
      return "signer";
    case Check::log_entry:
      return "log entry";
    case Check::promise:
      return "log promise";
    case Check::checkpoint:
      return "checkpoint";
    case Check::inclusion:
      return "inclusion proof";
    case Check::timestamp:
      return "timestamp";
    case Check::time:
      return "time of signing";
    case Check::certificate:
      return "certificate";
    case Check::sct:
      return "certificate timestamp";
    case Check::identity:
      return "identity";
    case Check::issuer:
      return "issuer";
    case Check::binding:
      return "log binding";
    case Check::artifact:
      return "artifact";
    case Check::signature:
      return "signature";
  }
  return "";
}

}  // namespace gitaiops::scanner::provenance
