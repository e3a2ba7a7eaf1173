// A vector's metrics by name. Private to this folder.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/scanner/cvss/cvss.h"

namespace gitaiops::scanner {

class Metrics {
 public:
  // "AV:N/AC:L/…"; nullopt when a part is no metric or a metric stands twice.
  static std::optional<Metrics> read(std::string_view text);
  // "" when it is not there.
  std::string_view operator[](std::string_view name) const;
  // "" when it is not there or not defined ("X", "ND").
  std::string_view defined(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> all_;
};

std::optional<CvssScore> cvss2_score(const Metrics& metrics);
std::optional<CvssScore> cvss3_score(const Metrics& metrics);
std::optional<CvssScore> cvss4_score(const Metrics& metrics);

}  // namespace gitaiops::scanner
