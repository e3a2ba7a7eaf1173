// How well the reviewers of real changes are foretold, beside the best known figures.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <zlib.h>

#include "bench/bench.h"
#include "engines/triage/reviewers.h"
#include "tests/corpus.h"

namespace gitaiops::bench {
namespace {

constexpr int64_t kEmbargo = 7 * 86'400;

std::string unpacked(const std::filesystem::path& path) {
  std::string text;
  gzFile file = ::gzopen(path.c_str(), "rb");
  char buffer[1 << 16];
  for (int n = 0; file && (n = ::gzread(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  if (file) ::gzclose(file);
  return text;
}

struct Known {
  const char* project;
  double at1, at3, at5, mrr, target;
};

void measure(const std::filesystem::path& folder, const Known& known) {
  std::vector<triage::Commit> history;
  std::istringstream lines(unpacked(folder / (std::string(known.project) + "_history.jsonl.gz")));
  for (std::string line; std::getline(lines, line);)
    if (auto commit = triage::read_commit(line); commit.ok()) history.push_back(std::move(*commit));
  std::ifstream file(folder / (std::string(known.project) + "_ground_truth.json"));
  std::stringstream text;
  text << file.rdbuf();
  auto cases = triage::read_cases(text.str());
  if (!cases.ok()) return;
  // Committers' clocks jump: in the order of time nobody sees what was not there yet.
  std::ranges::stable_sort(*cases, {}, &triage::Commit::time_s);
  triage::Reviewers reviewers;
  std::size_t next = 0;
  int64_t newest = 0;
  double at1 = 0, at3 = 0, at5 = 0, mrr = 0, longest = 0;
  for (const auto& one : *cases) {
    for (; next < history.size(); ++next) {
      newest = std::max(newest, history[next].time_s);
      if (newest > one.time_s - kEmbargo) break;
      reviewers.add(history[next]);
    }
    const double begun = seconds_now();
    const auto found = reviewers.suggest({one.author, one.files, one.time_s}, 20);
    longest = std::max(longest, seconds_now() - begun);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (std::ranges::find(one.reviewers, found[i].person) == one.reviewers.end()) continue;
      at1 += i < 1, at3 += i < 3, at5 += i < 5, mrr += 1 / static_cast<double>(i + 1);
      break;
    }
  }
  const auto n = static_cast<double>(cases->size());
  const auto name = [&](const char* what) {
    return std::string(known.project) + ", reviewer " + what;
  };
  row(name("hit@1"), 100 * at1 / n, "%", 100 * known.at1, Better::higher);
  row(name("hit@3"), 100 * at3 / n, "%", 100 * known.at3, Better::higher);
  row(name("hit@5"), 100 * at5 / n, "%", 100 * known.at5, Better::higher);
  row(name("MRR"), 100 * mrr / n, "%", 100 * known.target, Better::higher);
  row(name("slowest answer"), longest * 1e3, "ms", 20, Better::lower);
  if (setting("GITAIOPS_BENCH_WEIGHTS", 0) != 0)
    for (const double weight : reviewers.weights()) std::printf("%.2f ", weight);
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  using namespace gitaiops::bench;
  const auto folder = gitaiops::corpus("compass");
  if (!folder) {
    std::puts("reviewers are not measured: the histories are not here (GITAIOPS_CORPUS)");
    return 0;
  }
  measure(*folder, {"spdk", .719, .950, .998, .837, .84});
  measure(*folder, {"dpdk", .572, .739, .800, .670, .70});
  return verdict();
}
