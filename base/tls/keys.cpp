#include <climits>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/tls/openssl.h"
#include "base/tls/tls.h"

namespace gitaiops::tls {

Error openssl_error(Code code, std::string what) {
  const unsigned long number = ERR_get_error();
  ERR_clear_error();
  if (number == 0) return Error(code, std::move(what));
  const char* reason = ERR_reason_error_string(number);
  return Error(code, what + ": " + (reason ? reason : "OpenSSL error " + std::to_string(number)));
}

BioPtr reader(std::string_view text) {
  const auto size = static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX));
  return BioPtr(BIO_new_mem_buf(text.data(), size));
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Result<KeyPtr> parse_key(std::string_view pem) {
  // The empty pass phrase keeps OpenSSL from asking on the terminal for an encrypted key.
  static char no_phrase[] = "";
  KeyPtr key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, no_phrase));
  if (!key) return openssl_error(Code::invalid_argument, "not a private key in PEM");
  return key;
}

Result<CertificatePtr> parse_certificate(std::string_view pem) {
  CertificatePtr certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return openssl_error(Code::invalid_argument, "not a certificate in PEM");
  return certificate;
}

std::string to_pem(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return written(out.get());
}

bool is_p256(EVP_PKEY* key) {
  char group[32] = {};
  std::size_t length = 0;
  return EVP_PKEY_is_a(key, "EC") &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                        &length) == 1 &&
         std::string_view(group) == "prime256v1";
}

Result<std::string> make_key() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!key || PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return openssl_error(Code::internal, "making a P-256 key");
  }
  return written(out.get());
}

Result<std::string> make_request(std::string_view key_pem) {
  ASSIGN_OR_RETURN(const auto key, parse_key(key_pem));
  const RequestPtr request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return openssl_error(Code::internal, "making a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return openssl_error(Code::internal, "encoding a certificate request");
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

Status check_key_matches(std::string_view key_pem, std::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const auto key, parse_key(key_pem));
  ASSIGN_OR_RETURN(const auto certificate, parse_certificate(certificate_pem));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return openssl_error(Code::invalid_argument,
                         "the private key does not belong to the certificate");
  }
  return {};
}

}  // namespace gitaiops::tls
