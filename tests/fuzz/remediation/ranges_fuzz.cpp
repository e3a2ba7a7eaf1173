// Any range, raised: the result takes the version, and is what it is when it is raised again.
#include <cstdlib>
#include <string_view>

#include "engines/scanner/remediation/ranges.h"
#include "engines/scanner/versions/versions.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner;
  if (size < 2) return 0;
  constexpr Ecosystem kAll[] = {Ecosystem::npm,       Ecosystem::pypi,      Ecosystem::maven,
                                Ecosystem::crates_io, Ecosystem::packagist, Ecosystem::rubygems,
                                Ecosystem::nuget,     Ecosystem::go};
  const auto ecosystem = kAll[data[0] % std::size(kAll)];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto cut = text.find('\0');
  const auto range = text.substr(0, cut);
  const auto to = cut == text.npos ? std::string_view("2.1.0") : text.substr(cut + 1);
  (void)same_line(range, to);
  const auto raised = raised_range(ecosystem, range, to);
  const bool own_rules = ecosystem == Ecosystem::go || range.find('^') != range.npos;
  if (!raised || *raised == range || own_rules) return 0;
  const auto met = matches(ecosystem, to, *raised, Prereleases::included);
  if (met != Match::yes && met != Match::recommended) std::abort();
  return 0;
}
