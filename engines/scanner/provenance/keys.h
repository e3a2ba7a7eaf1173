// Private to provenance: OpenSSL's objects with owners, and the few things asked of them: digests,
// public keys, signatures, base64. SHA-2 only; keys of RSA 2048 to 8192, NIST P-256, P-384, P-521
// and Ed25519 only, so that no input can ask for a weak or an endless computation.
//
// Thread safety: pure functions; an EVP_PKEY or X509 that is only read may be shared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/result/result.h"
#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::scanner::provenance {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
template <class T, auto free_function>
using Owned = std::unique_ptr<T, Freed<free_function>>;

using KeyPtr = Owned<EVP_PKEY, EVP_PKEY_free>;
using CertificatePtr = Owned<X509, X509_free>;

// OpenSSL notes each refusal in a queue of the thread; nobody may find ours there.
class ErrorQueue {
 public:
  ErrorQueue() = default;
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;
  ~ErrorQueue();
};

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

const EVP_MD* algorithm_of(Hash hash);
std::string digest(Hash hash, std::string_view bytes);

// Standard alphabet with padding, as protobuf writes JSON; line ends between characters are
// accepted, anything else is not.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

// A DER SubjectPublicKeyInfo (or a bare PKCS#1 RSAPublicKey) of an accepted kind; nothing may
// follow it.
Result<KeyPtr> key_from_der(std::string_view der);
// The first PUBLIC KEY block of a PEM text.
Result<KeyPtr> key_from_pem(std::string_view pem);
Status accepted(EVP_PKEY* key);
std::string spki_der(EVP_PKEY* key);
// The hash that goes with a key where nothing else is said: the size of its curve.
Hash hash_for(EVP_PKEY* key);

Result<CertificatePtr> certificate_from_der(std::string_view der);
std::string certificate_der(X509* certificate);

// The bytes of a PEM text's first block, and its label ("CERTIFICATE", "PUBLIC KEY").
struct PemBlock {
  std::string label;
  std::string der;
};
Result<PemBlock> first_pem_block(std::string_view pem);

// Whether a signature over the message is the key's. RSA by PKCS #1 v1.5 or PSS; Ed25519 hashes by
// itself and leaves `hash` out of account.
bool signed_by(EVP_PKEY* key, Hash hash, std::string_view message, std::string_view signature);
// The same when only the message's digest is known. Never true for Ed25519.
bool digest_signed_by(EVP_PKEY* key, Hash hash, std::string_view digest,
                      std::string_view signature);
bool is_ed25519(EVP_PKEY* key);

}  // namespace gitaiops::scanner::provenance
