// A repository's own history as git prints it, turned into commits from which reviewers are learnt.
// Pure: what git is asked stands here because it decides what is read; who runs it gives a
// function.
//
// Who looked at a change stands in trailers ("Reviewed-by: Ann Lee <ann@example.org>"; Acked-by,
// Tested-by and Approved-by; Co-authored-by is authorship) and in the merges by which GitLab ends a
// merge request ("See merge request group/project!12"): their author agreed to what they bring in.
//
// Left out: commits of machines, those in .git-blame-ignore-revs, empty ones. Bounds: kLargestText
// of a message is read, `most_files` of a commit are kept.
//
// Hostile bytes: between NULs anything may stand; what is no record of git's is data_loss, with its
// place. Complexity: linear. Thread safety: as a value's.
// Format: git-log(1), "-z" with a format of NUL-separated fields; diff formats of git-diff-tree(1).
// Tests: tests/unit/triage/git_log_test.cpp, tests/fuzz/triage/git_log_fuzz.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/history.h"
#include "engines/triage/people.h"

namespace gitaiops::triage {

struct FileChange {
  std::string path;
  int64_t added = -1, deleted = -1;  // lines; -1: not counted; of what is no text 0
  bool operator==(const FileChange&) const = default;
};

struct LoggedCommit {
  std::string id;
  int64_t time_s = 0;  // of the commit, not of its first writing
  Signature author;
  std::string message;
  std::vector<FileChange> files;  // the first ones
  std::size_t files_in_all = 0;
};

// The arguments that make git print what LogReader reads; more may follow.
std::vector<std::string> log_arguments();

class LogReader {
 public:
  static constexpr std::size_t kLargestText = 64 << 10;

  // `on_commit` gets each commit as git prints them: the newest first.
  LogReader(std::function<void(LoggedCommit)> on_commit, std::size_t most_files)
      : on_commit_(std::move(on_commit)), most_files_(most_files) {}

  Status feed(std::string_view bytes);
  Status finish();

 private:
  enum class Await { id, time, name, email, message, end, record, path };
  Status token(std::string_view text);
  Status header(std::string_view text);
  Status record(std::string_view text);
  void keep(FileChange change);
  void count(FileChange change);
  Error broken(std::string_view what) const;

  std::function<void(LoggedCommit)> on_commit_;
  std::size_t most_files_;
  Await await_ = Await::id;
  bool begun_ = false;
  LoggedCommit commit_;
  std::string piece_;  // of a token whose end has not come
  bool dropped_ = false;
  uint64_t tokens_ = 0;
};

// The files of one change, as "git diff-tree --numstat -z --no-renames" prints them: at most
// `most`. What is no such record is passed over.
std::vector<FileChange> read_numstat(std::string_view text, std::size_t most);

// The lines that a change adds, read from "git diff-tree -p -U0": without their "+", at most `most`
// bytes; then full() says so and the rest need not be fed.
class AddedLines {
 public:
  explicit AddedLines(std::size_t most) : most_(most) {}
  void feed(std::string_view bytes);
  bool full() const { return text_.size() >= most_; }
  std::string take() { return std::move(text_); }

 private:
  enum class At { start, added, skipped };
  std::size_t most_;
  At at_ = At::start;
  bool in_hunk_ = false;
  std::string text_;
};

enum class Trailer { review, ack, authorship };
struct Signed {
  Trailer trailer;
  Signature by;
  bool operator==(const Signed&) const = default;
};
// In the order of the message, wherever they stand in it: a squashed merge request has the messages
// of its commits one behind the other.
std::vector<Signed> trailers(std::string_view message);

// 12 of "See merge request group/project!12"; 0: it does not say so. The last one counts.
int64_t merge_request_of(std::string_view message);

// Full commit ids, one a line, # begins a comment.
std::set<std::string> read_ignored_revisions(std::string_view text);

// ---- All of it ----

// Runs git in the repository with these arguments and gives its output piece by piece; the error of
// `on_output` ends it.
using Git = std::function<Status(std::vector<std::string> arguments,
                                 const std::function<Status(std::string_view)>& on_output)>;

struct ReadBounds {
  std::size_t most_commits = 100'000;  // the newest
  std::size_t most_files = 101;  // of one commit: from here on it says nothing of who knows it
  bool lines = false;  // are counted: git then reads contents, which the repository has to have
};

struct RepositoryHistory {
  std::vector<Commit> commits;  // oldest first
  // Of each of `commits`: the merge request that it ended, else 0.
  std::vector<int64_t> merge_requests;
  People people;
  bool cut_short = false;  // there are older ones
};

// `tip`: a commit id. An empty repository has no tip, and nobody asks. `known`: of an earlier tip
// that `tip` descends from; only what came since is read, and people keep the names they had there.
struct Known {
  std::string tip;
  People people;
};
Result<RepositoryHistory> read_repository(const Git& git, const std::string& tip,
                                          ReadBounds bounds = {}, Known known = {});

}  // namespace gitaiops::triage
