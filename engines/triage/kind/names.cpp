#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/bytes/bytes.h"
#include "engines/triage/kind/kind.h"

namespace gitaiops::triage {
namespace {

constexpr std::array<std::string_view, kTypes> kTypeNames = {
    "feature", "bugfix", "refactor", "security", "performance",
    "docs",    "test",   "build",    "ci",       "chore"};

constexpr std::array<std::pair<std::string_view, Type>, 29> kAlso = {
    {{"feat", Type::feature},
     {"features", Type::feature},
     {"enhancement", Type::feature},
     {"fix", Type::bugfix},
     {"bug", Type::bugfix},
     {"fixes", Type::bugfix},
     {"hotfix", Type::bugfix},
     {"refact", Type::refactor},
     {"refactoring", Type::refactor},
     {"sec", Type::security},
     {"perf", Type::performance},
     {"doc", Type::docs},
     {"documentation", Type::docs},
     {"tests", Type::test},
     {"testing", Type::test},
     {"deps", Type::build},
     {"dep", Type::build},
     {"dependencies", Type::build},
     {"style", Type::chore},
     {"styles", Type::chore},
     {"maint", Type::chore},
     {"maintenance", Type::chore},
     {"release", Type::chore},
     {"chores", Type::chore},
     {"bugs", Type::bugfix},
     {"builds", Type::build},
     {"optimization", Type::performance},
     {"cleanup", Type::refactor},
     {"vulnerability", Type::security}}};

constexpr std::size_t kLongestName = 20, kLongestScope = 60;

}  // namespace

std::string_view to_string(Type type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<Type> read_type(std::string_view name) {
  std::string low(trimmed(name).substr(0, 2 * kLongestName));
  std::ranges::transform(low, low.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (std::size_t i = 0; i < kTypes; ++i)
    if (kTypeNames[i] == low) return static_cast<Type>(i);
  for (const auto& [also, type] : kAlso)
    if (also == low) return type;
  return std::nullopt;
}

std::optional<Prefixed> conventional_prefix(std::string_view title) {
  title = trimmed(title);
  const auto colon = title.substr(0, kLongestName + kLongestScope).find(": ");
  if (colon == title.npos) return std::nullopt;
  auto head = title.substr(0, colon);
  if (head.ends_with('!')) head.remove_suffix(1);
  if (const auto open = head.find('('); open != head.npos) {
    if (!head.ends_with(')')) return std::nullopt;
    head = head.substr(0, open);
  }
  const auto type = read_type(head);
  if (!type) return std::nullopt;
  return Prefixed{*type, trimmed(title.substr(colon + 2))};
}

}  // namespace gitaiops::triage
