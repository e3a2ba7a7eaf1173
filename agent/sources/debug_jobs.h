// One answer of the runner's /debug/jobs/list → facts. Pure.
//   url=http://gitlab.example.com/grp/demo/-/jobs/4242 state=running stage=step_script
//   executor_stage=prepare duration=6.1s
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sources/fact.h"
#include "agent/sources/instances.h"

namespace gitaiops::agent {

class DebugJobsReader {
 public:
  explicit DebugJobsReader(const InstanceMap& instances) : instances_(instances) {}

  // A whole body. Only what changed since the last one becomes a fact.
  void feed(std::string_view body, UnixMicros seen, std::vector<Fact>& out);

  struct Counters {
    uint64_t lines = 0, records = 0, unknown_hosts = 0, unreadable = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  const InstanceMap& instances_;
  std::map<JobRef, std::string> stages_;  // of the last body
  Counters counters_;
  uint64_t order_ = 0;
};

// Go's text for a duration, "1h2m3.5s" or "350ms", in microseconds.
std::optional<int64_t> parse_go_duration(std::string_view text);

}  // namespace gitaiops::agent
