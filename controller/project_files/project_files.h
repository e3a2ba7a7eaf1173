// The files by which projects decide for themselves (engines/project_file), as they are at GitLab.
//
// A file is read when something of its project is at hand, and kept: what a project wants counts
// after a restart, too, and while the file cannot be read, be it that it is no YAML, too large, or
// that our token may not see it. Where it could never be read, no model is asked. A project without
// such a file has what is usual.
// Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/gitlab/gitlab.h"
#include "controller/store/store.h"
#include "engines/project_file/project_file.h"

namespace gitaiops::project_files {

// Told what a project lives with, each time that it was read.
using OnIgnores = std::function<void(const store::ProjectFile& of, std::vector<scanner::Ignore>)>;

class ProjectFiles {
 public:
  // `store` must outlive this.
  ProjectFiles(store::Store& store, OnIgnores on_ignores)
      : store_(store), on_ignores_(std::move(on_ignores)) {}

  // What was kept before a restart.
  Task<Status> load();
  // As it is at GitLab now. `on_change`: what is to be done when the project lives with another
  // thing than before. Errors: those after which asking again may help.
  Task<Result<project_file::ProjectFile>> read(gitlab::Gitlab& gitlab, std::string instance,
                                               gitlab::Project project, store::NewWork on_change);
  // As it was read last; where there was none, what is usual.
  project_file::ProjectFile as_read(const std::string& instance, int64_t project_id) const;
  // By what was read last.
  bool may_ask_models(const std::string& instance, int64_t project_id) const;
  // What of the guidelines, of `own` and of GitLab's own file, is about the merge request. A
  // GitLab that cannot be asked: only the error; nothing else is one.
  Task<Result<std::vector<project_file::Guideline>>> guidelines(
      gitlab::Gitlab& gitlab, std::string instance, gitlab::MergeRequest merge_request,
      std::vector<project_file::Guideline> own);

 private:
  using Key = std::pair<std::string, int64_t>;
  Task<Status> keep(store::ProjectFile fresh, const project_file::ProjectFile& file,
                    store::NewWork on_change);
  project_file::ProjectFile as_before(const Key& key, std::vector<std::string> mistakes);

  store::Store& store_;
  OnIgnores on_ignores_;
  std::map<Key, store::ProjectFile> kept_;
  std::set<Key> unread_;  // that are there, and could never be read
  struct Touched {
    std::string sha;
    std::vector<std::string> paths;
  };
  std::map<std::pair<Key, int64_t>, Touched> touched_;  // by merge request, at most kMostTouched
};

}  // namespace gitaiops::project_files
