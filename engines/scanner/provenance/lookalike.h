// Names that look like somebody else's: an attacker publishes "reqeusts" and waits for a typing
// error.
//
// A name is compared with the most popular ones of its ecosystem (popular_names.txt beside this
// file). Three ways to look alike: other separators ("react_dom", "reactdom"), characters that look
// the same ("1odash", Cyrillic letters), a typing error (optimal string alignment distance:
// insertion, deletion, substitution, transposition of neighbours). Short names are told from each
// other by one letter too often, so the distance that counts grows with the length. A popular name
// itself is never a look-alike. It is a hint for a person, not a verdict: honest names are alike
// too.
//
// Thread safety: pure functions. Linear in the number of popular names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner::provenance {

enum class Resemblance : uint8_t { separators, characters, typing };

struct LookAlike {
  std::string popular;
  Resemblance how = Resemblance::typing;
};

std::optional<LookAlike> look_alike(Ecosystem ecosystem, std::string_view name);

// Whether the name is one of the list's.
bool is_popular(Ecosystem ecosystem, std::string_view name);

// Optimal string alignment distance, or `limit` + 1 when it is larger.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

}  // namespace gitaiops::scanner::provenance
