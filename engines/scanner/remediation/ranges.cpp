// Ranges are read as comparators, an operator and a version each; lower bounds are raised, upper
// bounds only where they are in the way. The test of each result is the ecosystem's own rules
// (matches), so that a grammar not thought of here is refused and not broken.
#include "engines/scanner/remediation/ranges.h"

#include <algorithm>
#include <vector>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

constexpr std::string_view kOperators = "^~<>=!";
constexpr std::string_view kBetween = " \t,";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "v1.2.3-rc.1" → {"1", "2", "3"}.
std::vector<std::string_view> numbers_of(std::string_view version) {
  std::vector<std::string_view> out;
  if (version.starts_with('v')) version.remove_prefix(1);
  while (!version.empty() && is_digit(version.front())) {
    const auto end = std::min(version.find_first_not_of("0123456789"), version.size());
    out.push_back(version.substr(0, end));
    version.remove_prefix(end);
    if (!version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return out;
}

std::string_view significant(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// A year, or a date: nobody counts major versions that far.
bool is_year(std::string_view number) {
  return number.size() >= 4;
}

std::string plus_one(std::string_view digits) {
  std::string out(digits);
  for (auto at = out.size(); at-- > 0;) {
    if (out[at] != '9') return ++out[at], out;
    out[at] = '0';
  }
  return "1" + out;
}

// The first version of the line after that of `version`, with at least so many numbers.
std::string next_line(std::string_view version, std::size_t count) {
  const auto numbers = numbers_of(version);
  std::vector<std::string> out;
  const bool early = !numbers.empty() && significant(numbers[0]).empty() && numbers.size() > 1;
  if (early) out.emplace_back("0");
  out.push_back(numbers.empty() ? "1" : plus_one(numbers[early ? 1 : 0]));
  while (out.size() < count) out.emplace_back("0");
  std::string text;
  for (const auto& part : out) (text += text.empty() ? "" : ".") += part;
  return text;
}

struct Comparator {
  std::string_view before;  // blanks and commas
  std::string_view op, gap, version;
};

// Everything of the text stands in one of the parts; nothing where one of them is no comparator.
std::optional<std::vector<Comparator>> comparators_of(std::string_view text) {
  std::vector<Comparator> out;
  while (!text.empty()) {
    Comparator one;
    const auto take = [&text](std::size_t end) {
      const auto part = text.substr(0, std::min(end, text.size()));
      text.remove_prefix(part.size());
      return part;
    };
    one.before = take(text.find_first_not_of(kBetween));
    one.op = take(text.find_first_not_of(kOperators));
    one.gap = take(text.find_first_not_of(" \t"));
    one.version = take(text.find_first_of(kBetween));
    if (numbers_of(one.version).empty()) return std::nullopt;
    out.push_back(one);
  }
  return out;
}

bool is_wild(std::string_view version) {
  return version.find_first_of("*xX") != version.npos;
}

std::string_view separator_of(Ecosystem ecosystem) {
  return ecosystem == Ecosystem::npm || ecosystem == Ecosystem::packagist ? " " : ",";
}

bool takes(Ecosystem ecosystem, std::string_view version, std::string_view range) {
  const auto met = matches(ecosystem, version, range, Prereleases::included);
  return met == Match::yes || met == Match::recommended;
}

// "1.2.*", "1.x": the same freedom, from `to` on.
std::string raised_wildcard(Ecosystem ecosystem, std::string_view version, std::string_view to) {
  const auto kept = numbers_of(version).size();
  const std::string target(to);
  if (ecosystem == Ecosystem::pypi)
    return kept > 1 && numbers_of(to).size() > kept ? "~=" + target
                                                    : ">=" + target + ",<" + next_line(to, 1);
  return (kept > 1 ? "~" : "^") + target;
}

// "~=1.2" and "~> 1.2" leave the last number open; so do these, from `to` on.
std::string raised_compatible(const Comparator& one, std::string_view to, bool pypi) {
  const auto kept = numbers_of(one.version).size(), given = numbers_of(to).size();
  const std::string target(to);
  if (kept == given || kept < 2) return std::string(one.op) + std::string(one.gap) + target;
  if (kept < given) {
    const std::string upper = next_line(to, 1);
    return pypi ? ">=" + target + ",<" + upper : ">= " + target + ", < " + upper;
  }
  std::string padded = target;
  for (auto n = given; n < kept; ++n) padded += ".0";
  return std::string(one.op) + std::string(one.gap) + padded;
}

std::string raised(Ecosystem ecosystem, const Comparator& one, std::string_view to) {
  const std::string op(one.op), gap(one.gap), target(to);
  if (op == "!=") return op + gap + std::string(one.version);
  if (op == "<" || op == "<=") {
    const std::string as_is = op + gap + std::string(one.version);
    if (takes(ecosystem, to, as_is)) return as_is;
    return "<" + gap + next_line(to, numbers_of(one.version).size());
  }
  if (is_wild(one.version)) return raised_wildcard(ecosystem, one.version, to);
  if (op == "~=" || op == "~>") return raised_compatible(one, to, ecosystem == Ecosystem::pypi);
  if (op == ">") return ">=" + gap + target;
  // "~1" of npm and Composer takes all of 1 in, "~1.4.3" only 1.4.
  if (op == "~" && numbers_of(one.version).size() == 1 && ecosystem != Ecosystem::pypi)
    return "^" + target;
  return op + gap + target;
}

bool is_lower(std::string_view op) {
  return op != "<" && op != "<=" && op != "!=";
}

// One alternative of a range.
std::optional<std::string> raised_all(Ecosystem ecosystem, std::string_view range,
                                      std::string_view to) {
  const auto comparators = comparators_of(range);
  if (!comparators || comparators->empty()) return std::nullopt;
  std::string out;
  bool lower = false;
  for (const auto& one : *comparators) {
    lower = lower || is_lower(one.op);
    out += std::string(one.before) + raised(ecosystem, one, to);
  }
  if (!lower) {
    const auto& first = comparators->front();
    out = ">=" + std::string(first.gap) + std::string(to) + std::string(separator_of(ecosystem)) +
          out;
  }
  return out;
}

// npm's and Composer's "||": what lies below `to` goes, what lies above stays.
std::optional<std::string> raised_alternatives(Ecosystem ecosystem, std::string_view range,
                                               std::string_view to) {
  std::vector<std::string> kept;
  bool taken = false;
  for (const auto part : split(range, '|')) {
    const auto alternative = trimmed(part);
    if (alternative.empty()) continue;
    if (takes(ecosystem, to, alternative)) {
      auto one = raised_all(ecosystem, alternative, to);
      if (!one) return std::nullopt;
      kept.push_back(std::move(*one));
      taken = true;
      continue;
    }
    const auto comparators = comparators_of(alternative);
    if (!comparators || comparators->empty()) return std::nullopt;
    if (compare_versions(ecosystem, comparators->front().version, to) > 0)
      kept.emplace_back(alternative);
  }
  if (!taken) kept.insert(kept.begin(), "^" + std::string(to));
  std::string out;
  for (const auto& one : kept) (out += out.empty() ? "" : " || ") += one;
  return out;
}

// "1.0", "[1.0,2.0)", "[1.0]": Maven's and NuGet's.
std::optional<std::string> raised_interval(Ecosystem ecosystem, std::string_view range,
                                           std::string_view to) {
  const bool open = range.starts_with('(');
  if (!open && !range.starts_with('[')) {
    if (range.find_first_of("[](),*+ $") != range.npos) return std::nullopt;
    return std::string(to);
  }
  if (range.size() < 3 || range.find_first_of("[(", 1) != range.npos) return std::nullopt;
  const auto inner = range.substr(1, range.size() - 2);
  const auto comma = inner.find(',');
  if (comma == inner.npos) return "[" + std::string(to) + "]";
  const auto upper = inner.substr(comma + 1);
  const std::string with_upper =
      "[" + std::string(to) + "," + std::string(upper) + std::string(1, range.back());
  if (takes(ecosystem, to, with_upper)) return with_upper;
  const auto blank = upper.starts_with(' ') ? " " : "";
  return "[" + std::string(to) + "," + blank + next_line(to, numbers_of(upper).size()) + ")";
}

std::optional<std::string> reworded(Ecosystem ecosystem, std::string_view range,
                                    std::string_view to) {
  switch (ecosystem) {
    case Ecosystem::maven:
    case Ecosystem::nuget:
      return raised_interval(ecosystem, range, to);
    case Ecosystem::go:
      return (range.starts_with('v') ? "v" : "") + std::string(to) +
             (range.ends_with("+incompatible") && !to.ends_with("+incompatible") ? "+incompatible"
                                                                                 : "");
    case Ecosystem::npm:
    case Ecosystem::packagist:
      if (range.find('|') != range.npos) return raised_alternatives(ecosystem, range, to);
      if (range.find(" - ") != range.npos) return "^" + std::string(to);
      break;
    case Ecosystem::pypi:
      // poetry's caret.
      if (range.starts_with('^')) return "^" + std::string(to);
      break;
    default:
      break;
  }
  return raised_all(ecosystem, range, to);
}

// Rules of a tool other than those that matches() has for the ecosystem.
bool has_rules_of_its_own(Ecosystem ecosystem, std::string_view range) {
  return ecosystem == Ecosystem::go || (ecosystem == Ecosystem::pypi && range.starts_with('^'));
}

}  // namespace

bool same_line(std::string_view from, std::string_view to) {
  const auto a = numbers_of(from), b = numbers_of(to);
  if (a.empty() || b.empty()) return false;
  if (is_year(a[0]) && is_year(b[0])) return true;
  if (significant(a[0]) != significant(b[0])) return false;
  if (!significant(a[0]).empty()) return true;
  return a.size() > 1 && b.size() > 1 && significant(a[1]) == significant(b[1]);
}

std::optional<std::string> raised_range(Ecosystem ecosystem, std::string_view range,
                                        std::string_view to) {
  range = trimmed(range);
  if (range.empty() || range == "*" || numbers_of(to).empty()) return std::nullopt;
  if (range.find_first_of("0123456789") == range.npos) return std::nullopt;
  auto out = reworded(ecosystem, range, to);
  if (out && !has_rules_of_its_own(ecosystem, range) && !takes(ecosystem, to, *out))
    return std::nullopt;
  return out;
}

}  // namespace gitaiops::scanner
