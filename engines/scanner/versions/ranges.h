// The ranges, one ecosystem each; versions.cpp chooses. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner::order {

Match match_npm(std::string_view version, std::string_view range, Prereleases prereleases);
Match match_cargo(std::string_view version, std::string_view range);
Match match_pypi(std::string_view version, std::string_view specifiers, Prereleases prereleases);
Match match_maven(std::string_view version, std::string_view range);
Match match_rubygems(std::string_view version, std::string_view requirements);
Match match_packagist(std::string_view version, std::string_view constraint);
// Interval notation; a floating version ("1.2.*") is the lowest that it may stand for.
Match match_nuget(std::string_view version, std::string_view range);
// Hex ("~> 1.2 and != 1.2.5 or 2.0.0") and Pub ("^1.2.3", ">=1.0.0 <2.0.0").
Match match_hex(std::string_view version, std::string_view range);
Match match_pub(std::string_view version, std::string_view range);

// Of Gem::Version, shared by its order and its "~>".
std::vector<std::string> rubygems_segments(std::string_view version);
std::string rubygems_segments_key(std::vector<std::string> segments);

inline Match match_if(bool yes) {
  return yes ? Match::yes : Match::no;
}

}  // namespace gitaiops::scanner::order
