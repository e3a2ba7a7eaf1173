#include "engines/triage/code_owners.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostOwners = 200;  // of one entry
constexpr int64_t kMostApprovals = 100;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

// What may stand in a user's or a group's path.
bool is_account(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.front() != '/' && name.back() != '/' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.' || c == '/';
         });
}

std::optional<CodeOwner> owner_of(std::string_view word) {
  if (word.starts_with("@@")) {
    auto role = lower_case(word.substr(2));
    if (role.ends_with('s')) role.pop_back();
    if (role != "developer" && role != "maintainer" && role != "owner") return std::nullopt;
    return CodeOwner{CodeOwner::Kind::role, role};
  }
  if (word.starts_with('@')) {
    if (!is_account(word.substr(1))) return std::nullopt;
    return CodeOwner{CodeOwner::Kind::account, std::string(word.substr(1))};
  }
  const auto at = word.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == word.size() ||
      word.find('@', at + 1) != std::string_view::npos)
    return std::nullopt;
  return CodeOwner{CodeOwner::Kind::email, lower_case(word)};
}

std::vector<CodeOwner> owners_in(std::string_view text) {
  std::vector<CodeOwner> owners;
  while (!text.empty()) {
    const auto end = std::ranges::find_if(text, is_blank) - text.begin();
    const auto word = text.substr(0, static_cast<std::size_t>(end));
    text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end) + 1));
    auto owner = owner_of(word);
    if (owner && owners.size() < kMostOwners && std::ranges::find(owners, *owner) == owners.end())
      owners.push_back(std::move(*owner));
  }
  return owners;
}

struct Header {
  std::string name;
  bool optional = false;
  int approvals = 1;
  std::vector<CodeOwner> owners;
};

// "^[Name][2] @owner …"; nothing: the line is an entry.
std::optional<Header> header_of(std::string_view line) {
  Header header;
  header.optional = line.starts_with('^');
  if (header.optional) line.remove_prefix(1);
  if (!line.starts_with('[')) return std::nullopt;
  auto end = line.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  header.name = trimmed(line.substr(1, end - 1));
  if (header.name.empty()) return std::nullopt;
  line.remove_prefix(end + 1);
  if (line.starts_with('[')) {
    end = line.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    if (const auto number = parse_int(line.substr(1, end - 1)))
      header.approvals = static_cast<int>(std::clamp<int64_t>(*number, 1, kMostApprovals));
    line.remove_prefix(end + 1);
  }
  if (!line.empty() && !is_blank(line.front())) return std::nullopt;
  header.owners = owners_in(line);
  return header;
}

// The pattern ends at the first blank without a backslash before it.
std::size_t end_of_pattern(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if (is_blank(line[i]) && (i == 0 || line[i - 1] != '\\')) return i;
  return line.size();
}

// As fnmatch wants it: from the root, with what stands for a folder spelt out.
std::string normalised(std::string_view written) {
  std::string pattern;
  if (written.starts_with("\\#")) written.remove_prefix(1);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '\\' && i + 1 < written.size() && is_blank(written[i + 1])) {
      while (i + 1 < written.size() && is_blank(written[i + 1])) ++i;
      pattern += ' ';
    } else {
      pattern += written[i];
    }
  }
  if (pattern == "*") return "/**/*";
  if (!pattern.starts_with('/')) pattern = "/**/" + pattern;
  if (pattern.ends_with('/')) pattern += "**/*";
  return pattern;
}

// "[a-z]", "[!x]", "[^x]" against one character; moves behind the "]". nullopt: never closed, and
// then nothing matches.
std::optional<bool> in_brackets(std::string_view pattern, std::size_t& at, char c) {
  const auto byte = [](char x) { return static_cast<unsigned char>(x); };
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const char low = pattern[i++];
    char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = pattern[i++];
    }
    found = found || (byte(low) <= byte(c) && byte(c) <= byte(high));
  }
  if (i >= pattern.size()) return std::nullopt;
  at = i + 1;
  return found != negated;
}

// One part between slashes; the last "*" is tried again with one character more.
bool part_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, star_n = 0;
  while (true) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_n = n;
      continue;
    }
    if (n == name.size()) return p == pattern.size();
    bool matched = false;
    if (p < pattern.size()) {
      if (pattern[p] == '?') {
        matched = true;
        ++p;
      } else if (pattern[p] == '[') {
        std::size_t after = p;
        const auto in = in_brackets(pattern, after, name[n]);
        matched = in.value_or(false);
        if (matched) p = after;
      } else {
        if (pattern[p] == '\\' && p + 1 < pattern.size()) {
          matched = pattern[p + 1] == name[n];
          if (matched) p += 2;
        } else {
          matched = pattern[p] == name[n];
          if (matched) ++p;
        }
      }
    }
    if (matched) {
      ++n;
    } else if (star != std::string_view::npos) {
      p = star;
      n = ++star_n;
    } else {
      return false;
    }
  }
}

}  // namespace

bool owner_pattern_matches(std::string_view written, std::string_view path) {
  const auto pattern = normalised(written);
  const auto parts = split(pattern, '/');
  const auto names = split(path, '/');
  // The first part is empty: the root. The last "**" is tried again with one folder more.
  std::size_t p = 1, n = 0, deep = std::string_view::npos, deep_n = 0;
  while (true) {
    if (p + 1 < parts.size() && parts[p] == "**") {
      deep = ++p;
      deep_n = n;
      continue;
    }
    if (n == names.size()) return p == parts.size();
    if (p < parts.size() && part_matches(parts[p], names[n])) {
      ++p;
      ++n;
    } else if (deep != std::string_view::npos) {
      p = deep;
      n = ++deep_n;
    } else {
      return false;
    }
  }
}

CodeOwners::CodeOwners(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  sections_.emplace_back();
  std::size_t current = 0, read = 0;
  std::vector<CodeOwner> usual;
  for (const auto raw : split(text, '\n')) {
    const auto line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.size() > kLongestLine) continue;
    if (auto header = header_of(line)) {
      const auto same = std::ranges::find_if(sections_, [&](const OwnerSection& one) {
        return lower_case(one.name) == lower_case(header->name);
      });
      current = static_cast<std::size_t>(same - sections_.begin());
      if (same == sections_.end()) {
        if (++read > kMostEntries) return;
        sections_.push_back({std::move(header->name), header->optional, header->approvals, {}});
      }
      usual = std::move(header->owners);
      continue;
    }
    if (++read > kMostEntries) return;
    const auto end = end_of_pattern(line);
    OwnerEntry entry{std::string(line.substr(0, end)), owners_in(line.substr(end)), false};
    entry.excludes = entry.pattern.starts_with('!');
    if (entry.excludes) entry.pattern.erase(0, 1);
    if (entry.pattern.empty()) continue;
    if (entry.owners.empty()) entry.owners = usual;
    sections_[current].entries.push_back(std::move(entry));
  }
}

std::vector<Ownership> CodeOwners::of(std::string_view path) const {
  std::vector<Ownership> out;
  for (const auto& section : sections_) {
    const OwnerEntry* last = nullptr;
    for (const auto& entry : section.entries) {
      if (!owner_pattern_matches(entry.pattern, path)) continue;
      last = entry.excludes ? nullptr : &entry;
      if (entry.excludes) break;  // nothing takes it in again
    }
    if (last && !last->owners.empty()) out.push_back({&section, last});
  }
  return out;
}

}  // namespace gitaiops::triage
