// The text a person copies from the controller to a runner host: one string with the secret and the
// authority's pin.
//   gio1_<43 characters of base64url: 32 random bytes>.<64 hex digits: SHA-256 of the CA's
//   SubjectPublicKeyInfo>
// Only the SHA-256 of the secret's characters is ever stored, and only the secret is ever sent.
#pragma once

#include <string>
#include <string_view>

#include "base/result/result.h"

namespace gitaiops::rpc {

struct EnrollmentToken {
  std::string secret;  // the 43 characters
  std::string ca_pin;  // "sha256:<64 hex>"; empty when the text has no pin

  // Takes surrounding white space and a missing ".<pin>"; else invalid_argument, without quoting
  // the secret.
  static Result<EnrollmentToken> parse(std::string_view text);

  std::string text() const;           // the whole string, for a person
  std::string sent() const;           // without the pin, for EnrollRequest.token
  std::string secret_sha256() const;  // hex, for the store
};

}  // namespace gitaiops::rpc
