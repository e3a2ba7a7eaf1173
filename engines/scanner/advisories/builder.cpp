#include "engines/scanner/advisories/builder.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include <zstd.h>

#include "engines/scanner/advisories/format.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

using namespace format;

// What of an advisory is shown is bounded, so that one record fits a block of text.
constexpr std::size_t kMaxSummary = 1000, kMaxVector = 300, kMaxId = 100;
constexpr std::size_t kMaxAliases = 40, kMaxFixedPlaces = 200, kMaxFixed = 8;
constexpr std::size_t kMaxFixedText = 100, kMaxText = kBlock - 2048;
constexpr std::size_t kMaxSymbols = 8000;  // bytes
constexpr int kTextLevel = 12;             // of zstd: built once, read often

// ---- Aliases ----

// Ids that name one thing: symmetric and transitive over all records.
class Groups {
 public:
  uint32_t of(const std::string& id) {
    const auto [at, added] = numbers_.try_emplace(id, static_cast<uint32_t>(parents_.size()));
    if (added) parents_.push_back(at->second);
    return root(at->second);
  }
  void join(const std::string& a, const std::string& b) {
    const auto left = of(a), right = of(b);
    parents_[std::max(left, right)] = std::min(left, right);
  }
  const std::unordered_map<std::string, uint32_t>& numbers() const { return numbers_; }
  uint32_t root(uint32_t n) {
    while (parents_[n] != n) n = parents_[n] = parents_[parents_[n]];
    return n;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<uint32_t> parents_;
};

// ---- Text ----

class TextWriter {
 public:
  uint32_t add(std::string_view record) {
    if (block_.size() + record.size() > kBlock) flush();
    const auto address = static_cast<uint32_t>(count_ * kBlock + block_.size());
    block_ += record;
    return address;
  }
  void flush() {
    if (block_.empty()) return;
    std::string packed(ZSTD_compressBound(block_.size()), '\0');
    packed.resize(
        ZSTD_compress(packed.data(), packed.size(), block_.data(), block_.size(), kTextLevel));
    store(blocks, text.size(), 4);
    store(blocks, packed.size(), 4);
    text += packed;
    block_.clear();
    ++count_;
  }
  uint64_t blocks_written() const { return count_; }

  std::string blocks, text;

