#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include "base/tls/openssl.h"
#include "base/tls/tls.h"

namespace gitaiops::tls {
namespace {

constexpr std::size_t kMaxRequest = 2048;
constexpr int kSerialBits = 127;  // random: certificates need no counter that would have to survive

Error failed(std::string what) {
  return openssl_error(Code::internal, std::move(what));
}

Result<RequestPtr> parse_request(std::string_view der) {
  if (der.size() > kMaxRequest)
    return Error(Code::invalid_argument, "the certificate request is larger than 2 KiB");
  auto at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || at != end)
    return openssl_error(Code::invalid_argument, "the certificate request is damaged");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (!key || !is_p256(key))
    return openssl_error(Code::invalid_argument, "the certificate request's key is not P-256");
  if (X509_REQ_verify(request.get(), key) != 1) {
    return openssl_error(Code::invalid_argument,
                         "the certificate request is not signed by its own key");
  }
  return request;
}

bool set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, Validity validity) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate),
                       validity.not_before.value / kMicrosPerSecond) &&
         ASN1_TIME_set(X509_getm_notAfter(certificate),
                       validity.not_after.value / kMicrosPerSecond);
}

bool set_name(X509_NAME* name, std::string_view text, int nid = NID_commonName) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_generation(X509_NAME* name, uint64_t generation) {
  return generation == 0 || set_name(name, std::to_string(generation), NID_serialNumber);
}

// Values here are constants of this file; foreign text never reaches OpenSSL's configuration
// syntax.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(GENERAL_NAMES* names, int type, std::string_view text) {
  std::unique_ptr<ASN1_STRING, Freed<ASN1_STRING_free>> value(
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  std::unique_ptr<GENERAL_NAME, Freed<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  if (!value || !name ||
      ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1)
    return false;
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  return sk_GENERAL_NAME_push(names, name.release()) > 0;
}

bool add_host(GENERAL_NAMES* names, const std::string& host) {
  unsigned char address[16];
  if (inet_pton(AF_INET, host.c_str(), address) == 1)
    return add_name(names, GEN_IPADD, {reinterpret_cast<char*>(address), 4});
  if (inet_pton(AF_INET6, host.c_str(), address) == 1)
    return add_name(names, GEN_IPADD, {reinterpret_cast<char*>(address), 16});
  return add_name(names, GEN_DNS, host);
}

struct Leaf {
  std::string_view common_name;  // for people who look at it
  const GENERAL_NAMES* names;
  const char* purpose;  // extended key usage: an agent's certificate must not pass for a server's
  Validity validity;
  uint64_t generation = 0;
};

Result<std::string> sign(const Authority& authority, std::string_view request_der,
                         const Leaf& leaf) {
  ASSIGN_OR_RETURN(const auto request, parse_request(request_der));
  ASSIGN_OR_RETURN(const auto issuer, parse_certificate(authority.certificate_pem()));
  ASSIGN_OR_RETURN(const auto key, parse_key(authority.key_pem()));
  const CertificatePtr certificate(X509_new());
  X509* c = certificate.get();
  const bool made =
      c && X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
      set_times(c, leaf.validity) && set_name(X509_get_subject_name(c), leaf.common_name) &&
      set_generation(X509_get_subject_name(c), leaf.generation) &&
      X509_set_issuer_name(c, X509_get_subject_name(issuer.get())) == 1 &&
      X509_set_pubkey(c, X509_REQ_get0_pubkey(request.get())) == 1 &&
      add_extension(c, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(c, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(c, issuer.get(), NID_ext_key_usage, leaf.purpose) &&
      add_extension(c, issuer.get(), NID_subject_key_identifier, "hash") &&
      add_extension(c, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
      X509_add1_ext_i2d(c, NID_subject_alt_name, const_cast<GENERAL_NAMES*>(leaf.names), 0, 0) ==
          1 &&
      X509_sign(c, key.get(), EVP_sha256()) > 0;
  if (!made) return failed("signing a certificate");
  return to_pem(c);
}

}  // namespace

Status check_request(std::string_view request_der) {
  ASSIGN_OR_RETURN(const auto request, parse_request(request_der));
  return {};
}

Result<Authority> Authority::create(std::string_view name, Validity validity) {
  ASSIGN_OR_RETURN(auto key_pem, make_key());
  ASSIGN_OR_RETURN(const auto key, parse_key(key_pem));
  const CertificatePtr certificate(X509_new());
  X509* c = certificate.get();
  const bool made = c && X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
                    set_times(c, validity) && set_name(X509_get_subject_name(c), name) &&
                    X509_set_issuer_name(c, X509_get_subject_name(c)) == 1 &&
                    X509_set_pubkey(c, key.get()) == 1 &&
                    add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(c, c, NID_subject_key_identifier, "hash") &&
                    X509_sign(c, key.get(), EVP_sha256()) > 0;
  if (!made) return failed("making the authority's certificate");
  return load(key_pem, to_pem(c));
}

Result<Authority> Authority::load(std::string_view key_pem, std::string_view certificate_pem) {
  RETURN_IF_ERROR(check_key_matches(key_pem, certificate_pem));
  ASSIGN_OR_RETURN(const auto about, facts(certificate_pem));
  if (!about.authority)
    return Error(Code::invalid_argument, "the certificate may not sign others (no CA:TRUE)");
  Authority authority;
  authority.key_pem_ = key_pem;
  authority.certificate_pem_ = certificate_pem;
  authority.pin_ = about.pin;
  return authority;
}

Result<std::string> Authority::sign_agent(std::string_view request_der, std::string_view id,
                                          Validity validity, uint64_t generation) const {
  const NamesPtr names(GENERAL_NAMES_new());
  if (!names || !add_name(names.get(), GEN_URI, agent_uri(id)))
    return failed("naming an agent in a certificate");
  return sign(*this, request_der, {id, names.get(), "clientAuth", validity, generation});
}

Result<std::string> Authority::sign_server(std::string_view request_der,
                                           const std::vector<std::string>& hosts,
                                           Validity validity) const {
  if (hosts.empty())
    return Error(Code::invalid_argument, "a server certificate needs at least one name");
  const NamesPtr names(GENERAL_NAMES_new());
  for (const auto& host : hosts) {
    if (!names || !add_host(names.get(), host))
      return failed("naming " + host + " in a certificate");
  }
  return sign(*this, request_der, {"gitaiops controller", names.get(), "serverAuth", validity, 0});
}

}  // namespace gitaiops::tls
