// PEP 440's version specifiers, as pip and the packaging library read them.
#include <algorithm>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/pep440.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

struct Specifier {
  std::string_view op;
  std::string text;  // the version as written
  Pep440 version;
  bool prefix = false;  // "==1.2.*"
};

std::string public_key(Pep440 version) {
  version.local.clear();
  return key_of(version);
}

bool same_base(Pep440 a, Pep440 b) {
  for (auto* v : {&a, &b}) {
    v->pre_kind = 0;
    v->post.reset();
    v->dev.reset();
    v->local.clear();
  }
  return key_of(a) == key_of(b);
}

// The first `count` numbers of a release, missing ones as zero.
bool same_prefix(const Pep440& version, const Pep440& spec, std::size_t count) {
  if (version.epoch != spec.epoch) return false;
  for (std::size_t i = 0; i < count; ++i)
    if ((i < version.release.size() ? version.release[i] : "") != spec.release[i]) return false;
  return true;
}

std::optional<Specifier> read_specifier(std::string_view text) {
  text = trimmed(text);
  Specifier out;
  for (const std::string_view op : {"===", "~=", "==", "!=", "<=", ">=", "<", ">"}) {
    if (!text.starts_with(op)) continue;
    out.op = op;
    text.remove_prefix(op.size());
    break;
  }
  text = trimmed(text);
  if (out.op.empty() || text.empty()) return std::nullopt;
  out.text = text;
  const bool equality = out.op == "==" || out.op == "!=";
  if (equality && text.ends_with(".*")) {
    out.prefix = true;
    text.remove_suffix(2);
  }
  auto version = read_pep440(text);
  if (out.op == "===") {
    if (text.find_first_of(" \t") != text.npos || !version) return std::nullopt;
    out.version = *version;
    return out;
  }
  if (!version) return std::nullopt;
  const bool more_than_release =
      version->pre_kind || version->post || version->dev || !version->local.empty();
  if (out.prefix && more_than_release) return std::nullopt;
  if (!equality && !version->local.empty()) return std::nullopt;
  if (out.op == "~=" && version->release.size() < 2) return std::nullopt;
  out.version = std::move(*version);
  return out;
}

bool takes_prereleases(const Specifier& s) {
  return s.op != "!=" && s.op != "<" && s.op != ">" && s.version.is_prerelease();
}

bool equal_to(const Specifier& s, const Pep440& version) {
  if (s.prefix) return same_prefix(version, s.version, s.version.release.size());
  return s.version.local.empty() ? public_key(version) == key_of(s.version)
                                 : key_of(version) == key_of(s.version);
}

bool holds(const Specifier& s, const Pep440& version) {
  if (s.op == "===") return to_string(version) == lower(s.text);
  if (s.op == "==") return equal_to(s, version);
  if (s.op == "!=") return !equal_to(s, version);
  const std::string spec = key_of(s.version);
  if (s.op == "<=") return public_key(version) <= spec;
  if (s.op == ">=") return public_key(version) >= spec;
  if (s.op == "~=")
    return public_key(version) >= spec &&
           same_prefix(version, s.version, s.version.release.size() - 1);
  if (s.op == "<")
    return key_of(version) < spec && (s.version.is_prerelease() || !version.is_prerelease() ||
                                      !same_base(version, s.version));
  return key_of(version) > spec &&
         (s.version.post || !version.post || !same_base(version, s.version)) &&
         (version.local.empty() || !same_base(version, s.version));
}

}  // namespace

Match match_pypi(std::string_view version, std::string_view specifiers, Prereleases wanted) {
  const auto read = read_pep440(version);
  if (!read) return Match::invalid;
  std::vector<Specifier> all;
  for (const auto part : split(specifiers, ',')) {
    if (trimmed(part).empty()) continue;
    auto specifier = read_specifier(part);
    if (!specifier) return Match::invalid;
    all.push_back(std::move(*specifier));
  }
  const bool prereleases =
      wanted == Prereleases::included || std::any_of(all.begin(), all.end(), takes_prereleases);
  if (read->is_prerelease() && !prereleases) return Match::no;
  return match_if(
      std::all_of(all.begin(), all.end(), [&](const Specifier& s) { return holds(s, *read); }));
}

}  // namespace gitaiops::scanner::order
