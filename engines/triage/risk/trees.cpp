#include "engines/triage/risk/trees.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

namespace gitaiops::triage::risk {
namespace {

constexpr std::size_t kBins = 64;
constexpr uint64_t kSeed = 20'130'617;
constexpr double kLeastGain = 1e-9;

double certainty(double x) {
  return 1 / (1 + std::exp(-x));
}

// The inputs of all rows, each replaced by the number of its quantile.
class Binned {
 public:
  explicit Binned(std::span<const Row> rows) {
    std::vector<float> column(rows.size());
    for (std::size_t input = 0; input < kInputs; ++input) {
      std::ranges::transform(rows, column.begin(), [&](const Row& r) { return r.inputs[input]; });
      std::ranges::sort(column);
      auto& cuts = cuts_[input];
      for (std::size_t k = 1; k < kBins; ++k) {
        const float value = column[column.size() * k / kBins];
        if (value > column.front() && (cuts.empty() || value > cuts.back())) cuts.push_back(value);
      }
      bins_[input].resize(rows.size());
      std::ranges::transform(rows, bins_[input].begin(), [&](const Row& r) {
        return static_cast<uint8_t>(std::ranges::upper_bound(cuts, r.inputs[input]) - cuts.begin());
      });
    }
  }
  // Below cut k lie the bins up to k.
  const std::vector<float>& cuts(std::size_t input) const { return cuts_[input]; }
  const std::vector<uint8_t>& bins(std::size_t input) const { return bins_[input]; }

 private:
  std::array<std::vector<float>, kInputs> cuts_;
  std::array<std::vector<uint8_t>, kInputs> bins_;
};

struct Slope {
  double first = 0, second = 0;  // derivatives of the loss
  void operator+=(const Slope& other) { first += other.first, second += other.second; }
  Slope operator-(const Slope& other) const { return {first - other.first, second - other.second}; }
};

class Grower {
 public:
  Grower(const Binned& binned, const std::vector<Slope>& slopes, const Growth& growth,
         std::mt19937_64& random)
      : binned_(binned), slopes_(slopes), growth_(growth), random_(random) {
    for (std::size_t i = 0; i < kInputs; ++i)
      if (!growth.use || growth.use(i)) inputs_.push_back(i);
  }

  // `rows` is put into another order.
  Tree grow(std::vector<uint32_t> rows) {
    tree_.clear();
    rows_ = std::move(rows);
    branch(0, rows_.size(), 0);
    return std::move(tree_);
  }

 private:
  struct Split {
    std::size_t input = 0, bin = 0;
    double gain = kLeastGain;
  };

  double strength(const Slope& s) const {
    return s.first * s.first / (s.second + growth_.restraint);
  }

  void branch(std::size_t first, std::size_t last, int depth) {
    Slope all;
    for (auto i = first; i < last; ++i) all += slopes_[rows_[i]];
    const auto self = tree_.size();
    tree_.push_back(
        {-1, static_cast<float>(-growth_.rate * all.first / (all.second + growth_.restraint)), 0});
    if (depth >= growth_.depth || all.second < 2 * growth_.least_weight) return;
    const auto split = best(first, last, all);
    if (split.gain <= kLeastGain) return;
    const auto& bins = binned_.bins(split.input);
    const auto middle = std::partition(rows_.begin() + static_cast<std::ptrdiff_t>(first),
                                       rows_.begin() + static_cast<std::ptrdiff_t>(last),
                                       [&](uint32_t row) { return bins[row] <= split.bin; }) -
                        rows_.begin();
    tree_[self].input = static_cast<int16_t>(split.input);
    tree_[self].value = binned_.cuts(split.input)[split.bin];
    branch(first, static_cast<std::size_t>(middle), depth + 1);
    tree_[self].right = static_cast<uint16_t>(tree_.size());
    branch(static_cast<std::size_t>(middle), last, depth + 1);
  }

  Split best(std::size_t first, std::size_t last, const Slope& all) {
    const auto looked_at = std::max<std::size_t>(
        1, static_cast<std::size_t>(
               std::lround(growth_.inputs * static_cast<double>(inputs_.size()))));
    Split best;
    for (std::size_t i = 0; i < looked_at; ++i) {
      std::swap(inputs_[i], inputs_[i + random_() % (inputs_.size() - i)]);
      const auto input = inputs_[i];
      const auto& bins = binned_.bins(input);
      std::array<Slope, kBins> sums{};
      for (auto at = first; at < last; ++at) sums[bins[rows_[at]]] += slopes_[rows_[at]];
      Slope left;
      for (std::size_t bin = 0; bin < binned_.cuts(input).size(); ++bin) {
        left += sums[bin];
        const auto right = all - left;
        if (left.second < growth_.least_weight) continue;
        if (right.second < growth_.least_weight) break;
        if (const double gain = strength(left) + strength(right) - strength(all); gain > best.gain)
          best = {input, bin, gain};
      }
    }
    return best;
  }

  const Binned& binned_;
  const std::vector<Slope>& slopes_;
  const Growth& growth_;
  std::mt19937_64& random_;
  std::vector<std::size_t> inputs_;
  std::vector<uint32_t> rows_;
  Tree tree_;
};

Bag grow_bag(std::span<const Row> rows, const Binned& binned, const Growth& growth, double base,
             std::mt19937_64& random) {
  Bag bag{static_cast<float>(base), {}};
  std::vector<double> odds(rows.size(), base);
  std::vector<Slope> slopes(rows.size());
  const auto chosen = static_cast<uint64_t>(growth.rows * 0x1p32);
  for (int k = 0; k < growth.trees; ++k) {
    std::vector<uint32_t> sample;
    for (uint32_t i = 0; i < rows.size(); ++i) {
      const double p = certainty(odds[i]);
      slopes[i] = {rows[i].weight * (p - rows[i].yes), rows[i].weight * p * (1 - p)};
      if ((random() >> 32) < chosen) sample.push_back(i);
    }
    bag.trees.push_back(Grower(binned, slopes, growth, random).grow(std::move(sample)));
    for (uint32_t i = 0; i < rows.size(); ++i)
      odds[i] += grown_value(bag.trees.back(), rows[i].inputs);
  }
  return bag;
}

}  // namespace

float grown_value(const Tree& tree, const Inputs& inputs) {
  std::size_t at = 0;
  while (tree[at].input >= 0)
    at =
        inputs[static_cast<std::size_t>(tree[at].input)] < tree[at].value ? at + 1 : tree[at].right;
  return tree[at].value;
}

double log_odds(std::span<const Bag> bags, const Inputs& inputs) {
  double sum = 0;
  for (const auto& bag : bags) {
    sum += bag.base;
    for (const auto& tree : bag.trees) sum += grown_value(tree, inputs);
  }
  return bags.empty() ? 0 : sum / static_cast<double>(bags.size());
}

std::vector<Bag> grow(std::span<const Row> rows, const Growth& growth) {
  double yes = 0, all = 0;
  for (const auto& row : rows) {
    yes += row.yes ? row.weight : 0;
    all += row.weight;
  }
  if (!(yes > 0) || !(yes < all)) return {};
  const Binned binned(rows);
  std::mt19937_64 random(kSeed);
  std::vector<Bag> bags;
  for (int i = 0; i < growth.bags; ++i)
    bags.push_back(grow_bag(rows, binned, growth, std::log(yes / (all - yes)), random));
  return bags;
}

}  // namespace gitaiops::triage::risk
