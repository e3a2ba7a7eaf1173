// How an expression is best looked for. Most can only match a line that has one of some words of
// trouble in it: looking for the words is many times as fast as looking for a thousand expressions,
// and these then run on the few lines that have one. The others are looked for everywhere, those
// with a literal apart from those without: a database of both is several times as slow as two. What
// is found stays the same.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::diagnosis {

// Words of trouble, lower case; they are looked for in any case.
std::span<const std::string_view> gate_words();

enum class Passage {
  gated,    // every match contains one of the words of trouble, or of `words`
  literal,  // every match contains some literal, but one that stands in many lines
  shape,    // neither, or it cannot be told
};
struct Way {
  Passage passage = Passage::shape;
  std::vector<std::string> words;  // lower case: what the expression brings along
};
Way way_of(std::string_view expression);

}  // namespace gitaiops::diagnosis
