#include "engines/scanner/provenance/certificate.h"

#include <algorithm>
#include <ctime>

#include <openssl/asn1.h>
#include <openssl/ct.h>
#include <openssl/x509v3.h>

namespace gitaiops::scanner::provenance {
namespace {

constexpr const char* kUserNameOid = "1.3.6.1.4.1.57264.1.7";
constexpr const char* kIssuerOid = "1.3.6.1.4.1.57264.1.8";
constexpr const char* kOldIssuerOid = "1.3.6.1.4.1.57264.1.1";
constexpr int kSecurityLevel = 2;  // 112 bits

using StorePtr = Owned<X509_STORE, X509_STORE_free>;
using StoreContextPtr = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using ObjectPtr = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using NamesPtr = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using Utf8Ptr = Owned<ASN1_UTF8STRING, ASN1_UTF8STRING_free>;
using SctListPtr = Owned<STACK_OF(SCT), SCT_LIST_free>;

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

std::string text_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

const ASN1_OCTET_STRING* extension_value(X509* certificate, const char* oid) {
  const ObjectPtr object(OBJ_txt2obj(oid, 1));
  const int at = object ? X509_get_ext_by_OBJ(certificate, object.get(), -1) : -1;
  return at < 0 ? nullptr : X509_EXTENSION_get_data(X509_get_ext(certificate, at));
}

bool valid_at(X509* certificate, Instant time) {
  const auto from = instant_of(X509_get0_notBefore(certificate));
  const auto to = instant_of(X509_get0_notAfter(certificate));
  // A certificate's times are whole seconds, and the last one still counts.
  return from && to && *from <= time && std::chrono::floor<std::chrono::seconds>(time) <= *to;
}

bool all_valid_at(STACK_OF(X509) * chain, const std::vector<Instant>& times) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    for (const Instant time : times) {
      if (!valid_at(sk_X509_value(chain, i), time)) return false;
    }
  }
  return true;
}

OwnedStack chain_through(X509* certificate, X509* anchor, STACK_OF(X509) * intermediates) {
  const StorePtr store(X509_STORE_new());
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), anchor) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate, intermediates) != 1)
    return nullptr;
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  if (X509_verify_cert(context.get()) != 1) return nullptr;
  return OwnedStack(X509_STORE_CTX_get1_chain(context.get()));
}

bool same_subject(X509* a, X509* b) {
  return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0;
}

// By signatures and extensions, whatever the time.
OwnedStack chain_by_signatures(X509* certificate, const Authority& authority) {
  const auto trusted = read_chain(authority);
  if (!trusted) return nullptr;
  X509* anchor = trusted->back().get();
  if (auto chain = chain_through(certificate, anchor, borrowed_stack(*trusted).get())) return chain;
  // OpenSSL takes the first issuer of a name and tries no other of the same name.
  for (const auto& one : *trusted) {
    const BorrowedStack others(sk_X509_new_null());
    bool twins = false;
    for (const auto& other : *trusted) {
      const bool twin = other != one && same_subject(other.get(), one.get());
      twins = twins || twin;
      if (others && !twin) sk_X509_push(others.get(), other.get());
    }
    if (!twins) continue;
    if (auto chain = chain_through(certificate, anchor, others.get())) return chain;
  }
  return nullptr;
}

// Code signing all the way up, where an authority's certificate limits what it is for.
bool for_code_signing(STACK_OF(X509) * chain) {
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    const uint32_t usage = X509_get_extended_key_usage(sk_X509_value(chain, i));
    if (usage != UINT32_MAX && (usage & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0) return false;
  }
  return true;
}

void append_number(std::string& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

// The certificate as it was before the timestamps went into it: TBSCertificate, DER.
std::string precertificate(X509* certificate) {
  const CertificatePtr copy(X509_dup(certificate));
  const int at = copy ? X509_get_ext_by_NID(copy.get(), NID_ct_precert_scts, -1) : -1;
  if (at < 0) return {};
  X509_EXTENSION_free(X509_delete_ext(copy.get(), at));
  unsigned char* der = nullptr;
  const int size = i2d_re_X509_tbs(copy.get(), &der);
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

// RFC 6962 §3.2, digitally-signed struct of a precertificate entry.
std::string sct_input(const SCT* sct, const std::string& issuer_key_hash,
                      const std::string& precertificate) {
  unsigned char* extensions = nullptr;
  const std::size_t extensions_size = SCT_get0_extensions(sct, &extensions);
  std::string out;
  append_number(out, 0, 1);  // version 1
  append_number(out, 0, 1);  // certificate_timestamp
  append_number(out, SCT_get_timestamp(sct), 8);
  append_number(out, 1, 2);  // precert_entry
  out += issuer_key_hash;
  append_number(out, precertificate.size(), 3);
  out += precertificate;
  append_number(out, extensions_size, 2);
  return out.append(reinterpret_cast<const char*>(extensions), extensions_size);
}

Status check_one_sct(const SCT* sct, const Log& log, const std::string& input) {
  ASSIGN_OR_RETURN(const auto key, key_from_der(log.key), "the CT log's key");
  const Instant time{std::chrono::milliseconds(
      std::min<uint64_t>(SCT_get_timestamp(sct), static_cast<uint64_t>(INT64_MAX / 1000)))};
  if (!log.valid.contains(time))
    return failed("its time lies outside of the CT log's validity in the trusted root");
  unsigned char* signature = nullptr;
  const std::size_t size = SCT_get0_signature(sct, &signature);
  if (!signed_by(key.get(), Hash::sha256, input, {reinterpret_cast<const char*>(signature), size}))
    return failed("the CT log's signature does not cover this certificate");
  return {};
}

}  // namespace

void free_borrowed_stack(STACK_OF(X509) * stack) {
  sk_X509_free(stack);
}

void free_owned_stack(STACK_OF(X509) * stack) {
  sk_X509_pop_free(stack, X509_free);
}

BorrowedStack borrowed_stack(const std::vector<CertificatePtr>& certificates) {
  BorrowedStack stack(sk_X509_new_null());
  for (const auto& certificate : certificates) {
    if (stack) sk_X509_push(stack.get(), certificate.get());
  }
  return stack;
}

Result<std::vector<CertificatePtr>> read_chain(const Authority& authority) {
  std::vector<CertificatePtr> out;
  for (const auto& der : authority.chain) {
    ASSIGN_OR_RETURN(auto certificate, certificate_from_der(der));
    out.push_back(std::move(certificate));
  }
  if (out.empty()) return failed("the authority has no certificates");
  return out;
}

std::optional<Instant> instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&parts)}};
}

