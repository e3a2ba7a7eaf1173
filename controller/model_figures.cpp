#include "controller/model_figures.h"

namespace gitaiops::controller {

void show_model_figures(const models::Explainer& explainer, metrics::Registry& metrics) {
  const auto& counted = explainer.counters();
  auto questions = metrics.counter("gitaiops_model_questions_total");
  questions.raise_to(static_cast<double>(counted.answered), {"answered"});
  questions.raise_to(static_cast<double>(counted.unusable), {"unusable"});
  questions.raise_to(static_cast<double>(counted.reused), {"reused"});
  questions.raise_to(static_cast<double>(counted.over_budget), {"over_budget"});
  questions.raise_to(static_cast<double>(counted.failed), {"failed"});
  auto tokens = metrics.counter("gitaiops_model_tokens_total");
  auto cost = metrics.counter("gitaiops_model_cost_usd_total");
  for (const auto& [model, used] : counted.by_model) {
    tokens.raise_to(static_cast<double>(used.prompt_tokens - used.cached_tokens),
                    {model, "prompt"});
    tokens.raise_to(static_cast<double>(used.cached_tokens), {model, "cached"});
    tokens.raise_to(static_cast<double>(used.output_tokens), {model, "output"});
    cost.raise_to(static_cast<double>(used.cost_microusd) / 1e6, {model});
  }
  metrics.counter("gitaiops_model_saved_usd_total")
      .raise_to(static_cast<double>(counted.saved_microusd) / 1e6);
  metrics.gauge("gitaiops_model_unavailable").set(explainer.wait_hint().count() > 0);
}

}  // namespace gitaiops::controller
