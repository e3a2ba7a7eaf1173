// What Composer's order and its constraints share: the words after a version's numbers. Private to
// this folder.
#pragma once

#include <string>
#include <string_view>

namespace gitaiops::scanner::order {

// "[._-]? (stable|beta|RC|…) numbers? [.-]?dev?" at the front of lower-case text.
struct Stability {
  std::string_view word;     // "stable", "beta", "rc", "alpha", "a", "b", "patch", "pl", "p" or ""
  std::string_view numbers;  // "1", ".2", "-3.4"
  bool dev = false;
  bool any() const { return !word.empty() || dev; }
};
// Takes it off the front; what is left belongs to no version.
Stability take_stability(std::string_view& text);
// "-beta1", "-RC2-dev"; "" for a stable version.
std::string composer_suffix(const Stability& stability);

}  // namespace gitaiops::scanner::order
