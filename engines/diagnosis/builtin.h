// The built-in rules: their texts, embedded at build time, and the databases compiled from them.
#pragma once

#include "engines/diagnosis/rules.h"

namespace gitaiops::diagnosis {

// The texts of rules/*.toml.
std::vector<RuleText> builtin_rule_texts();

// The databases compiled from them, as rules_compiler packed them at build time.
std::string_view builtin_database();
// Fails on bytes that another version of Vectorscan made.
Result<std::unique_ptr<Scanners>> unpack(std::string_view bytes);

}  // namespace gitaiops::diagnosis
