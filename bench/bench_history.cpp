// How fast a repository's history is read: 65,000 made-up commits, beside git alone printing the
// same.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/git/git.h"
#include "bench/bench.h"
#include "engines/triage/git_log.h"
#include "engines/triage/reviewers.h"

namespace gitaiops::bench {
namespace {

constexpr int kPeople = 90;
constexpr int kFolders = 200;
constexpr int kFilesInFolder = 15;

std::string person(int number) {
  const auto n = std::to_string(number);
  return "Person Number" + n + " <p" + n + "@work.example>";
}

// As git fast-import reads it.
std::string made_up(int commits) {
  std::mt19937 random(7);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::string out;
  int64_t time = 1'500'000'000;
  for (int i = 0; i < commits; ++i) {
    const int folder = below(kFolders);
    const auto author = person(below(kPeople));
    const auto when = " " + std::to_string(time += 60 + below(6000)) + " +0000\n";
    const auto message =
        "part" + std::to_string(folder) +
        ": change what it does\n\nA few words on why this is so.\n\nReviewed-by: " +
        person(folder % kPeople) + "\nSigned-off-by: " + author + "\n";
    out += "commit refs/heads/main\nauthor " + author + when + "committer " + author + when +
           "data " + std::to_string(message.size()) + "\n" + message + "\n";
    for (int files = 1 + below(4); files > 0; --files) {
      const auto text = std::to_string(random()) + "\n";
      out += "M 100644 inline src/part" + std::to_string(folder) + "/file" +
             std::to_string(below(kFilesInFolder)) + ".c\ndata " + std::to_string(text.size()) +
             "\n" + text + "\n";
    }
  }
  return out + "done\n";
}

int run() {
  const int commits = static_cast<int>(setting("GITAIOPS_BENCH_COMMITS", 65'000));
  std::string name = (std::filesystem::temp_directory_path() / "gitaiops-bench-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto git = [&](std::vector<std::string> arguments, std::string input = {}) {
    return git::output({.repository = folder,
                        .arguments = std::move(arguments),
                        .input = std::move(input),
                        .limit = std::chrono::minutes(10)});
  };
  if (!git({"init", "-q", "--bare", "-b", "main"}).ok() ||
      !git({"fast-import", "--quiet", "--done"}, made_up(commits)).ok())
    return 1;
  const auto tip = git({"rev-parse", "main"});
  if (!tip.ok()) return 1;

  const triage::Git reader = [&](std::vector<std::string> arguments,
                                 const std::function<Status(std::string_view)>& on_output) {
    return git::run({.repository = folder, .arguments = std::move(arguments)}, on_output);
  };
  double begun = seconds_now();
  auto arguments = triage::log_arguments();
  arguments.insert(arguments.end(), {"--no-merges", *tip});
  uint64_t bytes = 0;
  const auto printed = reader(arguments, [&](std::string_view piece) {
    bytes += piece.size();
    return Status();
  });
  const double alone = seconds_now() - begun;
  begun = seconds_now();
  const auto history = triage::read_repository(reader, *tip);
  const double read = seconds_now() - begun;
  if (!printed.ok() || !history.ok() || bytes == 0) return 1;
  begun = seconds_now();
  triage::Reviewers reviewers;
  for (const auto& commit : history->commits) reviewers.add(commit);
  const double learnt = seconds_now() - begun;
  begun = seconds_now();
  const auto found = reviewers.suggest({person(1), {"src/part7/file3.c"}, 1'900'000'000}, 3);
  const double answered = seconds_now() - begun;
  row("paths of " + std::to_string(commits) + " commits", read, "s", 5, Better::lower);
  row("speed beside git alone", 100 * alone / read, "%", 90, Better::higher);
  row("learning from them", learnt, "s", 5, Better::lower);
  row("an answer", 1e3 * answered, "ms", 20, Better::lower);
  std::filesystem::remove_all(folder);
  if (history->commits.size() != static_cast<std::size_t>(commits) || found.size() != 3) return 1;
  return verdict();
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  return gitaiops::bench::run();
}
