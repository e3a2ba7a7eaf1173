// JavaScript: what npm, yarn, pnpm and bun read and write.
#pragma once

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

Extract parse_package_json(const File& file);
// Versions 1 to 3; npm-shrinkwrap.json is the same format.
Extract parse_package_lock(const File& file);
// Version 1 has a format of its own, berry (2 and up) is YAML.
Extract parse_yarn_lock(const File& file);
Extract parse_pnpm_lock(const File& file);
Extract parse_bun_lock(const File& file);

// How far one lock file may make us look for modules up its folders, in bytes of paths: real ones
// need a thousandth. Beyond it edges are left out, with a Problem.
inline constexpr std::size_t kMaxSearch = 1'000'000'000;

// "name@range" apart, where the name may begin with '@'.
struct Descriptor {
  std::string_view name, range;
};
Descriptor descriptor(std::string_view text);
// The range without the protocol and the other name of "npm:name@range" and "npm:range".
std::string_view without_alias(std::string_view range);
// Whether a range names a place (git, URL, path, workspace) and not versions of the registry.
bool is_place(std::string_view range);
// Whether a range is one version: "1.2.3", "=1.2.3", "v1.2.3-rc.1".
bool is_exact_version(std::string_view range);

}  // namespace gitaiops::scanner::parsers
