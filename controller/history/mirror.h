// The mirrors on disk. Blocking; one thread. Private to this folder.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/git/git.h"
#include "base/result/result.h"
#include "engines/triage/git_log.h"

namespace gitaiops::history {

// Where a mirror gets its commits.
struct Remote {
  std::string url;  // of the repository, without credentials
  std::string token;
  std::string ca_file;
};

// "feature/a" may stand in a refspec: what git check-ref-format allows of a branch.
bool is_branch_name(std::string_view name);

// What of the files a mirror keeps: only lines of whole ones can be counted.
enum class Contents { none, all };

class Mirror {
 public:
  Mirror(std::filesystem::path folder, Remote remote, Contents contents, std::chrono::seconds limit,
         uint64_t largest_file, const std::atomic<bool>& stop)
      : folder_(std::move(folder)),
        remote_(std::move(remote)),
        contents_(contents),
        limit_(limit),
        largest_file_(largest_file),
        stop_(stop) {}

  // Makes it where it is not, anew where it has other contents than it should, and brings these
  // branches and the merge request's head (0: none) up to date. A repository too large to fetch
  // whole is fetched as far as it is recent.
  Status fetch(const std::vector<std::string>& branches, int64_t merge_request);
  // The commit at the branch; at the merge request's head as it was fetched.
  Result<std::string> tip(const std::string& branch) const;
  Result<std::string> head(int64_t merge_request) const;
  // What lies between two commits' common ancestor and the second one.
  struct Brought {
    std::vector<std::string> paths;
    std::vector<triage::Signature> authors;
  };
  Result<Brought> brought(const std::string& to, const std::string& head) const;
  // The same with its lines; only of a mirror with contents. `text`: lines that it adds, as far as
  // they are few.
  struct Counted {
    std::vector<triage::FileChange> files;
    std::vector<triage::Signature> authors;
    std::string text;
  };
  Result<Counted> counted(const std::string& to, const std::string& head) const;
  bool descends(const std::string& commit, const std::string& from) const;
  // Fetched when it is asked for; empty: it is not there, or not small.
  std::string small_file(const std::string& commit, const std::string& path) const;
  // Small files of the history's tips (.mailmap) are fetched when they are asked for.
  triage::Git reader() const;

 private:
  Status make() const;
  git::Command command(std::vector<std::string> arguments) const;
  git::Command online(std::vector<std::string> arguments) const;
  Result<std::vector<triage::Signature>> authors(const std::string& base,
                                                 const std::string& head) const;
  void tidy() const;

  const std::filesystem::path folder_;
  const Remote remote_;
  const Contents contents_;
  const std::chrono::seconds limit_;
  const uint64_t largest_file_;
  const std::atomic<bool>& stop_;
};

// All mirrors below one folder: "<instance>-<project id>.git".
class Shelf {
 public:
  explicit Shelf(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path place(const std::string& instance, int64_t project_id) const;
  // Marks it as used now.
  void used(const std::filesystem::path& mirror) const;
  void remove(const std::filesystem::path& mirror) const;
  // Removes those unused for longest, never `keep`, until all are below `max_bytes`. What is left,
  // in bytes, and how many went.
  struct Swept {
    uint64_t bytes = 0, removed = 0;
  };
  Swept sweep(uint64_t max_bytes, const std::filesystem::path& keep) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace gitaiops::history
