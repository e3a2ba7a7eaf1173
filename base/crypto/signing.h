// Signatures with keys in PEM files: Ed25519 (RFC 8032), as `openssl genpkey -algorithm ed25519`
// writes them, and RSA with SHA-256 (RFC 8017, PKCS #1 v1.5), the RS256 of signed tokens.
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result/result.h"

namespace gitaiops::crypto {

// 64 bytes. invalid_argument when the text is no private Ed25519 key.
Result<std::string> ed25519_sign(std::string_view private_pem, std::string_view message);
// invalid_argument when the text is no public (or private) Ed25519 key; data_loss when the
// signature is not that key's of the message.
Status ed25519_verify(std::string_view pem, std::string_view message, std::string_view signature);

// invalid_argument when the text is no private RSA key.
Result<std::string> rsa_sha256_sign(std::string_view private_pem, std::string_view message);

}  // namespace gitaiops::crypto
