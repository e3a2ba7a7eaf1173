// The agents that are connected now: one stream each, from Hello to the last acknowledgement, and
// the commands sent to them.
//
// Rules: an identity has one stream, and the newer one wins (the older gets Refusal DUPLICATE and
// is closed): a host whose network broke must not wait until its dead connection is noticed. An
// agent may have `credit` envelopes unacknowledged; who sends more is closed. An acknowledgement is
// written after the envelope is durable, coalesced while more are waiting. When an agent is
// revoked, or its certificate expires, its open stream ends with the next check. Thread safety: the
// loop's thread; counters(), any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "base/rpc/rpc.h"
#include "controller/ingest/ingest.h"
#include "controller/store/store.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::fleet {

// What the passing runs of a job print, for the agent that asks; nothing: not known, or not for it.
using BaselineSource =
    std::function<Task<std::optional<v1::Baseline>>(std::string agent_id, v1::BaselineRequest)>;

struct Options {
  std::string version;  // of the controller, told in Welcome
  uint32_t protocol_minor = rpc::kProtocolMinor;
  uint32_t credit = 64;
  std::size_t max_agents = 10'000;                   // more get Refusal OVERLOADED
  int64_t check_interval_us = 1 * kMicrosPerSecond;  // revocation and expiry
  int64_t seen_interval_us =
      10 * kMicrosPerSecond;  // how often "last seen" is written while a stream is open
  int64_t hello_timeout_us = 10 * kMicrosPerSecond;
  BaselineSource on_baseline = {};
};

struct Counters {
  std::atomic<uint64_t> opened = 0, refused = 0, replaced = 0;
  std::atomic<uint64_t> ended_by_check = 0;  // revoked or expired
  std::atomic<uint64_t> over_credit = 0;
  std::atomic<int64_t> connected = 0;
};

class Stream;

class Fleet {
 public:
  // Store, ingest and clock must outlive it; it must outlive the server that calls serve().
  Fleet(Options options, store::Store& store, ingest::Ingest& ingest, const Clock& clock);
  ~Fleet();

  // The handler for rpc::serve_fleet: one stream, until it ends.
  Task<void> serve(std::shared_ptr<rpc::ServerSession> session);
  // The checks, until stop().
  Task<void> run();
  void stop() { stopping_.set(); }

  // Sends the command and waits for its result, until the command expires. A missing id and expiry
  // (30 s) are filled in. unavailable: the agent is not connected, or its stream ended first (send
  // it again with the same id: the agent remembers); resource_exhausted: 32 commands wait for this
  // agent; deadline_exceeded: no answer in time; invalid_argument: not a command.
  Task<Result<v1::CommandResult>> command(std::string agent_id, v1::Command command);

  std::vector<std::string> connected() const;  // agent ids
  const Counters& counters() const { return counters_; }

 private:
  Task<void> check_streams();
  // Why this holder of the identity is shut out, when it is.
  Task<Result<std::optional<std::string>>> find_clone(rpc::Peer peer, std::string host,
                                                      UnixMicros now);

  const Options options_;
  store::Store& store_;
  ingest::Ingest& ingest_;
  const Clock& clock_;
  std::map<std::string, std::shared_ptr<Stream>> streams_;  // by agent id
  Counters counters_;
  Event stopping_;
};

}  // namespace gitaiops::fleet
