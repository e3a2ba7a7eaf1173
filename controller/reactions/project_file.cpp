// What a project's own file says of its notes comes into what a note is composed of.
#include "controller/project_file/project_file.h"

#include "base/log/log.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {

// A project without such a file, or whose files our token may not read, has what is usual.
Task<Status> Reactions::heed_project_file(gitlab::Gitlab& gitlab, int64_t project,
                                          note::View& view) {
  auto text =
      co_await gitlab.file(project, std::string(project_file::kName), project_file::kMaxBytes);
  project_file::ProjectFile file;
  if (text.ok()) {
    file = project_file::read(*text);
  } else if (text.error().code() == Code::invalid_argument) {
    file.mistakes.push_back(text.error().to_string());
  } else if (text.error().code() == Code::permission_denied) {
    if (first_time("files of project " + std::to_string(project)))
      log::warning("a project's .gitaiops.yml cannot be read; its notes are as is usual",
                   {{"project", project}, {"why", text.error().to_string()}});
  } else if (text.error().code() != Code::not_found) {
    co_return text.error();
  }
  view.wanted = file.note;
  view.unwanted = project_file::unwanted(file, options_.unwanted);
  view.mistakes = std::move(file.mistakes);
  // Not even what a model said before it was not wanted.
  if (!view.wants("explanation"))
    for (auto& job : view.jobs) job.explanation.reset();
  co_return Status();
}

}  // namespace gitaiops::reactions
