// Private to agent/uplink: results of commands by id, so that a command sent twice is run once.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

// At most kRememberedResults, each at most 16 KiB of excerpt: 1 MiB. The oldest goes first.
constexpr std::size_t kRememberedResults = 64;

class Remembered {
 public:
  enum class State { fresh, running, done };
  // Of an id seen for the first time: fresh, and running from now on.
  State begin(const std::string& id);
  void finish(fleet::v1::CommandResult result);
  const fleet::v1::CommandResult* result(const std::string& id) const;
  std::size_t running() const { return running_; }

 private:
  std::map<std::string, std::optional<fleet::v1::CommandResult>> results_;  // nothing: running
  std::deque<std::string> finished_;                                        // oldest first
  std::size_t running_ = 0;
};

}  // namespace gitaiops::agent
