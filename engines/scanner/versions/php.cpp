// PHP's version_compare, which OSV uses for Packagist: parts between '.', '-', '_' and '+' and
// where digits and letters meet; words in the order dev, alpha, beta, RC, (a number), pl.
#include <algorithm>
#include <array>
#include <utility>

#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

constexpr int kUnknownWord = -1;
constexpr int kNumberRank = 4;
// By how a word begins: "pl" and "patch" are both "p".
constexpr std::array<std::pair<std::string_view, int>, 9> kWords = {{{"dev", 0},
                                                                     {"alpha", 1},
                                                                     {"a", 1},
                                                                     {"beta", 2},
                                                                     {"b", 2},
                                                                     {"RC", 3},
                                                                     {"rc", 3},
                                                                     {"#", kNumberRank},
                                                                     {"p", 5}}};

int rank(std::string_view part) {
  if (is_digit(part[0])) return kNumberRank;
  for (const auto& [word, value] : kWords)
    if (part.starts_with(word)) return value;
  return kUnknownWord;
}

std::vector<std::string_view> parts_of(std::string_view version) {
  if (version.starts_with('v') || version.starts_with('V')) version.remove_prefix(1);  // a tag's
  std::vector<std::string_view> out;
  const auto separates = [](char c) { return c == '.' || c == '-' || c == '_' || c == '+'; };
  for (std::size_t i = 0; i < version.size();) {
    std::size_t end = i + 1;
    if (!separates(version[i])) {
      const bool digits = is_digit(version[i]);
      while (end < version.size() && !separates(version[end]) && is_digit(version[end]) == digits)
        ++end;
      out.push_back(version.substr(i, end - i));
    }
    i = end;
  }
  return out;
}

// What one has and the other has not: a number makes it later, a word by its place around "#".
std::weak_ordering left_over(std::string_view part) {
  if (is_digit(part[0])) return std::weak_ordering::greater;
  return rank(part) <=> kNumberRank;
}

}  // namespace

std::weak_ordering compare_php(std::string_view a, std::string_view b) {
  const auto left = parts_of(a), right = parts_of(b);
  const auto common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    const bool numbers = is_digit(left[i][0]) && is_digit(right[i][0]);
    const auto order =
        numbers ? compare_numbers(left[i], right[i]) : rank(left[i]) <=> rank(right[i]);
    if (order != 0) return order;
  }
  // The first part of what is left decides; "#" stands for a number and decides nothing.
  for (auto i = common; i < left.size(); ++i)
    if (const auto order = left_over(left[i]); order != 0) return order;
  for (auto i = common; i < right.size(); ++i)
    if (const auto order = left_over(right[i]); order != 0) return 0 <=> order;
  return std::weak_ordering::equivalent;
}

}  // namespace gitaiops::scanner::order
