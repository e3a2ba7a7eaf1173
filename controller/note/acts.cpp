// The section on what was done by itself: one line for each retry, so that nobody wonders who
// pressed the button.
#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kShown = 3;
constexpr std::size_t kMost = 20;

// What became of the job that a retry made.
std::string_view ended(const Act& act) {
  if (act.status == "success") return "; it passed.";
  if (act.status == "failed") return "; it failed again.";
  return ".";
}

std::string asked_for(const Act& act) {
  const std::string job = code_span(act.job_name), who = code_span(act.asked_by, 100);
  if (act.state == "refused")
    return job + " was to be retried for " + who + ", but was not: " + code_span(act.detail);
  if (act.state != "done") return job + " will be retried for " + who + ".";
  return job + " was retried for " + who + std::string(ended(act));
}

std::string line_of(const Act& act) {
  if (!act.asked_by.empty()) return asked_for(act);
  const std::string job = code_span(act.job_name) + " (" + category_words(act.category) + ")";
  if (act.state == "refused")
    return job + " was to be retried automatically, but was not: " + code_span(act.detail);
  if (act.state != "done") return job + " will be retried automatically, once.";
  std::string out = job + " was retried automatically, once";
  if (act.elsewhere) out += " (GitLab chooses the runner, it may be the same one)";
  return out + std::string(ended(act));
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
