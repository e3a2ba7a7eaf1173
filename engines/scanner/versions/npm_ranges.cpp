// node-semver's range grammar: alternatives of comparators, x-ranges, tildes, carets and hyphens.
// Each is rewritten to lower and upper bounds; a prerelease is taken only where a comparator of the
// same X.Y.Z names one.
#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

constexpr uint64_t kMaxSafeInteger = 9007199254740991;

struct Version {
  std::array<uint64_t, 3> numbers{};
  std::string prerelease;
};

std::weak_ordering compare(const Version& a, const Version& b) {
  if (a.numbers != b.numbers) return a.numbers <=> b.numbers;
  return compare_prereleases(a.prerelease, b.prerelease);
}

struct Comparator {
  std::string_view op;  // "", "<", "<=", ">", ">="
  Version version;
};
using Comparators = std::vector<Comparator>;

// X.Y.Z with "x", "*" or nothing for any of them.
struct Partial {
  std::array<std::optional<uint64_t>, 3> numbers;
  std::string prerelease;

  int given() const { return numbers[0] ? numbers[1] ? numbers[2] ? 3 : 2 : 1 : 0; }
  Version lowest() const {
    return {{numbers[0].value_or(0), numbers[1].value_or(0), numbers[2].value_or(0)}, prerelease};
  }
};

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::optional<Version> version_of(std::string_view text) {
  if (!valid_npm(text)) return std::nullopt;
  const Semver read = read_semver(trimmed(text), 3);
  Version out;
  for (int i = 0; i < 3; ++i)
    out.numbers[static_cast<std::size_t>(i)] = parse_uint(read.numbers[i]).value_or(0);
  out.prerelease = read.prerelease;
  return out;
}

// One number or wildcard at the front of `text`.
bool take_number(std::string_view& text, std::optional<uint64_t>& out) {
  if (text.starts_with('x') || text.starts_with('X') || text.starts_with('*')) {
    text.remove_prefix(1);
    return true;
  }
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  if (n == 0 || (n > 1 && text[0] == '0')) return false;
  out = parse_uint(text.substr(0, n));
  text.remove_prefix(n);
  return out && *out <= kMaxSafeInteger;
}

std::optional<Partial> partial_of(std::string_view text) {
  while (!text.empty() && (text[0] == 'v' || text[0] == '=' || is_space(text[0])))
    text.remove_prefix(1);
  Partial out;
  std::size_t i = 0;
  for (; i < 3; ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) break;
      text.remove_prefix(1);
    }
    if (!take_number(text, out.numbers[i])) return std::nullopt;
  }
  if (text.empty()) return out;
  if (i < 3) return std::nullopt;
  // What follows the third number has to be a version's own end.
  if (!valid_npm("0.0.0" + std::string(text))) return std::nullopt;
  out.prerelease = read_semver("0.0.0" + std::string(text), 3).prerelease;
  return out;
}

class Expander {
 public:
  explicit Expander(bool prereleases) : lowest_(prereleases ? "0" : "") {}

  void hyphen(const Partial& from, const Partial& to) {
    if (from.given() > 0) add(">=", from.lowest(), from.given() == 3 && !from.prerelease.empty());
    if (to.given() == 0) return;
    if (to.given() < 3)
      below(to, to.given() - 1);
    else if (to.prerelease.empty() && !lowest_.empty())
      below(to, 2);
    else
      comparators.push_back({"<=", to.lowest()});
  }

  void tilde(const Partial& p) {
    if (p.given() == 0) return;
    comparators.push_back({">=", without_prerelease_unless_full(p)});
    below(p, p.given() == 1 ? 0 : 1);
  }

  void caret(const Partial& p) {
    if (p.given() == 0) return;
    const Version low = without_prerelease_unless_full(p);
    // The leftmost number that is not zero stays.
    int fixed = 0;
    while (fixed + 1 < p.given() && low.numbers[static_cast<std::size_t>(fixed)] == 0) ++fixed;
    add(">=", low, !low.prerelease.empty() || (p.given() == 3 && fixed == 0));
    below(p, fixed);
  }

  void plain(std::string_view op, const Partial& p) {
    if (p.given() == 3) {
      comparators.push_back({op, p.lowest()});
      return;
    }
    if (p.given() == 0) {
      if (op == ">" || op == "<") comparators.push_back({"<", {{0, 0, 0}, "0"}});
      return;
    }
    Version low = without_prerelease_unless_full(p);
    const int last = p.given() - 1;
    if (op == ">")
      add(">=", next(low, last), false);
    else if (op == "<=")
      below(p, last);
    else if (op == "<")
      comparators.push_back({"<", {low.numbers, "0"}});
    else if (op == ">=")
      add(">=", low, false);
    else
      add(">=", low, false), below(p, last);
  }

