// The section on what the project asks of those who review such a change: one line with the names,
// the words folded. It never makes a note by itself.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "controller/note/markdown.h"
#include "controller/note/note.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kMostNamed = 5;
constexpr std::size_t kMostTold = 10;
constexpr std::size_t kLinesOfText = 40;
constexpr std::size_t kLongestName = 80;

std::string words_of(const Guideline& guideline) {
  std::vector<LogLine> lines;
  for (const auto line : split(guideline.text, '\n')) {
    if (lines.size() == kLinesOfText) {
      lines.push_back({0, false, "…"});
      break;
    }
    lines.push_back({lines.size() + 1, false, std::string(line)});
  }
  return "Guideline " + code_span(guideline.name, kLongestName) + ":\n\n" + fenced(lines);
}

class Guidelines final : public Section {
 public:
  std::string_view name() const override { return "guidelines"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    const auto& all = view.guidelines;
    if (all.empty()) return out;
    Block block;
    for (std::size_t i = 0; i < std::min(all.size(), kMostNamed); ++i)
      block.shown += (i == 0 ? "Guidelines for what it touches: " : ", ") +
                     code_span(all[i].name, kLongestName);
    if (all.size() > kMostNamed)
      block.shown += " and " + std::to_string(all.size() - kMostNamed) + " more";
    for (std::size_t i = 0; i < std::min(all.size(), kMostTold); ++i)
      block.folded += (i == 0 ? "" : "\n") + words_of(all[i]);
    block.fold_title = all.size() == 1 ? "the guideline" : "the guidelines";
    out.blocks.push_back(std::move(block));
    return out;
  }
};

}  // namespace

std::shared_ptr<const Section> guidelines() {
  return std::make_shared<Guidelines>();
}

}  // namespace gitaiops::note
