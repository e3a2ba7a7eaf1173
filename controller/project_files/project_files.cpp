#include "controller/project_files/project_files.h"

#include <algorithm>
#include <iterator>

#include "base/bytes/bytes.h"
#include "base/log/log.h"

namespace gitaiops::project_files {

using project_file::Guideline;
using project_file::kMaxBytes;
using project_file::kReviewInstructions;
using project_file::ProjectFile;

namespace {

constexpr std::size_t kMostTouched = 500;

// Asking again later may help.
bool passes(Code code) {
  return code != Code::not_found && code != Code::permission_denied &&
         code != Code::invalid_argument && code != Code::internal;
}

}  // namespace

Task<Status> ProjectFiles::load() {
  CO_ASSIGN_OR_RETURN(auto files, co_await store_.project_files());
  for (auto& kept : files) {
    on_ignores_(kept.instance, kept.project_path, project_file::read(kept.text).ignores);
    const Key key(kept.instance, kept.project_id);
    kept_[key] = std::move(kept);
  }
  co_return Status();
}

Task<Result<Read>> ProjectFiles::read(gitlab::Gitlab& gitlab, std::string instance,
                                      gitlab::Project project) {
  auto text =
      co_await gitlab.file(project.id, std::string(project_file::kName), project_file::kMaxBytes);
  const Key key(std::move(instance), project.id);
  Read out;
  if (!text.ok()) {
    switch (text.error().code()) {
      case Code::not_found:
        break;
      case Code::permission_denied:
        if (refused_.insert(key).second)
          log::warning("a project's .gitaiops.yml may not be read; its notes are as is usual",
                       {{"project", project.path}, {"why", text.error().to_string()}});
        break;
      case Code::invalid_argument:
        out.file.mistakes.push_back(text.error().message());
        break;
      default:
        co_return text.error();
    }
    text = std::string();
  }
  if (!text->empty()) out.file = project_file::read(*text);
  CO_ASSIGN_OR_RETURN(out.changed, co_await keep(key, project.path, to_utf8(*text), out.file));
  co_return out;
}

Task<Result<std::vector<Guideline>>> ProjectFiles::guidelines(gitlab::Gitlab& gitlab,
                                                              std::string instance,
                                                              gitlab::MergeRequest merge_request,
                                                              std::vector<Guideline> own) {
  const Key project(std::move(instance), merge_request.project_id);
  const auto text =
      co_await gitlab.file(project.second, std::string(kReviewInstructions), kMaxBytes);
  if (!text.ok() && passes(text.error().code())) co_return text.error();
  if (text.ok())
    std::ranges::move(project_file::read_review_instructions(*text), std::back_inserter(own));
  if (own.empty()) co_return own;
  const std::pair key(project, merge_request.iid);
  auto known = touched_.find(key);
  if (known == touched_.end() || known->second.sha != merge_request.sha) {
    auto paths = co_await gitlab.changed_paths(project.second, merge_request.iid);
    if (!paths.ok() && passes(paths.error().code())) co_return paths.error();
    if (!paths.ok()) co_return std::vector<Guideline>();
    if (touched_.size() >= kMostTouched) touched_.clear();
    known = touched_.insert_or_assign(key, Touched{merge_request.sha, std::move(*paths)}).first;
  }
  co_return project_file::about(own, known->second.paths);
}

// What was kept already is not written again.
Task<Result<bool>> ProjectFiles::keep(Key key, std::string project_path, std::string text,
                                      const ProjectFile& file) {
  const auto kept = kept_.find(key);
  const bool had = kept != kept_.end();
  if (had ? kept->second.text == text && kept->second.project_path == project_path : text.empty())
    co_return false;
  const auto before =
      had ? project_file::read(kept->second.text).ignores : std::vector<scanner::Ignore>();
  const bool changed = before != file.ignores || (had && kept->second.project_path != project_path);
  if (had && kept->second.project_path != project_path)
    on_ignores_(key.first, kept->second.project_path, {});
  store::ProjectFile fresh{key.first, key.second, project_path, text};
  CO_RETURN_IF_ERROR(co_await store_.keep_project_file(fresh));
  if (text.empty())
    kept_.erase(key);
  else
    kept_[key] = std::move(fresh);
  on_ignores_(key.first, project_path, file.ignores);
  co_return changed;
}

}  // namespace gitaiops::project_files
