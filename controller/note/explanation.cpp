// A model's words in the note: code, as all foreign text, and named as what they are.
#include <algorithm>

#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kMostWords = 1000;
constexpr std::size_t kMostName = 80;
constexpr std::size_t kMostLines = 5;

}  // namespace

std::string explained(const Explanation& explanation, std::string_view owner_by_rules) {
  std::string out =
      "The model " + code_span(explanation.model, kMostName) +
      ", which may be wrong, reads it as: " + code_span(explanation.explanation, kMostWords);
  const std::string owner = owner_words(explanation.owner);
  if (!owner.empty() && !owner_by_rules.empty() && explanation.owner != owner_by_rules)
    out += " Unlike the rules, it sees a problem of **" + owner + "**.";
  out += "\n";
  if (!explanation.fix.empty())
    out += "It suggests: " + code_span(explanation.fix, kMostWords) + "\n";
  return out;
}

std::string cited(const Explanation& explanation) {
  std::vector<LogLine> lines;
  for (const auto& line : explanation.lines)
    if (lines.size() < kMostLines) lines.push_back({line.number, false, line.text});
  std::ranges::sort(lines, {}, &LogLine::number);
  return lines.empty() ? "" : "Lines that the model cites:\n\n" + fenced(lines);
}

}  // namespace gitaiops::note
