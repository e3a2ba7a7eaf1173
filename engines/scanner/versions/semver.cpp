// SemVer 2.0.0 (npm, crates.io, Go, Hex, Swift, Conan), NuGet's four numbers without letter case,
// Pub's ordered build numbers. Reading is lenient, as OSV's order has to be total: a "v" in front,
// missing numbers (zero), and what follows the last number without a hyphen counts as nothing.
#include <algorithm>

#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

constexpr std::string_view kMaxSafeInteger = "9007199254740991";  // JavaScript's
constexpr std::string_view kMaxU64 = "18446744073709551615";
constexpr std::size_t kNpmMaxLength = 256;

// Kinds of an identifier between dots, and of the whole: the bytes that order them.
enum Tag : char { kUnreadable = 0, kReadable = 1 };
enum Part : char { kEnd = 0, kNumber = 1, kText = 2 };
enum Stage : char { kPrerelease = 1, kRelease = 2 };

void put_identifiers(std::string& key, std::string_view text) {
  while (true) {
    const auto dot = std::min(text.find('.'), text.size());
    const auto part = text.substr(0, dot);
    if (all_digits(part)) {
      key += kNumber;
      put_number(key, part);
    } else {
      key += kText;
      put_text(key, part);
    }
    if (dot == text.size()) break;
    text.remove_prefix(dot + 1);
  }
  key += kEnd;
}

bool identifier_char(char c) {
  return is_digit(c) || is_letter(c) || c == '-';
}

bool valid_identifiers(std::string_view text, bool zeros_may_lead) {
  while (true) {
    const auto dot = std::min(text.find('.'), text.size());
    const auto part = text.substr(0, dot);
    if (part.empty() || !std::all_of(part.begin(), part.end(), identifier_char)) return false;
    if (!zeros_may_lead && all_digits(part) && part.size() > 1 && part[0] == '0') return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

// X.Y.Z[-pre][+build] to the letter, numbers at most `max`; fewer numbers where `short_forms`.
bool valid_semver(std::string_view text, std::string_view max, bool short_forms) {
  std::string_view build, prerelease;
  const auto plus = text.find('+');
  const bool has_build = plus != text.npos;
  if (has_build) build = text.substr(plus + 1), text = text.substr(0, plus);
  const auto hyphen = text.find('-');
  const bool has_prerelease = hyphen != text.npos;
  if (has_prerelease) prerelease = text.substr(hyphen + 1), text = text.substr(0, hyphen);
  if (has_build && !valid_identifiers(build, true)) return false;
  if (has_prerelease && !valid_identifiers(prerelease, false)) return false;
  int count = 0;
  while (true) {
    const auto dot = std::min(text.find('.'), text.size());
    const auto number = text.substr(0, dot);
    if (!all_digits(number) || (number.size() > 1 && number[0] == '0')) return false;
    if (compare_numbers(number, max) > 0) return false;
    ++count;
    if (dot == text.size()) break;
    text.remove_prefix(dot + 1);
  }
  return count == 3 || (short_forms && count < 3 && !has_build && !has_prerelease);
}

}  // namespace

Semver read_semver(std::string_view text, int max_numbers) {
  Semver out;
  if (text.size() > 1 && (text[0] == 'v' || text[0] == 'V') && is_digit(text[1]))
    text.remove_prefix(1);
  while (out.count < max_numbers && !text.empty() && is_digit(text[0])) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    out.numbers[out.count++] = text.substr(0, end);
    text.remove_prefix(end);
    if (out.count == max_numbers || text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  if (out.count == 0) {
    out.junk = text;
    return out;
  }
  const auto plus = std::min(text.find('+'), text.size());
  if (plus < text.size()) out.build = text.substr(plus + 1);
  text = text.substr(0, plus);
  if (!text.empty() && text[0] == '-')
    out.prerelease = text.substr(1);
  else if (!text.empty() && is_letter(text[0]))
    out.prerelease = text;  // "1.2.0rc1": what its author meant
  else
    out.junk = text;
  return out;
}

std::string semver_key(std::string_view version, Dialect dialect) {
  const int numbers = dialect == Dialect::nuget ? 4 : 3;
  const Semver v = read_semver(version, numbers);
  std::string key;
  if (v.count == 0) {
    key += kUnreadable;
    put_text(key, v.junk);
    return key;
  }
  key += kReadable;
  for (int i = 0; i < numbers; ++i) put_number(key, v.numbers[i]);
  if (v.prerelease.empty()) {
    key += kRelease;
  } else {
    key += kPrerelease;
    put_identifiers(key, dialect == Dialect::nuget ? lower(v.prerelease) : v.prerelease);
  }
  if (dialect == Dialect::pub && !v.build.empty()) put_identifiers(key, v.build);
  return key;
}

std::weak_ordering compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  std::string left, right;
  put_identifiers(left, a);
  put_identifiers(right, b);
  return left.compare(right) <=> 0;
}

bool valid_npm(std::string_view version) {
  if (version.size() > kNpmMaxLength) return false;
  while (!version.empty() && version.front() == ' ') version.remove_prefix(1);
  while (!version.empty() && version.back() == ' ') version.remove_suffix(1);
  if (!version.empty() && version.front() == 'v') version.remove_prefix(1);
  return valid_semver(version, kMaxSafeInteger, false);
}

bool valid_cargo(std::string_view version) {
  return valid_semver(version, kMaxU64, false);
}

bool valid_go(std::string_view version) {
  if (!version.empty() && version.front() == 'v') version.remove_prefix(1);
  // Go puts no bound on a number.
  return valid_semver(version, std::string(version.size() + 1, '9'), true);
}

bool valid_nuget(std::string_view version) {
  const Semver v = read_semver(version, 4);
  if (v.count < 1 || !v.junk.empty()) return false;
  if (!v.build.empty() && !valid_identifiers(v.build, true)) return false;
  return v.prerelease.empty() || valid_identifiers(v.prerelease, true);
}

}  // namespace gitaiops::scanner::order
