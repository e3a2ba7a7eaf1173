// Numbers of a fixed width, as dates have them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace gitaiops {

// The number that `count` digits from `at` on make; nothing where one of them is no digit. At most
// nine.
inline std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace gitaiops
