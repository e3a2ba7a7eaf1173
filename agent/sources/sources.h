// Everything on a runner host that speaks of jobs, read without touching it: the runner's log
// (journal, syslog file, plain file or docker's; text or JSON), its usage log, and
// /debug/jobs/list. Each source turns lines into facts and says where it stands (cursor), so that a
// restart neither loses nor repeats: store the cursor in the transaction of what came of the facts.
// Reading a line twice is harmless, facts are idempotent.
//
// A bad line, an unknown host or a missing file never stops a source; they are counted and said in
// state().
//
// Thread safety: a source belongs to one executor; next() must not be called while an earlier call
// is pending.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/sources/fact.h"
#include "base/clock/clock.h"
#include "base/io/files.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::agent {

struct SourceBatch {
  std::vector<Fact> facts;            // may be empty: the cursor alone moved
  std::string cursor_name;            // stable name of the source; empty: it has no cursor
  std::string cursor;                 // opaque; give it back to start_sources()
  std::vector<std::string> problems;  // new ones only, in plain words, for the log
};

// What `doctor` and the status page say about a source.
struct SourceState {
  std::string name;            // "runner-log:/var/log/gitlab-runner.log"
  std::string reads;           // in plain words
  uint64_t lines = 0;          // seen
  uint64_t records = 0;        // understood as being about a job
  uint64_t unknown_hosts = 0;  // records of a GitLab that is not configured
  uint64_t unreadable = 0;     // too long, or not what the format says
  std::optional<UnixMicros> last_line;
  std::string problem, cure;  // empty: none
};

class LogSource {
 public:
  virtual ~LogSource() = default;
  // Waits for something new: facts, or a cursor that moved far. `cancelled` when the wait was
  // cancelled; any other error is about the source and the next call tries again (after a pause of
  // its own).
  virtual Task<Result<SourceBatch>> next() = 0;
  virtual SourceState state() const = 0;
};

struct GitLabInstance {
  std::string id;   // as in the configuration
  std::string url;  // "https://gitlab.example.com/relative/root"
};

struct SourcesOptions {
  std::vector<GitLabInstance> instances;
  std::string journal_unit;  // "gitlab-runner.service"; empty: the journal is not read
  // Where the runner itself is a container whose engine writes its output into the journal (driver
  // journald): the container's name, and journal_unit is the engine's. Empty: the unit speaks.
  std::string journal_container;
  std::filesystem::path journal_folder;                       // empty: this machine's
  std::vector<std::string> runner_names = {"gitlab-runner"};  // comm of the runner, tag in syslog
  // Whether a process is (or was) a runner. Jobs can write to the journal from inside the runner's
  // unit, so entries of other processes are dropped. Unset: the command line must say `run`.
  std::function<bool(int32_t pid)> is_runner;
  std::vector<std::filesystem::path> log_files;  // the runner's own output redirected to a file
  std::vector<std::filesystem::path>
      syslog_files;  // lines with a syslog prefix; only the runner's are read
  // Opens the log that docker keeps of the runner's own container. Unset: not read.
  std::function<Task<Result<Fd>>()> open_docker_log;
  std::filesystem::path usage_log_folder;  // empty: not read
  std::string debug_host = "127.0.0.1";    // of the runner's listen_address
  uint16_t debug_port = 0;                 // 0: not read
};

// One source for each thing configured. `cursors` as batches gave them, by name; a source without a
// cursor starts at the end of what is there. Fails only on options that can never work (an
// instance's url that is none).
Result<std::vector<std::unique_ptr<LogSource>>> start_sources(
    const SourcesOptions& options, const asio::any_io_executor& executor, const Clock& clock,
    const std::map<std::string, std::string>& cursors);

}  // namespace gitaiops::agent
