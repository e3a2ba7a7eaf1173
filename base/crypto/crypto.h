// Hashes, randomness and identifiers, over OpenSSL. Thread safety: every function, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"

namespace gitaiops::crypto {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
// RFC 4648 with padding; url: URL-safe alphabet without padding.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);

// Takes the same time wherever the inputs differ. Different lengths are unequal at once (a length
// is no secret here).
bool equal_constant_time(std::string_view a, std::string_view b);

// From the kernel's generator; never fails (aborts if there is no randomness at all).
std::string random_bytes(std::size_t count);
uint64_t random_u64();

// RFC 9562 UUID version 7: sortable by `now`, 74 random bits. "018f…-7…-…".
std::string uuid7(UnixMicros now);

}  // namespace gitaiops::crypto
