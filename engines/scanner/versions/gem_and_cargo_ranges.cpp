// Requirements of one operator and one version each: RubyGems', Cargo's, Hex's and Pub's.
#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

bool compares(std::weak_ordering order, std::string_view op) {
  if (op == ">") return order > 0;
  if (op == "<") return order < 0;
  if (op == ">=") return order >= 0;
  if (op == "<=") return order <= 0;
  if (op == "!=") return order != 0;
  return order == 0;
}

template <std::size_t n>
std::string_view take_operator(std::string_view& text,
                               const std::array<std::string_view, n>& operators) {
  text = trimmed(text);
  for (const auto op : operators) {
    if (!text.starts_with(op)) continue;
    text = trimmed(text.substr(op.size()));
    return op;
  }
  return "";
}

// ---- RubyGems ----
using Segments = std::vector<std::string>;

bool is_word(const std::string& segment) {
  return !segment.empty() && !is_digit(segment[0]);
}

// Without the words and what follows them.
Segments release_of(std::string_view version) {
  Segments segments = rubygems_segments(version);
  segments.erase(std::find_if(segments.begin(), segments.end(), is_word), segments.end());
  return segments;
}

std::string plus_one(std::string digits) {
  for (auto i = digits.size(); i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return digits;
    }
    digits[i] = '0';
  }
  return "1" + digits;
}

// The first release that "~>" leaves out: "2.3.1" → "2.4".
Segments bumped(std::string_view version) {
  Segments segments = release_of(version);
  if (segments.empty()) segments.emplace_back();
  if (segments.size() > 1) segments.pop_back();
  segments.back() = plus_one(std::move(segments.back()));
  return segments;
}

// ---- Cargo ----
struct CargoVersion {
  std::array<std::optional<uint64_t>, 3> numbers;
  std::string prerelease;
  int given() const { return numbers[0] ? numbers[1] ? numbers[2] ? 3 : 2 : 1 : 0; }
  uint64_t at(std::size_t i) const { return numbers[i].value_or(0); }
};

// `partial`: numbers may be missing or "*".
std::optional<CargoVersion> read_cargo(std::string_view text, bool partial) {
  CargoVersion out;
  if (!partial && !valid_cargo(text)) return std::nullopt;
  for (std::size_t i = 0; i < 3; ++i) {
    if (text == "*" || text == "x" || text == "X" || text == "*.*" || text == "x.x" ||
        text == "X.X")
      return out;
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    if (n == 0 || (n > 1 && text[0] == '0')) return std::nullopt;
    out.numbers[i] = parse_uint(text.substr(0, n));
    if (!out.numbers[i]) return std::nullopt;
    text.remove_prefix(n);
    if (text.empty()) return out;
    if (i == 2) break;
    if (text[0] != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!valid_cargo("0.0.0" + std::string(text))) return std::nullopt;
  out.prerelease = read_semver("0.0.0" + std::string(text), 3).prerelease;
  return out;
}

std::weak_ordering compare(const CargoVersion& a, const CargoVersion& b) {
  for (std::size_t i = 0; i < 3; ++i)
    if (a.at(i) != b.at(i)) return a.at(i) <=> b.at(i);
  return compare_prereleases(a.prerelease, b.prerelease);
}

bool equal_as_far_as_given(const CargoVersion& v, const CargoVersion& want) {
  for (std::size_t i = 0; i < 3 && want.numbers[i]; ++i)
    if (v.at(i) != want.at(i)) return false;
  return true;
}

bool caret_holds(const CargoVersion& v, const CargoVersion& want) {
  if (want.given() == 0) return true;
  std::size_t fixed = 0;
  while (fixed + 1 < static_cast<std::size_t>(want.given()) && want.at(fixed) == 0) ++fixed;
  for (std::size_t i = 0; i <= fixed; ++i)
    if (v.at(i) != want.at(i)) return false;
  return compare(v, want) >= 0;
}

bool cargo_holds(std::string_view op, const CargoVersion& v, const CargoVersion& want) {
  const bool full = want.given() == 3;
  if (want.given() == 0) return op != ">" && op != "<";
  if (op == "=")
    return equal_as_far_as_given(v, want) && (!full ? v.prerelease.empty() : compare(v, want) == 0);
  if (op == ">=" || op == "<=") {
    if (!full && equal_as_far_as_given(v, want)) return v.prerelease.empty() || op == ">=";
    return compares(compare(v, want), op);
  }
  if (op == ">") return (full || !equal_as_far_as_given(v, want)) && compare(v, want) > 0;
  if (op == "<") return (full || !equal_as_far_as_given(v, want)) && compare(v, want) < 0;
  if (op == "~") {
    CargoVersion fixed = want;
    fixed.numbers[2].reset();
    return equal_as_far_as_given(v, fixed) && compare(v, want) >= 0;
  }
  return caret_holds(v, want);
}

// ---- Hex ----
bool hex_holds(std::string_view op, const std::string& version, std::string_view wanted) {
  const auto order = version.compare(semver_key(wanted, Dialect::semver)) <=> 0;
  if (op != "~>") return compares(order, op == "==" ? "=" : op);
  const Semver want = read_semver(wanted, 3);
  Segments next;
  for (int i = 0; i < std::max(want.count - 1, 1); ++i) next.emplace_back(want.numbers[i]);
  next.back() = plus_one(std::string(without_zeros(next.back())));
  std::string text;
  for (const auto& number : next) text += (text.empty() ? "" : ".") + number;
  return order >= 0 && version < semver_key(text + ".0-0", Dialect::semver);
}

}  // namespace

