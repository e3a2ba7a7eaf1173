#include "engines/scanner/provenance/bundle.h"

#include "engines/scanner/provenance/json.h"
#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::size_t kListMax = 64;  // entries, timestamps, hashes, certificates

Error malformed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

Result<int> minor_version(const std::string& media_type) {
  constexpr std::string_view kOld = "application/vnd.dev.sigstore.bundle+json;version=0.";
  constexpr std::string_view kNew = "application/vnd.dev.sigstore.bundle.v0.";
  for (int minor = 1; minor <= 3; ++minor) {
    const auto digit = std::to_string(minor);
    if (media_type == std::string(kOld) + digit ||
        media_type == std::string(kNew) + digit + "+json")
      return minor;
  }
  return malformed("mediaType \"" + to_utf8(media_type) + "\" is no version from 0.1 to 0.3");
}

Result<const Json*> bounded_list(const Json* object, const char* key) {
  ASSIGN_OR_RETURN(const Json* list, list_member(object, key));
  if (list->size() > kListMax)
    return malformed("\"" + std::string(key) + "\" has more than 64 elements");
  return list;
}

Result<InclusionProof> read_proof(const Json* json) {
  InclusionProof proof;
  ASSIGN_OR_RETURN(proof.index, integer_member(json, "logIndex"));
  ASSIGN_OR_RETURN(proof.tree_size, integer_member(json, "treeSize"));
  ASSIGN_OR_RETURN(proof.root_hash, base64_member(json, "rootHash"));
  ASSIGN_OR_RETURN(const Json* hashes, bounded_list(json, "hashes"));
  for (const auto& hash : *hashes) {
    auto raw = hash.is_string() ? base64_decode(hash.get_ref<const std::string&>()) : std::nullopt;
    if (!raw) return malformed("\"hashes\" holds something that is no base64");
    proof.hashes.push_back(std::move(*raw));
  }
  ASSIGN_OR_RETURN(proof.checkpoint, text_member(member(json, "checkpoint"), "envelope"));
  if (proof.index < 0 || proof.tree_size < 0) return malformed("a negative index or tree size");
  return proof;
}

Result<LogEntry> read_entry(const Json& json) {
  LogEntry entry;
  ASSIGN_OR_RETURN(entry.index, integer_member(&json, "logIndex"));
  if (entry.index < 0) return malformed("a negative logIndex");
  ASSIGN_OR_RETURN(entry.log_id, base64_member(member(&json, "logId"), "keyId"));
  const Json* kind = member(&json, "kindVersion");
  ASSIGN_OR_RETURN(entry.kind, text_member(kind, "kind"));
  ASSIGN_OR_RETURN(entry.version, text_member(kind, "version"));
  ASSIGN_OR_RETURN(entry.integrated_time, integer_member(&json, "integratedTime"));
  ASSIGN_OR_RETURN(entry.promise,
                   base64_member(member(&json, "inclusionPromise"), "signedEntryTimestamp"));
  if (const Json* proof = member(&json, "inclusionProof")) {
    ASSIGN_OR_RETURN(entry.proof, read_proof(proof), "inclusionProof");
  }
  ASSIGN_OR_RETURN(entry.body, base64_member(&json, "canonicalizedBody"));
  return entry;
}

Status read_signer(const Json* material, Bundle& bundle) {
  const Json* one = member(material, "certificate");
  const Json* chain = member(material, "x509CertificateChain");
  const Json* key = member(material, "publicKey");
  if ((one != nullptr) + (chain != nullptr) + (key != nullptr) != 1)
    return malformed(
        "exactly one of \"certificate\", \"x509CertificateChain\" and \"publicKey\" is needed");
  if (key) {
    ASSIGN_OR_RETURN(bundle.key_hint, text_member(key, "hint"), "publicKey");
    return {};
  }
  if (one) {
    ASSIGN_OR_RETURN(auto der, base64_member(one, "rawBytes"), "certificate");
    bundle.certificates.push_back(std::move(der));
    return {};
  }
  if (bundle.minor_version >= 3)
    return malformed("since version 0.3 there is no x509CertificateChain");
  ASSIGN_OR_RETURN(const Json* list, bounded_list(chain, "certificates"));
  for (const auto& certificate : *list) {
    ASSIGN_OR_RETURN(auto der, base64_member(&certificate, "rawBytes"), "x509CertificateChain");
    bundle.certificates.push_back(std::move(der));
  }
  if (bundle.certificates.empty()) return malformed("an empty certificate chain");
  return {};
}

Result<Message> read_message(const Json* json) {
  Message message;
  if (const Json* hint = member(json, "messageDigest")) {
    ASSIGN_OR_RETURN(const auto algorithm, text_member(hint, "algorithm"), "messageDigest");
    message.hash = hash_named(algorithm);
    if (!message.hash)
      return malformed("messageDigest: the algorithm \"" + to_utf8(algorithm) +
                       "\" is not accepted");
    ASSIGN_OR_RETURN(message.digest, base64_member(hint, "digest"), "messageDigest");
  }
  ASSIGN_OR_RETURN(message.signature, base64_member(json, "signature"));
  return message;
}

