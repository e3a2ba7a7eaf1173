#include "engines/triage/rules/glob.h"

#include "base/bytes/bytes.h"
#include "engines/triage/lowered.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kMostParts = 64;
constexpr std::size_t kLongestPath = 4096;

// One part of a path: on a mismatch, the last * takes one character more.
bool part_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

Glob::Glob(std::string_view pattern) {
  auto text = lowered(trimmed(pattern));
  const bool anywhere = text.find('/') == text.npos;
  if (text.starts_with('/')) text.erase(0, 1);
  if (text.ends_with('/')) text += "**";
  if (anywhere) parts_.push_back("**");
  for (const auto part : split(text, '/'))
    if (part != "**" || parts_.empty() || parts_.back() != "**") parts_.emplace_back(part);
}

bool Glob::matches(std::string_view given) const {
  const auto path = lowered(given.substr(0, kLongestPath));
  auto parts = split(path, '/');
  if (parts.size() > kMostParts) parts.resize(kMostParts);
  // reached[i]: the pattern so far fits the first i parts.
  std::vector<char> reached(parts.size() + 1);
  reached[0] = true;
  for (const auto& pattern : parts_) {
    std::vector<char> next(parts.size() + 1);
    if (pattern == "**") {
      bool any = false;
      for (std::size_t i = 0; i <= parts.size(); ++i) next[i] = any = any || reached[i];
    } else {
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (reached[i]) next[i + 1] = part_matches(pattern, parts[i]);
    }
    reached = std::move(next);
  }
  return reached.back();
}

}  // namespace gitaiops::triage
