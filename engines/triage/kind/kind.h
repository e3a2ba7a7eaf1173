// What kind of change it is, from its title, description and files. A conventional-commit prefix
// ("fix(api): …") or a label ("type::bugfix") is believed; else a linear model over the title's
// words decides, together with the part that the touched files play (paths.h). Its weights were
// learnt from commits whose authors had said the kind by such a prefix, which was then taken away.
// Measured: docs/triage.md.
//
// Hostile input: titles are read to 1 KiB, descriptions to 4 KiB. Thread safety: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engines/triage/change.h"

namespace gitaiops::triage {

enum class Type : uint8_t {
  feature,
  bugfix,
  refactor,
  security,
  performance,
  docs,
  test,
  build,
  ci,
  chore,
};
inline constexpr std::size_t kTypes = 10;

std::string_view to_string(Type type);
// The names above and those that people use for them: "feat", "fix", "perf", …
std::optional<Type> read_type(std::string_view name);

struct Kind {
  Type type = Type::chore;
  double confidence = 0;      // 0 to 1
  bool said = false;          // its author says so
  std::optional<Type> other;  // nearly as likely
};

// nullopt: neither words nor files, or none that say anything.
std::optional<Kind> kind_of(const Change& change);
// Without believing prefix and labels.
std::optional<Kind> kind_by_content(const Change& change);

// "fix(api)!: crash at start" → {"fix", "crash at start"}; nullopt: no prefix of a known kind.
struct Prefixed {
  Type type;
  std::string_view rest;
};
std::optional<Prefixed> conventional_prefix(std::string_view title);

}  // namespace gitaiops::triage
