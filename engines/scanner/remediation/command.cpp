#include <array>

#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::scanner {
namespace {

struct Command {
  std::string_view manager;
  std::string_view begin, between;  // command, name, between, version
};
// From each package manager's own manual.
constexpr std::array kCommands = {
    Command{"npm", "npm update ", {}},
    Command{"pnpm", "pnpm update ", {}},
    Command{"yarn", "yarn upgrade ", {}},
    Command{"bun", "bun update ", {}},
    Command{"poetry", "poetry update ", {}},
    Command{"uv", "uv lock --upgrade-package ", "=="},
    Command{"pdm", "pdm update ", {}},
    Command{"pipenv", "pipenv upgrade ", "=="},
    Command{"bundler", "bundle update --conservative ", {}},
    Command{"composer", "composer update --with-dependencies ", {}},
    Command{"cargo", "cargo update --precise ", {}},
    Command{"go", "go get ", "@v"},
    Command{"mix", "mix deps.update ", {}},
};

// Names come from files that anyone may have written, and people paste commands.
bool is_plain(std::string_view text) {
  constexpr std::string_view kPlain = "@/._-+:~!";
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && kPlain.find(c) == kPlain.npos) return false;
  }
  return !text.empty() && text.front() != '-';
}

}  // namespace

std::string command_for(const PackageSet& set, const Upgrade& upgrade) {
  if (!is_plain(upgrade.name) || !is_plain(upgrade.from) || !is_plain(upgrade.to)) return {};
  if (upgrade.name == "stdlib" || upgrade.name == "toolchain") return {};
  for (const auto& [manager, begin, between] : kCommands) {
    if (manager != set.manager) continue;
    if (manager == "cargo")
      return std::string(begin) + upgrade.to + " " + upgrade.name + "@" + upgrade.from;
    return std::string(begin) + upgrade.name +
           (between.empty() ? "" : std::string(between) + upgrade.to);
  }
  return {};
}

}  // namespace gitaiops::scanner
