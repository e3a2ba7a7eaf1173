// The section on what the change is like: one line on how risky it is among its project's changes
// and why, one on its size, its kind, how long reviewing it takes and which reviews it needs. Both
// stand below the headline, whatever the note is about. Silent where the change is small and
// ordinary.
//
// Files' names are told to every reader of the merge request: GitLab shows its diff to nobody who
// may not read the repository.
#include <algorithm>
#include <cmath>

#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr double kSureOfKind = 0.6;
constexpr std::size_t kMostReviews = 3;
constexpr std::size_t kMaxReason = 160, kMaxArea = 40, kMaxPath = 120;

bool worth_showing(const triage::Triage& t) {
  using triage::Complexity;
  const auto complexity = t.size ? t.size->complexity : Complexity::trivial;
  const bool medium = t.risk && t.risk->level == triage::Level::medium;
  return (t.risk && t.risk->level == triage::Level::high) || complexity >= Complexity::large ||
         (medium && complexity == Complexity::medium) || !t.required_reviews.empty();
}

std::string words_or_code(std::string_view text, std::size_t most) {
  return is_plain(text) && text.size() <= most ? std::string(text) : code_span(text, most);
}

// "25 minutes", "3 hours", "2 days"
std::string about(double hours) {
  const auto whole = [](double value, std::string_view unit) {
    const auto count = static_cast<int64_t>(std::llround(std::clamp(value, 1.0, 1e6)));
    return std::to_string(count) + " " + std::string(unit) + (count == 1 ? "" : "s");
  };
  if (hours < 0.9) return whole(std::max(5.0, std::round(hours * 12) * 5), "minute");
  return hours < 48 ? whole(hours, "hour") : whole(hours / 24, "day");
}

std::string risk_line(const triage::Risk& risk) {
  const auto level = std::string(to_string(risk.level));
  std::string out = "- Risk " + (risk.level == triage::Level::high ? "**" + level + "**" : level) +
                    ", above " +
                    std::to_string(static_cast<int>(std::clamp(risk.percentile, 0.0, 99.0))) +
                    " % of this project's changes";
  for (std::size_t i = 0; i < risk.reasons.size() && risk.level != triage::Level::low; ++i)
    out += (i == 0 ? ": " : "; ") + cleaned(risk.reasons[i], kMaxReason);
  return out + "\n";
}

std::string size_words(const triage::Size& size) {
  std::string out = "size " + std::string(to_string(size.complexity)) + ", ";
  if (size.lines)
    out += "+" + std::to_string(size.lines->added) + " −" + std::to_string(size.lines->deleted) +
           " lines in ";
  return out + std::to_string(size.files) + (size.files == 1 ? " file" : " files");
}

std::string review_words(const std::vector<triage::RequiredReview>& reviews) {
  std::string out;
  for (std::size_t i = 0; i < std::min(reviews.size(), kMostReviews); ++i) {
    const auto& one = reviews[i];
    out += (i == 0 ? "needs a review of its " : ", of its ") + words_or_code(one.area, kMaxArea);
    std::string why;
    if (!one.reasons.empty()) why = words_or_code(one.reasons.front(), kMaxReason);
    if (!one.files.empty())
      why += (why.empty() ? "" : ": ") + code_span(one.files.front(), kMaxPath);
    if (!why.empty()) out += " (" + why + ")";
  }
  return out;
}

std::string size_line(const View& view) {
  const auto& t = *view.triage;
  std::string out;
  const auto say = [&](std::string words) {
    if (words.empty()) return;
    if (out.empty() && words[0] >= 'a' && words[0] <= 'z')
      words[0] = static_cast<char>(words[0] - 'a' + 'A');
    out += (out.empty() ? "- " : " · ") + words;
  };
  if (t.size) say(size_words(*t.size));
  if (const auto kind = sure_kind(view)) say("kind " + std::string(to_string(*kind)));
  if (t.effort)
    say(t.effort->from_history ? "half of such reviews took up to " + about(t.effort->p50_h) +
                                     ", four in five up to " + about(t.effort->p80_h)
                               : "reading it takes about " + about(t.effort->p50_h) + ", or " +
                                     about(t.effort->p80_h) + " with care");
  say(review_words(t.required_reviews));
  return out.empty() ? out : out + "\n";
}

class RiskOfChange final : public Section {
 public:
  std::string_view name() const override { return "risk"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    if (!view.triage || !worth_showing(*view.triage)) return out;
    if (view.triage->risk) out.lead = risk_line(*view.triage->risk);
    out.lead += size_line(view);
    out.worth_a_note = view.triage_alone && !out.lead.empty();
    if (out.worth_a_note) out.headline = "**What this change is like**";
    return out;
  }
};

}  // namespace

std::optional<triage::Type> sure_kind(const View& view) {
  if (!view.triage || !view.triage->kind) return std::nullopt;
  const auto& kind = *view.triage->kind;
  if (kind.said || kind.confidence >= kSureOfKind) return kind.type;
  const bool agreed = view.reading && view.reading->sure &&
                      (view.reading->kind == kind.type || view.reading->kind == kind.other);
  return agreed ? std::optional(view.reading->kind) : std::nullopt;
}

std::shared_ptr<const Section> risk() {
  return std::make_shared<RiskOfChange>();
}

}  // namespace gitaiops::note
