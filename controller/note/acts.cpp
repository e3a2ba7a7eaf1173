// The section on what was done by itself: one line for each retry, so that nobody wonders who
// pressed the button.
#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kShown = 3;
constexpr std::size_t kMost = 20;

std::string line_of(const Act& act) {
  const std::string job = code_span(act.job_name) + " (" + category_words(act.category) + ")";
  if (act.state == "refused")
    return job + " was to be retried automatically, but was not: " + code_span(act.detail);
  if (act.state != "done") return job + " will be retried automatically, once.";
  std::string out = job + " was retried automatically, once";
  if (act.elsewhere) out += " (GitLab chooses the runner, it may be the same one)";
  if (act.status == "success") return out + "; it passed.";
  if (act.status == "failed") return out + "; it failed again.";
  return out + ".";
}

class Acts final : public Section {
 public:
  std::string_view name() const override { return "acts"; }
  Contribution contribute(const View& view) const override {
    Contribution out;
    Block block;
    for (std::size_t i = 0; i < std::min(view.acts.size(), kMost); ++i)
      (i < kShown ? block.shown : block.folded) += "- " + line_of(view.acts[i]) + "\n";
    if (block.shown.empty()) return out;
    out.worth_a_note = true;
    if (!block.folded.empty()) block.fold_title = "more retries";
    out.blocks.push_back(std::move(block));
    return out;
  }
};

}  // namespace

std::shared_ptr<const Section> acts() {
  return std::make_shared<Acts>();
}

}  // namespace gitaiops::note
