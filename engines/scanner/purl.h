// Package URLs: scheme:type/namespace/name@version?qualifiers#subpath
// (package-url/purl-spec, PURL-SPECIFICATION.rst, with the rules of its registered types).
//
// Thread safety: pure functions. Any text is accepted: what is no purl is an error that says why.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result/result.h"

namespace gitaiops::scanner {

struct Purl {
  std::string type;
  // Parts between '/', decoded; empty when there is none.
  std::string name_space;
  std::string name;
  std::string version;
  std::map<std::string, std::string> qualifiers;  // keys in lower case, values decoded, none empty
  std::string subpath;

  bool operator==(const Purl&) const = default;
};

// The parts of a purl, normalised by the rules of its type. As the specification's tests have it, a
// qualifier's key that begins with an upper-case letter is refused, other letters are lowered.
Result<Purl> parse_purl(std::string_view text);

// The canonical text of a purl; upper-case keys are taken too.
Result<std::string> canonical_purl(std::string_view text);

// The canonical text. An error when the parts make no purl: no name, a type or a qualifier's key
// with foreign characters, a part that the type needs or forbids.
Result<std::string> build_purl(Purl purl);

}  // namespace gitaiops::scanner
