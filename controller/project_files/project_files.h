// The files by which projects decide for themselves (engines/project_file), as they are at GitLab.
//
// A file is read when something of its project is at hand, and kept: what a project lives with
// counts after a restart, too, and while GitLab cannot be asked. A project without such a file, or
// whose files our token may not read (told once), has what is usual.
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

// Told what a project lives with, each time that it may be another thing than before.
using OnIgnores = std::function<void(const std::string& instance, const std::string& project_path,
                                     std::vector<scanner::Ignore> ignores)>;

struct Read {
  project_file::ProjectFile file;
  bool changed = false;  // what the project lives with is not as it was
};

class ProjectFiles {
 public:
  // `store` must outlive this.
  ProjectFiles(store::Store& store, OnIgnores on_ignores)
      : store_(store), on_ignores_(std::move(on_ignores)) {}

  // What was kept before a restart.
  Task<Status> load();
  // As it is at GitLab now. Errors: as the call's, but for those that say that there is none.
  Task<Result<Read>> read(gitlab::Gitlab& gitlab, std::string instance, gitlab::Project project);
  // What of the guidelines, of `own` and of GitLab's own file, is about the merge request. A
  // GitLab that cannot be asked: only the error; nothing else is one.
  Task<Result<std::vector<project_file::Guideline>>> guidelines(
      gitlab::Gitlab& gitlab, std::string instance, gitlab::MergeRequest merge_request,
      std::vector<project_file::Guideline> own);

 private:
  using Key = std::pair<std::string, int64_t>;
  Task<Result<bool>> keep(Key key, std::string project_path, std::string text,
                          const project_file::ProjectFile& file);

  store::Store& store_;
  OnIgnores on_ignores_;
  std::map<Key, store::ProjectFile> kept_;
  std::set<Key> refused_;  // of which was told that they may not be read
  struct Touched {
    std::string sha;
    std::vector<std::string> paths;
  };
  std::map<std::pair<Key, int64_t>, Touched> touched_;  // by merge request, at most kMostTouched
};

}  // namespace gitaiops::project_files
