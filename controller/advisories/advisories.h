// What the projects depend on, matched against the advisories: the newest inventory of each ref
// when it arrives, and all of them again when the index of advisories was replaced. So a project is
// known to be affected by an advisory of today without a job of today.
//
// The index is a file that somebody else makes (gitaiops advisories build) and renames into place.
// It is looked at every few seconds and opened on a thread of its own, where matching runs as well;
// one that is damaged is told once, and the one before it stays in use. One inventory is in memory
// at a time, and each is a transaction of its own, so that reports are stored in between.
// Thread safety: one executor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/store/store.h"
#include "engines/scanner/findings.h"

namespace gitaiops::advisories {

// What an index says of an inventory: vulnerabilities alone, the riskiest first, each once for a
// version of a package, at most kMostFound. data_loss when the index is damaged. Pure.
inline constexpr std::size_t kMostFound = 2000;
Result<std::vector<store::Found>> match(const fleet::v1::Inventory& inventory,
                                        const scanner::Index& index);

struct Counters {
  uint64_t matched = 0;                                 // inventories
  uint64_t found_by_commit = 0, found_by_advisory = 0;  // vulnerabilities that were not there
  bool unusable = false;                                // the file as it is now cannot be used
  UnixMicros made_at;                                   // the time of the file in use; 0: none is
};

class Advisories {
 public:
  // An empty path: nothing is matched.
  Advisories(store::Vulnerabilities& store, const Clock& clock, std::filesystem::path index);
  ~Advisories();
  // Until stop().
  Task<void> run();
  void stop() { stopping_.set(); }
  // Looks at the file once and matches all that waits.
  Task<void> look();

  const Counters& counters() const { return counters_; }

 private:
  struct Opened;
  struct Stamp;
  struct Seen;
  struct Pool;
  static Task<std::optional<Seen>> see(std::filesystem::path path, std::optional<Stamp> known);
  static Task<std::optional<Result<std::vector<store::Found>>>> match_on_pool(
      std::shared_ptr<const fleet::v1::Inventory> inventory, std::shared_ptr<const Opened> opened);
  void take(Seen seen);
  Task<void> match_waiting();
  Task<Status> match_one(store::Unmatched waiting);

  store::Vulnerabilities& store_;
  const Clock& clock_;
  const std::filesystem::path path_;
  std::unique_ptr<Pool> pool_;
  std::shared_ptr<const Opened> opened_;
  std::unique_ptr<Stamp> known_;  // of the file as it was looked at last
  int64_t walked_ = 0;            // inventories up to here know the index in use
  Counters counters_;
  Event stopping_;
};

}  // namespace gitaiops::advisories
