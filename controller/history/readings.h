// What was read of branches, kept in memory. Private to this folder.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <utility>

#include "controller/history/mirror.h"

namespace gitaiops::history {

// The few that were used last. Reading: begins with `place` (the mirror's folder), `branch` and
// `tip`, the commit that it was brought up to. Used from one thread.
template <class Reading>
class Readings {
 public:
  // That of a branch, to be brought up to `tip`; one with an empty tip where nothing was read of it
  // yet, or where its history was rewritten. Holds until the next call.
  Reading& of(const Mirror& mirror, const std::string& place, const std::string& branch,
              const std::string& tip) {
    auto found = std::ranges::find_if(
        all_, [&](const Reading& one) { return one.place == place && one.branch == branch; });
    if (found != all_.end() && found->tip != tip && !mirror.descends(tip, found->tip)) {
      all_.erase(found);
      found = all_.end();
    }
    if (found == all_.end()) {
      all_.push_front({.place = place, .branch = branch});
      if (all_.size() > kMost) all_.pop_back();
    } else {
      all_.splice(all_.begin(), all_, found);
    }
    return all_.front();
  }
  // The one that of() gave last.
  void drop_last() { all_.pop_front(); }
  void forget(const std::string& place) {
    std::erase_if(all_, [&](const Reading& one) { return one.place == place; });
  }

 private:
  static constexpr std::size_t kMost = 8;
  std::list<Reading> all_;  // the one used last first
};

}  // namespace gitaiops::history
