// What the trees look at: the measures themselves, then ratios of them that a tree can only
// approach step by step ("lines added for each line there was").
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "engines/triage/risk/features.h"

namespace gitaiops::triage::risk {

inline constexpr std::size_t kInputs = kFeatures + 12;
using Inputs = std::array<float, kInputs>;

// Where a measure is not known, `usual` stands in.
Inputs inputs_of(const Features& features, const Features& usual);

// As a model's text names them: "la", "la/lt".
std::string_view input_name(std::size_t input);
std::optional<std::size_t> input_named(std::string_view name);

// False for those that count a person's or a project's years: they mean something else in each
// project, so that the shipped model does without them.
bool means_the_same_everywhere(std::size_t input);

}  // namespace gitaiops::triage::risk
