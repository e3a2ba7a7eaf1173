#include "base/bytes/visible.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes/bytes.h"

namespace gitaiops {
namespace {

// Closed ranges of code points that change how other characters are read, or that cannot be seen.
struct Range {
  char32_t first, last;
};
constexpr std::array kUnseen = {
    Range{0x00, 0x1F},       Range{0x7F, 0x9F},       Range{0xAD, 0xAD},     Range{0x34F, 0x34F},
    Range{0x61C, 0x61C},     Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5}, Range{0x180B, 0x180F},
    Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F}, Range{0x3164, 0x3164},
    Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0}, Range{0xFFF0, 0xFFFB},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF},
};

bool unseen(char32_t c) {
  return std::ranges::any_of(kUnseen,
                             [c](Range range) { return c >= range.first && c <= range.last; });
}

// The code point at `at` of valid UTF-8, and how many bytes it takes.
std::pair<char32_t, std::size_t> decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {char32_t(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0)
    return {char32_t(lead & 0x0F) << 12 | char32_t(byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {char32_t(lead & 0x07) << 18 | char32_t(byte(1) & 0x3F) << 12 |
              char32_t(byte(2) & 0x3F) << 6 | (byte(3) & 0x3F),
          4};
}

}  // namespace

std::string visible_line(std::string_view text, std::size_t max_bytes) {
  // What is cut away below is not decoded first: a line may be long.
  const std::string valid =
      to_utf8(text.substr(0, std::min(text.size(), max_bytes * 2 + 64)), Controls::keep);
  std::string out;
  for (std::size_t at = 0; at < valid.size();) {
    const auto [point, length] = decode(valid, at);
    if (point == '\n' || point == '\t' || point == '\r' || point == 0x2028 || point == 0x2029) {
      out += ' ';
    } else if (!unseen(point)) {
      out.append(valid, at, length);
    }
    at += length;
  }
  return truncate_utf8(out, max_bytes);
}

}  // namespace gitaiops
