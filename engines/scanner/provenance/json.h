// Private to provenance: JSON read as strictly as evidence has to be. A text with duplicate keys
// (two readers would see two documents), deeper than 64 levels or over 16 MiB is refused. As in
// protobuf's JSON, a null or missing member is a member with its default value, 64-bit integers may
// be texts, bytes are base64. Unknown members are left out of account.
//
// Thread safety: pure functions. The pointers point into the document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result/result.h"
#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::scanner::provenance {

using Json = nlohmann::json;

// An object at the top.
Result<Json> parse_json(std::string_view text);

// The member, or nullptr when it is missing or null, or when `object` is null or no object.
const Json* member(const Json* object, const char* key);
// At a path of keys: member(member(object, a), b)…
const Json* member(const Json* object, std::initializer_list<const char*> path);
// A missing list is an empty one; anything but a list is an error.
Result<const Json*> list_member(const Json* object, const char* key);

// A missing text is an empty one; anything but a text is an error naming the key.
Result<std::string> text_member(const Json* object, const char* key);
Result<std::string> base64_member(const Json* object, const char* key);
Result<int64_t> integer_member(const Json* object, const char* key);
// RFC 3339; nothing when missing.
Result<std::optional<Instant>> time_member(const Json* object, const char* key);

}  // namespace gitaiops::scanner::provenance
