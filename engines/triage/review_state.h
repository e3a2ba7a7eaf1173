// Who reviewed and wrote what, where, and for whom, decayed by age: the counts from which reviewers
// are ranked. Built from commits, oldest first.
//
// Older work counts less: each count is a sum of exp(-age / 180 days), people's overall activity of
// exp(-age / 90 days). Kept as sums of exp(time / tau) since the first commit, so that nothing has
// to be touched as time passes. A commit counts once for each of its files and for each folder
// above them; commits of more than 100 files (imports, renames, licence changes) say nothing of who
// knows what, and are left out.
//
// Thread safety: as a value's. Memory: one entry a person and path.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/triage/history.h"

namespace gitaiops::triage {

using Person = uint32_t;

// What is known of one person with regard to one change. Each is 0 to 1.
struct Signals {
  // Shares: of the files and folders touched, of what is done in the whole repository.
  enum : std::size_t {
    folder_reviews,  // weight halves with each level up
    file_reviews,
    folder_changes,
    folder_acks,
    affinity,    // of the author's reviews
    reverse,     // of the changes that the author reviewed
    global,      // of all reviews
    lately,      // exp(-age / 30 days) of the last review
    log_folder,  // logarithms of the above, 0 for a share of one in ten thousand
    log_affinity,
    log_global,
    kCount
  };
  std::array<double, kCount> value{};
};

struct Candidate {
  Person person = 0;
  Signals signals;
};

class ReviewState {
 public:
  // Dates that jump back count as the newest before them.
  void add(const Commit& commit);

  // Everybody who could review a change of these files by this author; not the author, no machines.
  std::vector<Candidate> candidates(const std::string& author,
                                    const std::vector<std::string>& files, int64_t time_s) const;

  const std::string& name(Person person) const { return names_[person]; }
  std::size_t reviewed() const { return reviewed_; }  // commits that somebody reviewed

  // For a reason in words: reviews by the person among the last ones in a folder of the change.
  struct Standing {
    std::string folder;  // empty: of the whole repository
    int64_t reviews = 0, of = 0;
  };
  Standing standing(Person person, const std::vector<std::string>& files) const;
  // The same of changes.
  Standing authorship(Person person, const std::vector<std::string>& files) const;
  int64_t pair_reviews(const std::string& author, Person reviewer) const;
  int64_t last_review_s(Person person) const { return people_[person].last_review_s; }
  int64_t last_change_s(Person person) const { return people_[person].last_change_s; }

 private:
  struct Share {
    Person person = 0;
    double reviews = 0, changes = 0, acks = 0;
  };
  struct Node {
    uint32_t parent = 0;
    std::string path;
    std::vector<Share> shares;
    double reviews = 0, changes = 0, acks = 0;
    // Newest last, of at most twice kRemembered reviews and changes.
    std::vector<Person> last_reviewers, last_authors;
  };
  struct About {
    double reviews = 0;  // decayed
    int64_t last_review_s = 0, last_change_s = 0;
    bool machine = false;
  };
  struct Pair {
    double decayed = 0;
    int64_t count = 0;
  };

  Person person(const std::string& name);
  const Person* known(const std::string& name) const;
  uint32_t node(std::string_view path);
  // Deepest known node at or above the path.
  uint32_t nearest(std::string_view path) const;
  void count(uint32_t node, const std::vector<Person>& authors,
             const std::vector<Person>& reviewers, const std::vector<Person>& acks, double weight);
  Standing best_standing(Person person, const std::vector<std::string>& files,
                         std::vector<Person> Node::* last) const;
  static Share& share_of(Node& node, Person person);

  int64_t first_s_ = 0, newest_s_ = 0;
  std::size_t reviewed_ = 0;
  double all_reviews_ = 0;
  std::vector<std::string> names_;
  std::vector<About> people_;
  std::unordered_map<std::string, Person> people_by_name_;
  std::vector<Node> nodes_ = std::vector<Node>(1);  // 0: the root
  std::unordered_map<std::string, uint32_t> nodes_by_path_;
  std::unordered_map<uint64_t, Pair> pairs_;                       // author and reviewer
  std::unordered_map<Person, double> reviewed_for_, reviewed_by_;  // sums of the pairs
};

}  // namespace gitaiops::triage
