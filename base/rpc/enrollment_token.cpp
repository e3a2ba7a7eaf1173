#include "base/rpc/enrollment_token.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"

namespace gitaiops::rpc {
namespace {
constexpr std::string_view kPrefix = "gio1_";
constexpr std::string_view kPinPrefix = "sha256:";
constexpr std::size_t kSecretCharacters = 43;
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}  // namespace

Result<EnrollmentToken> EnrollmentToken::parse(std::string_view text) {
  const Error wrong(Code::invalid_argument,
                    "this is not an enrolment token: gio1_<43 characters>.<64 hex digits> is "
                    "expected, as printed by "
                    "`gitaiops-controller token create`");
  text = trimmed(text);
  if (!text.starts_with(kPrefix)) return wrong;
  text.remove_prefix(kPrefix.size());
  const auto dot = text.find('.');
  const auto secret = text.substr(0, dot);
  if (secret.size() != kSecretCharacters || secret.find_first_not_of(kBase64Url) != secret.npos)
    return wrong;
  EnrollmentToken token{std::string(secret), {}};
  if (dot == text.npos) return token;
  std::string pin(text.substr(dot + 1));
  std::transform(pin.begin(), pin.end(), pin.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  if (pin.size() != 64 || !hex_decode(pin)) return wrong;
  token.ca_pin = std::string(kPinPrefix) + pin;
  return token;
}

std::string EnrollmentToken::sent() const {
  return std::string(kPrefix) + secret;
}

std::string EnrollmentToken::text() const {
  return ca_pin.empty() ? sent() : sent() + "." + ca_pin.substr(kPinPrefix.size());
}

std::string EnrollmentToken::secret_sha256() const {
  return crypto::sha256_hex(secret);
}

}  // namespace gitaiops::rpc
