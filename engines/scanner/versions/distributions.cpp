// Debian (deb-version(7)), Red Hat (rpm-version(7)), Alpine (apk's rules), and versions that are
// nothing but numbers (R's package_version, Haskell's PVP).
#include <algorithm>
#include <array>
#include <vector>

#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

// ---- Debian: text and numbers in turn; '~' before the end, letters before everything else ----
enum DebianByte : unsigned char { kTilde = 1, kTextEnd = 2, kAfterLetters = 0x80 };

void put_debian_part(std::string& key, std::string_view text) {
  while (!text.empty()) {
    std::size_t n = 0;
    while (n < text.size() && !is_digit(text[n])) ++n;
    const auto word = text.substr(0, n);
    text.remove_prefix(n);
    const auto number = take_digits(text);
    if (word.empty() && without_zeros(number).empty() && text.empty()) break;  // "0" is ""
    for (const char c : word) {
      if (c == '~')
        key += static_cast<char>(kTilde);
      else
        key += is_letter(c) ? c : static_cast<char>(kAfterLetters | static_cast<unsigned char>(c));
    }
    key += static_cast<char>(kTextEnd);
    put_number(key, number);
  }
  key += static_cast<char>(kTextEnd);
  put_number(key, "");
}

// ---- Red Hat: runs of letters or digits; the bytes order what may follow an equal beginning ----
enum RpmRun : char { kRpmTilde = 1, kRpmEnd = 2, kRpmCaret = 3, kRpmLetters = 4, kRpmNumber = 5 };

void put_rpm_part(std::string& key, std::string_view text) {
  while (!text.empty()) {
    const char c = text[0];
    if (is_digit(c)) {
      key += kRpmNumber;
      put_number(key, take_digits(text));
    } else if (is_letter(c)) {
      std::size_t n = 0;
      while (n < text.size() && is_letter(text[n])) ++n;
      key += kRpmLetters;
      put_text(key, text.substr(0, n));
      text.remove_prefix(n);
    } else {
      if (c == '~') key += kRpmTilde;
      if (c == '^') key += kRpmCaret;
      text.remove_prefix(1);
    }
  }
  key += kRpmEnd;
}

// ---- Alpine ----
// Before the release: alpha, beta, pre, rc; after it the others. The list's order is the order.
constexpr std::array<std::string_view, 4> kBefore = {"alpha", "beta", "pre", "rc"};
constexpr std::array<std::string_view, 5> kAfter = {"cvs", "svn", "git", "hg", "p"};
enum AlpineSuffix : char { kFirstBefore = 1, kNoSuffix = 8, kFirstAfter = 9 };
enum AlpineNumber : char { kNumbersEnd = 0, kZeroLed = 1, kPlain = 2 };

char suffix_rank(std::string_view name) {
  for (std::size_t i = 0; i < kBefore.size(); ++i)
    if (name == kBefore[i]) return static_cast<char>(kFirstBefore + i);
  for (std::size_t i = 0; i < kAfter.size(); ++i)
    if (name == kAfter[i]) return static_cast<char>(kFirstAfter + i);
  return 0;
}

// A number after the first with a zero in front is a fraction: 1.05 is less than 1.1.
void put_alpine_numbers(std::string& key, std::string_view& text) {
  put_number(key, take_digits(text));
  while (text.size() > 1 && text[0] == '.' && is_digit(text[1])) {
    text.remove_prefix(1);
    const auto number = take_digits(text);
    if (number[0] == '0') {
      key += kZeroLed;
      put_text(key, number);
    } else {
      key += kPlain;
      put_number(key, number);
    }
  }
  key += kNumbersEnd;
}

void put_alpine_suffixes(std::string& key, std::string_view& text) {
  while (!text.empty() && text[0] == '_') {
    std::size_t n = 1;
    while (n < text.size() && is_letter(text[n])) ++n;
    const char rank = suffix_rank(text.substr(1, n - 1));
    if (rank == 0) break;
    text.remove_prefix(n);
    key += rank;
    put_number(key, take_digits(text));
  }
  key += kNoSuffix;
}

}  // namespace

std::string numbers_key(std::string_view version) {
  std::string key;
  while (!version.empty()) {
    if (is_digit(version[0])) {
      key += '\2';
      put_number(key, take_digits(version));
    } else if (version[0] == '.' || version[0] == '-') {
      version.remove_prefix(1);
    } else {
      key += '\1';
      put_text(key, version);
      break;
    }
  }
  return key;
}

bool valid_numbers(std::string_view version, std::string_view separators) {
  bool digit = false;
  for (const char c : version) {
    if (!is_digit(c) && (!digit || separators.find(c) == separators.npos)) return false;
    digit = is_digit(c);
  }
  return digit;
}

std::string debian_key(std::string_view version) {
  std::string key;
  const auto colon = version.find(':');
  if (colon != version.npos && all_digits(version.substr(0, colon))) {
    put_number(key, version.substr(0, colon));
    version.remove_prefix(colon + 1);
  } else {
    put_number(key, "");
  }
  const auto hyphen = version.rfind('-');
  put_debian_part(key, version.substr(0, std::min(hyphen, version.size())));
  put_debian_part(key, hyphen == version.npos ? "" : version.substr(hyphen + 1));
  return key;
}

bool valid_debian(std::string_view version) {
  const auto colon = version.find(':');
  if (colon != version.npos) {
    if (!all_digits(version.substr(0, colon))) return false;
    version.remove_prefix(colon + 1);
  }
  const auto hyphen = version.rfind('-');
  const auto upstream = version.substr(0, std::min(hyphen, version.size()));
  const auto revision = hyphen == version.npos ? std::string_view("0") : version.substr(hyphen + 1);
  const auto allowed = [](std::string_view text, std::string_view extra) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
      return is_digit(c) || is_letter(c) || extra.find(c) != extra.npos;
    });
  };
  return !upstream.empty() && !revision.empty() && is_digit(upstream[0]) &&
         allowed(upstream, ".+-~:") && allowed(revision, ".+~");
}

std::string rpm_key(std::string_view version) {
  std::string key;
  const auto colon = version.find(':');
  put_rpm_part(key, colon == version.npos ? "0" : version.substr(0, colon));
  if (colon != version.npos) version.remove_prefix(colon + 1);
  const auto hyphen = version.find('-');
  put_rpm_part(key, version.substr(0, std::min(hyphen, version.size())));
  put_rpm_part(key, hyphen == version.npos ? "" : version.substr(hyphen + 1));
  return key;
}

std::string alpine_key(std::string_view version) {
  std::string key;
  put_alpine_numbers(key, version);
  if (!version.empty() && version[0] >= 'a' && version[0] <= 'z') {
    key += version[0];
    version.remove_prefix(1);
  } else {
    key += '\0';
  }
  put_alpine_suffixes(key, version);
  // What no rule covers counts as it is written, but for what follows a hyphen that is no revision.
  const auto hyphen = std::min(version.find('-'), version.size());
  put_text(key, version.substr(0, hyphen));
  version.remove_prefix(hyphen);
  if (version.starts_with("-r")) version.remove_prefix(2);
  put_number(key, take_digits(version));
  return key;
}

}  // namespace gitaiops::scanner::order
