#include "controller/webhooks/signature.h"

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"

namespace gitaiops::webhooks {
namespace {

constexpr std::string_view kSigningToken = "whsec_";
constexpr std::string_view kVersion = "v1,";
constexpr std::size_t kShortestKey = 16, kLongestKey = 64;
constexpr std::size_t kMostSignatures = 16;  // a header names one for each key in use

std::string_view header(const http::Headers& headers, std::string_view name) {
  return headers.count(name) == 1 ? *headers.get(name) : std::string_view();
}

// Unix seconds, a plain number.
bool in_window(std::string_view timestamp, UnixMicros now) {
  const auto seconds = timestamp.size() <= 12 ? parse_uint(timestamp) : std::nullopt;
  if (!seconds) return false;
  const int64_t apart = now.value / kMicrosPerSecond - static_cast<int64_t>(*seconds);
  return apart <= kWindowSeconds && apart >= -kWindowSeconds;
}

// Every key against every signature, whatever was found before.
bool any_signature(const Secrets& secrets, std::string_view id, std::string_view timestamp,
                   std::string_view signatures, std::string_view body) {
  std::string message;
  message.reserve(id.size() + timestamp.size() + body.size() + 2);
  message.append(id).append(".").append(timestamp).append(".").append(body);
  bool good = false;
  for (const auto& key : secrets.keys) {
    const auto mac = crypto::hmac_sha256(key, message);
    const std::string expected = crypto::base64_encode(
        std::string_view(reinterpret_cast<const char*>(mac.data()), mac.size()));
    std::size_t seen = 0;
    for (const auto one : split(signatures, ' ')) {
      if (++seen > kMostSignatures) break;
      if (!one.starts_with(kVersion)) continue;
      good |= crypto::equal_constant_time(one.substr(kVersion.size()), expected);
    }
  }
  return good;
}

}  // namespace

Status add_secret(Secrets& secrets, std::string_view text) {
  if (text.empty()) return Error(Code::invalid_argument, "the secret is empty");
  if (!text.starts_with(kSigningToken)) {
    secrets.tokens.emplace_back(text);
    return {};
  }
  auto key = crypto::base64_decode(text.substr(kSigningToken.size()));
  if (!key || key->size() < kShortestKey || key->size() > kLongestKey)
    return Error(
        Code::invalid_argument,
        "the signing token is not whsec_ and 16 to 64 bytes in base64, as GitLab shows it");
  secrets.keys.push_back(std::move(*key));
  return {};
}

namespace {

bool is_signed(const Secrets& secrets, const http::Headers& headers) {
  return !secrets.keys.empty() && headers.count("webhook-signature") > 0;
}

Verdict check_token(const Secrets& secrets, const http::Headers& headers) {
  const auto token = header(headers, "X-Gitlab-Token");
  if (token.empty()) return Verdict::unproven;
  bool good = false;
  for (const auto& known : secrets.tokens) good |= crypto::equal_constant_time(known, token);
  return good ? Verdict::token : Verdict::forged;
}

}  // namespace

Verdict verify(const Secrets& secrets, const http::Headers& headers, std::string_view body,
               UnixMicros now) {
  if (!is_signed(secrets, headers)) return check_token(secrets, headers);
  const auto id = header(headers, "webhook-id");
  const auto timestamp = header(headers, "webhook-timestamp");
  const auto signatures = header(headers, "webhook-signature");
  if (id.empty() || timestamp.empty() || signatures.empty()) return Verdict::forged;
  if (!any_signature(secrets, id, timestamp, signatures, body)) return Verdict::forged;
  // Told apart only for who knows the key: a clock that is wrong is not an attack.
  return in_window(timestamp, now) ? Verdict::signed_ : Verdict::late;
}

bool promising(const Secrets& secrets, const http::Headers& headers, UnixMicros now) {
  if (is_signed(secrets, headers)) return in_window(header(headers, "webhook-timestamp"), now);
  return check_token(secrets, headers) == Verdict::token;
}

}  // namespace gitaiops::webhooks
