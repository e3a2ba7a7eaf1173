#include "engines/triage/kind/weights.h"

#include <cmath>
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "engines/triage/kind/words.h"

namespace gitaiops::triage {
namespace {

constexpr std::string_view kStart = "(start)";
constexpr double kLargestWeight = 100;

Result<Scores> read_scores(std::string_view text) {
  Scores scores{};
  for (const auto pair : split(text, ' ')) {
    const auto colon = pair.find(':');
    const auto type = colon == pair.npos ? std::nullopt : read_type(pair.substr(0, colon));
    const auto weight = colon == pair.npos ? std::nullopt : parse_double(pair.substr(colon + 1));
    if (!type || !weight || !(std::abs(*weight) <= kLargestWeight))
      return Error(Code::invalid_argument, "expected type:weight, as in bugfix:1.2");
    scores[static_cast<std::size_t>(*type)] = *weight;
  }
  return scores;
}

}  // namespace

Result<KindWeights> KindWeights::read(std::string_view text) {
  KindWeights out;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with("//")) continue;
    const auto place = "line " + std::to_string(number);
    const auto tab = line.find('\t');
    if (tab == line.npos || tab == 0)
      return Error(Code::invalid_argument, place + ": expected a word, a tab and weights");
    ASSIGN_OR_RETURN(const auto scores, read_scores(line.substr(tab + 1)), place);
    const auto word = line.substr(0, tab);
    if (word == kStart)
      out.start = scores;
    else
      out.words.insert_or_assign(std::string(word), scores);
  }
  return out;
}

const KindWeights& KindWeights::shipped() {
  static const KindWeights weights = [] {
    auto read = KindWeights::read(kind_weights_text());
    if (!read.ok()) std::abort();  // it is built in, and tested
    return *std::move(read);
  }();
  return weights;
}

Scores KindWeights::of_title(std::string_view title) const {
  auto scores = start;
  for (const auto& word : title_words(title))
    if (const auto found = words.find(word); found != words.end())
      for (std::size_t i = 0; i < kTypes; ++i) scores[i] += found->second[i];
  return scores;
}

}  // namespace gitaiops::triage
