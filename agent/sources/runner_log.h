// The runner's log → facts. Pure and incremental: lines go in as they come, in the order of the
// log.
//
// What it understands: "Checking for jobs... received" (announces a job), "Added job to processing
// list" (project id and path), "Job succeeded", "Job failed…" with the fields of any version; text
// or JSON. A record may span two lines: the message ends in a newline, its pairs follow alone on
// the next line. Everything else is ignored.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sources/fact.h"
#include "agent/sources/instances.h"
#include "agent/sources/record.h"

namespace gitaiops::agent {

// How a job ended, from the words of the runner: "Job failed: exit status 3".
struct Ending {
  std::string outcome;         // "passed", "failed", "canceled"
  std::string failure_reason;  // empty: the words do not say
  std::optional<int> exit_code, signal;
  bool operator==(const Ending&) const = default;
};
std::optional<Ending> parse_ending(std::string_view message);

class RunnerLogReader {
 public:
  // `runners`: which entry (short token) belongs to which instance, as an earlier reader had learnt
  // it. End records carry no URL, so this must survive a restart.
  explicit RunnerLogReader(const InstanceMap& instances,
                           std::map<std::string, std::string> runners = {});

  // `seen`: the journal's stamp, else arrival. `late_us`: see Fact. `stream`: whose lines follow
  // one another, where the log says so (the journal gets the same record by two ways, and their
  // halves mix).
  void feed(std::string_view line, UnixMicros seen, int64_t late_us, std::vector<Fact>& out,
            std::string_view stream = {});

  // The last line may be the first half of a record: a cursor should stay before it.
  bool halfway() const { return halfway_; }
  const std::map<std::string, std::string>& runners() const { return runners_; }

  struct Counters {
    uint64_t lines = 0, records = 0, unknown_hosts = 0, unreadable = 0;
  };
  const Counters& counters() const { return counters_; }
  // Hosts of announced jobs that no configured instance has, newest first, at most 8.
  const std::vector<std::string>& unknown_hosts() const { return unknown_hosts_; }

 private:
  struct Stamp {
    UnixMicros seen;
    int64_t late_us;
  };
  // Endings whose pairs have not come yet. Of different ones only what they share is kept.
  struct Half {
    Ending ending;
    int waiting = 0;
  };
  void half(const Ending& ending, std::string_view stream);
  // The ending that a line of pairs alone belongs to.
  std::optional<Ending> take_half(std::string_view stream);
  void record(const Record& record, Stamp stamp, std::vector<Fact>& out);
  void announced(const Record& record, Stamp stamp, std::vector<Fact>& out);
  void ended(const Record& record, const Ending& ending, Stamp stamp, std::vector<Fact>& out);
  // What the runner tells GitLab of a job's log: while it runs of a part, after its end of all.
  void summed(const Record& record, Stamp stamp, std::vector<Fact>& out);
  // The instance of a record's job: by its URL, else by its runner entry.
  std::optional<InstanceMap::Place> place(const Record& record);
  void emit(const JobRef& job, Field field, std::string value, Stamp stamp, std::vector<Fact>& out);

  const InstanceMap& instances_;
  std::map<std::string, std::string> runners_;  // short token → instance; "" = of an unknown host
  std::map<std::string, Half, std::less<>> halves_;  // by stream
  bool halfway_ = false;
  std::vector<std::string> unknown_hosts_;
  Counters counters_;
  uint64_t order_ = 0;
};

}  // namespace gitaiops::agent
