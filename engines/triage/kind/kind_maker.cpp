// Makes weights.txt from titles whose kind their authors had said:
//
//   kind_maker seeds.txt TITLES.tsv… > engines/triage/kind/weights.txt
//
// A title a line: its type, a tab, the title without the prefix that said so. Multinomial logistic
// regression (Adagrad) that begins at the seeds' weights and is held near them; each type counts as
// much as its share's square root, so that features and fixes do not drown the rest.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "base/bytes/bytes.h"
#include "engines/triage/kind/weights.h"
#include "engines/triage/kind/words.h"

namespace {

using namespace gitaiops::triage;

constexpr int kRounds = 12;
constexpr double kRate = 0.15, kHold = 0.03;
constexpr double kFewestOfType = 150;  // a type with fewer keeps its seeds
constexpr int kFewestTitles = 15;      // that a word must stand in
constexpr double kWorthKeeping = 0.4;

struct Title {
  std::size_t type;
  std::vector<std::string> words;
};

struct Weight {
  Scores now{}, seed{}, squares{};
};

std::string read(const char* path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<Title> read_titles(int argc, char** argv) {
  std::vector<Title> out;
  for (int i = 2; i < argc; ++i) {
    const auto text = read(argv[i]);
    for (const auto line : gitaiops::split(text, '\n')) {
      const auto tab = line.find('\t');
      const auto type = tab == line.npos ? std::nullopt : read_type(line.substr(0, tab));
      if (!type) continue;
      auto words = title_words(line.substr(tab + 1));
      words.emplace_back("(start)");
      out.push_back({static_cast<std::size_t>(*type), std::move(words)});
    }
  }
  return out;
}

void learn(const Title& title, const Scores& of_type, double weight,
           std::map<std::string, Weight>& weights) {
  const auto learnt = [&](std::size_t type) { return of_type[type] >= kFewestOfType; };
  if (!learnt(title.type)) return;
  Scores p{};
  for (const auto& word : title.words)
    if (const auto found = weights.find(word); found != weights.end())
      for (std::size_t i = 0; i < kTypes; ++i) p[i] += found->second.now[i];
  double sum = 0;
  for (std::size_t i = 0; i < kTypes; ++i) sum += p[i] = learnt(i) ? std::exp(p[i]) : 0;
  for (const auto& word : title.words) {
    const auto found = weights.find(word);
    if (found == weights.end()) continue;
    auto& w = found->second;
    for (std::size_t i = 0; i < kTypes; ++i) {
      if (!learnt(i)) continue;
      const double slope =
          weight * (p[i] / sum - (i == title.type)) + kHold * (w.now[i] - w.seed[i]);
      w.squares[i] += slope * slope;
      w.now[i] -= kRate * slope / (1e-6 + std::sqrt(w.squares[i]));
    }
  }
}

void print(const std::map<std::string, Weight>& weights) {
  std::puts("// What each word of a title says of the change's kind; made by kind_maker.");
  for (const auto& [word, weight] : weights) {
    std::string line;
    for (std::size_t i = 0; i < kTypes; ++i) {
      char text[40];
      std::snprintf(text, sizeof text, "%s:%.2f",
                    std::string(to_string(static_cast<Type>(i))).c_str(), weight.now[i]);
      if (std::abs(weight.now[i]) >= kWorthKeeping)
        line += (line.empty() ? "" : " ") + std::string(text);
    }
    if (!line.empty()) std::printf("%s\t%s\n", word.c_str(), line.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("kind_maker seeds.txt TITLES.tsv…\n", stderr), 2;
  const auto seeds = KindWeights::read(read(argv[1]));
  if (!seeds.ok())
    return std::fprintf(stderr, "%s: %s\n", argv[1], seeds.error().to_string().c_str()), 2;
  const auto titles = read_titles(argc, argv);
  std::map<std::string, int> seen;
  Scores of_type{};
  for (const auto& title : titles) {
    of_type[title.type] += 1;
    for (const auto& word : title.words) ++seen[word];
  }
  std::map<std::string, Weight> weights;
  for (const auto& [word, count] : seen)
    if (count >= kFewestTitles) weights[word];
  for (const auto& [word, scores] : seeds->words) weights[word] = {scores, scores, {}};
  weights["(start)"] = {seeds->start, seeds->start, {}};
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < titles.size(); ++i) {
      const auto& title = titles[i * 7919 % titles.size()];  // in no project's order
      learn(title, of_type,
            std::sqrt(static_cast<double>(titles.size()) / kTypes / of_type[title.type]), weights);
    }
  print(weights);
}
