// The orders, one ecosystem family each; versions.cpp chooses. Private to this folder.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::scanner::order {

// ---- Bytes that compare as the things they stand for ----
inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
std::string lower(std::string_view text);
bool all_digits(std::string_view text);                   // not empty, digits only
std::string_view without_zeros(std::string_view digits);  // "007" → "7", "0" → ""
// Of any length: how many digits, then the digits.
void put_number(std::string& key, std::string_view digits);
// Text and its end, which sorts before anything longer.
void put_text(std::string& key, std::string_view text);
std::weak_ordering compare_numbers(std::string_view a, std::string_view b);

// ---- SemVer and its relatives ----
struct Semver {
  std::string_view numbers[4];  // digits as written; empty where left out
  int count = 0;                // of numbers
  std::string_view prerelease;
  std::string_view build;
  std::string_view junk;  // what no rule of SemVer covers
};
// Reads as much as it can; count is 0 for what starts with no number.
Semver read_semver(std::string_view text, int max_numbers);
enum class Dialect { semver, nuget, pub };
std::string semver_key(std::string_view version, Dialect dialect);
bool valid_npm(std::string_view version);
bool valid_cargo(std::string_view version);
bool valid_go(std::string_view version);
bool valid_nuget(std::string_view version);
std::weak_ordering compare_prereleases(std::string_view a, std::string_view b);

// ---- PyPI ----
std::string pypi_key(std::string_view version);
bool valid_pypi(std::string_view version);

// ---- Maven, RubyGems, Packagist ----
enum class MavenRules { specification, tool };
std::weak_ordering compare_maven(std::string_view a, std::string_view b, MavenRules rules);
// The same for all spellings of a version.
std::string maven_canonical(std::string_view version);
std::string rubygems_key(std::string_view version);
bool valid_rubygems(std::string_view version);
std::weak_ordering compare_php(std::string_view a, std::string_view b);
// Composer's canonical form ("1.2" → "1.2.0.0"); nullopt where it refuses the version.
std::optional<std::string> composer_normalised(std::string_view version);

// ---- Numbers between dots; distributions ----
std::string numbers_key(std::string_view version);
bool valid_numbers(std::string_view version, std::string_view separators);
std::string debian_key(std::string_view version);
bool valid_debian(std::string_view version);
std::string alpine_key(std::string_view version);
std::string rpm_key(std::string_view version);

}  // namespace gitaiops::scanner::order
