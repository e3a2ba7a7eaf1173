#include <algorithm>
#include <array>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {
namespace {

using namespace std::string_view_literals;

// Installed packages and version control, by the name of the folder that holds them. "target" and
// "build" are not here: they are also names of own code.
constexpr std::array kInstalled = {
    ".bundle"sv,      ".cargo"sv,        ".eggs"sv,
    ".git"sv,         ".gradle"sv,       ".hg"sv,
    ".m2"sv,          ".nox"sv,          ".npm"sv,
    ".pnpm-store"sv,  ".svn"sv,          ".tox"sv,
    ".venv"sv,        ".yarn"sv,         "Carthage"sv,
    "Pods"sv,         "__pycache__"sv,   "bower_components"sv,
    "node_modules"sv, "site-packages"sv, "vendor"sv,
    "venv"sv,
};
static_assert(std::ranges::is_sorted(kInstalled));

}  // namespace

bool holds_own_files(std::string_view folder) {
  return !std::ranges::binary_search(kInstalled, folder.substr(folder.rfind('/') + 1));
}

}  // namespace gitaiops::scanner
