#include "engines/scanner/provenance/transparency.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kKeyHintSize = 4;
constexpr std::string_view kSignatureMark = "\xe2\x80\x94 ";  // an em dash and a blank

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

// A tree head in a signed note: text, an empty line, signature lines.
struct Note {
  std::string_view text;
  std::string_view origin;
  int64_t size = 0;
  std::string root_hash;
  std::vector<std::string_view> signatures;  // lines
};

Result<Note> parse_note(std::string_view note) {
  const auto gap = note.rfind("\n\n");
  if (gap == note.npos || !note.ends_with('\n')) return failed("it is no signed note");
  Note parsed;
  parsed.text = note.substr(0, gap + 1);
  const auto lines = split(note.substr(0, gap), '\n');
  if (lines.size() < 3 || lines[0].empty())
    return failed("it lacks one of origin, tree size and root hash");
  parsed.origin = lines[0];
  const auto size = parse_uint(lines[1]);
  if (!size || *size > static_cast<uint64_t>(INT64_MAX) ||
      (lines[1].size() > 1 && lines[1].front() == '0'))
    return failed("its second line is no tree size");
  parsed.size = static_cast<int64_t>(*size);
  parsed.root_hash = base64_decode(lines[2]).value_or("");
  if (parsed.root_hash.size() != kHashSize) return failed("its third line is no root hash");
  const auto signature_part = note.substr(gap + 2, note.size() - gap - 3);
  parsed.signatures = split(signature_part, '\n');
  return parsed;
}

// Whether a signature line is this log's and holds.
bool signed_by_log(std::string_view line, std::string_view text, const Log& log, EVP_PKEY* key) {
  if (!line.starts_with(kSignatureMark)) return false;
  line.remove_prefix(kSignatureMark.size());
  const auto blank = line.rfind(' ');
  if (blank == line.npos) return false;
  if (!log.host.empty() && line.substr(0, blank) != log.host) return false;
  const auto raw = base64_decode(line.substr(blank + 1));
  if (!raw || raw->size() <= kKeyHintSize || log.checkpoint_id.size() < kKeyHintSize ||
      raw->substr(0, kKeyHintSize) != log.checkpoint_id.substr(0, kKeyHintSize))
    return false;
  return signed_by(key, hash_for(key), text, std::string_view(*raw).substr(kKeyHintSize));
}

std::string node_hash(std::string_view left, std::string_view right) {
  return digest(Hash::sha256, std::string(1, '\x01').append(left).append(right));
}

}  // namespace

Status check_promise(const LogEntry& entry, EVP_PKEY* key) {
  if (entry.integrated_time <= 0) return failed("there is no integrated time");
  // nlohmann sorts keys and writes no blanks: what RFC 8785 asks of such values.
  const nlohmann::json covered = {{"body", base64_encode(entry.body)},
                                  {"integratedTime", entry.integrated_time},
                                  {"logID", hex_encode(as_bytes(entry.log_id))},
                                  {"logIndex", entry.index}};
  if (!signed_by(key, hash_for(key), covered.dump(), entry.promise))
    return failed("the log's signature does not cover this entry");
  return {};
}

Status check_checkpoint(const InclusionProof& proof, const Log& log, EVP_PKEY* key) {
  ASSIGN_OR_RETURN(const auto note, parse_note(proof.checkpoint));
  if (!log.host.empty() && note.origin != log.host && !note.origin.starts_with(log.host + " - "))
    return failed("its origin \"" + to_utf8(note.origin) + "\" is not the log " + log.host);
  if (std::none_of(note.signatures.begin(), note.signatures.end(),
                   [&](std::string_view line) { return signed_by_log(line, note.text, log, key); }))
    return failed("no signature on it is the log's");
  if (note.size != proof.tree_size || note.root_hash != proof.root_hash)
    return failed("it is the head of another tree than the inclusion proof's");
  return {};
}

Status check_inclusion(const LogEntry& entry) {
  const InclusionProof& proof = *entry.proof;
  if (proof.index >= proof.tree_size) return failed("the index lies outside of the tree");
  auto at = static_cast<uint64_t>(proof.index);
  auto last = static_cast<uint64_t>(proof.tree_size) - 1;
  std::string hash = digest(Hash::sha256, std::string(1, '\0').append(entry.body));
  for (const auto& sibling : proof.hashes) {
    if (sibling.size() != kHashSize) return failed("a hash of the proof is not 32 bytes long");
    if (last == 0) return failed("the proof is longer than the tree is high");
    if ((at & 1) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      while ((at & 1) == 0 && at != 0) at >>= 1, last >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1, last >>= 1;
  }
  if (last != 0) return failed("the proof is shorter than the tree is high");
  if (hash != proof.root_hash) return failed("the proof does not lead to the tree's root");
  return {};
}

}  // namespace gitaiops::scanner::provenance
