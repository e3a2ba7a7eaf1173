// What blocks: mirrors, and what was read from them. Used from one thread. Private to this folder.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/history/history.h"
#include "controller/history/mirror.h"
#include "controller/history/readings.h"
#include "engines/triage/code_owners.h"
#include "engines/triage/people.h"
#include "engines/triage/reviewers.h"

namespace gitaiops::history {

// A person of the history, with all names and addresses by which her account may be found.
struct History::Ranked {
  triage::People::Known known;
  std::string reason, place;
};

// An entry of CODEOWNERS that the change touches and that has to approve.
struct History::Owned {
  std::string pattern;
  std::vector<triage::CodeOwner> owners;
};

// Who was asked to review the merge requests that were merged lately, as GitLab tells it.
struct History::Reviews {
  struct One {
    gitlab::User author;
    double hours = 0;  // from its beginning until it was merged; 0: not known
    std::vector<gitlab::User> reviewers;
  };
  UnixMicros upto;                          // what changed later is not in it
  std::map<int64_t, One> by_merge_request;  // by iid
  std::map<std::string, int64_t> by_head;   // iid, by the commit that was merged
};

struct History::Known {
  std::string sha;             // of the merge request it was found for
  int64_t at = 0;              // steady
  std::vector<Ranked> people;  // best first
  std::vector<Owned> owned;
};

class History::Workshop {
 public:
  Workshop(const Options& options, std::atomic<bool>& stop)
      : options_(options), stop_(stop), shelf_(options.folder) {}

  struct Found {
    std::vector<Ranked> people;
    std::vector<Owned> owned;
    std::optional<Assessment> assessment = {};
    bool trained = false;  // a risk model was
    Shelf::Swept swept;
  };
  // `now_s`: Unix seconds.
  Result<Found> answer(const Question& question, const Source& source, const Reviews& reviews,
                       int64_t now_s);
  // Of a merge request. Without an assessment: there is nothing to compare, and the log says why.
  Result<Found> assess(const Question& question, const Source& source, const Reviews& reviews,
                       int64_t now_s);

 private:
  // What was read of a project's default branch.
  struct Model {
    std::string place, branch, tip = {};
    triage::Reviewers reviewers = {};
    triage::People people = {};
  };
  Result<Model*> model_of(const Mirror& mirror, const std::string& place, const Question& question,
                          const Reviews& reviews);
  std::vector<Ranked> rank(Model& model, const Question& question, const Mirror::Brought& brought,
                           int64_t now_s) const;

  // What changes of the default branch were like, and what risk was learnt from them.
  struct Past {
    std::string place, branch, tip = {};
    triage::ProjectHistory history = {};
    triage::People people = {};
    std::optional<triage::risk::Model> model = {};
    std::size_t trained_at = 0;  // of `history` commits
  };
  Result<Mirror> mirror_of(const Question& question, const Source& source) const;
  Status bring_up_to_date(Mirror& mirror, const Question& question, Shelf::Swept& swept);
  Result<Past*> past_of(const Mirror& mirror, const std::string& place, const Question& question,
                        const Reviews& reviews);
  Status learn(Past& past, int64_t now_s, bool& trained) const;
  void forget(const std::string& place);

  std::vector<Owned> owned(const Mirror& mirror, const std::string& target,
                           const std::vector<std::string>& paths) const;

  const Options& options_;
  std::atomic<bool>& stop_;
  Shelf shelf_;
  Readings<Model> models_;
  Readings<Past> pasts_;
  std::map<std::string, int> failures_;  // in a row, by place
};

// Whether GitLab's user is the person of a history: by the full name, or by an address that GitLab
// makes of the user ("7-ann@users.noreply.gitlab.example").
bool is_same(const triage::People::Known& known, const gitlab::User& user);
// The name under which the history has whoever made a change: GitLab's user, else who signed its
// commits. Empty: nobody it knows.
std::string author_of(triage::People& people, const gitlab::User& user,
                      const std::vector<triage::Signature>& signed_by);
// Or by an address whose part before the @ is the user's name: weaker, for those without the above.
bool is_likely(const triage::People::Known& known, const gitlab::User& user);

}  // namespace gitaiops::history
