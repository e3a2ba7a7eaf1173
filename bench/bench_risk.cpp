// How well risky changes are told from others, and how true the probabilities are: six projects,
// each one's newest fifth foretold by its older ones; and each project by the other five.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "bench/bench.h"
#include "engines/triage/risk/labelled_csv.h"
#include "engines/triage/risk/model.h"
#include "tests/corpus.h"

namespace gitaiops::bench {
namespace {

using triage::risk::Example;
using triage::risk::Model;

constexpr std::array kProjects = {"qt", "openstack", "gerrit", "go", "jdt", "platform"};

struct Project {
  std::vector<Example> older, newer;
};

std::vector<Example> read(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  auto examples = triage::risk::read_labelled(text.str(), triage::risk::Labels::needed);
  if (!examples.ok()) {
    std::printf("%s: %s\n", file.c_str(), examples.error().to_string().c_str());
    return {};
  }
  std::ranges::stable_sort(*examples, {}, &Example::time_s);
  return *std::move(examples);
}

struct Foretold {
  double probability;
  bool risky;
};

std::vector<Foretold> foretell(const Model& model, const std::vector<Example>& examples) {
  std::vector<Foretold> out;
  for (const auto& one : examples) out.push_back({model.probability(one.features), one.risky});
  return out;
}

// How often a risky change stands above another one; ties count half.
double area(std::vector<Foretold> all) {
  std::ranges::sort(all, {}, &Foretold::probability);
  double ranks = 0, risky = 0;
  for (std::size_t i = 0, j = 0; i < all.size(); i = j) {
    while (j < all.size() && all[j].probability == all[i].probability) ++j;
    for (auto k = i; k < j; ++k)
      if (all[k].risky) ranks += static_cast<double>(i + j + 1) / 2, risky += 1;
  }
  return (ranks - risky * (risky + 1) / 2) / (risky * (static_cast<double>(all.size()) - risky));
}

// Expected calibration error over ten equal steps of probability.
double calibration_error(const std::vector<Foretold>& all) {
  std::array<double, 10> gap{};
  for (const auto& one : all)
    gap[std::min<std::size_t>(9, static_cast<std::size_t>(one.probability * 10))] +=
        one.probability - one.risky;
  double sum = 0;
  for (const auto one : gap) sum += std::abs(one);
  return sum / static_cast<double>(all.size());
}

void measure(const std::filesystem::path& folder) {
  std::vector<Project> projects;
  for (const auto* name : kProjects) {
    auto all = read(folder / (std::string(name) + ".csv"));
    const auto cut = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 8 / 10);
    projects.push_back({{all.begin(), cut}, {cut, all.end()}});
  }
  double own = 0, general = 0, worst = 0, slowest = 0;
  for (std::size_t p = 0; p < projects.size(); ++p) {
    std::vector<std::vector<Example>> others;
    for (std::size_t q = 0; q < projects.size(); ++q)
      if (q != p) others.push_back(projects[q].older);
    // The shipped model knows all six: here one that has not seen this project stands in.
    const auto stranger = triage::risk::train_general(others);
    const double begun = seconds_now();
    const auto model = triage::risk::train(projects[p].older, stranger);
    slowest = std::max(slowest, seconds_now() - begun);
    const auto by_own = foretell(model, projects[p].newer);
    own += area(by_own) / kProjects.size();
    general += area(foretell(stranger, projects[p].newer)) / kProjects.size();
    worst = std::max(worst, calibration_error(by_own));
    fact(std::string(kProjects[p]) + ", risk AUC", 100 * area(by_own), "%");
    fact(std::string(kProjects[p]) + ", calibration error", 100 * calibration_error(by_own), "%");
  }
  row("six projects' newest fifth, risk AUC", 100 * own, "%", 76, Better::higher);
  row("six projects, each by the other five, AUC", 100 * general, "%", 74, Better::higher);
  row("calibration error, worst of the six", 100 * worst, "%", 5, Better::lower);
  fact("slowest training", slowest, "s");
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  using namespace gitaiops::bench;
  const auto folder = gitaiops::corpus("compass");
  if (!folder) {
    std::puts("risk is not measured: the labelled changes are not here (GITAIOPS_CORPUS)");
    return 0;
  }
  measure(*folder / "jit");
  return verdict();
}
