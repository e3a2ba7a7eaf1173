// Source text of any language, and whatever names come out of it held against a package.
#include <cstdint>

#include "engines/scanner/reachability/reachability.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::scanner;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kFiles[] = {"a.py", "a.js", "a.go",  "A.java",
                                         "a.rs", "a.rb", "a.php", "A.cs"};
  Imports imports;
  PackageSet set;
  for (const auto ecosystem :
       {Ecosystem::pypi, Ecosystem::npm, Ecosystem::go, Ecosystem::maven, Ecosystem::crates_io,
        Ecosystem::rubygems, Ecosystem::packagist, Ecosystem::nuget}) {
    Package package;
    package.ecosystem = ecosystem;
    package.name = std::string(text.substr(0, 24));
    set.packages.push_back(package);
  }
  for (const auto file : kFiles) imports.add(file, text);
  imports.reach_of(set);
  const std::string name(text.substr(0, 12));
  imports.evidence_of(Ecosystem::go, {{name, {name, "Parse"}}});
  imports.evidence_of(Ecosystem::crates_io, {{name, {}}});
  return 0;
}
