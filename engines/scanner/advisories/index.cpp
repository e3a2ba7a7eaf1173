#include "engines/scanner/advisories/index.h"

#include <algorithm>
#include <array>

#include <zstd.h>

#include "engines/scanner/advisories/format.h"
#include "engines/scanner/advisories/osv.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

using namespace format;

// A version prepared for all entries of its package.
struct Asked {
  Ecosystem ecosystem;
  std::string key;
  uint32_t equality;
};

// The evaluation of the OSV schema for one list of ranges; the cursor ends behind them.
bool in_ranges(Cursor& cursor, const Asked& asked) {
  bool any = false;
  const auto ranges = cursor.varint();
  for (uint64_t r = 0; r < ranges && cursor.ok(); ++r) {
    bool affected = false, limits = false, below_limit = false;
    const auto events = cursor.varint();
    for (uint64_t e = 0; e < events && cursor.ok(); ++e) {
      const auto head = cursor.varint();
      const auto key = as_text(cursor.take(head / 4));
      const auto order =
          key.empty() ? std::weak_ordering::greater : compare_keys(asked.ecosystem, asked.key, key);
      switch (static_cast<EventKind>(head % 4)) {
        case EventKind::introduced:
          affected = affected || order >= 0;
          break;
        case EventKind::fixed:
          affected = affected && order < 0;
          break;
        case EventKind::last_affected:
          affected = affected && order <= 0;
          break;
        case EventKind::limit:
          limits = true;
          below_limit = below_limit || order < 0;
          break;
      }
    }
    any = any || (cursor.ok() && affected && (!limits || below_limit));
  }
  return any;
}

