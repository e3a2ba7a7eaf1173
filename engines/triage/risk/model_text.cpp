// A risk model as text, a fact a line:
//
//   gitaiops.risk/1
//   learnt 1200 301                 changes, and how many of them were risky
//   shipped 1 0.31                  which shipped trees it goes with, and how much they weigh
//   calibration own 1.02 -0.4       slope and shift of the log-odds; "none": not checked
//   values la 0 1 1 3 … 900         quantiles of a measure
//   scores -4.1 … 2.2               quantiles of the log-odds
//   bag -1.1                        begins a sequence of trees; the log-odds it starts from
//   tree la<12.5 =-0.02 lt<80 =0.01 =0.07     preorder; left: below
#include <charconv>
#include <cmath>

#include "base/bytes/bytes.h"
#include "engines/triage/risk/model.h"
#include "engines/triage/risk/model_parts.h"

namespace gitaiops::triage::risk {
namespace {

constexpr std::string_view kHeader = "gitaiops.risk/1";
constexpr std::size_t kShippedVersion = 1;
constexpr std::size_t kMostText = 32 << 20;
constexpr std::size_t kMostBags = 64, kMostTrees = 2'000, kMostNodes = 1'023;
constexpr int kDeepest = 32;

std::string number(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr;
  return {text, end};
}

void write_tree(const Tree& tree, std::string& out) {
  out += "tree";
  for (const auto& node : tree) {
    out += ' ';
    if (node.input >= 0) out += input_name(static_cast<std::size_t>(node.input));
    out += (node.input >= 0 ? "<" : "=") + number(node.value);
  }
  out += '\n';
}

void write_quantiles(const std::string& name, const Quantiles& quantiles, std::string& out) {
  if (quantiles.empty()) return;
  out += name;
  for (const auto value : quantiles) out += " " + number(value);
  out += '\n';
}

using Words = std::vector<std::string_view>;

// nullopt: no finite number that a float holds.
std::optional<float> finite(std::string_view word) {
  float value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

class Reader {
 public:
  Result<Model> read(std::string_view text) {
    if (text.size() > kMostText)
      return Error(Code::resource_exhausted, "the model is larger than 32 MiB");
    std::size_t number = 0;
    for (const auto raw : split(text, '\n')) {
      ++number;
      const auto line = trimmed(raw);
      if (line.empty() || line.starts_with('#')) continue;
      if (auto done = read_line(line); !done.ok())
        return done.error().within("line " + std::to_string(number));
    }
    if (!begun_) return wrong("no risk model: its first line is \"gitaiops.risk/1\"");
    for (const auto& bag : parts_->own)
      if (bag.trees.empty()) return wrong("a bag without trees");
    if (parts_->own.empty() && parts_->general_weight < 1)
      return wrong("neither trees of its own nor the shipped ones");
    if (parts_->general_weight > 0) parts_->general = Model::prior().parts();
    return Model(parts_);
  }

 private:
  static Error wrong(std::string what) { return Error(Code::invalid_argument, std::move(what)); }

  Status read_line(std::string_view line) {
    if (!begun_) {
      if (line != kHeader)
        return wrong("no risk model, or of another version: expected \"gitaiops.risk/1\"");
      begun_ = true;
      return {};
    }
    const auto words = split(line, ' ');
    if (words[0] == "tree") return tree(words);
    if (words[0] == "bag") return bag(words);
    if (words[0] == "values") return values(words);
    if (words[0] == "scores") return quantiles(words, 1, parts_->scores);
    if (words[0] == "learnt") return learnt(words);
    if (words[0] == "shipped") return shipped(words);
    if (words[0] == "calibration") return calibration(words);
    return wrong("unknown word \"" + truncate_utf8(to_utf8(words[0].substr(0, 100)), 40) + "\"");
  }

  Status learnt(const Words& words) {
    const auto all = words.size() == 3 ? parse_uint(words[1]) : std::nullopt;
    const auto risky = words.size() == 3 ? parse_uint(words[2]) : std::nullopt;
    if (!all || !risky || *risky > *all)
      return wrong("learnt needs two counts, the second no larger");
    parts_->examples = *all;
    parts_->risky = *risky;
    return {};
  }
  Status shipped(const Words& words) {
    const auto version = words.size() == 3 ? parse_uint(words[1]) : std::nullopt;
    const auto weight = words.size() == 3 ? finite(words[2]) : std::nullopt;
    if (!version || !weight || *weight < 0 || *weight > 1)
      return wrong("shipped needs a version and a weight from 0 to 1");
    if (*weight > 0 && *version != kShippedVersion)
      return wrong("it goes with shipped trees of another version of this program; train it again");
    parts_->general_weight = *weight;
    return {};
  }
  Status calibration(const Words& words) {
    const auto slope = words.size() == 4 ? finite(words[2]) : std::nullopt;
    const auto shift = words.size() == 4 ? finite(words[3]) : std::nullopt;
    if (!slope || !shift || *slope <= 0 || (words[1] != "own" && words[1] != "none"))
      return wrong("calibration needs \"own\" or \"none\", a slope above 0 and a shift");
    parts_->calibration = {*slope, *shift, words[1] == "own"};
    return {};
  }
  Status quantiles(const Words& words, std::size_t first, Quantiles& out) {
    if (words.size() < first + 2 || words.size() > first + 1'001)
      return wrong(std::string(words[0]) + " needs 2 to 1,001 numbers");
    out.clear();
    for (auto i = first; i < words.size(); ++i) {
      const auto value = finite(words[i]);
      if (!value || (!out.empty() && *value < out.back()))
        return wrong(std::string(words[0]) + " are numbers that never fall");
      out.push_back(*value);
    }
    return {};
  }
  Status values(const Words& words) {
    const auto feature = words.size() > 1 ? input_named(words[1]) : std::nullopt;
    if (!feature || *feature >= kFeatures) return wrong("values of an unknown measure");
    return quantiles(words, 2, parts_->values[*feature]);
  }
  Status bag(const Words& words) {
    const auto base = words.size() == 2 ? finite(words[1]) : std::nullopt;
    if (!base || parts_->own.size() >= kMostBags)
      return wrong("bag needs one number, and there are at most 64");
    parts_->own.push_back({*base, {}});
    return {};
  }
  Status tree(const Words& words) {
    if (parts_->own.empty()) return wrong("a tree before the first bag");
    auto& trees = parts_->own.back().trees;
    if (trees.size() >= kMostTrees || words.size() > kMostNodes + 1)
      return wrong("more than 2,000 trees, or 1,023 nodes in one");
    Tree tree;
    std::size_t at = 1;
    RETURN_IF_ERROR(branch(words, at, 0, tree));
    if (at != words.size()) return wrong("a tree with more than one root");
    trees.push_back(std::move(tree));
    return {};
  }
  Status branch(const Words& words, std::size_t& at, int depth, Tree& tree) {
    if (at >= words.size() || depth > kDeepest)
      return wrong("a tree that does not end, or is too deep");
    const auto word = words[at++];
    const auto sign = word.find_first_of("<=");
    const auto value = sign == word.npos ? std::nullopt : finite(word.substr(sign + 1));
    if (!value)
      return wrong("\"" + truncate_utf8(to_utf8(word.substr(0, 100)), 40) +
                   "\" is no node: expected la<12.5 or =0.03");
    const auto self = tree.size();
    tree.push_back({-1, *value, 0});
    if (word[sign] == '=') {
      if (sign != 0) return wrong("a leaf has no measure");
      return {};
    }
    const auto input = input_named(word.substr(0, sign));
    if (!input) return wrong("a split by an unknown measure");
    tree[self].input = static_cast<int16_t>(*input);
    RETURN_IF_ERROR(branch(words, at, depth + 1, tree));
    tree[self].right = static_cast<uint16_t>(tree.size());
    return branch(words, at, depth + 1, tree);
  }

  std::shared_ptr<Model::Parts> parts_ = std::make_shared<Model::Parts>();
  bool begun_ = false;
};

}  // namespace

std::string Model::to_text() const {
  const auto& p = *parts_;
  std::string out(kHeader);
  out += "\nlearnt " + std::to_string(p.examples) + " " + std::to_string(p.risky);
  out += "\nshipped " + std::to_string(kShippedVersion) + " " + number(p.general_weight);
  out += std::string("\ncalibration ") + (p.calibration.own ? "own " : "none ") +
         number(p.calibration.slope) + " " + number(p.calibration.shift) + "\n";
  for (std::size_t f = 0; f < kFeatures; ++f)
    write_quantiles("values " + std::string(kNames[f]), p.values[f], out);
  write_quantiles("scores", p.scores, out);
  for (const auto& bag : p.own) {
    out += "bag " + number(bag.base) + "\n";
    for (const auto& tree : bag.trees) write_tree(tree, out);
  }
  return out;
}

Result<Model> Model::read(std::string_view text) {
  return Reader().read(text);
}

}  // namespace gitaiops::triage::risk
