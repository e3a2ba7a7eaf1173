// Where the data of other projects lies that some tests measure against: GITAIOPS_CORPUS, else the
// usual cache, else what a program beside the sources unpacks (its last line names the folder).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes/bytes.h"

namespace gitaiops {

// `part`: a folder of it, "scanner". nullopt: the data is not here, and the test skips itself.
inline std::optional<std::filesystem::path> corpus(const std::string& part) {
  namespace fs = std::filesystem;
  const auto there = [&](const fs::path& root) {
    return fs::exists(root / part) ? std::optional(root / part) : std::nullopt;
  };
  if (const char* set = std::getenv("GITAIOPS_CORPUS")) return there(set);
  if (const char* home = std::getenv("HOME"))
    if (auto cached = there(fs::path(home) / ".cache/gitaiops-corpus")) return cached;
  const auto unpack = fs::path(GITAIOPS_SOURCE_DIR) / "../shared/corpus/unpack";
  if (!fs::exists(unpack)) return std::nullopt;
  std::FILE* pipe = popen((unpack.string() + " 2>/dev/null").c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string out;
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe)) out += buffer;
  pclose(pipe);
  const auto lines = trimmed(std::string_view(out));
  return there(fs::path(lines.substr(lines.rfind('\n') + 1)));
}

}  // namespace gitaiops
