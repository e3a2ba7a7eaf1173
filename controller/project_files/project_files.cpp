#include "controller/project_files/project_files.h"

#include "base/bytes/bytes.h"
#include "base/log/log.h"

namespace gitaiops::project_files {

using project_file::ProjectFile;

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