 private:
  std::string block_;
  uint64_t count_ = 0;
};

std::vector<std::string_view> fixed_versions(const OsvAffected& affected) {
  std::vector<std::string_view> out;
  const auto add = [&](const OsvEvent& event) {
    if (event.kind == EventKind::fixed && out.size() < kMaxFixed &&
        event.version.size() <= kMaxFixedText &&
        std::find(out.begin(), out.end(), event.version) == out.end())
      out.emplace_back(event.version);
  };
  for (const auto* ranges : {&affected.ranges, &affected.custom_ranges})
    for (const auto& range : *ranges) std::for_each(range.begin(), range.end(), add);
  return out;
}

std::string text_of(const OsvRecord& record) {
  std::string out;
  store_text(out, truncate_utf8(record.id, kMaxId));
  store_text(out, truncate_utf8(record.modified, kMaxId));
  store_text(out, truncate_utf8(record.summary, kMaxSummary));
  store_text(out, record.severity.vector.substr(0, kMaxVector));
  const auto aliases = std::min(record.aliases.size(), kMaxAliases);
  store_varint(out, aliases);
  for (std::size_t i = 0; i < aliases; ++i)
    store_text(out, truncate_utf8(record.aliases[i], kMaxId));
  const auto places = std::min(record.affected.size(), kMaxFixedPlaces);
  store_varint(out, places);
  for (std::size_t i = 0; i < places; ++i) {
    const auto fixed = out.size() < kMaxText ? fixed_versions(record.affected[i])
                                             : std::vector<std::string_view>();
    store_varint(out, fixed.size());
    for (const auto version : fixed) store_text(out, version);
  }
  return out;
}

// Behind the other text of an advisory that names symbols; "" for the others. Symbols that are too
// many are left out altogether: half of them would say that the other half is not affected.
std::string symbols_of(const OsvRecord& record) {
  std::string out;
  bool any = false;
  const auto places = std::min(record.affected.size(), kMaxFixedPlaces);
  for (std::size_t i = 0; i < places; ++i) {
    std::string one;
    for (const auto& [path, names] : record.affected[i].symbols) {
      store_text(one, path);
      store_varint(one, names.size());
      for (const auto& name : names) store_text(one, name);
    }
    const bool fits = one.size() <= kMaxSymbols - std::min(out.size(), kMaxSymbols);
    store_varint(out, fits ? record.affected[i].symbols.size() : 0);
    if (fits) out += one;
    any = any || (fits && !one.empty());
  }
  return any ? out : std::string();
}

// ---- What matching reads ----

void put_ranges(std::string& out, Ecosystem ecosystem, const std::vector<OsvRange>& ranges) {
  store_varint(out, ranges.size());
  for (const auto& range : ranges) {
    std::vector<std::pair<std::string, EventKind>> events;
    for (const auto& event : range) {
      if (event.kind == EventKind::limit && event.version == "*") continue;  // no limit
      // "0" is before every version, also before those that are odd.
      const bool first = event.kind == EventKind::introduced && event.version == "0";
      events.emplace_back(first ? "" : order_key(ecosystem, event.version), event.kind);
    }
    std::stable_sort(events.begin(), events.end(), [&](const auto& a, const auto& b) {
      if (a.first.empty() || b.first.empty()) return a.first.empty() && !b.first.empty();
      return compare_keys(ecosystem, a.first, b.first) < 0;
    });
    store_varint(out, events.size());
    for (const auto& [key, kind] : events) {
      store_varint(out, key.size() * 4 + static_cast<uint64_t>(kind));
      out += key;
    }
  }
}

uint8_t tenths(double score) {
  return score < 0 ? kNoScore : static_cast<uint8_t>(std::lround(score * 10));
}

std::string stream_of(const OsvAffected& affected, std::size_t place, uint64_t& listed) {
  std::string out;
  uint8_t flags = static_cast<uint8_t>(affected.informational);
  const bool severity = affected.severity.level != Severity::unknown;
  if (!affected.custom_ranges.empty()) flags |= kHasCustomRanges;
  if (severity) flags |= kHasSeverity;
  store(out, flags, 1);
  if (severity) {
    store(out, tenths(affected.severity.score), 1);
    store(out, static_cast<uint64_t>(affected.severity.level), 1);
  }
  store_varint(out, place);
  put_ranges(out, affected.ecosystem, affected.ranges);
  if (!affected.custom_ranges.empty()) put_ranges(out, affected.ecosystem, affected.custom_ranges);
  std::set<uint32_t> hashes;
  for (const auto& version : affected.versions)
    hashes.insert(static_cast<uint32_t>(hash(equality_key(affected.ecosystem, version))));
  store_varint(out, hashes.size());
  for (const auto h : hashes) store(out, h, 4);
  listed += hashes.size();
  return out;
}

void put_meta(std::string& out, const IndexInfo& info) {
  for (const auto count : {info.packages, info.affected, info.listed_versions, info.scored_by_epss,
                           info.known_exploited, info.match_bytes})
    store_varint(out, count);
  for (const auto* date : {&info.newest, &info.epss_date, &info.kev_date}) store_text(out, *date);
  store_varint(out, info.parts.size());
  for (const auto& part : info.parts) {
    store(out, static_cast<uint64_t>(part.ecosystem), 1);
    store_varint(out, part.advisories);
  }
}

std::string assembled(const std::array<std::string, kSections>& sections) {
  std::size_t offset = kHeader;
  std::string out(kMagic), table;
  for (const auto& section : sections) {
    store(table, offset, 8);
    store(table, section.size(), 8);
    offset += section.size();
  }
  store(out, kVersion, 4);
  store(out, kSections, 4);
  store(out, offset, 8);
  out += table;
  for (const auto& section : sections) out += section;
  return out;
}

}  // namespace

Status IndexBuilder::add_osv(std::string_view json) {
  ASSIGN_OR_RETURN(auto record, reader_.read(json));
  ++counts_.records;
  if (!record.withdrawn && record.affected.empty()) {
    ++counts_.without_package;
    return {};
  }
  const auto at = records_.find(record.id);
  if (at == records_.end()) {
    std::string id = record.id;
    records_.emplace(std::move(id), std::move(record));
  } else {
    ++counts_.repeated;
    if (at->second.modified < record.modified) at->second = std::move(record);
  }
  return {};
}

