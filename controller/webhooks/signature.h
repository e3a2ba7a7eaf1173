// Whether a webhook comes from the GitLab that knows our secret. Pure: headers, bytes and the time
// in, a verdict out.
//
// A secret that begins with "whsec_" is a signing token: what follows is the key in base64, and a
// request proves itself by Standard Webhooks (https://www.standardwebhooks.com, GitLab's
// webhook-id, webhook-timestamp and webhook-signature): HMAC-SHA256 over "{id}.{timestamp}.{body}"
// as it came, within 300 s of now. Any other secret is compared with X-Gitlab-Token. A request that
// carries a signature where we know a signing token must prove itself by it: a stolen token does
// not help whoever cannot sign. Comparing takes the same time wherever the values differ. Private
// to this folder. Tests: tests/unit/webhooks/signature_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/http/message.h"
#include "base/result/result.h"

namespace gitaiops::webhooks {

inline constexpr int64_t kWindowSeconds = 300;

struct Secrets {
  std::vector<std::string> tokens;
  std::vector<std::string> keys;  // of signatures, raw
};

// invalid_argument: empty, or a signing token that is not 16 to 64 bytes in base64.
Status add_secret(Secrets& secrets, std::string_view text);

enum class Verdict { signed_, token, late, forged, unproven };

Verdict verify(const Secrets& secrets, const http::Headers& headers, std::string_view body,
               UnixMicros now);

// What can be said before the body is there: false where verify() will refuse whatever it is.
bool promising(const Secrets& secrets, const http::Headers& headers, UnixMicros now);

}  // namespace gitaiops::webhooks
