// Private to base/tls: OpenSSL's objects with owners, its error queue as Error, PEM and times.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock/clock.h"
#include "base/result/result.h"

namespace gitaiops::tls {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

// Takes the first error off OpenSSL's queue and clears the rest.
Error openssl_error(Code code, std::string what);

BioPtr reader(std::string_view text);
std::string written(BIO* bio);

Result<KeyPtr> parse_key(std::string_view pem);
Result<CertificatePtr> parse_certificate(std::string_view pem);
std::string to_pem(X509* certificate);
bool is_p256(EVP_PKEY* key);

}  // namespace gitaiops::tls
