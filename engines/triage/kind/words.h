// What the linear model counts: the title's words, its first word, its pairs of words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::triage {

// "^add" (the first), "add", "add retry"; at most 100 in all, each once. Numbers and names that
// hold digits become
// "#", identifiers are split ("readLine" → "read", "line").
std::vector<std::string> title_words(std::string_view title);

}  // namespace gitaiops::triage
