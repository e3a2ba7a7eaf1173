// The section on who should look at the change: one line for the person to ask, one for the
// alternates, each with the reason. Nobody is mentioned: names stand in code, so that GitLab tells
// nobody.
#include <algorithm>

#include "controller/note/markdown.h"
#include "controller/note/note.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kMostReviewers = 3;

// Our words with a folder's name within.
std::string reason_of(const Reviewer& reviewer) {
  const std::string_view reason = reviewer.reason;
  if (reviewer.place.empty()) return is_plain(reason) ? std::string(reason) : code_span(reason);
  const auto at = reason.find(reviewer.place);
  if (at == std::string_view::npos) return code_span(reason);
  const auto before = reason.substr(0, at), after = reason.substr(at + reviewer.place.size());
  if (!is_plain(before) || !is_plain(after)) return code_span(reason);
  return std::string(before) + code_span(reviewer.place) + std::string(after);
}

class Reviewers final : public Section {
 public:
  std::string_view name() const override { return "reviewers"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    if (view.reviewers.empty()) return out;
    Block block;
    for (std::size_t i = 0; i < std::min(view.reviewers.size(), kMostReviewers); ++i) {
      const auto& one = view.reviewers[i];
      block.shown += std::string(i == 0 ? "- Ask " : "- or ") + code_span(one.username, 100) +
                     (one.name.empty() ? "" : " (" + code_span(one.name, 100) + ")") + ": " +
                     reason_of(one) + "\n";
    }
    out.worth_a_note = view.reviewers_alone;
    out.headline = "**Who could review this**";
    out.blocks.push_back(std::move(block));
    return out;
  }
};

}  // namespace

std::shared_ptr<const Section> reviewers() {
  return std::make_shared<Reviewers>();
}

}  // namespace gitaiops::note
