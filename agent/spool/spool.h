// What the agent has acknowledged to itself and not yet to the controller: serialised Envelope
// messages, numbered, on disk. One SQLite file, synchronous=FULL, one writer whose batch is what
// queued while the previous fsync ran.
//
// Guarantees: what append() has completed survives power loss. The cursors of sources and the
// tracker's state commit in the same transaction as the messages that came from them, so after a
// crash nothing is lost and nothing doubled. Bounded: bytes of the file and its WAL together stay
// below `max_bytes`; host samples are dropped first (oldest first), then job-started notices, then
// reports; drops are counted and survive restarts. A full disk behaves like a reached bound.
//
// Thread safety: any thread may call; tasks resume on the caller's executor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

struct SpoolOptions {
  std::filesystem::path path;         // "…/spool.db"; created 0600 with its folder
  uint64_t max_bytes = 256ull << 20;  // at least 4 MiB
  // Called once, on any thread, when the file turns out to be damaged while it is in use. It is set
  // aside then, and nothing is stored any more: the agent is to start again, with a new spool.
  std::function<void(const Error&)> on_damage = {};
};

// One step of the agent's life, made durable as a whole.
struct SpoolBatch {
  std::vector<fleet::v1::Envelope> messages;  // seq and spooled_at_us are assigned by append()
  std::map<std::string, std::string>
      cursors;                               // source name → its position; replaces the earlier one
  std::optional<std::string> tracker_state;  // Tracker::save()
};

class Spool {
 public:
  // A file that is damaged or not ours is set aside ("spool.db.damaged-<time>") with a warning and
  // a new one begun, with a new epoch. The last kDamagedKept are kept.
  static constexpr std::size_t kDamagedKept = 3;
  static Result<std::unique_ptr<Spool>> open(SpoolOptions options, const Clock& clock);
  virtual ~Spool() = default;

  virtual uint64_t epoch() const = 0;       // random 64 bits, minted with the file
  virtual uint64_t oldest_seq() const = 0;  // 0: empty
  virtual uint64_t newest_seq() const = 0;  // highest ever assigned

  // Completes when durable: the sequence number of the last message of the batch (0: it had none).
  // resource_exhausted: the disk is full and nothing could be dropped; the batch is not stored, and
  // counted as dropped.
  virtual Task<Result<uint64_t>> append(SpoolBatch batch) = 0;

  // Messages after `seq`, in order, up to `limit`.
  virtual Task<Result<std::vector<fleet::v1::Envelope>>> after(uint64_t seq, std::size_t limit) = 0;
  // Everything up to and including `seq` is durable elsewhere. Never fails; the space is reused.
  virtual void acknowledged(uint64_t seq) = 0;
  // Wakes when something newer than `seq` is stored, or after `limit`.
  virtual Task<void> wait_after(uint64_t seq, std::chrono::microseconds limit) = 0;

  virtual Task<Result<std::map<std::string, std::string>>> cursors() = 0;
  virtual Task<Result<std::string>> tracker_state() = 0;  // empty when none

  struct Stats {
    uint64_t bytes = 0;  // file and WAL
    uint64_t messages = 0;
    uint64_t dropped_samples = 0, dropped_started = 0,
             dropped_reports = 0;  // since the epoch began
    bool disk_full = false;        // the last write failed for lack of space
    UnixMicros oldest_at;          // when the oldest message was stored; 0: empty, or not known
    uint64_t damaged_files = 0;    // set aside, and still there
  };
  virtual Stats stats() const = 0;
};

}  // namespace gitaiops::agent
