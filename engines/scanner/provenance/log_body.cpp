#include "engines/scanner/provenance/log_body.h"

#include <array>

#include "engines/scanner/provenance/json.h"
#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {
namespace {

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

Status same_signature(const std::string& logged, const Logged& expected) {
  if (logged != expected.bundle.signature()) return failed("the log entry names another signature");
  return {};
}

Status same_verifier(std::string_view der, const Logged& expected) {
  if (der != expected.verifier) return failed("the log entry names another key or certificate");
  return {};
}

// Base64 of a PEM text, as Rekor 1 writes keys and certificates.
Status same_pem_verifier(const Json* object, const char* key, const Logged& expected) {
  ASSIGN_OR_RETURN(const auto pem, base64_member(object, key));
  ASSIGN_OR_RETURN(const auto block, first_pem_block(pem), key);
  return same_verifier(block.der, expected);
}

// {"x509Certificate":{"rawBytes"}} or {"publicKey":{"rawBytes"}}, as Rekor 2 writes them.
Status same_raw_verifier(const Json* verifier, const Logged& expected) {
  const char* kind = expected.bundle.certificates.empty() ? "publicKey" : "x509Certificate";
  ASSIGN_OR_RETURN(const auto der, base64_member(member(verifier, kind), "rawBytes"), kind);
  return same_verifier(der, expected);
}

Status same_digest(std::string_view algorithm, const std::string& logged,
                   const std::function<std::optional<std::string>(Hash)>& digest_of,
                   const char* what) {
  const auto hash = hash_named(algorithm);
  if (!hash) return failed("the log entry's hash \"" + to_utf8(algorithm) + "\" is not accepted");
  const auto expected = digest_of(*hash);
  if (!expected)
    return failed("the log entry holds a " + std::string(to_string(*hash)) +
                  " digest, and none of the artifact is known");
  if (logged != *expected) return failed("the log entry names another " + std::string(what));
  return {};
}

Status same_hex_digest(const Json* object,
                       const std::function<std::optional<std::string>(Hash)>& digest_of,
                       const char* what) {
  ASSIGN_OR_RETURN(const auto algorithm, text_member(object, "algorithm"));
  ASSIGN_OR_RETURN(const auto hex, text_member(object, "value"));
  return same_digest(algorithm, hex_decode(hex).value_or(""), digest_of, what);
}

Status same_raw_digest(const Json* object,
                       const std::function<std::optional<std::string>(Hash)>& digest_of,
                       const char* what) {
  ASSIGN_OR_RETURN(const auto algorithm, text_member(object, "algorithm"));
  ASSIGN_OR_RETURN(const auto raw, base64_member(object, "digest"));
  return same_digest(algorithm, raw, digest_of, what);
}

Status hashedrekord_1(const Json* spec, const Logged& logged) {
  RETURN_IF_ERROR(same_hex_digest(member(spec, {"data", "hash"}), logged.digest, "artifact"));
  const Json* signature = member(spec, "signature");
  ASSIGN_OR_RETURN(const auto content, base64_member(signature, "content"), "signature");
  RETURN_IF_ERROR(same_signature(content, logged));
  return same_pem_verifier(member(signature, "publicKey"), "content", logged);
}

Status hashedrekord_2(const Json* spec, const Logged& logged) {
  const Json* inner = member(spec, "hashedRekordV002");
  RETURN_IF_ERROR(same_raw_digest(member(inner, "data"), logged.digest, "artifact"));
  const Json* signature = member(inner, "signature");
  ASSIGN_OR_RETURN(const auto content, base64_member(signature, "content"), "signature");
  RETURN_IF_ERROR(same_signature(content, logged));
  return same_raw_verifier(member(signature, "verifier"), logged);
}

Result<const Json*> only_signature(const Json* object) {
  ASSIGN_OR_RETURN(const Json* signatures, list_member(object, "signatures"));
  if (signatures->size() != 1)
    return failed("the log entry names " + std::to_string(signatures->size()) +
                  " signatures, the bundle one");
  return &signatures->front();
}

auto payload_digest(const Logged& logged) {
  return [&logged](Hash hash) {
    return std::optional(digest(hash, std::get<Envelope>(logged.bundle.content).payload));
  };
}

Status dsse_1(const Json* spec, const Logged& logged) {
  RETURN_IF_ERROR(same_hex_digest(member(spec, "payloadHash"), payload_digest(logged), "payload"));
  ASSIGN_OR_RETURN(const Json* signature, only_signature(spec));
  ASSIGN_OR_RETURN(const auto content, base64_member(signature, "signature"));
  RETURN_IF_ERROR(same_signature(content, logged));
  return same_pem_verifier(signature, "verifier", logged);
}

Status dsse_2(const Json* spec, const Logged& logged) {
  const Json* inner = member(spec, "dsseV002");
  RETURN_IF_ERROR(same_raw_digest(member(inner, "payloadHash"), payload_digest(logged), "payload"));
  ASSIGN_OR_RETURN(const Json* signature, only_signature(inner));
  ASSIGN_OR_RETURN(const auto content, base64_member(signature, "content"));
  RETURN_IF_ERROR(same_signature(content, logged));
  return same_raw_verifier(member(signature, "verifier"), logged);
}

Status intoto_2(const Json* spec, const Logged& logged) {
  const Json* content = member(spec, "content");
  RETURN_IF_ERROR(
      same_hex_digest(member(content, "payloadHash"), payload_digest(logged), "payload"));
  ASSIGN_OR_RETURN(const auto type, text_member(member(content, "envelope"), "payloadType"));
  if (type != std::get<Envelope>(logged.bundle.content).payload_type)
    return failed("the log entry names another payload type");
  ASSIGN_OR_RETURN(const Json* signature, only_signature(member(content, "envelope")));
  ASSIGN_OR_RETURN(auto raw, base64_member(signature, "sig"));
  // This type wraps the signature's base64 in base64 once more; some logs did not.
  if (raw != logged.bundle.signature()) raw = base64_decode(raw).value_or("");
  RETURN_IF_ERROR(same_signature(raw, logged));
  return same_pem_verifier(signature, "publicKey", logged);
}

struct EntryType {
  std::string_view kind, version;
  bool message;  // whether it can speak of a bare message too, or only of an envelope
  Status (*check)(const Json* spec, const Logged& logged);
};
constexpr std::array<EntryType, 5> kEntryTypes{{{"hashedrekord", "0.0.1", true, hashedrekord_1},
                                                {"hashedrekord", "0.0.2", true, hashedrekord_2},
                                                {"dsse", "0.0.1", false, dsse_1},
                                                {"dsse", "0.0.2", false, dsse_2},
                                                {"intoto", "0.0.2", false, intoto_2}}};

}  // namespace

Status check_body(const LogEntry& entry, const Logged& logged) {
  ASSIGN_OR_RETURN(const Json body, parse_json(entry.body), "the log entry's body");
  ASSIGN_OR_RETURN(const auto kind, text_member(&body, "kind"));
  ASSIGN_OR_RETURN(const auto version, text_member(&body, "apiVersion"));
  if (kind != entry.kind || version != entry.version)
    return failed("the log entry's body is a " + to_utf8(kind) + " " + to_utf8(version) +
                  ", the bundle says " + to_utf8(entry.kind) + " " + to_utf8(entry.version));
  const bool envelope = std::holds_alternative<Envelope>(logged.bundle.content);
  for (const auto& type : kEntryTypes) {
    if (type.kind == kind && type.version == version && (type.message || envelope))
      return type.check(member(&body, "spec"), logged);
  }
  return failed("a log entry of type \"" + to_utf8(kind + " " + version) +
                "\" says nothing about a bundle with " +
                (envelope ? "an envelope" : "a message signature"));
}

}  // namespace gitaiops::scanner::provenance
