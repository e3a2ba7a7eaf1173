#include "controller/config/models.h"

namespace gitaiops::controller {

void model_keys(config::Schema<Config>& s) {
  s.section(
      "models",
      "A model that explains failed jobs in the note, where the rules leave something to say, and "
      "that says what to look at in a change. Off by default; what is sent, and to whom, is in "
      "docs/models.md.");
  s.key("models.provider",
        "\"vertex\": Google's Vertex AI; \"openai\": a server that speaks OpenAI's chat "
        "completions, also one of your own (vLLM, llama.cpp, Ollama); \"none\": nobody is asked.",
        [](Config& c) -> auto& { return c.models.provider; })
      .one_of({"none", "vertex", "openai"});
  s.key("models.names",
        "Models, the one wanted first; one that is gone or does not answer gives way to the next.",
        [](Config& c) -> auto& { return c.models.names; });
  s.key("models.projects",
        "Projects whose redacted log lines may be sent to the model: \"group/project\", "
        "\"group/*\", \"*\". Empty: none.",
        [](Config& c) -> auto& { return c.models.projects; });
  s.key("models.reads_changes",
        "Ask, too, what a reviewer should look at in a merge request: of the projects above, the "
        "redacted lines of its diff are then sent.",
        [](Config& c) -> auto& { return c.models.reads_changes; });
  s.key("models.own_note",
        "Write a note for that alone, too; else it stands in notes that have something else to "
        "say.",
        [](Config& c) -> auto& { return c.models.own_note; });
  s.key("models.gitlab", "Of which instance: its id; \"*\": each.",
        [](Config& c) -> auto& { return c.models.gitlab; });
  s.key("models.google_project", "With vertex: the Google Cloud project that pays.",
        [](Config& c) -> auto& { return c.models.google_project; });
  s.key("models.location",
        "With vertex: where the model runs: \"global\", \"eu\", \"us\" or a region such as "
        "\"europe-west4\".",
        [](Config& c) -> auto& { return c.models.location; });
  s.key("models.credentials_file",
        "With vertex: a service account's key (mode 0600) or an external_account file of workload "
        "identity federation. Empty: the machine's own account on Google Cloud.",
        [](Config& c) -> auto& { return c.models.credentials_file; });
  s.key("models.url",
        "With openai: the server's address without /chat/completions, e.g. "
        "\"https://llm.example.com/v1\". With vertex: a private endpoint in place of Google's "
        "host; empty: Google's.",
        [](Config& c) -> auto& { return c.models.url; });
  s.key("models.api_key_file", "With openai: file (mode 0600) with the key. Empty: none is sent.",
        [](Config& c) -> auto& { return c.models.api_key_file; });
  s.key("models.ca_file",
        "PEM file of a private CA that signed the server's certificate. Empty: the system's CAs.",
        [](Config& c) -> auto& { return c.models.ca_file; });
  s.key("models.usd_per_day",
        "What may be spent on a day (UTC), in US dollars. When it is spent, notes do without.",
        [](Config& c) -> auto& { return c.models.usd_per_day; });
  s.key("models.usd_per_day_project", "And for each project.",
        [](Config& c) -> auto& { return c.models.usd_per_day_project; });
  s.key("models.tokens_per_day", "The same in tokens, of questions and answers together.",
        [](Config& c) -> auto& { return c.models.tokens_per_day; })
      .range(0, 1ll << 50);
  s.key("models.tokens_per_day_project", "And for each project.", [](Config& c) -> auto& {
     return c.models.tokens_per_day_project;
   }).range(0, 1ll << 50);

  auto price = std::make_shared<config::Schema<ModelPrice>>("model_price");
  price->key("model", "Name of the model, or what its name begins with.", &ModelPrice::model)
      .required();
  price->key("from", "The first day of this price, as \"2026-12-31\".", &ModelPrice::from);
  price->key("above_tokens", "Only of questions that have more tokens.", &ModelPrice::above_tokens)
      .range(0, 1ll << 30);
  price
      ->key("input", "US dollars for a million tokens of questions; 0 for a server of your own.",
            &ModelPrice::input)
      .required();
  price->key("cached_input", "For those of them that the provider had cached.",
             &ModelPrice::cached_input);
  price->key("output", "For a million tokens of answers, thinking included.", &ModelPrice::output)
      .required();
  s.array("model_price",
          "What models cost. Google's list prices are known; these stand before them.",
          &Config::model_price, price);
}

namespace {

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@";

bool plain(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.size() <= 200 && text.find_first_not_of(allowed) == text.npos;
}

void check_prices(const Config& config, config::Problems& problems) {
  for (std::size_t i = 0; i < config.model_price.size(); ++i) {
    const auto& price = config.model_price[i];
    if (price.model.empty()) problems.push_back({"model_price.model", "is empty", i});
    if (!is_date(price.from))
      problems.push_back({"model_price.from", "expected a date as \"2026-12-31\"", i});
    for (const double usd : {price.input, price.cached_input, price.output})
      if (!(usd >= 0 && usd <= 10'000))
        problems.push_back({"model_price.input", "a price is 0 to 10000 US dollars", i});
  }
}

void check_provider(const Config& config, config::Problems& problems) {
  const auto& models = config.models;
  // A name is a part of Vertex' path.
  const auto letters = models.provider == "vertex"
                           ? kNameCharacters.substr(0, kNameCharacters.size() - 3)
                           : kNameCharacters;
  for (const auto& name : models.names)
    if (!plain(name, letters))
      problems.push_back({"models.names", "\"" + name + "\" is no name of a model"});
  const bool web = models.url.starts_with("https://") || models.url.starts_with("http://");
  if (!models.url.empty() && !web)
    problems.push_back(
        {"models.url", "\"" + models.url + "\" does not start with https:// or http://"});
  const bool secret = models.provider == "vertex" || !models.api_key_file.empty();
  const bool local = models.url.starts_with("http://127.0.0.1") ||
                     models.url.starts_with("http://localhost") ||
                     models.url.starts_with("http://[::1]");
  if (secret && models.url.starts_with("http://") && !local)
    problems.push_back({"models.url", "would send a secret in the clear; use https://"});
  if (models.provider == "openai" && models.url.empty())
    problems.push_back(
        {"models.url", "is empty; \"https://llm.example.com/v1\" is what it looks like"});
  if (models.provider == "vertex") {
    if (!plain(models.google_project, "abcdefghijklmnopqrstuvwxyz0123456789-"))
      problems.push_back({"models.google_project",
                          "names no Google Cloud project; its id looks like \"my-project-123\""});
    if (!plain(models.location, "abcdefghijklmnopqrstuvwxyz0123456789-"))
      problems.push_back({"models.location", "is none; \"global\" or \"europe-west4\" are"});
  }
}

}  // namespace

void check_models(const Config& config, config::Problems& problems) {
  const auto& models = config.models;
  check_prices(config, problems);
  for (const double usd : {models.usd_per_day, models.usd_per_day_project})
    if (!(usd >= 0 && usd <= 1'000'000))
      problems.push_back({"models.usd_per_day", "a budget is 0 to 1000000 US dollars"});
  if (models.provider == "none") return;
  if (models.names.empty())
    problems.push_back({"models.names", "is empty; name at least one model"});
  if (models.projects.empty())
    problems.push_back({"models.projects",
                        "is empty; name the projects whose redacted log lines may be sent to the "
                        "model, \"*\" is each"});
  check_provider(config, problems);
}

}  // namespace gitaiops::controller
