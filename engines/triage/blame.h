// Which earlier commits a later one calls wrong. Three signs, none of which needs anybody to label
// anything:
//   - a revert names what it takes back: "This reverts commit 1f2e…" (git revert's own words);
//   - a trailer names what it repairs: "Fixes: 1f2e3d4c5b6a (…)" (the kernel's convention);
//   - a hotfix is made in a hurry after what broke: blamed is the newest commit of the two weeks
//     before that touched one of its files.
// A revert of a revert blames the revert, not once more the first commit.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/triage/history.h"

namespace gitaiops::triage {

enum class Sign : uint8_t { revert, fixes, hotfix };

struct Named {
  std::string id;  // lower-case hexadecimal, 7 to 64 digits: perhaps abbreviated
  Sign sign;
};
std::vector<Named> named_in(std::string_view message);
bool is_hotfix(std::string_view message);
// What of a message is worth keeping for the two above, at most 4 KiB: its title, and the lines
// that name commits.
std::string title_and_blame(std::string_view message);

struct Blame {
  std::size_t commit;  // its number, counted from 0 in the order of add()
  std::size_t by;
  Sign sign;
  friend bool operator==(const Blame&, const Blame&) = default;
};

// One commit after the other, oldest first. Remembers the newest `most` commits.
class Blamer {
 public:
  explicit Blamer(std::size_t most) : most_(most) {}
  std::vector<Blame> add(const Commit& commit);

 private:
  struct Recent {
    std::size_t number;
    int64_t time_s;
    std::vector<std::string> files;
  };
  const std::size_t* find(std::string_view id) const;
  void forget();

  std::size_t most_, next_ = 0;
  std::deque<std::string> ids_;  // of the newest commits
  std::unordered_multimap<std::string, std::size_t> by_prefix_;
  std::deque<Recent> recent_;  // what a hotfix can be about
};

std::vector<Blame> blames(std::span<const Commit> commits);

}  // namespace gitaiops::triage
