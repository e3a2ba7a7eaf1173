// gitaiops reviewers --repository: who should look at a change, asked on one's own machine.
#include <algorithm>
#include <ctime>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/git/git.h"
#include "cli/commands.h"
#include "engines/triage/git_log.h"
#include "engines/triage/reviewers.h"

namespace gitaiops::cli {
namespace {

constexpr std::size_t kSuggested = 3;
constexpr std::size_t kLargestList = 64 << 20;

class Repository {
 public:
  explicit Repository(std::string folder) : folder_(std::move(folder)) {}

  Result<std::string> ask(std::vector<std::string> arguments) const {
    return git::output({.repository = folder_, .arguments = std::move(arguments)}, kLargestList);
  }
  Result<std::string> commit(const std::string& name) const {
    ASSIGN_OR_RETURN(
        auto id, ask({"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"}),
        "no commit \"" + to_utf8(name) + "\" in " + folder_);
    return id;
  }
  triage::Git reader() const {
    return [this](std::vector<std::string> arguments,
                  const std::function<Status(std::string_view)>& on_output) {
      return git::run({.repository = folder_, .arguments = std::move(arguments)}, on_output);
    };
  }

 private:
  std::string folder_;
};

struct Question {
  std::string tip;  // whose history is read
  std::vector<std::string> paths;
  std::optional<triage::Signature> author;
};

Result<Question> of_range(const Repository& repository, const std::string& range) {
  const auto dots = range.find("..");
  if (dots == std::string::npos)
    return Error(Code::invalid_argument, "--merge-request-range wants A..B, not \"" + range + "\"");
  auto to = range.substr(dots + 2);
  if (to.starts_with('.')) to.erase(0, 1);
  Question question;
  ASSIGN_OR_RETURN(question.tip, repository.commit(range.substr(0, dots)));
  ASSIGN_OR_RETURN(const auto head, repository.commit(to.empty() ? "HEAD" : to));
  ASSIGN_OR_RETURN(const auto base, repository.ask({"merge-base", question.tip, head}),
                   "the two ends of " + range + " have nothing in common");
  ASSIGN_OR_RETURN(const auto names, repository.ask({"diff-tree", "-r", "-z", "--name-only",
                                                     "--no-renames", base, head, "--"}));
  for (const auto name : split(names, '\0'))
    if (!name.empty()) question.paths.emplace_back(name);
  ASSIGN_OR_RETURN(const auto author,
                   repository.ask({"log", "-1", "--no-mailmap", "--no-show-signature",
                                   "--format=%an <%ae>", "--end-of-options", head, "--"}));
  question.author = triage::read_signature(author);
  return question;
}

// The name under which the history knows the author; empty: it does not.
std::string author_name(const SuggestOptions& options, const Question& question,
                        triage::People& people) {
  if (options.author.empty())
    return question.author ? people.name(people.add(*question.author)) : "";
  std::string lower = options.author;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  for (const auto& [name, known] : people.known())
    if (std::ranges::find(known.names, options.author) != known.names.end() ||
        std::ranges::find(known.emails, lower) != known.emails.end())
      return name;
  return options.author;
}

void print(const SuggestOptions& options, const triage::RepositoryHistory& history,
           const std::vector<triage::Suggestion>& found, std::ostream& out) {
  if (options.format == "json") {
    nlohmann::ordered_json json = {{"commits", history.commits.size()},
                                   {"cut_short", history.cut_short},
                                   {"reviewers", nlohmann::ordered_json::array()}};
    for (const auto& one : found)
      json["reviewers"].push_back({{"name", to_utf8(one.person)}, {"reason", to_utf8(one.reason)}});
    out << json.dump() << "\n";
    return;
  }
  for (const auto& one : found) out << to_utf8(one.person) << ": " << to_utf8(one.reason) << "\n";
  if (found.empty()) out << "Nobody but the author is known to this history.\n";
}

Status suggest(const SuggestOptions& options, const Terminal& terminal) {
  const Repository repository(options.repository);
  Question question;
  if (!options.range.empty()) {
    ASSIGN_OR_RETURN(question, of_range(repository, options.range));
  } else if (options.paths.empty()) {
    return Error(Code::invalid_argument,
                 "say which files change (--paths), or which commits (--merge-request-range A..B)");
  } else {
    ASSIGN_OR_RETURN(question.tip, repository.commit("HEAD"));
    question.paths = options.paths;
  }
  if (question.paths.empty())
    return Error(Code::invalid_argument, options.range + " changes no files");
  ASSIGN_OR_RETURN(auto history, triage::read_repository(repository.reader(), question.tip),
                   options.repository);
  triage::Reviewers reviewers;
  for (const auto& commit : history.commits) reviewers.add(commit);
  const auto author = author_name(options, question, history.people);
  print(options, history,
        reviewers.suggest({author, question.paths, std::time(nullptr)}, kSuggested), terminal.out);
  return {};
}

}  // namespace

int suggest_reviewers(const SuggestOptions& options, const Terminal& terminal) {
  const auto done = suggest(options, terminal);
  if (done.ok()) return kDone;
  terminal.err << "gitaiops: " << done.error().to_string() << "\n";
  return kUsage;
}

}  // namespace gitaiops::cli