Result<Envelope> read_envelope(const Json* json) {
  Envelope envelope;
  ASSIGN_OR_RETURN(envelope.payload_type, text_member(json, "payloadType"));
  ASSIGN_OR_RETURN(envelope.payload, base64_member(json, "payload"));
  ASSIGN_OR_RETURN(const Json* signatures, list_member(json, "signatures"));
  if (signatures->size() != 1) return malformed("exactly one signature is needed");
  ASSIGN_OR_RETURN(envelope.signature, base64_member(&signatures->front(), "sig"));
  return envelope;
}

Status read_content(const Json& json, Bundle& bundle) {
  const Json* message = member(&json, "messageSignature");
  const Json* envelope = member(&json, "dsseEnvelope");
  if ((message != nullptr) == (envelope != nullptr))
    return malformed("exactly one of \"messageSignature\" and \"dsseEnvelope\" is needed");
  if (message) {
    ASSIGN_OR_RETURN(bundle.content, read_message(message), "messageSignature");
  } else {
    ASSIGN_OR_RETURN(bundle.content, read_envelope(envelope), "dsseEnvelope");
  }
  if (bundle.signature().empty()) return malformed("there is no signature");
  return {};
}

// What each version obliges an entry to carry.
Status complete(const LogEntry& entry, int minor_version) {
  if (minor_version == 1) {
    if (entry.promise.empty()) return malformed("version 0.1 needs an inclusion promise");
  } else if (!entry.proof || entry.proof->checkpoint.empty()) {
    return malformed("since version 0.2 an inclusion proof with a checkpoint is needed");
  }
  return {};
}

Status read_entries(const Json* material, const char* key, Bundle& bundle) {
  ASSIGN_OR_RETURN(const Json* entries, bounded_list(material, key));
  for (const auto& entry : *entries) {
    ASSIGN_OR_RETURN(auto read, read_entry(entry), key);
    RETURN_IF_ERROR(complete(read, bundle.minor_version), key);
    bundle.entries.push_back(std::move(read));
  }
  return {};
}

}  // namespace

const std::string& Bundle::signature() const {
  if (const auto* message = std::get_if<Message>(&content)) return message->signature;
  return std::get<Envelope>(content).signature;
}

Result<Bundle> parse_bundle(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text));
  return read_bundle(json);
}

Result<Bundle> read_bundle(const Json& json) {
  Bundle bundle;
  ASSIGN_OR_RETURN(const auto media_type, text_member(&json, "mediaType"));
  ASSIGN_OR_RETURN(bundle.minor_version, minor_version(media_type));
  const Json* material = member(&json, "verificationMaterial");
  RETURN_IF_ERROR(read_signer(material, bundle), "verificationMaterial");
  RETURN_IF_ERROR(read_entries(material, "tlogEntries", bundle));
  ASSIGN_OR_RETURN(
      const Json* timestamps,
      bounded_list(member(material, "timestampVerificationData"), "rfc3161Timestamps"));
  for (const auto& timestamp : *timestamps) {
    ASSIGN_OR_RETURN(auto der, base64_member(&timestamp, "signedTimestamp"), "rfc3161Timestamps");
    bundle.timestamps.push_back(std::move(der));
  }
  RETURN_IF_ERROR(read_content(json, bundle));
  return bundle;
}

Result<Bundle> read_python_attestation(const Json& json) {
  ASSIGN_OR_RETURN(const auto version, integer_member(&json, "version"));
  if (version != 1)
    return malformed("an attestation of version " + std::to_string(version) + ", known is 1");
  const Json* material = member(&json, "verification_material");
  Bundle bundle;
  bundle.minor_version = 3;
  ASSIGN_OR_RETURN(auto certificate, base64_member(material, "certificate"));
  bundle.certificates.push_back(std::move(certificate));
  RETURN_IF_ERROR(read_entries(material, "transparency_entries", bundle));
  const Json* envelope = member(&json, "envelope");
  Envelope content;
  content.payload_type = "application/vnd.in-toto+json";
  ASSIGN_OR_RETURN(content.payload, base64_member(envelope, "statement"), "envelope");
  ASSIGN_OR_RETURN(content.signature, base64_member(envelope, "signature"), "envelope");
  if (content.signature.empty()) return malformed("there is no signature");
  bundle.content = std::move(content);
  return bundle;
}

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(payload_type.size()) + " ";
  out.append(payload_type).append(" ").append(std::to_string(payload.size())).append(" ");
  return out.append(payload);
}

}  // namespace gitaiops::scanner::provenance
