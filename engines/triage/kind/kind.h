// What kind of change it is, from its title, description and files. A conventional-commit prefix
// ("fix(api): …") is believed when it names a kind; else a linear model over words, paths and sizes
// decides, whose weights were learnt from commits whose authors had said the kind (docs/triage.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  kCount
};
std::string_view to_string(Type type);
std::optional<Type> read_type(std::string_view name);

struct Kind {
  Type type = Type::chore;
  double confidence = 0;      // 0 to 1
  bool said = false;          // the prefix or a label says so
  std::optional<Type> other;  // the next best, when it is nearly as likely
};

// nullopt: neither words nor files.
std::optional<Kind> kind_of(const Change& change);
// The same without looking at prefix and labels.
std::optional<Kind> kind_by_content(const Change& change);

// "fix(api)!: crash at start" → {"fix", "crash at start"}; nullopt: no such prefix.
struct Prefixed {
  std::string_view prefix, rest;
};
std::optional<Prefixed> conventional_prefix(std::string_view title);

}  // namespace gitaiops::triage
