// Which failures are the same, and which are alike: an exact hash of what names a failure, and a
// MinHash over three-word shingles of its masked evidence.
#include "engines/diagnosis/fingerprint.h"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kShingleWords = 3;
constexpr std::size_t kShinglesMax = 2048;
constexpr std::size_t kBandRows = 8;

uint64_t hashed(std::string_view text, uint64_t hash = 14695981039346656037ULL) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

// A different well-mixed value for every slot (splitmix64's finish).
uint32_t slot_value(uint64_t shingle, uint64_t slot) {
  uint64_t x = shingle + (slot + 1) * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<uint32_t>(x >> 32);
}

std::vector<uint64_t> shingles(const std::vector<Excerpt>& evidence) {
  std::vector<uint64_t> words, out;
  for (const Excerpt& excerpt : evidence) {
    for (const auto line : split(excerpt.text, '\n')) {
      const std::string masked = masked_template(line);
      for (const auto word : split(masked, ' ')) {
        if (!word.empty() && words.size() < kShinglesMax) words.push_back(hashed(word));
      }
    }
  }
  for (std::size_t i = 0; i + std::min(kShingleWords, words.size()) <= words.size(); ++i) {
    uint64_t hash = 0;
    for (std::size_t k = i; k < std::min(i + kShingleWords, words.size()); ++k)
      hash = (hash ^ words[k]) * 1099511628211ULL;
    out.push_back(hash);
    if (words.size() < kShingleWords) break;
  }
  return out;
}

}  // namespace

std::string fingerprint_of(const Diagnosis& d, std::string_view rule) {
  std::string place;
  if (!d.failing_tests.empty()) place = d.failing_tests.front().name;
  const std::string top = d.root_cause ? masked_template(d.root_cause->text) : std::string();
  uint64_t hash = hashed("");
  for (const std::string_view part :
       {std::string_view(d.category), rule, std::string_view(top), std::string_view(place)}) {
    hash = hashed(part, hash);
    hash = (hash ^ 0xff) * 1099511628211ULL;
  }
  char text[24];
  std::snprintf(text, sizeof text, "v1:%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::vector<uint32_t> minhash_of(const std::vector<Excerpt>& evidence) {
  const auto all = shingles(evidence);
  if (all.empty()) return {};
  std::vector<uint32_t> slots(kMinhashSlots, std::numeric_limits<uint32_t>::max());
  for (const uint64_t shingle : all) {
    for (std::size_t i = 0; i < kMinhashSlots; ++i)
      slots[i] = std::min(slots[i], slot_value(shingle, i));
  }
  return slots;
}

double similarity(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  if (a.size() != kMinhashSlots || b.size() != kMinhashSlots) return 0;
  std::size_t same = 0;
  for (std::size_t i = 0; i < kMinhashSlots; ++i) same += a[i] == b[i];
  return static_cast<double>(same) / static_cast<double>(kMinhashSlots);
}

std::vector<uint64_t> similarity_keys(const std::vector<uint32_t>& minhash) {
  std::vector<uint64_t> keys;
  if (minhash.size() != kMinhashSlots) return keys;
  for (std::size_t at = 0; at < kMinhashSlots; at += kBandRows) {
    uint64_t hash = 14695981039346656037ULL ^ at;
    for (std::size_t i = at; i < at + kBandRows; ++i) hash = (hash ^ minhash[i]) * 1099511628211ULL;
    keys.push_back(hash);
  }
  return keys;
}

}  // namespace gitaiops::diagnosis
