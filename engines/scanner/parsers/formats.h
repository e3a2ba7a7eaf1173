// Which file names are read, by which parser, and which of them belong together.
#pragma once

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

enum class Role : uint8_t {
  manifest,  // what is asked for, by ranges
  lock,      // what was resolved
  shared,    // versions for several manifests: a set of its own only when none of them uses it
};

struct Format {
  std::string_view pattern;  // of the file's name; '*' is any text
  Ecosystem ecosystem;
  std::string_view manager;
  // Manifest and lock of one family in one folder are one set.
  std::string_view family;
  Role role;
  Extract (*parse)(const File& file);
  // The file is left out where one of that name lies beside it.
  std::string_view unless = {};
};

// The format of a file of that path; null when it is none of ours.
const Format* format_of(std::string_view path);

}  // namespace gitaiops::scanner::parsers
