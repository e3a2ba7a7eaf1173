// A model's words about failed jobs, where they add something to the diagnosis and may be asked
// for. Off unless configured; the note never waits for it.
//
// The one work, "job.explain": a failed job whose diagnosis leaves something to say
// (adds_something), or that somebody asked about, and whose project is named in the configuration.
// An earlier answer to the same question, or about the same failure of the project, is used again;
// else the question's highest price is reserved from the day's budget and the first model that is
// there is asked. What it says counts only as far as prompt.h takes it. Answer, true cost and the
// event that brings the note up to date are one transaction; a reservation that a crash left counts
// as spent. When the budget is spent, or nobody answers, the diagnosis stands as it is.
//
// Only the redacted lines that a diagnosis gives for models, its category, command and failing
// tests leave this machine: no names of projects, people or branches.
// Thread safety: one executor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/outgoing/outgoing.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"

namespace gitaiops::models {

class Provider;

// USD for a million tokens, of models whose name this is or begins with.
struct Price {
  std::string model;
  int64_t from_day = 0;      // since 1970-01-01: from then on
  int64_t above_tokens = 0;  // of prompts that are longer
  double input = 0, cached_input = 0, output = 0;
};

struct Settings {
  std::string provider;             // "vertex", "openai"; "none": nobody is asked
  std::vector<std::string> models;  // the one that is wanted first
  std::string google_project, location;
  std::string url;  // of the server; for Vertex in place of Google's
  std::filesystem::path credentials_file, api_key_file, ca_file;
  store::Scope projects;  // whose log lines may be sent
  store::ModelLimits limits;
  std::vector<Price> prices;  // before the shipped ones
  // Asked before a model is: whether the project itself has nothing against it. Absent: it has not.
  std::function<bool(const std::string& instance, int64_t project_id)> welcome = {};
};

// Whether the price of that model is known on that day.
bool has_price(const std::vector<Price>& own, const std::string& model, UnixMicros at);

// Owners who have to understand what failed, and failures that the rules do not know well; of the
// others the note's own words say all there is.
bool adds_something(const fleet::v1::Diagnosis& diagnosis);

// Why a failed job is to be explained.
enum class Wish {
  usual,  // where a model's words add something
  asked,  // somebody wants them, also where the rules are sure
};

struct Counters {
  int64_t answered = 0;     // with words that could be used
  int64_t unusable = 0;     // paid for, and nothing made of it
  int64_t reused = 0;       // an earlier answer was used
  int64_t over_budget = 0;  // not asked
  int64_t failed = 0;       // nobody answered
  int64_t saved_microusd = 0;
  struct Used {
    int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, cost_microusd = 0;
  };
  std::map<std::string, Used> by_model;
};

class Explainer {
 public:
  // What is given must outlive it.
  Explainer(Settings settings, std::unique_ptr<Provider> provider, store::Store& store,
            const Clock& clock);
  ~Explainer();

  void attach(queue::Worker& worker);
  // The work that explains a reported failed job; nothing where there is nothing to ask.
  std::optional<store::NewWork> work_for(const fleet::v1::JobReport& report,
                                         Wish wish = Wish::usual) const;
  Task<queue::Verdict> explain(store::Work work);

  const Counters& counters() const { return counters_; }
  // How long the models want to be left alone.
  std::chrono::microseconds wait_hint() const;

 private:
  struct Asking;
  Task<queue::Verdict> ask(store::Job job, store::ModelAnswer answer);
  std::optional<store::ModelUse> highest_use(const store::Job& job, std::size_t bytes) const;
  queue::Verdict use_again(store::Job job, store::ModelAnswer answer, store::Explanation said);

  const Settings settings_;
  const std::unique_ptr<Provider> provider_;
  store::Store& store_;
  const Clock& clock_;
  Counters counters_;
  std::set<std::string> asking_;  // failures that a model is being asked about
};

// What is wrong with the files that hold them.
Status check_credentials(const Settings& settings);

// Nothing with provider "none". invalid_argument and others: what the credentials are not.
Result<std::unique_ptr<Explainer>> open(Settings settings, store::Store& store, const Clock& clock,
                                        asio::any_io_executor executor);

}  // namespace gitaiops::models
