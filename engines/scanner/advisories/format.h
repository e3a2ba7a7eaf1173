// The bytes of an index, little-endian. Private to this folder.
//
//   header    magic (8), format (u32), sections (u32), body (u64: bytes from the file's start to
//   the
//             seal), then for each section its offset and size (u64 each)
//   names     by hash: hash of "ecosystem NUL normalised name" (u64), first affected entry (u32);
//             a last row of all ones with the number of entries
//   affected  advisory (u32), offset in stream (u32)
//   stream    per entry: flags (u8), [score in tenths, level (u8 each)], place (varint), ranges,
//             [custom ranges], count of listed versions (varint) and their hashes (u32, ascending)
//             ranges: count (varint), each: count of events (varint), each: length of the order key
//             times 4 plus the kind (varint), the key; events ascend; an empty key is before all
//   advisories by id: address of its text (u32), group (u32), score in tenths or 255 (u8), level
//             (u8), EPSS and percentile times 65535 (u16 each), flags (u8), 1 byte unused
//   blocks    offset and size of each packed block of text (u32 each)
//   text      zstd frames of at most kBlock bytes; an address is block number times kBlock plus
//   offset meta      JSON-free: see put_meta in builder.cpp seal      "SEAL", SHA-256 of the body
//   (32), signed (u8), Ed25519 of that digest (64)
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes/bytes.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner::format {

constexpr std::string_view kMagic("GAIADV\r\n", 8);
constexpr uint32_t kVersion = 1;
enum Section { kNames, kAffected, kStream, kAdvisories, kBlocks, kText, kMeta, kSections };
constexpr std::size_t kHeader = 8 + 4 + 4 + 8 + kSections * 16;

constexpr std::size_t kNameRow = 12, kAffectedRow = 8, kAdvisoryRow = 16, kBlockRow = 8;
constexpr std::size_t kBlock = 1 << 14;  // bytes of unpacked text

enum EntryFlag : uint8_t {
  kInformational = 0x03,  // the number of its kind
  kHasCustomRanges = 0x04,
  kHasSeverity = 0x08,
};
enum AdvisoryFlag : uint8_t {
  kKnownExploited = 0x01,
  kRansomware = 0x02,
  kHasEpss = 0x04,
  // Its text ends with the symbols of each place: count, each: path, count, names.
  kHasSymbols = 0x08,
};
constexpr uint8_t kNoScore = 255;

inline uint64_t load(Bytes bytes, std::size_t offset, std::size_t width) {
  if (offset > bytes.size() || bytes.size() - offset < width) return 0;
  uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;)
    value = value << 8 | std::to_integer<uint64_t>(bytes[offset + i]);
  return value;
}
inline void store(std::string& out, uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
}
inline void store_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
inline void store_text(std::string& out, std::string_view text) {
  store_varint(out, text.size());
  out += text;
}

// Reads on from a place; after the end everything is zero or empty and ok() is false.
class Cursor {
 public:
  explicit Cursor(Bytes bytes, std::size_t offset = 0)
      : rest_(offset <= bytes.size() ? bytes.subspan(offset) : Bytes()),
        ok_(offset <= bytes.size()) {}
  bool ok() const { return ok_; }
  Bytes take(uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto out = rest_.first(count);
    rest_ = rest_.subspan(count);
    return out;
  }
  uint64_t number(std::size_t width) { return load(take(width), 0, width); }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = number(1);
      value |= (byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view text() { return as_text(take(varint())); }

 private:
  Bytes rest_;
  bool ok_;
};

// FNV-1a, then mixed so that the low half is as good as the high one.
inline uint64_t hash(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
  return h ^ h >> 33;
}

// The last row of the names is all ones, so no name may be.
inline uint64_t name_hash(Ecosystem ecosystem, std::string_view normalised) {
  std::string text(osv_name(ecosystem));
  (text += '\0') += normalised;
  const auto h = hash(text);
  return h == UINT64_MAX ? h - 1 : h;
}

}  // namespace gitaiops::scanner::format
