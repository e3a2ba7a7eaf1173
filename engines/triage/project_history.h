// What a project's past says of a change: how large, how spread and how often touched, compared
// with everything before it.
//
//   ProjectHistory history;
//   for (const auto& commit : commits) history.add(commit);   // oldest first
//   auto features = history.features(change);
//
// Memory: grows with the files and people that there ever were and with what they touched (4 bytes
// for each, at most 2,400 a file), and 150 bytes for each of the newest kPast commits.
// Thread safety: as a value's.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/triage/blame.h"
#include "engines/triage/change.h"
#include "engines/triage/history.h"
#include "engines/triage/risk/features.h"

namespace gitaiops::triage {

// How long it took until a change was reviewed to the end.
struct ReviewTime {
  int64_t lines = 0;  // added and deleted
  double hours = 0;
};

class ProjectHistory {
 public:
  static constexpr std::size_t kPast = 50'000;
  static constexpr std::size_t kReviewTimes = 5'000;

  // Oldest first. A commit of more than 100 files says nothing of those files.
  void add(const Commit& commit);
  void add(const ReviewTime& review);

  risk::Features features(const Change& change) const;

  std::size_t commits() const { return commits_; }
  // What the newest commits looked like when they were made, and whether later ones blamed them;
  // oldest first.
  struct Past : risk::Example {
    bool telling = false;  // false: of a machine, or of so many files that it says nothing
  };
  const std::deque<Past>& past() const { return past_; }
  int64_t newest_s() const { return newest_s_; }
  const std::deque<ReviewTime>& reviews() const { return reviews_; }

 private:
  struct File {
    int64_t lines = 0;
    int64_t last_s = 0;
    std::vector<uint32_t> authors;
    uint32_t changes = 0;
    std::vector<uint32_t> commits;  // the newest of them
  };
  struct Person {
    uint32_t number = 0;
    uint32_t commits = 0;
    std::vector<int64_t> newest_s;
    std::unordered_map<uint32_t, uint32_t> by_subsystem;
  };
  void touch(const Commit& commit, Person& author);
  uint32_t subsystem(std::string_view path);

  std::unordered_map<std::string, File> files_;
  std::unordered_map<std::string, Person> people_;
  std::unordered_map<std::string, uint32_t> subsystems_;
  std::deque<Past> past_;
  std::deque<ReviewTime> reviews_;
  Blamer blamer_{kPast};
  std::size_t commits_ = 0;
  int64_t newest_s_ = 0;
};

}  // namespace gitaiops::triage
