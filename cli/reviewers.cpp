// gitaiops reviewers: who should have looked at past changes, by what was known before them. The
// way to see how good the suggestions are for one's own project.
#include "engines/triage/reviewers.h"

#include <algorithm>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "cli/commands.h"
#include "cli/history_file.h"

namespace gitaiops::cli {
namespace {

using triage::Commit;

constexpr std::size_t kLargestCases = 256 << 20;
constexpr std::size_t kNamed = 20;     // people a case
constexpr std::size_t kExplained = 3;  // of them with a reason
constexpr int64_t kDay = 86'400;

std::string answer(const Commit& one, const std::vector<triage::Suggestion>& found) {
  nlohmann::ordered_json out = {{"commit", to_utf8(one.id)},
                                {"reviewers", nlohmann::ordered_json::array()},
                                {"reasons", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    out["reviewers"].push_back(to_utf8(found[i].person));
    if (i < kExplained) out["reasons"].push_back(to_utf8(found[i].reason));
  }
  return out.dump();
}

Status rank(const ReviewersOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto history, HistoryFile::open(options.history));
  ASSIGN_OR_RETURN(const auto text, read_file(options.cases, kLargestCases));
  ASSIGN_OR_RETURN(const auto cases, triage::read_cases(text), options.cases);
  std::vector<std::size_t> order(cases.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return cases[i].time_s; });
  triage::Reviewers reviewers;
  std::vector<std::string> answers(cases.size());
  for (const auto i : order) {
    const auto& one = cases[i];
    RETURN_IF_ERROR(history.advance(one.time_s - options.embargo_days * kDay,
                                    [&](const Commit& commit) { reviewers.add(commit); }));
    answers[i] = answer(one, reviewers.suggest({one.author, one.files, one.time_s}, kNamed));
  }
  terminal.out << "[";
  for (std::size_t i = 0; i < answers.size(); ++i)
    terminal.out << (i == 0 ? "\n" : ",\n") << answers[i];
  terminal.out << "\n]\n";
  return {};
}

}  // namespace

int rank_reviewers(const ReviewersOptions& options, const Terminal& terminal) {
  const auto done = rank(options, terminal);
  if (done.ok()) return kDone;
  terminal.err << "gitaiops: " << done.error().to_string() << "\n";
  return kUsage;
}

}  // namespace gitaiops::cli