Match match_rubygems(std::string_view version, std::string_view requirements) {
  static constexpr std::array<std::string_view, 7> kOperators = {"!=", ">=", "<=", "~>",
                                                                 "=",  ">",  "<"};
  if (!valid_rubygems(version)) return Match::invalid;
  const std::string key = rubygems_key(version);
  bool all = true;
  for (auto part : split(requirements, ',')) {
    const auto op = take_operator(part, kOperators);
    if (part.empty() || !valid_rubygems(part)) return Match::invalid;
    const auto order = key.compare(rubygems_key(part)) <=> 0;
    all = all && (op == "~>" ? order >= 0 && rubygems_segments_key(release_of(version)) <
                                                 rubygems_segments_key(bumped(part))
                             : compares(order, op));
  }
  return match_if(all);
}

Match match_cargo(std::string_view version, std::string_view range) {
  static constexpr std::array<std::string_view, 7> kOperators = {">=", "<=", ">", "<",
                                                                 "=",  "~",  "^"};
  const auto read = read_cargo(version, false);
  if (!read) return Match::invalid;
  bool all = true, prerelease_named = read->prerelease.empty();
  for (auto part : split(range, ',')) {
    const auto op = take_operator(part, kOperators);
    const auto want = read_cargo(part, true);
    if (!want) return Match::invalid;
    const bool wildcard = part.find_first_of("*xX") < part.find_first_of("-+");
    all = all && cargo_holds(op.empty() ? wildcard ? "=" : "^" : op, *read, *want);
    prerelease_named = prerelease_named || (!want->prerelease.empty() && want->given() == 3 &&
                                            equal_as_far_as_given(*read, *want));
  }
  return match_if(all && prerelease_named);
}

Match match_hex(std::string_view version, std::string_view range) {
  static constexpr std::array<std::string_view, 7> kOperators = {
      "~>", ">=", "<=", "!=", "==", ">", "<"};
  if (!valid_cargo(version)) return Match::invalid;
  const std::string key = semver_key(version, Dialect::semver);
  bool any = false, all = true;
  const auto next_word = [&range] {
    range = trimmed(range);
    std::size_t n = std::min(range.find(' '), range.size());
    const auto word = range.substr(0, n);
    range.remove_prefix(n);
    return word;
  };
  for (auto word = next_word();; word = next_word()) {
    const auto op = take_operator(word, kOperators);
    if (word.empty()) word = next_word();
    if (word.empty() || read_semver(word, 3).count < (op == "~>" ? 2 : 3)) return Match::invalid;
    all = all && hex_holds(op, key, word);
    const auto conjunction = next_word();
    if (conjunction == "and") continue;
    any = any || all;
    if (conjunction.empty()) return match_if(any);
    if (conjunction != "or") return Match::invalid;
    all = true;
  }
}

Match match_pub(std::string_view version, std::string_view range) {
  static constexpr std::array<std::string_view, 5> kOperators = {">=", "<=", ">", "<", "^"};
  const auto read = read_cargo(version, false);
  if (!read) return Match::invalid;
  const std::string key = semver_key(version, Dialect::pub);
  range = trimmed(range);
  if (range == "any" || range.empty()) return Match::yes;
  bool all = true;
  while (!range.empty()) {
    const auto op = take_operator(range, kOperators);
    const auto end = std::min(range.find_first_of(" <>^"), range.size());
    const auto word = range.substr(0, end);
    range = trimmed(range.substr(end));
    const auto want = read_cargo(word, false);
    if (!want) return Match::invalid;
    if (op == "^")
      all = all && caret_holds(*read, *want);
    else
      all = all && compares(key.compare(semver_key(word, Dialect::pub)) <=> 0, op);
    // An upper bound without a prerelease leaves out its own prereleases, too.
    if (op == "<" && want->prerelease.empty() && !read->prerelease.empty() &&
        equal_as_far_as_given(*read, *want))
      all = false;
  }
  return match_if(all);
}

}  // namespace gitaiops::scanner::order
