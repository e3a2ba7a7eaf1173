// Who should look at a change: people who reviewed near it, for its author, and lately, ranked by
// weights that the project's own history teaches.
//
// A person's score is a weighted sum of signals (review_state.h). The weights begin as the blend
// that is good for projects in general; each reviewed commit then moves them a little towards those
// who really reviewed it (softmax over the candidates, Adagrad). So that nothing is learnt from the
// other commits of one series, which land minutes apart with the same reviewers, a commit is judged
// by what was known seven days before it.
//
// Whoever recommends should still ask who is a member, away or has too much to do: `without`.
//
// Complexity: linear in the people of the folders touched; a few milliseconds with 400 people.
// Thread safety: as a value's.
// Sources: chapter "Reviewer recommendation" of docs/reviewers.md.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "engines/triage/change.h"
#include "engines/triage/review_state.h"

namespace gitaiops::triage {

struct Suggestion {
  std::string person;
  double share = 0;  // of belief, 0 to 1; all candidates together 1
  std::string reason;
  std::string place;  // the folder that the reason names, as it stands in it; empty: none
};

class Reviewers {
 public:
  Reviewers();
  // Oldest first.
  void add(const Commit& commit);
  // Best first, at most `most`; ties by name.
  std::vector<Suggestion> suggest(const Change& change, std::size_t most,
                                  const std::set<std::string>& without = {}) const;

  const std::array<double, Signals::kCount>& weights() const { return weights_; }

 private:
  void learn(const Commit& commit);
  std::vector<double> beliefs(const std::vector<Candidate>& candidates) const;
  void give_reason(const Change& change, Person person, Suggestion& suggestion) const;

  ReviewState now_, then_;     // with everything, and as it was seven days before
  std::deque<Commit> recent_;  // in now_, not yet in then_
  std::array<double, Signals::kCount> weights_, squares_{};
};

}  // namespace gitaiops::triage
