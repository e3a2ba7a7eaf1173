#include "controller/figures.h"

#include "base/io/files.h"

namespace gitaiops::controller {
namespace {

constexpr std::size_t kLargestCertificate = 64 << 10;

}  // namespace

void show(const acting::Acting::Counters& counters, metrics::Registry& metrics) {
  metrics.gauge("gitaiops_failing_hosts").set(static_cast<double>(counters.failing_hosts));
  auto done = metrics.counter("gitaiops_acts_total");
  done.raise_to(static_cast<double>(counters.retries), {"job.retry"});
  done.raise_to(static_cast<double>(counters.pauses), {"runner.pause"});
  done.raise_to(static_cast<double>(counters.refused), {"refused"});
}

void show(const advisories::Counters& counters, metrics::Registry& metrics) {
  metrics.gauge("gitaiops_advisories_unusable").set(counters.unusable);
  metrics.gauge("gitaiops_advisories_timestamp_seconds")
      .set(static_cast<double>(counters.made_at.value) / kMicrosPerSecond);
  metrics.counter("gitaiops_inventories_matched_total")
      .raise_to(static_cast<double>(counters.matched));
  auto found = metrics.counter("gitaiops_vulnerabilities_found_total");
  found.raise_to(static_cast<double>(counters.found_by_commit), {"commit"});
  found.raise_to(static_cast<double>(counters.found_by_advisory), {"advisory"});
}

void show(const fleet::Counters& counters, metrics::Registry& metrics) {
  metrics.gauge("gitaiops_agents_connected").set(static_cast<double>(counters.connected));
  metrics.counter("gitaiops_streams_opened_total").raise_to(static_cast<double>(counters.opened));
  metrics.counter("gitaiops_streams_refused_total").raise_to(static_cast<double>(counters.refused));
  metrics.counter("gitaiops_streams_replaced_total")
      .raise_to(static_cast<double>(counters.replaced));
  metrics.counter("gitaiops_streams_ended_total")
      .raise_to(static_cast<double>(counters.ended_by_check));
}

void show(const history::Counters& counters, metrics::Registry& metrics) {
  auto fetches = metrics.counter("gitaiops_history_fetches_total");
  fetches.raise_to(static_cast<double>(counters.fetches - counters.failed), {"ok"});
  fetches.raise_to(static_cast<double>(counters.failed), {"failed"});
  metrics.gauge("gitaiops_history_bytes").set(static_cast<double>(counters.bytes));
  metrics.counter("gitaiops_risk_models_trained_total")
      .raise_to(static_cast<double>(counters.trained));
}

void show(const ingest::Counters& counters, metrics::Registry& metrics) {
  metrics.counter("gitaiops_envelopes_failed_total").raise_to(static_cast<double>(counters.failed));
  metrics.counter("gitaiops_envelopes_stored_total").raise_to(static_cast<double>(counters.stored));
  metrics.counter("gitaiops_envelopes_duplicate_total")
      .raise_to(static_cast<double>(counters.duplicates));
  auto refused = metrics.counter("gitaiops_envelopes_refused_total");
  refused.raise_to(static_cast<double>(counters.refused_invalid), {"invalid"});
  refused.raise_to(static_cast<double>(counters.refused_scope), {"scope"});
}

void show(const triaging::Triaging::Counters& counters, metrics::Registry& metrics) {
  auto triaged = metrics.counter("gitaiops_merge_requests_triaged_total");
  triaged.raise_to(static_cast<double>(counters.triaged), {"known"});
  triaged.raise_to(static_cast<double>(counters.unknown), {"unknown"});
  auto labels = metrics.counter("gitaiops_labels_total");
  labels.raise_to(static_cast<double>(counters.labels_set), {"set"});
  labels.raise_to(static_cast<double>(counters.labels_removed), {"removed"});
  labels.raise_to(static_cast<double>(counters.labels_refused), {"refused"});
}

void show(const enrollment::Keyring& keyring, metrics::Registry& metrics) {
  auto expiry = metrics.gauge("gitaiops_certificate_expiry_timestamp_seconds");
  const auto tell = [&](std::string_view which, const std::string& pem) {
    if (const auto facts = tls::facts(pem); facts.ok())
      expiry.set(static_cast<double>(facts->validity.not_after.value) / kMicrosPerSecond, {which});
  };
  tell("server", read_file(keyring.files().certificate, kLargestCertificate).value_or(""));
  tell("authority", keyring.authority().certificate_pem());
}

void show(const models::Asker& asker, metrics::Registry& metrics) {
  const auto& counted = asker.counters();
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
  metrics.gauge("gitaiops_model_unavailable").set(asker.wait_hint().count() > 0);
}

}  // namespace gitaiops::controller
