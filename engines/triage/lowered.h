// Text as it is compared where case does not count. Private to the triage.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace gitaiops::triage {

// ASCII alone: the rest stays as it is, whatever the locale.
inline std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace gitaiops::triage
