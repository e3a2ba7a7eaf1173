// How an expression is best looked for. Most can only match a line in which some word stands:
// looking for all words at once is many times as fast as looking for a thousand expressions, and
// these then run on the few lines that have one of their words. Expressions whose words stand in
// the same many lines share a gate, so that a line that is only about "http" meets no others. What
// is found stays the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::diagnosis {

// Every match of the expression contains one of these, in any case; \n at the front or the back is
// the line's begin or end. None: it cannot be told, the expression is looked for everywhere.
std::vector<std::string> words_of(std::string_view expression);

// What gate the expressions with these words stand behind: 0 to kGates - 1.
inline constexpr std::size_t kGates = 32;
std::size_t gate_of(const std::vector<std::string>& words);

// One more word slows the look for all of them by about as much as so many lines of a thousand to
// look at.
inline constexpr double kOneMoreWord = 0.5;
// Of a thousand lines of logs about so many contain the word.
double lines_with(std::string_view word);
// The word that stands best for all texts that contain `text`: itself, or one that others share.
std::string word_for(std::string_view text);

}  // namespace gitaiops::diagnosis
