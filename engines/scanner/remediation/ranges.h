// What a manifest has to ask for so that a version is taken, in the words it uses already.
//
// Thread safety: pure functions. Linear in the input; any bytes are accepted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner {

// Whether an upgrade stays within what its authors promise not to break: the same major version,
// below 1.0 the same minor one. Years as major versions promise nothing, and count as one line.
bool same_line(std::string_view from, std::string_view to);

// `range` changed so that it takes `to` in and leaves everything before it out: "^1.2.0" to 1.4.3
// is "^1.4.3", ">=1,<2" to 2.1 is ">=2.1,<3". Operators, blanks and alternatives stay as far as
// they can. nullopt where the range names no versions (a tag, a place, any version) or where
// nothing that we write is understood as meant. Always: matches(ecosystem, to, result).
std::optional<std::string> raised_range(Ecosystem ecosystem, std::string_view range,
                                        std::string_view to);

}  // namespace gitaiops::scanner
