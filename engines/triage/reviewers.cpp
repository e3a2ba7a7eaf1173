#include "engines/triage/reviewers.h"

#include <algorithm>
#include <cmath>

namespace gitaiops::triage {
namespace {

constexpr int64_t kDay = 86'400;
constexpr int64_t kLag = 7 * kDay;
constexpr double kRate = 0.06;
constexpr int64_t kFewReviews = 3;  // from here on a standing is worth a sentence

constexpr std::array<double, Signals::kCount> general_weights() {
  std::array<double, Signals::kCount> weights{};
  weights[Signals::folder_reviews] = 4;
  weights[Signals::folder_changes] = 1;
  weights[Signals::affinity] = 4;
  weights[Signals::global] = 1;
  weights[Signals::lately] = 1;
  weights[Signals::log_folder] = 2;
  weights[Signals::log_affinity] = 1;
  weights[Signals::log_global] = 1;
  return weights;
}

std::string times(int64_t n) {
  return n == 1 ? "once" : std::to_string(n) + " times";
}

std::string ago(int64_t seconds) {
  const auto days = seconds / kDay;
  if (days <= 0) return "today";
  if (days == 1) return "yesterday";
  if (days < 60) return std::to_string(days) + " days ago";
  return std::to_string(days / 30) + " months ago";
}

}  // namespace

Reviewers::Reviewers() : weights_(general_weights()) {}

void Reviewers::add(const Commit& commit) {
  while (!recent_.empty() && recent_.front().time_s <= commit.time_s - kLag) {
    then_.add(recent_.front());
    recent_.pop_front();
  }
  if (!commit.reviewers.empty()) learn(commit);
  now_.add(commit);
  recent_.push_back(commit);
}

std::vector<double> Reviewers::beliefs(const std::vector<Candidate>& candidates) const {
  std::vector<double> out;
  out.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    double score = 0;
    for (std::size_t i = 0; i < Signals::kCount; ++i)
      score += weights_[i] * candidate.signals.value[i];
    out.push_back(score);
  }
  const double highest = out.empty() ? 0 : *std::ranges::max_element(out);
  double sum = 0;
  for (auto& score : out) sum += score = std::exp(score - highest);
  for (auto& score : out) score /= sum;
  return out;
}

void Reviewers::learn(const Commit& commit) {
  const auto candidates = then_.candidates(commit.author, commit.files, commit.time_s);
  const auto believed = beliefs(candidates);
  std::vector<std::size_t> right;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (std::ranges::find(commit.reviewers, then_.name(candidates[i].person)) !=
        commit.reviewers.end())
      right.push_back(i);
  if (right.empty()) return;
  std::array<double, Signals::kCount> slope{};
  for (std::size_t s = 0; s < Signals::kCount; ++s) {
    for (const auto i : right)
      slope[s] += candidates[i].signals.value[s] / static_cast<double>(right.size());
    for (std::size_t i = 0; i < candidates.size(); ++i)
      slope[s] -= believed[i] * candidates[i].signals.value[s];
    squares_[s] += slope[s] * slope[s];
    if (squares_[s] > 0) weights_[s] += kRate * slope[s] / std::sqrt(squares_[s]);
  }
}

std::vector<Suggestion> Reviewers::suggest(const Change& change, std::size_t most,
                                           const std::set<std::string>& without) const {
  auto candidates = now_.candidates(change.author, change.files, change.time_s);
  std::erase_if(candidates,
                [&](const Candidate& c) { return without.contains(now_.name(c.person)); });
  const auto believed = beliefs(candidates);
  std::vector<std::size_t> order(candidates.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    if (believed[a] != believed[b]) return believed[a] > believed[b];
    return now_.name(candidates[a].person) < now_.name(candidates[b].person);
  });
  order.resize(std::min(order.size(), most));
  std::vector<Suggestion> out;
  for (const auto i : order)
    give_reason(change, candidates[i].person,
                out.emplace_back(Suggestion{now_.name(candidates[i].person), believed[i], {}, {}}));
  return out;
}

void Reviewers::give_reason(const Change& change, Person person, Suggestion& suggestion) const {
  const auto in = [&](const ReviewState::Standing& standing) {
    if (!standing.folder.empty()) suggestion.place = standing.folder;
    return standing.folder.empty() ? std::string("in the whole repository")
                                   : "in " + standing.folder;
  };
  std::vector<std::string> parts;
  const auto standing = now_.standing(person, change.files);
  if (standing.reviews > 0)
    parts.push_back("gave " + std::to_string(standing.reviews) + " of the last " +
                    std::to_string(standing.of) + " reviews " + in(standing));
  if (const auto pair = now_.pair_reviews(change.author, person);
      pair > 0 && standing.reviews < kFewReviews)
    parts.push_back("reviewed this author " + times(pair));
  if (const auto last = now_.last_review_s(person); last > 0) {
    parts.push_back("last review " + ago(change.time_s - last));
  } else if (const auto authorship = now_.authorship(person, change.files);
             authorship.reviews > 0) {
    parts.push_back("made " + std::to_string(authorship.reviews) + " of the last " +
                    std::to_string(authorship.of) + " changes " + in(authorship));
    parts.push_back("last change " + ago(change.time_s - now_.last_change_s(person)));
  }
  std::string words;
  for (const auto& part : parts) words += (words.empty() ? "" : ", ") + part;
  suggestion.reason = words.empty() ? "changed files nearby" : words;
}

}  // namespace gitaiops::triage
