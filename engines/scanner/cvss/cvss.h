// The score of a vulnerability from its CVSS vector: versions 2, 3.0, 3.1 and 4.0, by the
// specifications of FIRST (https://www.first.org/cvss/).
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gitaiops::scanner {

enum class Severity : uint8_t { unknown, none, low, medium, high, critical };
std::string_view to_string(Severity severity);
std::optional<Severity> severity_of(
    std::string_view word);  // any letter case; "moderate" is medium
// By FIRST's table: 0 none, below 4 low, below 7 medium, below 9 high.
Severity severity_of(double score);

struct CvssScore {
  double base = 0;  // 0 to 10, one digit
  double with_threat =
      0;  // with the vector's temporal (2, 3) or threat and environmental metrics (4)
};

// nullopt: no vector of a known version, or a metric of the base is missing, unknown or twice
// there.
std::optional<CvssScore> cvss_score(std::string_view vector);

}  // namespace gitaiops::scanner
