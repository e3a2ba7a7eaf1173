// Any text as CODEOWNERS, its first line as the path: no crash, one owner a section, and a pattern
// without special characters matches its own path.
#include <algorithm>
#include <cstdlib>

#include "engines/triage/code_owners.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto path = text.substr(0, std::min(text.find('\n'), std::size_t{300}));
  const triage::CodeOwners file(text);
  const auto found = file.of(path);
  if (found.size() > file.sections().size()) std::abort();
  for (const auto& one : found)
    if (one.entry->owners.empty() || one.entry->excludes) std::abort();
  const bool plain = !path.empty() && path.front() != '/' && path.back() != '/' &&
                     path.find_first_of("*?[\\#!") == path.npos;
  if (plain && !triage::owner_pattern_matches(path, path)) std::abort();
  return 0;
}
