// Patterns of paths as people write them in CODEOWNERS and CI files: * and ? within a part of a
// path, ** for any number of parts, a pattern without a slash for a file's name in any folder, one
// that ends in a slash for everything beneath. Case does not matter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::triage {

class Glob {
 public:
  explicit Glob(std::string_view pattern);
  // Linear in the path for patterns with one ** or none, at worst parts × parts.
  bool matches(std::string_view path) const;

 private:
  std::vector<std::string> parts_;
};

}  // namespace gitaiops::triage
