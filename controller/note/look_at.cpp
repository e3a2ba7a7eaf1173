// The section on what to look at: a model's words about the change, as code and named as what they
// are, and where it sees the change otherwise than the project's history and the rules do. Silent
// where it names no place and sees the same.
#include <algorithm>

#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kMostPoints = 3;
constexpr std::size_t kNameOfModel = 80, kPathOfPoint = 160, kWordsOfPoint = 400;

// "the kind for **feature**, where its author says refactor"
std::string other_kind(const View& view) {
  const auto known = sure_kind(view);
  if (!known || *known == view.reading->kind) return {};
  return "the kind for **" + std::string(to_string(view.reading->kind)) + "**, where " +
         (view.triage->kind->said ? "its author says " : "the rules say ") +
         std::string(to_string(*known));
}

// Levels differ between a model and a history; opposites do not by chance.
std::string other_risk(const View& view) {
  using triage::Level;
  if (!view.triage || !view.triage->risk) return {};
  const auto known = view.triage->risk->level, seen = view.reading->risk;
  const bool opposite =
      (known == Level::low && seen == Level::high) || (known == Level::high && seen == Level::low);
  if (!opposite) return {};
  return "the risk for **" + std::string(to_string(seen)) +
         "**, where this project's history says " + std::string(to_string(known));
}

std::string point_line(const Reading::Point& point) {
  return "- " + code_span(point.path + ":" + std::to_string(point.line), kPathOfPoint) +
         (point.removed ? " (removed): " : ": ") + code_span(point.why, kWordsOfPoint) +
         (point.guideline.empty()
              ? ""
              : ", against the guideline " + code_span(point.guideline, kNameOfModel)) +
         "\n";
}

class LookAt final : public Section {
 public:
  std::string_view name() const override { return "look_at"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    if (!view.reading) return out;
    std::string otherwise;
    if (view.reading->sure) {
      otherwise = other_kind(view);
      const auto risk = other_risk(view);
      otherwise += (otherwise.empty() || risk.empty() ? "" : ", and ") + risk;
    }
    const auto& points = view.reading->points;
    if (points.empty() && otherwise.empty()) return out;
    Block block;
    block.shown =
        "The model " + code_span(view.reading->model, kNameOfModel) + ", which may be wrong, ";
    if (!otherwise.empty())
      block.shown += "takes " + otherwise + (points.empty() ? ".\n" : "; it ");
    if (!points.empty()) block.shown += "would look at:\n";
    for (std::size_t i = 0; i < std::min(points.size(), kMostPoints); ++i)
      block.shown += point_line(points[i]);
    out.blocks.push_back(std::move(block));
    out.worth_a_note = view.reading_alone && !points.empty();
    if (out.worth_a_note) out.headline = "**What to look at in this change**";
    return out;
  }
};

}  // namespace

std::shared_ptr<const Section> look_at() {
  return std::make_shared<LookAt>();
}

}  // namespace gitaiops::note
