// gitaiops triage: what a reviewer wants to know of changes, by what was known before them.
#include "engines/triage/triage.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "cli/commands.h"
#include "cli/history_file.h"

namespace gitaiops::cli {
namespace {

using triage::Change;
using triage::Commit;
using triage::Triage;
using Json = nlohmann::ordered_json;

constexpr std::size_t kLargestCases = 256 << 20;
constexpr std::size_t kLargestModel = 32 << 20;
constexpr std::size_t kLargestRules = 256 << 10;

Change change_of(const Commit& commit) {
  Change change{commit.author, commit.files, commit.time_s};
  const auto end = commit.message.find('\n');
  change.title = commit.message.substr(0, end);
  if (end != commit.message.npos) change.description = commit.message.substr(end + 1);
  change.lines = commit.lines;
  return change;
}

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

Json to_json(const Commit& commit, const Triage& t) {
  Json out = {{"commit", to_utf8(commit.id)}};
  if (t.risk)
    out["risk"] = {{"level", triage::to_string(t.risk->level)},
                   {"percentile", rounded(t.risk->percentile, 10)},
                   {"probability", rounded(t.risk->probability, 1e4)},
                   {"calibrated", t.risk->calibrated},
                   {"reasons", t.risk->reasons}};
  if (t.size) {
    out["size"] = {{"files", t.size->files}, {"complexity", triage::to_string(t.size->complexity)}};
    if (t.size->lines) {
      out["size"]["added"] = t.size->lines->added;
      out["size"]["deleted"] = t.size->lines->deleted;
    }
    if (t.size->percentile) out["size"]["percentile"] = rounded(*t.size->percentile, 10);
  }
  if (t.kind)
    out["type"] = {{"name", triage::to_string(t.kind->type)},
                   {"confidence", rounded(t.kind->confidence, 100)},
                   {"said", t.kind->said}};
  if (t.effort)
    out["effort"] = {{"p50_h", rounded(t.effort->p50_h, 100)},
                     {"p80_h", rounded(t.effort->p80_h, 100)},
                     {"from_history", t.effort->from_history}};
  out["required_reviews"] = Json::array();
  for (const auto& review : t.required_reviews) {
    Json files = Json::array();
    for (const auto& file : review.files) files.push_back(to_utf8(file));
    out["required_reviews"].push_back(
        {{"area", review.area}, {"reasons", review.reasons}, {"files", std::move(files)}});
  }
  out["priority"] = triage::to_string(t.priority);
  out["labels"] = t.labels;
  return out;
}

void print(const Commit& commit, const Triage& t, std::ostream& out) {
  out << to_utf8(commit.id);
  if (const auto title = to_utf8(commit.message.substr(0, commit.message.find('\n')));
      !title.empty())
    out << "  " << title;
  out << "\n";
  std::string summary;
  const auto say = [&](std::string words) {
    summary += (summary.empty() ? "  " : " · ") + std::move(words);
  };
  if (t.risk) say(std::string(triage::to_string(t.risk->level)) + " risk");
  if (t.size) say(std::string(triage::to_string(t.size->complexity)));
  if (t.kind)
    say(std::string(triage::to_string(t.kind->type)) + (t.kind->confidence < 0.6 ? "?" : ""));
  say(std::string(triage::to_string(t.priority)) + " priority");
  out << summary << "\n";
  for (const auto& reason : t.reasons) out << "  " << to_utf8(reason) << "\n";
}

Result<triage::Rules> rules_of(const std::string& path) {
  if (path.empty()) return triage::Rules::usual();
  ASSIGN_OR_RETURN(const auto text, read_file(path, kLargestRules));
  return triage::Rules::read(text, path);
}

Result<std::optional<triage::risk::Model>> model_of(const std::string& path) {
  if (path.empty()) return std::optional<triage::risk::Model>();
  ASSIGN_OR_RETURN(const auto text, read_file(path, kLargestModel));
  ASSIGN_OR_RETURN(auto model, triage::risk::Model::read(text), path);
  return std::optional(std::move(model));
}

Status tell(const TriageOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto file, HistoryFile::open(options.history));
  ASSIGN_OR_RETURN(const auto rules, rules_of(options.rules));
  ASSIGN_OR_RETURN(auto model, model_of(options.model));
  ASSIGN_OR_RETURN(const auto text, read_file(options.cases, kLargestCases));
  ASSIGN_OR_RETURN(auto cases, triage::read_cases(text), options.cases);
  std::ranges::stable_sort(cases, {}, &Commit::time_s);
  triage::ProjectHistory history;
  Json all = Json::array();
  for (const auto& one : cases) {
    // What happened in the very second may be the change itself.
    RETURN_IF_ERROR(
        file.advance(one.time_s - 1, [&](const Commit& commit) { history.add(commit); }));
    if (!model) model = triage::risk_model(history, one.time_s);
    const auto t = triage::triage(change_of(one), history, *model, rules);
    if (options.format == "json")
      all.push_back(to_json(one, t));
    else
      print(one, t, terminal.out);
  }
  if (options.format == "json")
    terminal.out << all.dump(2) << "\n";
  else if (model)
    terminal.out << "Risk is learnt from " << model->basis() << ".\n";
  return {};
}

}  // namespace

int triage_changes(const TriageOptions& options, const Terminal& terminal) {
  const auto done = tell(options, terminal);
  if (done.ok()) return kDone;
  terminal.err << "gitaiops: " << done.error().to_string() << "\n";
  return kUsage;
}

int print_triage_rules(const Terminal& terminal) {
  terminal.out << triage::Rules::usual_text();
  return kDone;
}

}  // namespace gitaiops::cli
