// What a project's own file says of its notes comes into what a note is composed of.
#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {

// Where the project now lives with something else, its other notes are to say so as well.
Task<Result<project_file::ProjectFile>> Reactions::own_file_of(gitlab::Gitlab& gitlab,
                                                               store::MergeRequestKey key) {
  if (!options_.project_files) co_return project_file::ProjectFile();
  CO_ASSIGN_OR_RETURN(auto project, co_await gitlab.project(std::to_string(key.project_id)));
  auto refresh = refresh_notes_work(key.instance, key.project_id, clock_.now());
  co_return co_await options_.project_files->read(gitlab, key.instance, std::move(project),
                                                  std::move(refresh));
}

Task<Status> Reactions::add_guidelines(gitlab::Gitlab& gitlab, const store::MergeRequestKey& key,
                                       const gitlab::MergeRequest& merge_request,
                                       std::vector<project_file::Guideline> own, note::View& view) {
  if (!options_.project_files || !view.wants("guidelines")) co_return Status();
  CO_ASSIGN_OR_RETURN(const auto found, co_await options_.project_files->guidelines(
                                            gitlab, key.instance, merge_request, std::move(own)));
  for (const auto& one : found) view.guidelines.push_back({one.name(), one.text()});
  co_return Status();
}

void Reactions::heed(const project_file::ProjectFile& file, note::View& view) const {
  view.wanted = file.note;
  view.unwanted = project_file::unwanted(file, options_.unwanted);
  view.mistakes = file.mistakes;
  // Not even what a model said before it was not wanted.
  if (!view.wants("explanation"))
    for (auto& job : view.jobs) job.explanation.reset();
}

}  // namespace gitaiops::reactions
