// A model's words about failed jobs and about changes, where they add something and may be asked
// for. Off unless configured; no note waits for them. Two kinds of work:
//
// "job.explain": a failed job whose diagnosis leaves something to say (adds_something), or that
// somebody asked about. An earlier answer to the same question, or about the same failure of the
// project, is used again. Only the redacted lines that a diagnosis gives for models, its category,
// command and failing tests leave this machine.
//
// "merge_request.read": what a reviewer should look at in a merge request. Asked once for a change,
// however often it is rebased. Title, description, the project's guidelines and the redacted lines
// of its diff leave this machine; no names of people or branches.
//
// Of both: only projects that the configuration names, and that do not object, are asked about. The
// question's highest price is reserved from the day's budget, and the first model that is there is
// asked. What it says counts only as far as prompt.h and change_prompt.h take it. Answer, true cost
// and the event that brings the note up to date are one transaction; a reservation that a crash
// left counts as spent. When the budget is spent, or nobody answers, notes do without.
// Thread safety: one executor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/outgoing/outgoing.h"
#include "controller/gitlab/gitlab.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"
#include "engines/project_file/guidelines.h"

namespace gitaiops::models {

class Provider;
struct ChangeData;
struct Question;

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
  store::Scope projects;  // that may be asked about
  store::ModelLimits limits;
  std::vector<Price> prices;  // before the shipped ones
  // Asked before a model is: whether the project itself has nothing against it. Absent: it has not.
  std::function<bool(const std::string& instance, int64_t project_id)> welcome = {};
};

// Whether the price of that model is known on that day.
bool has_price(const std::vector<Price>& own, const std::string& model, UnixMicros at);

// Whose question it is.
struct Payer {
  std::string instance;
  int64_t project_id = 0;
  std::string project_path;
  std::string about = {};  // for the log: "job 0192…"
};

// What came of a question.
struct Asked {
  queue::Verdict verdict;           // with what was spent; unless `paid`, all there is to do
  bool paid = false;                // a model answered
  std::optional<std::string> said;  // its words, where they are an answer
  std::string model;
  int64_t cost_microusd = 0;
};

// Questions that models were to answer.
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

// Asks models, within the budget.
class Asker {
 public:
  // What is given must outlive it.
  Asker(Settings settings, std::unique_ptr<Provider> provider, store::Store& store,
        const Clock& clock);
  ~Asker();

  // By the configuration and the project itself.
  bool may_ask_about(const Payer& payer) const;
  // `question.check` has to be set.
  Task<Asked> ask(Payer payer, Question question);
  // An answer that need not be asked for again.
  store::ModelUse use_again(const Payer& payer, const std::string& model, int64_t saved_microusd);

  // Leave to ask about something, while this lives: nobody else has it, and not too many have any.
  class Turn {
   public:
    Turn(std::set<std::string>& taken, std::string what);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::set<std::string>& taken_;
    const std::string what_;
  };
  std::unique_ptr<Turn> turn(const std::string& what);

  const Counters& counters() const { return counters_; }
  // How long the models want to be left alone.
  std::chrono::microseconds wait_hint() const;

 private:
  std::optional<store::ModelUse> highest_use(const Payer& payer, const Question& question) const;

  const Settings settings_;
  const std::unique_ptr<Provider> provider_;
  store::Store& store_;
  const Clock& clock_;
  Counters counters_;
  std::set<std::string> asking_;
};

// Owners who have to understand what failed, and failures that the rules do not know well; of the
// others the note's own words say all there is.
bool adds_something(const fleet::v1::Diagnosis& diagnosis);

// Why a failed job is to be explained.
enum class Wish {
  usual,  // where a model's words add something
  asked,  // somebody wants them, also where the rules are sure
};

class Explainer {
 public:
  // What is given must outlive it.
  Explainer(Asker& asker, store::Store& store, const Clock& clock)
      : asker_(asker), store_(store), clock_(clock) {}

  // Registers the handler of "job.explain".
  void attach(queue::Worker& worker);
  // The work that explains a reported failed job; nothing where there is nothing to ask.
  std::optional<store::NewWork> work_for(const fleet::v1::JobReport& report,
                                         Wish wish = Wish::usual) const;
  Task<queue::Verdict> explain(store::Work work);

 private:
  Task<queue::Verdict> ask(store::Job job, store::ModelAnswer answer);
  queue::Verdict use_again(const store::Job& job, store::ModelAnswer answer,
                           store::Explanation said);

  Asker& asker_;
  store::Store& store_;
  const Clock& clock_;
};

// A vulnerability that a change brings in by what it depends on. Foreign.
struct Vulnerability {
  std::string package, version, name, summary;
};

class Reader {
 public:
  // What a project asks of those who review a merge request.
  using Guidelines = std::function<Task<Result<std::vector<project_file::Guideline>>>(
      gitlab::Gitlab&, std::string instance, gitlab::MergeRequest)>;
  // `instances`: by the id in the configuration. What is given must outlive it.
  Reader(Asker& asker, store::Store& store, const Clock& clock,
         std::map<std::string, gitlab::Gitlab*> instances, Guidelines guidelines)
      : asker_(asker),
        store_(store),
        clock_(clock),
        instances_(std::move(instances)),
        guidelines_(std::move(guidelines)) {}

  // Registers the handler of "merge_request.read".
  void attach(queue::Worker& worker);
  // The work that has it read; nothing: it was, or nobody asks for that (a draft, another project).
  // `brought`: what is known when it is asked for; the first kMostVulnerabilities count.
  std::optional<store::NewWork> work_for(const std::string& instance,
                                         const gitlab::MergeRequest& merge_request,
                                         const std::optional<store::ReadMergeRequest>& known,
                                         const std::vector<Vulnerability>& brought = {}) const;
  static constexpr std::size_t kMostVulnerabilities = 10;
  Task<queue::Verdict> read(store::Work work);

 private:
  Task<queue::Verdict> ask(store::ReadMergeRequest row, ChangeData data);

  Asker& asker_;
  store::Store& store_;
  const Clock& clock_;
  const std::map<std::string, gitlab::Gitlab*> instances_;
  const Guidelines guidelines_;
};

// What is wrong with the files that hold them.
Status check_credentials(const Settings& settings);

// Nothing with provider "none". invalid_argument and others: what the credentials are not.
Result<std::unique_ptr<Asker>> open(Settings settings, store::Store& store, const Clock& clock,
                                    asio::any_io_executor executor);

}  // namespace gitaiops::models
