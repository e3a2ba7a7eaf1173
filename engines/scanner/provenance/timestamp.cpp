#include "engines/scanner/provenance/timestamp.h"

#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "engines/scanner/provenance/certificate.h"

namespace gitaiops::scanner::provenance {
namespace {

using ResponsePtr = Owned<TS_RESP, TS_RESP_free>;
using ContextPtr = Owned<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

bool hash_accepted(TS_TST_INFO* info) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr,
                  TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
  const int hash = object ? OBJ_obj2nid(object) : NID_undef;
  return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}

bool is_authority(X509* certificate) {
  return X509_check_ca(certificate) != 0;
}

using Chain = std::vector<CertificatePtr>;

// Where the trusted root names the authority's own certificate, nobody else under the same anchor
// may speak for it.
bool signer_is_named(PKCS7* token, const Chain& chain) {
  if (is_authority(chain.front().get()) && chain.size() > 1) return true;
  const auto certificates = borrowed_stack(chain);
  STACK_OF(X509)* signers = PKCS7_get0_signers(token, certificates.get(), 0);
  const bool named = signers && sk_X509_num(signers) == 1 &&
                     X509_cmp(sk_X509_value(signers, 0), chain.front().get()) == 0;
  sk_X509_free(signers);
  return named;
}

// The store and the certificates go over to the context, which frees them.
ContextPtr verification(std::string_view signature, const Chain& chain, Instant time) {
  ContextPtr context(TS_VERIFY_CTX_new());
  X509_STORE* store = X509_STORE_new();
  STACK_OF(X509)* certificates = sk_X509_new_null();
  BIO* data = BIO_new_mem_buf(signature.data(), static_cast<int>(signature.size()));
  if (context) {
    TS_VERIFY_CTX_set_store(context.get(), store);
    TS_VERIFY_CTX_set_certs(context.get(), certificates);
    TS_VERIFY_CTX_set_data(context.get(), data);
  }
  if (!context || !store || !certificates || !data) {
    if (!context) X509_STORE_free(store), sk_X509_free(certificates), BIO_free(data);
    return nullptr;
  }
  for (const auto& certificate : chain) {
    if (X509_up_ref(certificate.get()) != 1) return nullptr;
    if (sk_X509_push(certificates, certificate.get()) <= 0) {
      X509_free(certificate.get());
      return nullptr;
    }
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(time));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_STORE_add_cert(store, chain.back().get()) != 1) return nullptr;
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_DATA);
  return context;
}

}  // namespace

Result<Instant> check_timestamp(std::string_view der, std::string_view signature,
                                const std::vector<Authority>& authorities) {
  const unsigned char* at = octets(der);
  const ResponsePtr response(d2i_TS_RESP(nullptr, &at, static_cast<long>(der.size())));
  if (!response || at != octets(der) + der.size())
    return failed("it is no valid TimeStampResp (DER)");
  TS_TST_INFO* info = TS_RESP_get_tst_info(response.get());
  PKCS7* token = TS_RESP_get_token(response.get());
  if (!info || !token) return failed("it grants no timestamp");
  if (!hash_accepted(info)) return failed("its hash is neither SHA-256, SHA-384 nor SHA-512");
  const auto time = instant_of(TS_TST_INFO_get_time(info));
  if (!time) return failed("its time cannot be read");
  std::string reason = "no timestamp authority of the trusted root made it for this signature";
  for (const auto& authority : authorities) {
    const auto chain = read_chain(authority);
    if (!chain) continue;
    const auto context = verification(signature, *chain, *time);
    if (!context || TS_RESP_verify_response(context.get(), response.get()) != 1 ||
        !signer_is_named(token, *chain))
      continue;
    if (authority.valid.contains(*time)) return *time;
    reason = "it was made outside of the validity that the trusted root gives to " +
             to_utf8(authority.name);
  }
  return failed(std::move(reason));
}

}  // namespace gitaiops::scanner::provenance