  Comparators comparators;

 private:
  static Version next(Version v, int position) {
    for (std::size_t i = 0; i < 3; ++i) {
      if (static_cast<int>(i) == position) ++v.numbers[i];
      if (static_cast<int>(i) > position) v.numbers[i] = 0;
    }
    v.prerelease.clear();
    return v;
  }
  static Version without_prerelease_unless_full(const Partial& p) {
    Version v = p.lowest();
    if (p.given() < 3) v.prerelease.clear();
    for (auto i = static_cast<std::size_t>(p.given()); i < 3; ++i) v.numbers[i] = 0;
    return v;
  }
  // Below the version whose number at `position` is one more: not even its prereleases.
  void below(const Partial& p, int position) {
    Version v = next(p.lowest(), position);
    v.prerelease = "0";
    comparators.push_back({"<", std::move(v)});
  }
  void add(std::string_view op, Version v, bool exactly) {
    if (!exactly && v.prerelease.empty()) v.prerelease = lowest_;
    comparators.push_back({op, std::move(v)});
  }

  std::string lowest_;  // "0" where prereleases are in: the lowest of X.Y.Z
};

std::string_view take_operator(std::string_view& text) {
  for (const std::string_view op : {"~>", "~", "^", ">=", "<=", ">", "<", "="}) {
    if (!text.starts_with(op)) continue;
    text.remove_prefix(op.size());
    return op;
  }
  return "";
}

// Operator and version of each comparator; white space between the two does not part them.
std::vector<std::string> comparators_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    if (is_space(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_space(text[end])) ++end;
    const auto word = text.substr(i, end - i);
    const bool bare = !out.empty() && out.back().find_first_not_of("<>=~^v") == std::string::npos;
    if (bare)
      out.back() += word;
    else
      out.emplace_back(word);
    i = end;
  }
  return out;
}

// nullopt: not a range.
std::optional<Comparators> read_set(std::string_view text, bool prereleases) {
  Expander expander(prereleases);
  text = trimmed(text);
  if (const auto hyphen = text.find(" - "); hyphen != text.npos) {
    const auto from = partial_of(trimmed(text.substr(0, hyphen)));
    const auto to = partial_of(trimmed(text.substr(hyphen + 3)));
    if (from && to) {
      expander.hyphen(*from, *to);
      return expander.comparators;
    }
  }
  for (const auto& one : comparators_of(text)) {
    std::string_view rest = one;
    const auto op = take_operator(rest);
    const auto partial = partial_of(rest);
    if (!partial) return std::nullopt;
    if (op == "~" || op == "~>")
      expander.tilde(*partial);
    else if (op == "^")
      expander.caret(*partial);
    else
      expander.plain(op == "=" ? "" : op, *partial);
  }
  return expander.comparators;
}

bool holds(const Comparator& c, const Version& version) {
  const auto order = compare(version, c.version);
  if (c.op == "<") return order < 0;
  if (c.op == "<=") return order <= 0;
  if (c.op == ">") return order > 0;
  if (c.op == ">=") return order >= 0;
  return order == 0;
}

bool all_hold(const Comparators& set, const Version& version, bool prereleases) {
  // The lowest bound of all is how "anything" is written.
  const auto anything = [&](const Comparator& c) {
    return c.op == ">=" && c.version.numbers == std::array<uint64_t, 3>{} &&
           c.version.prerelease == (prereleases ? "0" : "");
  };
  const auto fits = [&](const Comparator& c) { return anything(c) || holds(c, version); };
  if (!std::all_of(set.begin(), set.end(), fits)) return false;
  if (version.prerelease.empty() || prereleases) return true;
  return std::any_of(set.begin(), set.end(), [&](const Comparator& c) {
    return !c.version.prerelease.empty() && c.version.numbers == version.numbers;
  });
}

}  // namespace

Match match_npm(std::string_view version, std::string_view range, Prereleases wanted) {
  const auto read = version_of(version);
  if (!read) return Match::invalid;
  const bool prereleases = wanted == Prereleases::included;
  bool found = false;
  while (true) {
    const auto bar = std::min(range.find("||"), range.size());
    const auto set = read_set(range.substr(0, bar), prereleases);
    if (!set) return Match::invalid;
    found = found || all_hold(*set, *read, prereleases);
    if (bar == range.size()) return match_if(found);
    range.remove_prefix(bar + 2);
  }
}

}  // namespace gitaiops::scanner::order
