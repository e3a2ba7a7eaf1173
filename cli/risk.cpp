// gitaiops risk: learn from labelled changes how risky a change is, and say it of others.
#include <algorithm>
#include <cstdio>
#include <ostream>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "cli/commands.h"
#include "engines/triage/risk/labelled_csv.h"
#include "engines/triage/risk/model.h"

namespace gitaiops::cli {
namespace {

using triage::risk::Example;
using triage::risk::Labels;
using triage::risk::Model;

constexpr std::size_t kLargestLabels = 512 << 20;
constexpr std::size_t kLargestModel = 32 << 20;

Result<std::vector<Example>> read_examples(const std::string& path, Labels labels) {
  ASSIGN_OR_RETURN(const auto text, read_file(path, kLargestLabels));
  ASSIGN_OR_RETURN(auto examples, triage::risk::read_labelled(text, labels), path);
  return examples;
}

Status learn(const RiskOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto examples, read_examples(options.file, Labels::needed));
  std::ranges::stable_sort(examples, {}, &Example::time_s);
  const auto model = triage::risk::train(examples);
  RETURN_IF_ERROR(write_file_atomic(options.model, model.to_text()));
  terminal.out << "learnt from " << model.basis() << "\n";
  if (!model.calibrated())
    terminal.out << "too few labels to check probabilities on: rely on their order only\n";
  return {};
}

Status tell(const RiskOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto text, read_file(options.model, kLargestModel));
  ASSIGN_OR_RETURN(const auto model, Model::read(text), options.model);
  ASSIGN_OR_RETURN(const auto examples, read_examples(options.file, Labels::ignored));
  for (const auto& one : examples) {
    char number[32];
    if (!options.explain) {
      std::snprintf(number, sizeof number, "%.6f", model.probability(one.features));
      terminal.out << number << "\n";
      continue;
    }
    const auto score = model.score(one.features);
    std::snprintf(number, sizeof number, "%.6f\t%.1f\t", score.probability, score.percentile);
    terminal.out << number;
    for (const auto& cause : score.causes)
      terminal.out << (&cause == score.causes.data() ? "" : "; ") << cause.text;
    terminal.out << "\n";
  }
  return {};
}

int ended(const Status& done, const Terminal& terminal) {
  if (done.ok()) return kDone;
  terminal.err << "gitaiops: " << done.error().to_string() << "\n";
  return kUsage;
}

}  // namespace

int train_risk(const RiskOptions& options, const Terminal& terminal) {
  return ended(learn(options, terminal), terminal);
}

int score_risk(const RiskOptions& options, const Terminal& terminal) {
  return ended(tell(options, terminal), terminal);
}

}  // namespace gitaiops::cli