Result<std::string> IndexBuilder::finish() {
  std::erase_if(records_, [&](const auto& entry) {
    counts_.withdrawn += entry.second.withdrawn;
    return entry.second.withdrawn;
  });
  Groups groups;
  for (const auto& [id, record] : records_) {
    groups.of(id);
    for (const auto& alias : record.aliases) groups.join(id, alias);
  }
  // What is known of a CVE is known of all its aliases.
  std::unordered_map<uint32_t, std::pair<Epss, bool>> epss;  // the flag: there is one
  std::unordered_map<uint32_t, bool> exploited;
  for (const auto& [id, number] : groups.numbers()) {
    const auto group = groups.root(number);
    if (const auto at = epss_.find(id); at != epss_.end()) {
      auto& best = epss[group];
      if (!best.second || best.first.score < at->second.score) best = {at->second, true};
    }
    if (const auto at = exploited_.find(id); at != exploited_.end())
      exploited[group] = exploited[group] || at->second;
  }

  IndexInfo info;
  std::array<std::string, kSections> sections;
  TextWriter text;
  std::vector<std::pair<uint64_t, std::pair<uint32_t, uint32_t>>> entries;  // hash, row
  std::map<Ecosystem, uint64_t> parts;
  uint32_t number = 0;
  for (const auto& [id, record] : records_) {
    const auto group = groups.of(id);
    auto told = text_of(record);
    const auto symbols = symbols_of(record);
    const bool with_symbols = !symbols.empty() && told.size() + symbols.size() <= kBlock;
    if (with_symbols) told += symbols;
    store(sections[kAdvisories], text.add(told), 4);
    store(sections[kAdvisories], group, 4);
    store(sections[kAdvisories], tenths(record.severity.score), 1);
    store(sections[kAdvisories], static_cast<uint64_t>(record.severity.level), 1);
    const auto scored = epss.find(group);
    const Epss likely = scored == epss.end() ? Epss{} : scored->second.first;
    store(sections[kAdvisories], likely.score, 2);
    store(sections[kAdvisories], likely.percentile, 2);
    uint8_t flags = scored == epss.end() ? 0 : kHasEpss;
    if (with_symbols) flags |= kHasSymbols;
    if (const auto at = exploited.find(group); at != exploited.end())
      flags |= static_cast<uint8_t>(kKnownExploited | (at->second ? kRansomware : 0));
    store(sections[kAdvisories], flags, 2);
    info.scored_by_epss += (flags & kHasEpss) != 0;
    info.known_exploited += (flags & kKnownExploited) != 0;
    if (info.newest < record.modified) info.newest = record.modified;

    std::set<Ecosystem> ecosystems;
    for (std::size_t i = 0; i < record.affected.size(); ++i) {
      const auto& affected = record.affected[i];
      ecosystems.insert(affected.ecosystem);
      const auto offset = sections[kStream].size();
      if (offset > UINT32_MAX)
        return Error(Code::resource_exhausted, "more advisories than an index can hold");
      sections[kStream] += stream_of(affected, i, info.listed_versions);
      entries.push_back(
          {name_hash(affected.ecosystem, normalised_name(affected.ecosystem, affected.name)),
           {number, static_cast<uint32_t>(offset)}});
    }
    for (const auto ecosystem : ecosystems) ++parts[ecosystem];
    ++number;
  }
  text.flush();
  if (text.blocks_written() > UINT32_MAX / kBlock || text.text.size() > UINT32_MAX)
    return Error(Code::resource_exhausted, "more text than an index can hold");
  sections[kBlocks] = std::move(text.blocks);
  sections[kText] = std::move(text.text);

  std::sort(entries.begin(), entries.end());
  uint64_t last = UINT64_MAX;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].first != last) {
      store(sections[kNames], last = entries[i].first, 8);
      store(sections[kNames], i, 4);
      ++info.packages;
    }
    store(sections[kAffected], entries[i].second.first, 4);
    store(sections[kAffected], entries[i].second.second, 4);
  }
  store(sections[kNames], UINT64_MAX, 8);
  store(sections[kNames], entries.size(), 4);

  info.affected = entries.size();
  info.epss_date = epss_date_;
  info.kev_date = kev_date_;
  for (const auto& [ecosystem, count] : parts) info.parts.push_back({ecosystem, count});
  info.match_bytes = sections[kNames].size() + sections[kAffected].size() +
                     sections[kStream].size() + sections[kAdvisories].size() -
                     4 * info.listed_versions;
  put_meta(sections[kMeta], info);
  return assembled(sections);
}

}  // namespace gitaiops::scanner
