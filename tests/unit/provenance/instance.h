// A Sigstore instance of the tests' own, made with OpenSSL: certificate authority, CT log, Rekor
// log and timestamp authority, and bundles that they vouch for. Every part can be spoilt on its
// own, so that a test says which one lie a verification must not believe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace gitaiops::scanner::provenance::testing {

using Json = nlohmann::json;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

inline constexpr int64_t kNow = 1700000000;  // 2023-11-14T22:13:20Z
inline constexpr const char* kSubject = "https://ci.example/shop/cart//.gitlab-ci.yml@refs/tags/v1";
inline constexpr const char* kIssuer = "https://ci.example";

Key ec_key(const char* curve = "P-256");
Key ed25519_key();
std::string public_pem(EVP_PKEY* key);
std::string public_der(EVP_PKEY* key);
std::string pem_of(X509* certificate);
std::string der_of(X509* certificate);
std::string base64(const std::string& bytes);
std::string unbase64(const std::string& text);
std::string sha256(const std::string& bytes);
std::string hex(const std::string& bytes);
std::string sign(EVP_PKEY* key, const std::string& message);

// What a leaf certificate is made of.
struct LeafOptions {
  const char* subject = kSubject;  // a URI, or an e-mail address when it has no ':'
  const char* issuer = kIssuer;    // extension 1.3.6.1.4.1.57264.1.8
  const char* extended_usage = "codeSigning";
  const char* basic_constraints = "critical,CA:FALSE";
  int64_t from = kNow - 300, to = kNow + 300;
  int64_t sct_time = kNow - 300;
  bool sct = true;
  bool sct_of_other_issuer = false;
};

// What a bundle is made of; each field spoils one thing when it is not as here.
struct BundleOptions {
  int64_t integrated_time = kNow;
  bool rekor_2 = false;    // hashedrekord 0.0.2, no promise, a timestamp
  bool timestamp = false;  // with Rekor 1 too
  int64_t timestamp_time = kNow;
  bool timestamp_embeds_certificate = true;
  bool managed_key = false;
  std::string payload = {};  // an envelope with it instead of a plain message
  std::string payload_type = "application/vnd.in-toto+json";
  std::string entry_kind = {};       // of an envelope: dsse, intoto; hashedrekord when empty
  int tree_leaves = 5;               // the entry is the third
  std::string checkpoint_name = {};  // of the signature line, when another one than the log's
  // Changes the entry's body before it is logged.
  std::function<void(Json&)> body = {};
};

class Instance {
 public:
  Instance();

  // trusted_root.json
  Json trusted_root() const;
  // A bundle (0.3) over the artifact that verifies for kSubject by kIssuer, unless the options
  // say otherwise.
  Json bundle(const std::string& artifact, const BundleOptions& options = {},
              const LeafOptions& leaf_options = {});

  // DER TimeStampResp over the bytes.
  std::string timestamp(const std::string& bytes, int64_t time, bool embed_certificate) const;
  Certificate leaf(EVP_PKEY* key, const LeafOptions& options) const;
  std::string managed_key_pem() const { return public_pem(managed_key_.get()); }
  EVP_PKEY* rekor_key() const { return rekor_key_.get(); }

 private:
  Json log_entry(const Json& body, const BundleOptions& options) const;
  std::string inclusion_checkpoint(const std::string& root_hash,
                                   const BundleOptions& options) const;

  Key root_key_, intermediate_key_, ct_key_, rekor_key_, rekor_2_key_, tsa_key_, managed_key_;
  Certificate root_, intermediate_, tsa_;
};

}  // namespace gitaiops::scanner::provenance::testing
