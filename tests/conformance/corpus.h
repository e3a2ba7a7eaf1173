// Where the data of other projects lies that some tests measure against: GITAIOPS_CORPUS, else what
// a program beside the sources unpacks.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace gitaiops {

// nullopt: the data is not here, and the test skips itself.
inline std::optional<std::filesystem::path> corpus(const std::string& part) {
  namespace fs = std::filesystem;
  fs::path found;
  if (const char* set = std::getenv("GITAIOPS_CORPUS")) {
    found = fs::path(set) / part;
  } else if (const char* home = std::getenv("HOME")) {
    found = fs::path(home) / ".cache/gitaiops-corpus" / part;
    const auto unpack = fs::path(GITAIOPS_SOURCE_DIR) / "../shared/corpus/unpack";
    if (!fs::exists(found) && fs::exists(unpack)) {
      if (std::system((unpack.string() + " > /dev/null").c_str()) != 0) return std::nullopt;
    }
  }
  if (!fs::exists(found)) return std::nullopt;
  return found;
}

}  // namespace gitaiops
