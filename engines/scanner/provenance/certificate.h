// Private to provenance: a signer's certificate, its way up to a certificate authority, and what
// stands in it. RFC 5280; RFC 6962 §3.2 for the embedded SCT; Fulcio's extensions
// (1.3.6.1.4.1.57264.1.*).
#pragma once

#include <openssl/x509.h>

#include "engines/scanner/provenance/trusted_root.h"

namespace gitaiops::scanner::provenance {

// Seconds since the epoch of an ASN.1 time; nothing when it is none.
std::optional<Instant> instant_of(const ASN1_TIME* time);

void free_borrowed_stack(STACK_OF(X509) * stack);
void free_owned_stack(STACK_OF(X509) * stack);
using BorrowedStack = Owned<STACK_OF(X509), free_borrowed_stack>;
using OwnedStack = Owned<STACK_OF(X509), free_owned_stack>;
// The certificates as OpenSSL wants them; they must outlive the stack.
BorrowedStack borrowed_stack(const std::vector<CertificatePtr>& certificates);
// An authority's certificates, read; an error when it has none or one cannot be read.
Result<std::vector<CertificatePtr>> read_chain(const Authority& authority);

// No authority itself, for digital signatures, for code signing.
Status check_usage(X509* certificate);

// The way from the certificate to one of the authorities at which everything was valid at each of
// `times`: certificate first, anchor last.
Result<OwnedStack> chain_to(X509* certificate, const std::vector<Authority>& authorities,
                            const std::vector<Instant>& times);

// At least one embedded signed certificate timestamp is that of a trusted log. `issuer`: the one
// that really signed the certificate.
Status check_sct(X509* certificate, X509* issuer, const std::vector<Log>& ct_logs);

// URIs, e-mail addresses and Fulcio's user names.
std::vector<std::string> subject_names(X509* certificate);
// Who told the authority about the subject (OIDC issuer).
std::string identity_issuer(X509* certificate);
// One of Fulcio's extensions that hold a text; empty when missing.
std::string extension_text(X509* certificate, const char* oid);

bool is_self_signed(X509* certificate);

}  // namespace gitaiops::scanner::provenance
