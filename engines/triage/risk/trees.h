// Boosted regression trees for yes-or-no questions: each tree corrects the log-odds of those before
// it (Friedman, "Greedy Function Approximation", 2001; the second-order split gain of XGBoost, Chen
// and Guestrin 2016). Splits are searched among the quantiles of each input. Every tree sees a part
// of the rows, every split a part of the inputs; several such sequences are averaged. The seed is
// fixed: the same examples give the same trees.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engines/triage/risk/inputs.h"

namespace gitaiops::triage::risk {

struct Node {
  int16_t input = -1;  // -1: a leaf
  float value = 0;     // a split: left when the input is below it; a leaf: what it adds
  uint16_t right = 0;  // the left one is the next
};
// In preorder; never empty.
using Tree = std::vector<Node>;
float grown_value(const Tree& tree, const Inputs& inputs);

// One sequence of trees.
struct Bag {
  float base = 0;  // log-odds
  std::vector<Tree> trees;
};
// Mean of the bags; no bags: 0.
double log_odds(std::span<const Bag> bags, const Inputs& inputs);

struct Row {
  Inputs inputs;
  float weight = 1;
  bool yes = false;
};

struct Growth {
  int bags = 6, trees = 150, depth = 5;
  double rate = 0.05;
  double least_weight = 5;                         // of a leaf: the sum of p(1-p) of its rows
  double restraint = 5;                            // L2 on the leaves
  double rows = 0.5;                               // of them a tree sees
  double inputs = 0.3;                             // of them a split sees
  std::function<bool(std::size_t)> use = nullptr;  // which inputs; null: all
};
// Empty when there are not both answers.
std::vector<Bag> grow(std::span<const Row> rows, const Growth& growth);

}  // namespace gitaiops::triage::risk
