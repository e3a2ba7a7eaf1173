// Python's versions, read (PEP 440). Private to this folder: pep440.cpp orders them,
// pypi_ranges.cpp asks whether specifiers take them in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::scanner::order {

// Numbers are digits without leading zeros ("" is zero), of any length.
struct Pep440 {
  std::string epoch;
  std::vector<std::string> release;
  char pre_kind = 0;  // 'a', 'b', 'r' (rc); 0: none
  std::string pre;
  std::optional<std::string> post, dev;
  std::vector<std::string> local;  // lower case

  bool is_prerelease() const { return pre_kind != 0 || dev.has_value(); }
};

std::optional<Pep440> read_pep440(std::string_view text);
std::string key_of(const Pep440& version);
// In PEP 440's normal spelling: "1.0rc1.post2+ubuntu.1".
std::string to_string(const Pep440& version);

}  // namespace gitaiops::scanner::order
