#include "controller/models/prices.h"

#include <algorithm>
#include <cmath>

namespace gitaiops::models {
namespace {

constexpr int64_t kLongPrompt = 200'000;
constexpr int64_t kFirstOf2027 = 20'819;  // days since 1970-01-01
constexpr double kPriority = 1.8, kFlex = 0.5;

bool names(std::string_view row, std::string_view model) {
  if (!model.starts_with(row)) return false;
  const auto rest = model.substr(row.size());
  return rest.empty() || rest.starts_with("-preview") || rest.starts_with("-latest") ||
         (rest.size() > 1 && rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9');
}

const Price* best(const std::vector<Price>& prices, std::string_view model, int64_t day,
                  int64_t prompt_tokens) {
  const Price* found = nullptr;
  const auto rank = [](const Price& p) {
    return std::tuple(p.model.size(), p.from_day, p.above_tokens);
  };
  for (const auto& price : prices) {
    if (!names(price.model, model) || price.from_day > day) continue;
    if (price.above_tokens > 0 && prompt_tokens <= price.above_tokens) continue;
    if (!found || rank(price) > rank(*found)) found = &price;
  }
  return found;
}

}  // namespace

const std::vector<Price>& shipped_prices() {
  static const std::vector<Price> prices = {
      {"gemini-2.5-pro", 0, 0, 1.25, 0.125, 10},
      {"gemini-2.5-pro", 0, kLongPrompt, 2.50, 0.25, 15},
      {"gemini-2.5-flash", 0, 0, 0.30, 0.03, 2.50},
      {"gemini-2.5-flash-lite", 0, 0, 0.10, 0.01, 0.40},
      {"gemini-3.1-pro", 0, 0, 2, 0.20, 12},
      {"gemini-3.1-pro", 0, kLongPrompt, 4, 0.40, 18},
      {"gemini-3.1-flash-lite", 0, 0, 0.25, 0.025, 1.50},
      {"gemini-3.5-flash-lite", 0, 0, 0.30, 0.03, 2.50},
      {"gemini-3.5-flash", 0, 0, 1.50, 0.15, 9},
      {"gemini-3.6-flash", 0, 0, 0.75, 0.075, 3.75},
      {"gemini-3.6-flash", kFirstOf2027, 0, 1.50, 0.15, 7.50},
      {"gemini-3.7-flash", 0, 0, 0.75, 0.075, 3.75},
      {"gemini-3.7-flash", kFirstOf2027, 0, 1.50, 0.15, 7.50},
      {"gemini-3.8-flash", 0, 0, 0.75, 0.075, 3.75},
      {"gemini-3.8-flash", kFirstOf2027, 0, 1.50, 0.15, 7.50},
  };
  return prices;
}

std::optional<Price> price_of(const std::vector<Price>& own, std::string_view model, int64_t day,
                              int64_t prompt_tokens) {
  const Price* found = best(own, model, day, prompt_tokens);
  if (!found) found = best(shipped_prices(), model, day, prompt_tokens);
  return found ? std::optional(*found) : std::nullopt;
}

int64_t cost_microusd(const Price& price, const Tokens& tokens, std::string_view traffic) {
  const int64_t cached = std::min(tokens.cached, tokens.prompt);
  double cost = static_cast<double>(tokens.prompt - cached) * price.input +
                static_cast<double>(cached) * price.cached_input +
                static_cast<double>(tokens.output) * price.output;
  if (traffic.find("PRIORITY") != traffic.npos) cost *= kPriority;
  if (traffic.find("FLEX") != traffic.npos) cost *= kFlex;
  if (traffic == "PROVISIONED_THROUGHPUT") cost = 0;  // bought before
  return static_cast<int64_t>(std::ceil(cost));
}

}  // namespace gitaiops::models
