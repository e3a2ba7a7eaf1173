#include "engines/scanner/documents/text.h"

#include <algorithm>

#include "base/bytes/bytes.h"

namespace gitaiops::scanner::documents {
namespace {

void append_character(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

// Lone surrogates become U+FFFD; an odd last byte is left out.
std::string from_utf16(std::string_view bytes, bool big_endian) {
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]),
               b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<uint32_t>(big_endian ? a << 8 | b : b << 8 | a);
  };
  std::string out;
  out.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < bytes.size() && unit(i + 2) >= 0xdc00 &&
        unit(i + 2) < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (unit(i + 2) - 0xdc00);
      i += 2;
    } else if (c >= 0xd800 && c < 0xe000) {
      c = 0xfffd;
    }
    append_character(out, c);
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::ranges::equal(text.substr(0, lower.size()), lower, {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
         });
}

}  // namespace

std::string decoded(std::string bytes) {
  if (bytes.starts_with("\xff\xfe")) return from_utf16(std::string_view(bytes).substr(2), false);
  if (bytes.starts_with("\xfe\xff")) return from_utf16(std::string_view(bytes).substr(2), true);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  return is_ascii(bytes) ? std::move(bytes) : to_utf8(bytes, Controls::keep);
}

std::optional<Fault> not_a_manifest(std::string_view text) {
  const auto start = trimmed(text.substr(0, 512));
  if (starts_with_ignoring_case(start, "<!doctype html") ||
      starts_with_ignoring_case(start, "<html"))
    return Fault{1, "it is an HTML page (a login or error page saved under this name?)"};
  Lines lines(text);
  uint32_t ours = 0;
  while (lines.next()) {
    if (lines.text().starts_with("<<<<<<< ")) {
      ours = lines.number();
    } else if (ours && lines.text().starts_with(">>>>>>> ")) {
      return Fault{ours, "it has merge-conflict markers"};
    }
  }
  if (text.find('\0') != text.npos) return Fault{0, "it is binary data, not text"};
  return std::nullopt;
}

bool Lines::next() {
  if (rest_.empty()) return false;
  const auto end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  ++number_;
  return true;
}

}  // namespace gitaiops::scanner::documents
