// What a project's own history says of a change: who should look at it, and how risky and large it
// is. The repository is mirrored here and read; those whom the history names are held against who
// may review at GitLab.
//
// The mirror is a bare repository, made when a project is first asked about and brought up to date
// before an answer. It has no file contents (a partial clone: commits and trees) unless changes are
// triaged, for which lines are counted. It belongs to nobody
// but this controller; what git does in it is base/git's care. GitLab's token goes to git in the
// child's environment, for the instance's own address only, redirects off: never in an argument, an
// address or a file. All mirrors together stay below a bound, those unused for longest go first; a
// mirror that fails again and again is made anew.
//
// All of git's work runs on one thread, one project at a time; a question waits for it a moment and
// is else answered with what is known, as `pending`.
// Thread safety: one executor.
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/gitlab/gitlab.h"
#include "engines/triage/triage.h"

namespace gitaiops::history {

struct Source {
  gitlab::Gitlab* gitlab = nullptr;
  std::string url;  // the instance's
  std::filesystem::path token_file;
  std::filesystem::path ca_file;  // empty: the system's CAs
};

// Somebody said that a person is the wrong reviewer of a merge request.
struct Wrong {
  int64_t iid = 0, user_id = 0;
};

inline constexpr std::size_t kWrongTimes = 3;

struct Options {
  std::filesystem::path folder;               // of the mirrors
  uint64_t max_bytes = uint64_t{10} << 30;    // of all of them
  std::chrono::seconds fetch_limit{15 * 60};  // of one
  std::chrono::milliseconds patience{3'000};  // a question waits so long
  std::chrono::seconds fresh{10 * 60};        // so long an answer and what GitLab said hold
  std::chrono::seconds failed_wait{10 * 60};  // until a project that failed is tried again
  int64_t most_open_reviews = 8;              // who has as many is not asked for another
  // What was said in a project lately. That person is not proposed for that merge request again,
  // and, after kWrongTimes of them, for none where she need not approve. Nothing: nobody is asked.
  std::function<Task<std::vector<Wrong>>(std::string instance, int64_t project)> wrong = {};
  // By which changes are triaged; nothing: none is, and mirrors have no contents.
  std::optional<triage::Rules> triage = {};
};

struct Reviewer {
  std::string username;  // GitLab's
  std::string name;
  std::string reason;  // a sentence's worth, without its full stop
  std::string place;   // the folder it names; empty: none
};

struct Answer {
  bool pending = false;             // more will be known soon
  std::vector<Reviewer> reviewers;  // the first is the one to ask, at most two alternates
};

// What is asked: the change of a merge request, or of files.
struct Question {
  std::string instance;
  int64_t project_id = 0;
  std::string project_path;
  std::string default_branch;  // whose history counts
  std::vector<std::string> paths = {};
  // Instead of paths:
  int64_t iid = 0;
  std::string sha = {}, target_branch = {};
  std::string title = {}, description = {};
  std::vector<std::string> labels = {};
  gitlab::User author = {};      // id 0: not known
  std::set<int64_t> asked = {};  // reviewers of the merge request already
};

// A merge request among the changes of its project.
struct Assessment {
  std::string sha;  // the commit that was looked at
  triage::Triage triage;
  std::string basis;  // what risk was learnt from: "1,200 labelled changes of this project, …"
};
struct Assessed {
  bool pending = false;                  // it will be known soon
  std::optional<Assessment> known = {};  // nothing, not pending: it cannot be known
};

struct Counters {
  uint64_t fetches = 0, failed = 0, evicted = 0, trained = 0;
  uint64_t bytes = 0;  // of all mirrors, as measured last
};

class History {
 public:
  // The folder is made, closed to others. `sources`: by instance.
  static Result<std::unique_ptr<History>> open(Options options,
                                               std::map<std::string, Source> sources,
                                               const Clock& clock);
  ~History();
  // Until stop().
  Task<void> run();
  void stop();

  // Three people who may look at it, or fewer. Empty, not an error: the history names nobody, the
  // repository is empty, or it could not be read and is not tried again yet.
  Task<Result<Answer>> reviewers(Question question);
  // Of a merge request; what the question needs beyond it is asked at GitLab.
  Task<Result<Answer>> reviewers_of(std::string instance, gitlab::MergeRequest merge_request);

  // The triage of a merge request by Options::triage. Its labels are believed: give those that
  // people set. What was found for a commit is not looked for again while it is remembered.
  Task<Result<Assessed>> triage_of(std::string instance, gitlab::MergeRequest merge_request);

  const Counters& counters() const { return counters_; }

 private:
  class Workshop;
  struct Pool;
  struct Ranked;
  struct Owned;
  struct Reviews;
  struct Known;
  struct Candidate;
  struct Asked;
  struct People;
  History(Options options, std::map<std::string, Source> sources, const Clock& clock);
  Task<Result<Question>> question_of(std::string instance, gitlab::MergeRequest merge_request);
  Task<void> work_on(std::shared_ptr<Asked> asked);
  void put_off(const Question& question, const Error& why);
  Task<Result<std::vector<Reviewer>>> eligible(Question question,
                                               std::shared_ptr<const Known> known);
  Task<Result<std::shared_ptr<const People>>> people_of(std::string instance, int64_t project,
                                                        std::string group = {});
  Task<std::shared_ptr<const Reviews>> reviews_of(Question question);
  Task<std::set<int64_t>> owners_of(Question question, std::shared_ptr<const People> people,
                                    Owned owned);
  Task<std::vector<Candidate>> candidates(Question question, std::shared_ptr<const Known> known);
  Task<bool> has_time(gitlab::Gitlab& gitlab, std::string instance, int64_t user, int64_t& open);
  std::shared_ptr<Asked> ask(const std::string& key, Question question, bool triage);

  const Options options_;
  std::map<std::string, Source> sources_;
  const Clock& clock_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<Workshop> workshop_;        // lives on the pool's thread
  std::deque<std::shared_ptr<Asked>> queue_;  // at most kMostWaiting; then questions are refused
  std::map<std::string, std::shared_ptr<Asked>> waiting_;      // by key
  std::map<std::string, std::shared_ptr<const Known>> known_;  // by key, at most kMostKnown
  std::map<std::string, Assessment> assessed_;                 // by key, at most kMostKnown
  std::map<std::pair<std::string, int64_t>, int64_t> failed_;  // project: until when, steady
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const People>>
      people_;  // by instance, and project id or group
  std::map<std::pair<std::string, int64_t>, std::shared_ptr<const Reviews>> reviews_;
  struct Load {
    int64_t at = 0, open = 0;
    bool busy = false;
  };
  std::map<std::pair<std::string, int64_t>, Load> loads_;  // by instance and user
  Event wake_;
  bool stopping_ = false;
  Counters counters_;
};

}  // namespace gitaiops::history
