// How the agent is, for people and for Prometheus: a page of plain HTML (no scripts), /status.json
// and /metrics on loopback, and the same as text for `gitaiops-agent status`. Answers only requests
// that address this host by a loopback name, so that a web page elsewhere cannot read it through a
// browser here (DNS rebinding).
//
// Everybody on the host can read it, jobs included: nothing secret belongs into a snapshot.
//
// Thread safety: belongs to the thread that runs the executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/metrics/metrics.h"
#include "base/result/result.h"

namespace gitaiops::agent {

// A moment of the agent's life. Counts are since the agent started unless said otherwise.
struct StatusSnapshot {
  struct Source {
    std::string name;
    std::string reads;     // in plain words
    uint64_t lines = 0;    // seen
    uint64_t records = 0;  // understood as being about a job
    std::optional<UnixMicros> last_line;
    std::string problem, cure;  // empty: none
  };

  std::string version;
  int64_t uptime_us = 0;
  std::string link_state;            // "idle", "connecting", "connected", "refused", "waiting"
  std::string link_detail;           // last error or refusal, for the operator
  std::string controller;            // "host:port"
  UnixMicros certificate_not_after;  // 0: no certificate
  std::vector<std::string> runners;  // "gitlab-runner (pid 812)"
  uint64_t open_jobs = 0;
  uint64_t jobs_reported = 0;
  uint64_t withheld_traces = 0;
  uint64_t withheld_trees = 0;
  std::vector<std::string> explanations;  // of what was withheld, a sentence each
  uint64_t spool_bytes = 0;
  uint64_t spool_messages = 0;
  int64_t spool_oldest_us = 0;  // age of the oldest message
  uint64_t spool_damaged = 0;   // files set aside
  uint64_t dropped = 0;         // records, since the spool's epoch began
  bool disk_full = false;
  std::vector<Source> sources;
  std::string observer_problem;  // empty: it answers
};

struct StatusOptions {
  std::string address = "127.0.0.1";  // loopback; anything else is refused
  uint16_t port = 9417;               // 0: any free one
};

class StatusPage {
 public:
  // `snapshot` is called for each request, on the executor's thread.
  static Result<std::unique_ptr<StatusPage>> listen(asio::any_io_executor executor,
                                                    StatusOptions options,
                                                    std::function<StatusSnapshot()> snapshot);
  virtual ~StatusPage() = default;
  virtual uint16_t port() const = 0;
  virtual Task<void> run() = 0;  // until stop()
  virtual void stop() = 0;       // run() returns within two seconds
};

// What the agent that listens there says of itself; as http::get() when it does not answer, and
// data_loss when that is no agent.
Task<Result<StatusSnapshot>> ask_status(std::string address, uint16_t port);
// The same for a terminal.
Task<Result<std::string>> status_text(std::string address, uint16_t port);

}  // namespace gitaiops::agent
