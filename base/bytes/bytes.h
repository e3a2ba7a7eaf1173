// Small things about bytes and text that the standard library lacks. Pure, no allocation unless the
// name says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Text without leading and trailing ASCII white space.
std::string_view trimmed(std::string_view text);
// Parts between separators; empty parts are kept: split("a,,b", ',') → "a", "", "b". split("", ',')
// → "".
std::vector<std::string_view> split(std::string_view text, char separator);
// Decimal only, whole text, no sign for unsigned, no white space; nullopt on anything else or on
// overflow.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_uint(std::string_view text);
std::optional<double> parse_double(std::string_view text);

// Lower-case hexadecimal, and back (nullopt on odd length or a foreign digit).
std::string hex_encode(Bytes bytes);
std::optional<std::string> hex_decode(std::string_view text);

// The text as valid UTF-8: each maximal invalid sequence becomes U+FFFD. NUL and other C0 controls
// but \t and \n too, when `keep_controls` is false: such text can go to a terminal, a protobuf
// string or a web page.
enum class Controls { keep, replace };
std::string to_utf8(std::string_view bytes, Controls controls = Controls::replace);

// At most `max` bytes of valid UTF-8 text, cut between characters, with "…" at the cut (counted in
// `max`).
std::string truncate_utf8(std::string_view text, std::size_t max);

// The candidate nearest to `word` by edit distance, at most 3 edits and less than half of the word:
// for "did you mean".
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace gitaiops
