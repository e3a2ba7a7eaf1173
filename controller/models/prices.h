// What an answer costs: providers count tokens and never name money, so that is a table, dated.
// Private to this folder. Thread safety: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "controller/models/models.h"
#include "controller/models/provider.h"

namespace gitaiops::models {

// Google's list prices of generateContent, as published in September 2026. Check them against your
// contract: [[model_price]] stands before them.
const std::vector<Price>& shipped_prices();

// By the longest name that is the model's or, before "-001", "-preview" or "-latest", its
// beginning; then the newest that is in force; then the highest step that the prompt reaches.
// Nothing: it is not known.
std::optional<Price> price_of(const std::vector<Price>& own, std::string_view model, int64_t day,
                              int64_t prompt_tokens);

// Rounded up. `traffic`: Vertex' word for how it was billed.
int64_t cost_microusd(const Price& price, const Tokens& tokens, std::string_view traffic = {});

}  // namespace gitaiops::models
