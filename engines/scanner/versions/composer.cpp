// Composer's canonical versions: four numbers, a stability, "dev-" before a branch's name.
#include "engines/scanner/versions/composer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

constexpr std::size_t kMaxMajorDigits = 5;  // more of them are a date
constexpr std::string_view kAnyNumber = "9999999";

std::string_view take_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const auto digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

// "1.2.3" and what of stability follows, with nothing after it.
std::optional<std::string> classical(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto major = take_digits(text);
  if (major.empty() || major.size() > kMaxMajorDigits) return std::nullopt;
  std::string out(major);
  int count = 1;
  for (; count < 4 && text.size() > 1 && text[0] == '.' && is_digit(text[1]); ++count) {
    text.remove_prefix(1);
    (out += '.') += take_digits(text);
  }
  for (; count < 4; ++count) out += ".0";
  const auto stability = take_stability(text);
  if (!text.empty()) return std::nullopt;
  return out + composer_suffix(stability);
}

// Four digits of a year, then pairs, with or without separators: "2010-01-02.3".
std::optional<std::string> date(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto year = text.substr(0, 4);
  if (!all_digits(year) || year.size() < 4) return std::nullopt;
  std::string out(year);
  text.remove_prefix(4);
  const auto take = [&](std::size_t least, std::size_t most) {
    auto rest = text;
    const bool separated = !rest.empty() && (rest[0] == '.' || rest[0] == ':' || rest[0] == '-');
    if (separated) rest.remove_prefix(1);
    std::size_t n = 0;
    while (n < most && n < rest.size() && is_digit(rest[n])) ++n;
    if (n < least) return false;
    if (separated) out += '.';
    out += rest.substr(0, n);
    text = rest.substr(n);
    return true;
  };
  int pairs = 0;
  while (pairs < 6 && take(2, 2)) ++pairs;
  if (pairs == 0) return std::nullopt;
  for (int i = 0; i < 2 && take(1, 3); ++i) {
  }
  const auto stability = take_stability(text);
  if (!text.empty()) return std::nullopt;
  return out + composer_suffix(stability);
}

// "1.2.x" → "1.2.9999999.9999999-dev"; another name → "dev-name".
std::string branch(std::string_view written, std::string_view lower_case) {
  auto text = lower_case;
  if (text.starts_with('v')) text.remove_prefix(1);
  std::string out(take_digits(text));
  int count = out.empty() ? 0 : 1;
  while (count > 0 && count < 4 && text.size() > 1 && text[0] == '.') {
    auto rest = text.substr(1);
    const bool wild = rest[0] == 'x' || rest[0] == '*';
    if (!wild && !is_digit(rest[0])) break;
    if (wild) rest.remove_prefix(1);
    out += '.';
    out += wild ? kAnyNumber : take_digits(rest);
    text = rest;
    ++count;
  }
  if (count == 0 || !text.empty()) return "dev-" + std::string(written);
  for (; count < 4; ++count) (out += '.') += kAnyNumber;
  return out + "-dev";
}

}  // namespace

Stability take_stability(std::string_view& text) {
  static constexpr std::array<std::string_view, 9> kWords = {"stable", "beta",  "b",  "rc", "alpha",
                                                             "a",      "patch", "pl", "p"};
  Stability out;
  auto rest = text;
  if (!rest.empty() && (rest[0] == '.' || rest[0] == '_' || rest[0] == '-')) rest.remove_prefix(1);
  for (const auto word : kWords) {
    if (!rest.starts_with(word)) continue;
    // "b" is no word in "bar".
    if (rest.size() > word.size() && is_letter(rest[word.size()]) &&
        !rest.substr(word.size()).starts_with("dev"))
      continue;
    out.word = word;
    rest.remove_prefix(word.size());
    std::size_t end = 0;
    while (true) {
      std::size_t at = end;
      if (at < rest.size() && (rest[at] == '.' || rest[at] == '-')) ++at;
      std::size_t digits = at;
      while (digits < rest.size() && is_digit(rest[digits])) ++digits;
      if (digits == at) break;
      end = digits;
    }
    out.numbers = rest.substr(0, end);
    rest.remove_prefix(end);
    text = rest;
    break;
  }
  rest = text;
  if (!rest.empty() && (rest[0] == '.' || rest[0] == '-' || (out.word.empty() && rest[0] == '_')))
    rest.remove_prefix(1);
  if (rest.starts_with("dev")) {
    out.dev = true;
    text = rest.substr(3);
  }
  return out;
}

std::string composer_suffix(const Stability& s) {
  if (s.word == "stable") return "";
  std::string out;
  if (!s.word.empty()) {
    const auto name = s.word == "a"                     ? "alpha"
                      : s.word == "b"                   ? "beta"
                      : s.word == "p" || s.word == "pl" ? "patch"
                      : s.word == "rc"                  ? "RC"
                                                        : s.word;
    auto numbers = s.numbers;
    while (numbers.starts_with('.') || numbers.starts_with('-')) numbers.remove_prefix(1);
    (out = "-").append(name).append(numbers);
  }
  return s.dev ? out + "-dev" : out;
}

std::optional<std::string> composer_normalised(std::string_view written) {
  written = trimmed(written);
  if (const auto alias = written.find(" as "); alias != written.npos)
    written = trimmed(written.substr(0, alias));
  if (const auto at = written.rfind('@'); at != written.npos) {
    const auto flag = lower(written.substr(at + 1));
    for (const std::string_view known : {"stable", "rc", "beta", "alpha", "dev"})
      if (flag == known) written = written.substr(0, at);
  }
  std::string text = lower(written);
  if (text == "master" || text == "trunk" || text == "default") return "dev-" + text;
  if (text.starts_with("dev-")) return "dev-" + std::string(written.substr(4));
  if (const auto plus = text.find('+'); plus != text.npos && plus > 0 && plus + 1 < text.size() &&
                                        text.find_first_of(", \t") == text.npos) {
    text.resize(plus);
    written = written.substr(0, plus);
  }
  if (auto version = classical(text)) return version;
  if (auto version = date(text)) return version;
  if (text.ends_with("dev")) {
    std::size_t end = text.size() - 3;
    if (end > 0 && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
    auto name = branch(written.substr(0, end), std::string_view(text).substr(0, end));
    if (!name.starts_with("dev-")) return name;
  }
  return std::nullopt;
}

}  // namespace gitaiops::scanner::order
