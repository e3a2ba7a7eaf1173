#include "controller/project_files/project_files.h"

#include <algorithm>
#include <iterator>

#include "base/bytes/bytes.h"
#include "base/log/log.h"
#include "engines/scanner/documents/text.h"

namespace gitaiops::project_files {

using project_file::Guideline;
using project_file::kMaxBytes;
using project_file::kReviewInstructions;
using project_file::ProjectFile;

namespace {

constexpr std::size_t kMostTouched = 500;

std::vector<std::string> names_in(const std::vector<gitlab::FileDiff>& diffs) {
  std::vector<std::string> out;
  for (const auto& one : diffs)
    for (const auto* path : {&one.new_path, &one.old_path})
      if (!path->empty() && (out.empty() || out.back() != *path)) out.push_back(*path);
  return out;
}

// Asking again later may help.
bool passes(Code code) {
  return code != Code::not_found && code != Code::permission_denied &&
         code != Code::invalid_argument && code != Code::internal;
}

// One form for what is read now and what is read again after a restart.
std::string normal(std::string text) {
  text = to_utf8(scanner::documents::decoded(std::move(text)), Controls::keep);
  std::erase(text, '\0');
  return text;
}

}  // namespace

Task<Status> ProjectFiles::load() {
  CO_ASSIGN_OR_RETURN(auto files, co_await store_.project_files());
  for (auto& kept : files) {
    on_ignores_(kept, project_file::read(kept.text).ignores);
    const Key key(kept.instance, kept.project_id);
    kept_[key] = std::move(kept);
  }
  co_return Status();
}

bool ProjectFiles::may_ask_models(const std::string& instance, int64_t project_id) const {
  const Key key(instance, project_id);
  const auto kept = kept_.find(key);
  if (kept == kept_.end()) return !unread_.contains(key);
  const auto file = project_file::read(kept->second.text);
  const auto said = file.sections.find("explanation");
  return file.note && (said == file.sections.end() || said->second);
}

Task<Result<ProjectFile>> ProjectFiles::read(gitlab::Gitlab& gitlab, std::string instance,
                                             gitlab::Project project, store::NewWork on_change) {
  auto found = co_await gitlab.file(project.id, std::string(project_file::kName), kMaxBytes);
  const Key key(std::move(instance), project.id);
  if (!found.ok() && passes(found.error().code())) co_return found.error();
  const bool none = !found.ok() && found.error().code() == Code::not_found;
  if (!found.ok() && !none) {
    if (!unread_.contains(key))
      log::warning("a project's .gitaiops.yml cannot be read",
                   {{"project", project.path}, {"why", found.error().to_string()}});
    co_return as_before(key, {});
  }
  if (!none && !found->whole)
    co_return as_before(key, {std::string(project_file::kName) + ": has more than " +
                              std::to_string(kMaxBytes >> 10) + " KiB"});
  store::ProjectFile fresh{key.first, key.second, project.path, none ? "" : normal(found->text)};
  auto file = project_file::read(fresh.text);
  if (!file.readable) co_return as_before(key, std::move(file.mistakes));
  CO_RETURN_IF_ERROR(co_await keep(std::move(fresh), file, std::move(on_change)));
  co_return file;
}

// What cannot be read says nothing new.
ProjectFile ProjectFiles::as_read(const std::string& instance, int64_t project_id) const {
  const auto kept = kept_.find(Key(instance, project_id));
  return kept == kept_.end() ? ProjectFile() : project_file::read(kept->second.text);
}

ProjectFile ProjectFiles::as_before(const Key& key, std::vector<std::string> mistakes) {
  ProjectFile out;
  if (const auto kept = kept_.find(key); kept != kept_.end()) {
    out = project_file::read(kept->second.text);
  } else {
    unread_.insert(key);
    out.sections["explanation"] = false;
  }
  out.mistakes = std::move(mistakes);
  return out;
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
    std::ranges::move(project_file::read_review_instructions(text->text), std::back_inserter(own));
  if (own.empty()) co_return own;
  const std::pair key(project, merge_request.iid);
  auto known = touched_.find(key);
  if (known == touched_.end() || known->second.sha != merge_request.sha) {
    const auto diffs = co_await gitlab.diffs(project.second, merge_request.iid);
    if (!diffs.ok() && passes(diffs.error().code())) co_return diffs.error();
    if (!diffs.ok()) co_return std::vector<Guideline>();
    if (touched_.size() >= kMostTouched) touched_.clear();
    known = touched_.insert_or_assign(key, Touched{merge_request.sha, names_in(*diffs)}).first;
  }
  co_return project_file::about(own, known->second.paths);
}

// What was kept already is not written again.
Task<Status> ProjectFiles::keep(store::ProjectFile fresh, const ProjectFile& file,
                                store::NewWork on_change) {
  const Key key(fresh.instance, fresh.project_id);
  unread_.erase(key);
  const auto kept = kept_.find(key);
  const bool had = kept != kept_.end();
  const bool same =
      had ? kept->second.text == fresh.text && kept->second.project_path == fresh.project_path
          : fresh.text.empty();
  if (!same) {
    std::vector<store::NewWork> work;
    const auto before = had ? project_file::read(kept->second.text) : ProjectFile();
    if (before.ignores != file.ignores) work.push_back(std::move(on_change));
    CO_RETURN_IF_ERROR(co_await store_.keep_project_file(fresh, std::move(work)));
    if (fresh.text.empty())
      kept_.erase(key);
    else
      kept_[key] = fresh;
  }
  on_ignores_(fresh, file.ignores);
  co_return Status();
}

}  // namespace gitaiops::project_files
