// Maven's and NuGet's intervals: "[1.0,2.0)", "(,1.0],[1.2,)".
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

struct Interval {
  std::optional<std::string_view> low, high;
  bool low_included = false, high_included = false;
};
// As Maven itself compares.
std::weak_ordering compare_own(std::string_view a, std::string_view b) {
  return compare_maven(a, b, MavenRules::tool);
}

using Compare = std::weak_ordering (*)(std::string_view, std::string_view);

// "[…]" or "(…)" with its brackets.
std::optional<Interval> read_interval(std::string_view text, Compare compare) {
  Interval out;
  out.low_included = text.front() == '[';
  out.high_included = text.back() == ']';
  const auto inner = trimmed(text.substr(1, text.size() - 2));
  const auto comma = inner.find(',');
  if (comma == inner.npos) {
    if (!out.low_included || !out.high_included || inner.empty()) return std::nullopt;
    out.low = out.high = inner;
    return out;
  }
  const auto low = trimmed(inner.substr(0, comma)), high = trimmed(inner.substr(comma + 1));
  if (low == high) return std::nullopt;
  if (!low.empty()) out.low = low;
  if (!high.empty()) out.high = high;
  if (out.low && out.high && compare(*out.high, *out.low) < 0) return std::nullopt;
  return out;
}

bool holds(const Interval& i, std::string_view version, Compare compare) {
  if (i.low) {
    const auto order = compare(version, *i.low);
    if (order < 0 || (order == 0 && !i.low_included)) return false;
  }
  if (i.high) {
    const auto order = compare(version, *i.high);
    if (order > 0 || (order == 0 && !i.high_included)) return false;
  }
  return true;
}

}  // namespace

Match match_maven(std::string_view version, std::string_view range) {
  range = trimmed(range);
  if (range.empty()) return Match::invalid;
  if (range[0] != '[' && range[0] != '(')
    return range.find_first_of("[](),") == range.npos ? Match::recommended : Match::invalid;
  bool found = false;
  std::optional<Interval> before;
  while (!range.empty()) {
    if (range[0] != '[' && range[0] != '(') return Match::invalid;
    const auto end = range.find_first_of(")]");
    if (end == range.npos) return Match::invalid;
    const auto interval = read_interval(range.substr(0, end + 1), compare_own);
    if (!interval) return Match::invalid;
    // Sets stand in order and do not overlap.
    if (before && before->high &&
        (!interval->low || compare_own(*interval->low, *before->high) < 0))
      return Match::invalid;
    before = interval;
    found = found || holds(*interval, version, compare_own);
    range = trimmed(range.substr(end + 1));
    if (range.starts_with(',')) range = trimmed(range.substr(1));
  }
  return match_if(found);
}

Match match_nuget(std::string_view version, std::string_view range) {
  const Compare compare = [](std::string_view a, std::string_view b) -> std::weak_ordering {
    return semver_key(a, Dialect::nuget).compare(semver_key(b, Dialect::nuget)) <=> 0;
  };
  range = trimmed(range);
  if (!valid_nuget(version) || range.empty()) return Match::invalid;
  if (range[0] == '[' || range[0] == '(') {
    if (range.back() != ']' && range.back() != ')') return Match::invalid;
    const auto interval = read_interval(range, compare);
    if (!interval || (interval->low && !valid_nuget(*interval->low)) ||
        (interval->high && !valid_nuget(*interval->high)))
      return Match::invalid;
    return match_if(holds(*interval, version, compare));
  }
  // A bare version is the lowest; "*" stands for what may still change.
  std::string low(range);
  if (low.ends_with('*')) {
    low.pop_back();
    if (low.empty() || low.ends_with('.') || low.ends_with('-')) low += '0';
  }
  if (!valid_nuget(low)) return Match::invalid;
  return match_if(compare(version, low) >= 0);
}

}  // namespace gitaiops::scanner::order
