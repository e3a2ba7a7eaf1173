// Whether the project's own code imports a package: evidence for how urgent a finding is, never a
// reason to drop one.
//
//   Imports imports;
//   for (each file of is_source(path)) imports.add(path, text);
//   auto reach = imports.reach_of(set);         // one entry a package of the set
//
// Level 1: import statements only, no call graph. Comments and strings are not told apart from
// code, so it errs towards "imported". Names of imports are mapped to packages by the ecosystem's
// rules and, where these do not suffice, by a short table of well-known packages.
//
// Pure. Any bytes are accepted; time is linear. Thread safety: a value, no shared state.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/scanner/advisories/index.h"
#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {

enum class Reach : uint8_t {
  unknown,    // no source of its language was seen, or its import names cannot be told
  imported,   // the project's own code imports it
  through,    // what the project imports depends on it
  not_found,  // source of its language was seen, and none of it imports it
};
std::string_view to_string(Reach reach);  // "unknown", "imported", "through", "not_found"

enum class Language : uint8_t { python, javascript, go, jvm, rust, ruby, php, dotnet };

// The language of a source file by its name; nothing for other files.
std::optional<Language> language_of(std::string_view path);
// What a file imports, as its language writes it ("os.path", "@scope/name/sub", "A\B"); names that
// point into the project itself (relative ones) are left out. Sorted.
std::set<std::string, std::less<>> imports_of(Language language, std::string_view source);

// Of a package that the project's own code imports: whether that code names what an advisory means.
enum class SymbolUse : uint8_t {
  unknown,    // the advisory names nothing, or the language's sources are not read for it
  named,      // a file that imports the affected part names one of its symbols
  not_named,  // none does
};
std::string_view to_string(SymbolUse use);  // "unknown", "named", "not_named"

struct SymbolEvidence {
  SymbolUse use = SymbolUse::unknown;
  std::string which;  // "golang.org/x/net/html.Parse" of the first that is named
};

class Imports {
 public:
  // Files whose names tell no language are ignored.
  void add(std::string_view path, std::string_view source);
  std::vector<Reach> reach_of(const PackageSet& set) const;
  // Go and Rust. A name anywhere in a file counts, whatever it stands for there.
  SymbolEvidence evidence_of(Ecosystem ecosystem,
                             const std::vector<AffectedSymbols>& symbols) const;

 private:
  Reach direct_reach(const Package& package) const;

  struct Seen {
    bool any = false;
    std::set<std::string, std::less<>> names;
  };
  std::vector<Seen> seen_ = std::vector<Seen>(8);  // by language

  // Of each Go and Rust file, what it imports and which words it names, as numbers.
  struct File {
    Language language;
    std::set<std::string, std::less<>> imports;
    std::vector<uint32_t> words;  // ascending
  };
  void add_words(Language language, std::string_view source,
                 std::set<std::string, std::less<>> imports);
  std::vector<File> files_;
  std::unordered_map<std::string, uint32_t> words_;
  std::size_t kept_ = 0;  // words of all files together
};

}  // namespace gitaiops::scanner
