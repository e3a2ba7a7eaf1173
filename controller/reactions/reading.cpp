// What a model said of a merge request's newest commit, and whether one is to be asked.
#include <algorithm>

#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {
namespace {

constexpr int64_t kLookAgain = 20 * kMicrosPerSecond;  // GitLab ends a pipeline after its last job

note::Reading reading_of(const store::ReadMergeRequest& row) {
  const auto& said = *row.said;
  note::Reading out{row.model, said.kind, said.risk, said.confidence != "low", {}};
  for (const auto& point : said.points)
    out.points.push_back({point.path, point.line, point.removed, point.why, point.guideline});
  return out;
}

}  // namespace

// A pipeline that runs may be followed by another push; what it ends with is what is reviewed.
Task<Status> Reactions::add_reading(const store::MergeRequestKey& key,
                                    const gitlab::MergeRequest& merge_request, note::View& view,
                                    std::optional<store::NewWork>& ask) {
  if (!options_.read || !view.wants("look_at") || !view.wants("explanation")) co_return Status();
  view.reading_alone = options_.reading_alone;
  std::optional<store::ReadMergeRequest> known;
  auto found = co_await store_.readings().reading(store::everything(), key.instance, key.project_id,
                                                  key.iid);
  if (found.ok()) known = std::move(*found);
  if (!known && found.error().code() != Code::not_found) co_return found.error();
  if (known && known->sha == merge_request.sha && known->said) view.reading = reading_of(*known);
  if (merge_request.state != "opened") co_return Status();
  ask = options_.read(key.instance, merge_request, known, note::for_readers(view));
  if (!ask || !gitlab::runs_by_itself(view.pipeline_status)) co_return Status();
  const bool about_to_end = view.incomplete && std::ranges::none_of(view.jobs, [](const auto& job) {
                              return gitlab::runs_by_itself(job.status);
                            });
  ask.reset();
  if (about_to_end) ask = update_note_work(key, clock_.now() + kLookAgain);
  co_return Status();
}

}  // namespace gitaiops::reactions