bool is_self_signed(X509* certificate) {
  return X509_self_signed(certificate, 0) == 1;
}

Status check_usage(X509* certificate) {
  if (X509_check_ca(certificate) != 0 || (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0)
    return failed("it is an authority's, not a signer's");
  const uint32_t key_usage = X509_get_key_usage(certificate);
  if (key_usage == UINT32_MAX || (key_usage & KU_DIGITAL_SIGNATURE) == 0)
    return failed("it is not for digital signatures (key usage)");
  const uint32_t usage = X509_get_extended_key_usage(certificate);
  if (usage == UINT32_MAX || (usage & XKU_CODE_SIGN) == 0)
    return failed("it is not for code signing (extended key usage)");
  return {};
}

Result<OwnedStack> chain_to(X509* certificate, const std::vector<Authority>& authorities,
                            const std::vector<Instant>& times) {
  const auto trusted_then = [&](const Authority& authority) {
    return std::all_of(times.begin(), times.end(),
                       [&](Instant time) { return authority.valid.contains(time); });
  };
  std::string reason = "no certificate authority of the trusted root issued it";
  for (const auto& authority : authorities) {
    if (!trusted_then(authority)) continue;
    auto chain = chain_by_signatures(certificate, authority);
    if (!chain) continue;
    if (!for_code_signing(chain.get()))
      reason = "an authority above it is not for code signing";
    else if (!all_valid_at(chain.get(), times))
      reason = "it, or an authority above it, was not valid when it was used";
    else
      return chain;
  }
  for (const auto& authority : authorities) {
    if (!trusted_then(authority) && chain_by_signatures(certificate, authority))
      reason = "it was used outside of the validity that the trusted root gives to " +
               to_utf8(authority.name);
  }
  return failed(std::move(reason));
}

Status check_sct(X509* certificate, X509* issuer, const std::vector<Log>& ct_logs) {
  const SctListPtr list(static_cast<STACK_OF(SCT)*>(
      X509_get_ext_d2i(certificate, NID_ct_precert_scts, nullptr, nullptr)));
  if (!list || sk_SCT_num(list.get()) == 0) return failed("the certificate carries none");
  const auto before = precertificate(certificate);
  if (before.empty()) return failed("the certificate cannot be brought back to what was logged");
  const auto issuer_key_hash = digest(Hash::sha256, spki_der(X509_get0_pubkey(issuer)));
  std::string reason = "no CT log of the trusted root made it";
  for (int i = 0; i < sk_SCT_num(list.get()); ++i) {
    const SCT* sct = sk_SCT_value(list.get(), i);
    if (SCT_get_version(sct) != SCT_VERSION_V1) continue;
    unsigned char* id = nullptr;
    const std::size_t id_size = SCT_get0_log_id(sct, &id);
    for (const auto& log : ct_logs) {
      if (std::string_view(reinterpret_cast<char*>(id), id_size) != log.id) continue;
      const auto status = check_one_sct(sct, log, sct_input(sct, issuer_key_hash, before));
      if (status.ok()) return {};
      reason = status.error().message();
    }
  }
  return failed(std::move(reason));
}

std::vector<std::string> subject_names(X509* certificate) {
  std::vector<std::string> out;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const ObjectPtr user_name(OBJ_txt2obj(kUserNameOid, 1));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      out.push_back(text_of(name->d.uniformResourceIdentifier));
    } else if (name->type == GEN_EMAIL) {
      out.push_back(text_of(name->d.rfc822Name));
    } else if (name->type == GEN_OTHERNAME && user_name &&
               OBJ_cmp(name->d.otherName->type_id, user_name.get()) == 0 &&
               name->d.otherName->value->type == V_ASN1_UTF8STRING) {
      out.push_back(text_of(name->d.otherName->value->value.utf8string));
    }
  }
  return out;
}

std::string extension_text(X509* certificate, const char* oid) {
  const ASN1_OCTET_STRING* value = extension_value(certificate, oid);
  if (!value) return {};
  const unsigned char* at = ASN1_STRING_get0_data(value);
  const Utf8Ptr text(d2i_ASN1_UTF8STRING(nullptr, &at, ASN1_STRING_length(value)));
  return text ? text_of(text.get()) : std::string();
}

std::string identity_issuer(X509* certificate) {
  if (extension_value(certificate, kIssuerOid)) return extension_text(certificate, kIssuerOid);
  // Older certificates hold the bare text, without DER around it.
  const ASN1_OCTET_STRING* old = extension_value(certificate, kOldIssuerOid);
  return old ? text_of(old) : std::string();
}

}  // namespace gitaiops::scanner::provenance
