// Keys, certificates and the small authority that signs them: P-256 everywhere, over OpenSSL,
// without gRPC.
//
// Keys and certificates travel as PEM text, requests as DER; nothing here reads a clock or a file.
// Foreign bytes (requests, certificates of a peer) may be anything: the answer is an Error, never a
// crash. Thread safety: functions, any thread; an Authority is constant after construction, any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "base/result/result.h"

namespace gitaiops::tls {

// From when to when a certificate holds; whole seconds, fractions are cut off.
struct Validity {
  UnixMicros not_before;
  UnixMicros not_after;
};

// ---- The holder's side ----

// A new private key: PKCS #8, PEM, unencrypted.
Result<std::string> make_key();
// A PKCS #10 request in DER for that key. Its subject is empty: who the holder is, the authority
// decides.
Result<std::string> make_request(std::string_view key_pem);
// invalid_argument unless the private key belongs to the (first) certificate.
Status check_key_matches(std::string_view key_pem, std::string_view certificate_pem);

// ---- Reading certificates ----

struct CertificateFacts {
  std::string subject;  // common name; may be empty
  Validity validity;
  std::vector<std::string> uris;   // subject alternative names
  std::vector<std::string> hosts;  // DNS names and IP addresses among them
  std::string pin;                 // "sha256:<64 hex>" of the SubjectPublicKeyInfo
  std::string fingerprint;         // SHA-256 of the whole certificate, hex
  bool authority = false;          // may sign others
  uint64_t generation = 0;         // of an agent's certificate: grows with each renewal; 0: untold
};
// Of the first certificate in the text.
Result<CertificateFacts> facts(std::string_view certificate_pem);
// Each certificate of a bundle as PEM of its own; an empty or broken bundle is an error.
Result<std::vector<std::string>> split_bundle(std::string_view bundle_pem);
// Ok when a certificate of the bundle signed the leaf. Says nothing about time or names.
Status check_signed_by(std::string_view certificate_pem, std::string_view bundle_pem);

// What a server presents, leaf first, as PEM: a bare TLS handshake over which nothing is sent.
// Nothing is verified: compare pins. Blocking, for at most `timeout` in all (name resolution
// excepted).
Result<std::vector<std::string>> fetch_peer_chain(const std::string& host, uint16_t port,
                                                  std::chrono::milliseconds timeout);

// "host:port" or "[v6]:port".
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

// ---- The authority's side ----

// The identity an agent's certificate carries: "gitaiops://agent/<id>".
std::string agent_uri(std::string_view agent_id);
// The <id> of such a name; not_found when the certificate names no agent, or more than one.
Result<std::string> agent_id(const CertificateFacts& facts);

class Authority {
 public:
  // A self-signed certificate of its own with a new key; may sign leaves only.
  static Result<Authority> create(std::string_view name, Validity validity);
  static Result<Authority> load(std::string_view key_pem, std::string_view certificate_pem);

  const std::string& key_pem() const { return key_pem_; }
  const std::string& certificate_pem() const { return certificate_pem_; }
  const std::string& pin() const { return pin_; }

  // A client certificate for the key in the request, and for nothing else in it. The generation
  // stands in the subject as its serial number. invalid_argument: the request is damaged, larger
  // than 2 KiB, not signed by its own key, or not P-256.
  Result<std::string> sign_agent(std::string_view request_der, std::string_view id,
                                 Validity validity, uint64_t generation = 0) const;
  // A server certificate for these DNS names and IP addresses.
  Result<std::string> sign_server(std::string_view request_der,
                                  const std::vector<std::string>& hosts, Validity validity) const;

 private:
  Authority() = default;
  std::string key_pem_, certificate_pem_, pin_;
};

// Ok when sign_agent would take the request: to refuse it before anything is spent on it.
Status check_request(std::string_view request_der);

}  // namespace gitaiops::tls
