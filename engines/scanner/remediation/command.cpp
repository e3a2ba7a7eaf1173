#include <algorithm>
#include <array>
#include <set>

#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::scanner {
namespace {

struct Command {
  std::string_view manager;
  std::string_view begin;
  std::string_view option,
      between;  // option, name, between, version; no version where "" is between
};
// From each package manager's own manual.
constexpr std::array kCommands = {
    Command{"npm", "npm update", {}, {}},
    Command{"pnpm", "pnpm update", {}, {}},
    Command{"yarn", "yarn upgrade", {}, {}},
    Command{"bun", "bun update", {}, {}},
    Command{"poetry", "poetry update", {}, {}},
    Command{"uv", "uv lock", "--upgrade-package ", "=="},
    Command{"pdm", "pdm update", {}, {}},
    Command{"pipenv", "pipenv upgrade", {}, "=="},
    Command{"bundler", "bundle update --conservative", {}, {}},
    Command{"composer", "composer update --with-dependencies", {}, {}},
    Command{"go", "go get", {}, "@v"},
    Command{"mix", "mix deps.update", {}, {}},
};
// Of a command line that people may paste.
constexpr std::size_t kMaxLine = 2'000;

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

std::vector<std::string> commands_for(const PackageSet& set,
                                      const std::vector<const Upgrade*>& upgrades) {
  std::vector<std::string> out;
  const auto known = std::ranges::find(kCommands, set.manager, &Command::manager);
  std::set<std::string> items;
  for (const auto* upgrade : upgrades) {
    if (!is_plain(upgrade->name) || !is_plain(upgrade->from) || !is_plain(upgrade->to)) continue;
    if (upgrade->name == "stdlib" || upgrade->name == "toolchain") continue;
    if (set.manager == "cargo")
      out.push_back("cargo update --precise " + upgrade->to + " " + upgrade->name + "@" +
                    upgrade->from);
    if (known == kCommands.end()) continue;
    items.insert(std::string(known->option) + upgrade->name +
                 (known->between.empty() ? "" : std::string(known->between) + upgrade->to));
  }
  std::size_t open = kMaxLine;
  for (const auto& item : items) {
    if (open + item.size() >= kMaxLine) {
      out.emplace_back(known->begin);
      open = 0;
    }
    out.back() += " " + item;
    open = out.back().size();
  }
  return out;
}

std::string command_for(const PackageSet& set, const Upgrade& upgrade) {
  const auto commands = commands_for(set, {&upgrade});
  return commands.empty() ? std::string() : commands.front();
}

}  // namespace gitaiops::scanner
