#include <algorithm>
#include <cctype>

#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {

std::optional<Hash> hash_named(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_')
      plain.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  if (plain == "sha256" || plain == "sha2256") return Hash::sha256;
  if (plain == "sha384" || plain == "sha2384") return Hash::sha384;
  if (plain == "sha512" || plain == "sha2512") return Hash::sha512;
  return std::nullopt;
}

std::string_view to_string(Hash hash) {
  return hash == Hash::sha256 ? "sha256" : hash == Hash::sha384 ? "sha384" : "sha512";
}

std::optional<Artifact> Artifact::from_text(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto hash = hash_named(text.substr(0, colon));
  auto raw = hex_decode(text.substr(colon + 1));
  if (!hash || !raw ||
      raw->size() != static_cast<std::size_t>(EVP_MD_get_size(algorithm_of(*hash))))
    return std::nullopt;
  return Artifact(*hash, std::move(*raw));
}

std::optional<std::string> Artifact::digest(Hash hash) const {
  const auto known = std::find_if(digests_.begin(), digests_.end(),
                                  [&](const auto& one) { return one.first == hash; });
  if (known != digests_.end()) return known->second;
  if (!bytes_) return std::nullopt;
  digests_.emplace_back(hash, provenance::digest(hash, *bytes_));
  return digests_.back().second;
}

}  // namespace gitaiops::scanner::provenance