bool listed(Cursor& cursor, uint32_t hash) {
  const auto count = cursor.varint();
  if (count > UINT32_MAX) return false;
  const auto hashes = cursor.take(count * 4);
  std::size_t low = 0, high = hashes.size() / 4;
  while (low < high) {
    const auto middle = (low + high) / 2;
    const auto value = load(hashes, middle * 4, 4);
    if (value == hash) return true;
    if (value < hash)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

Severity level_of(uint64_t byte) {
  return byte > static_cast<uint64_t>(Severity::critical) ? Severity::unknown
                                                          : static_cast<Severity>(byte);
}
double score_of(uint64_t byte) {
  return byte > 100 ? -1 : static_cast<double>(byte) / 10;
}

// What the entry at the cursor says of the version; nullopt: nothing.
std::optional<Hit> judge(Cursor cursor, const Asked& asked) {
  Hit hit;
  const auto flags = cursor.number(1);
  hit.informational = static_cast<Informational>(flags & kInformational);
  if (flags & kHasSeverity) {
    hit.score = score_of(cursor.number(1));
    hit.level = level_of(cursor.number(1));
  }
  hit.place = static_cast<uint32_t>(cursor.varint());
  const bool in_public = in_ranges(cursor, asked);
  const bool custom = flags & kHasCustomRanges;
  const bool in_custom = custom && in_ranges(cursor, asked);
  const bool named = listed(cursor, asked.equality);
  if (!cursor.ok() || (!in_public && !named)) return std::nullopt;
  if (custom && !in_custom && !named) hit.confidence = Confidence::low;
  return hit;
}

void read_symbols(Cursor& cursor, Advisory& out) {
  for (std::size_t place = 0; place < out.fixed.size() && cursor.ok(); ++place) {
    auto& symbols = out.symbols.emplace_back();
    for (auto n = cursor.varint(); n > 0 && cursor.ok(); --n) {
      auto& one = symbols.emplace_back();
      one.path = cursor.text();
      for (auto m = cursor.varint(); m > 0 && cursor.ok(); --m)
        one.names.emplace_back(cursor.text());
    }
  }
}

}  // namespace

std::string_view to_string(Informational kind) {
  static constexpr std::array<std::string_view, 4> kNames = {"no", "unmaintained", "unsound",
                                                             "notice"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<Index> Index::open(Bytes file) {
  if (!as_text(file).starts_with(kMagic))
    return Error(Code::data_loss, "this is no advisory index");
  if (load(file, 8, 4) != kVersion || load(file, 12, 4) != kSections)
    return Error(Code::unimplemented, "the advisory index has format " +
                                          std::to_string(load(file, 8, 4)) +
                                          ", this program reads " + std::to_string(kVersion));
  if (file.size() < kHeader || load(file, 16, 8) > file.size())
    return Error(Code::data_loss, "the advisory index is cut off");
  Index out;
  Bytes meta;
  const std::array<Bytes*, kSections> sections = {
      &out.names_, &out.affected_, &out.stream_, &out.advisories_, &out.blocks_, &out.text_, &meta};
  for (std::size_t i = 0; i < kSections; ++i) {
    const auto offset = load(file, 24 + i * 16, 8), size = load(file, 32 + i * 16, 8);
    if (offset > file.size() || size > file.size() - offset)
      return Error(Code::data_loss, "the advisory index is cut off");
    *sections[i] = file.subspan(offset, size);
  }
  Cursor cursor(meta);
  auto& info = out.info_;
  for (auto* count : {&info.packages, &info.affected, &info.listed_versions, &info.scored_by_epss,
                      &info.known_exploited, &info.match_bytes})
    *count = cursor.varint();
  for (auto* date : {&info.newest, &info.epss_date, &info.kev_date}) *date = cursor.text();
  for (auto parts = cursor.varint(); parts > 0 && cursor.ok(); --parts) {
    const auto ecosystem = cursor.number(1);
    const auto count = cursor.varint();
    if (ecosystem <= static_cast<uint64_t>(Ecosystem::hackage))
      info.parts.push_back({static_cast<Ecosystem>(ecosystem), count});
  }
  info.advisories = out.advisories_.size() / kAdvisoryRow;
  info.text_bytes = out.text_.size();
  return out;
}

uint32_t Index::size() const {
  return static_cast<uint32_t>(advisories_.size() / kAdvisoryRow);
}

std::vector<Hit> Index::match(Ecosystem ecosystem, std::string_view name,
                              std::string_view version) const {
  std::vector<Hit> out;
  if (version.empty() || names_.size() < 2 * kNameRow) return out;
  const auto wanted = name_hash(ecosystem, normalised_name(ecosystem, name));
  std::size_t low = 0,
              high = names_.size() / kNameRow - 1;  // the last row only ends the one before
  while (low < high) {
    const auto middle = (low + high) / 2;
    if (load(names_, middle * kNameRow, 8) < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  if (load(names_, low * kNameRow, 8) != wanted || low + 1 >= names_.size() / kNameRow) return out;
  const auto first = load(names_, low * kNameRow + 8, 4);
  const auto end = std::min<uint64_t>(load(names_, (low + 1) * kNameRow + 8, 4),
                                      affected_.size() / kAffectedRow);
  std::string_view written = version;
  if (ecosystem == Ecosystem::go && written.starts_with("go")) written.remove_prefix(2);
  const Asked asked{ecosystem, order_key(ecosystem, written),
                    static_cast<uint32_t>(hash(equality_key(ecosystem, written)))};
  for (auto i = first; i < end; ++i) {
    const auto advisory = static_cast<uint32_t>(load(affected_, i * kAffectedRow, 4));
    if (advisory >= size()) continue;
    auto hit = judge(Cursor(stream_, load(affected_, i * kAffectedRow + 4, 4)), asked);
    if (!hit) continue;
    const auto row = advisory * kAdvisoryRow;
    hit->advisory = advisory;
    hit->group = static_cast<uint32_t>(load(advisories_, row + 4, 4));
    if (hit->level == Severity::unknown) {
      hit->score = score_of(load(advisories_, row + 8, 1));
      hit->level = level_of(load(advisories_, row + 9, 1));
    }
    // One package may stand in an advisory several times; once is enough.
    if (!out.empty() && out.back().advisory == advisory) {
      if (out.back().confidence < hit->confidence) out.back() = *hit;
    } else {
      out.push_back(*hit);
    }
  }
  return out;
}

Result<Advisory> Index::advisory(uint32_t number) const {
  Block block;
  return advisory(number, block);
}

Status Index::unpack(uint64_t number, Block& into) const {
  const Error damaged(Code::data_loss, "the advisory index's text is damaged");
  if (into.number == number) return {};
  into.number = UINT64_MAX;
  const auto row = number * kBlockRow;
  if (row + kBlockRow > blocks_.size()) return damaged;
  Cursor packed(text_, load(blocks_, row, 4));
  const auto frame = packed.take(load(blocks_, row + 4, 4));
  into.text.resize(kBlock);
  const auto unpacked =
      ZSTD_decompress(into.text.data(), into.text.size(), frame.data(), frame.size());
  if (!packed.ok() || ZSTD_isError(unpacked)) return damaged;
  into.text.resize(unpacked);
  into.number = number;
  return {};
}

Result<Advisory> Index::advisory(uint32_t number, Block& last) const {
  if (number >= size()) return Error(Code::not_found, "no such advisory");
  const auto row = number * kAdvisoryRow;
  const auto address = load(advisories_, row, 4);
  RETURN_IF_ERROR(unpack(address / kBlock, last));
  Advisory out;
  Cursor cursor(as_bytes(last.text), address % kBlock);
  out.id = cursor.text();
  out.modified = cursor.text();
  out.summary = cursor.text();
  out.cvss = cursor.text();
  for (auto n = cursor.varint(); n > 0 && cursor.ok(); --n) out.aliases.emplace_back(cursor.text());
  for (auto n = cursor.varint(); n > 0 && cursor.ok(); --n) {
    auto& fixed = out.fixed.emplace_back();
    for (auto m = cursor.varint(); m > 0 && cursor.ok(); --m) fixed.emplace_back(cursor.text());
  }
  const auto flags = load(advisories_, row + 14, 1);
  if (flags & kHasSymbols) read_symbols(cursor, out);
  if (!cursor.ok()) return Error(Code::data_loss, "the advisory index's text is damaged");
  constexpr double kScale = 65535;
  out.group = static_cast<uint32_t>(load(advisories_, row + 4, 4));
  out.score = score_of(load(advisories_, row + 8, 1));
  out.level = level_of(load(advisories_, row + 9, 1));
  if (flags & kHasEpss) {
    out.epss = static_cast<double>(load(advisories_, row + 10, 2)) / kScale;
    out.epss_percentile = static_cast<double>(load(advisories_, row + 12, 2)) / kScale;
  }
  out.known_exploited = flags & kKnownExploited;
  out.ransomware = flags & kRansomware;
  return out;
}

}  // namespace gitaiops::scanner
