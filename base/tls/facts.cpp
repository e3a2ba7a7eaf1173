#include <charconv>
#include <ctime>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/tls/openssl.h"
#include "base/tls/tls.h"

namespace gitaiops::tls {
namespace {

constexpr std::string_view kAgentPrefix = "gitaiops://agent/";
constexpr std::size_t kMaxBundle = 16;  // certificates; a bundle holds two or three

Result<UnixMicros> to_unix(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || ASN1_TIME_to_tm(time, &parts) != 1)
    return openssl_error(Code::invalid_argument, "unreadable time in a certificate");
  return UnixMicros{static_cast<int64_t>(timegm(&parts)) * kMicrosPerSecond};
}

std::string public_key_pin(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  auto pin = "sha256:" + crypto::sha256_hex(
                             {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void read_names(X509* certificate, CertificateFacts& out) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) out.uris.push_back(text_of(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) out.hosts.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) {
      const auto bytes = text_of(name->d.iPAddress);
      char text[INET6_ADDRSTRLEN] = {};
      if (bytes.size() == 4 || bytes.size() == 16) {
        inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
        out.hosts.emplace_back(text);
      }
    }
  }
}

}  // namespace

Result<CertificateFacts> facts(std::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const auto certificate, parse_certificate(certificate_pem));
  CertificateFacts out;
  char name[128] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof name);
  out.subject = name;
  char generation[32] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_serialNumber, generation,
                            sizeof generation);
  out.generation = parse_uint(generation).value_or(0);
  ASSIGN_OR_RETURN(out.validity.not_before, to_unix(X509_get0_notBefore(certificate.get())));
  ASSIGN_OR_RETURN(out.validity.not_after, to_unix(X509_get0_notAfter(certificate.get())));
  read_names(certificate.get(), out);
  out.pin = public_key_pin(certificate.get());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest, &length);
  out.fingerprint = hex_encode(as_bytes({reinterpret_cast<const char*>(digest), length}));
  out.authority = X509_check_ca(certificate.get()) == 1;
  ERR_clear_error();
  return out;
}

Result<std::vector<std::string>> split_bundle(std::string_view bundle_pem) {
  std::vector<std::string> parts;
  const BioPtr in = reader(bundle_pem);
  while (const CertificatePtr certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    if (parts.size() == kMaxBundle)
      return Error(Code::invalid_argument, "more than 16 certificates in a bundle");
    parts.push_back(to_pem(certificate.get()));
  }
  // The end of the text is reported as "no start line"; anything else is damage.
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!ended || parts.empty())
    return openssl_error(Code::invalid_argument, "not a bundle of certificates in PEM");
  ERR_clear_error();
  return parts;
}

Status check_signed_by(std::string_view certificate_pem, std::string_view bundle_pem) {
  ASSIGN_OR_RETURN(const auto leaf, parse_certificate(certificate_pem));
  ASSIGN_OR_RETURN(const auto bundle, split_bundle(bundle_pem));
  for (const auto& pem : bundle) {
    ASSIGN_OR_RETURN(const auto authority, parse_certificate(pem));
    if (X509_check_ca(authority.get()) == 1 &&
        X509_check_issued(authority.get(), leaf.get()) == X509_V_OK &&
        X509_verify(leaf.get(), X509_get0_pubkey(authority.get())) == 1) {
      return {};
    }
  }
  return openssl_error(Code::permission_denied,
                       "no authority of the bundle signed the certificate");
}

std::string agent_uri(std::string_view agent_id) {
  return std::string(kAgentPrefix).append(agent_id);
}

Result<std::string> agent_id(const CertificateFacts& facts) {
  if (facts.uris.size() != 1 || !facts.uris[0].starts_with(kAgentPrefix) ||
      facts.uris[0].size() == kAgentPrefix.size()) {
    return Error(Code::not_found,
                 "the certificate names no agent (one URI gitaiops://agent/<id> is expected)");
  }
  return facts.uris[0].substr(kAgentPrefix.size());
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return Error(Code::invalid_argument, "\"" + std::string(text) + "\" is not host:port");
  };
  if (colon == std::string_view::npos || colon == 0) return wrong();
  const auto port = parse_uint(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || *port == 0 || *port > 65535 || host.empty() ||
      (!bracketed && host.find(':') != host.npos))
    return wrong();
  return HostPort{std::string(host), static_cast<uint16_t>(*port)};
}

}  // namespace gitaiops::tls
