// The spool's tables and what is done in one transaction on them. Everything here runs on the
// writer's thread, inside a closure that may be run a second time.
//
//   state     one row: epoch, newest_seq (highest ever assigned, kept when all is acknowledged),
//   what
//             was dropped
//   messages  seq, kind (in the order of dropping), body: a serialised Envelope without its seq,
//   and
//             when it was stored (0 in rows of version 0.1.0)
//   cursors   source → position
//   tracker   one row: Tracker::save()
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/spool/spool.h"
#include "base/sqlite/sqlite.h"

namespace gitaiops::agent::spool {

// Lowest goes first.
enum class Kind : int { samples = 0, started = 1, report = 2 };
constexpr std::size_t kKinds = 3;
using PerKind = std::array<uint64_t, kKinds>;

// How `max_bytes` is divided. The WAL's part is what one batch can write into it at worst, several
// times its own bytes.
struct Limits {
  explicit Limits(uint64_t max_bytes);
  uint64_t append;  // largest single append
  uint64_t file;    // the database file never grows beyond
  uint64_t keep;    // after each append messages are dropped until the pages in use are below
};

// A SpoolBatch, ready to be stored.
struct Entry {
  struct Message {
    Kind kind;
    std::string body;
  };
  std::vector<Message> messages;
  std::map<std::string, std::string> cursors;
  std::optional<std::string> tracker;
  uint64_t bytes = 0;
  PerKind count{};
  UnixMicros at;
};
Entry to_entry(SpoolBatch batch, UnixMicros now);

// What the tables hold after a transaction.
struct Contents {
  uint64_t oldest = 0, latest = 0;  // lowest and highest stored; 0: empty
  uint64_t newest = 0;              // highest ever assigned
  PerKind dropped{};                // since the epoch began
  UnixMicros oldest_at;             // when the oldest was stored; 0: empty or not known
};

extern const std::span<const std::string_view> kMigrations;
constexpr int32_t kApplicationId = 0x67616f73;  // "gaos"

// The file's epoch; a new file gets `candidate`.
uint64_t ensure_epoch(sqlite::Connection& c, uint64_t candidate);
// Makes a file that was written under a larger bound fit this one.
void fit(sqlite::Connection& c, const Limits& limits);
Contents contents(sqlite::Connection& c);
void count_dropped(sqlite::Connection& c, const PerKind& dropped);
// Stores the entry and drops what must go. Returns how the number of messages changed.
int64_t append(sqlite::Connection& c, const Entry& entry, const Limits& limits,
               uint64_t acknowledged);
// Removes at most a chunk of what is acknowledged, and gives free pages back to the disk. Returns
// the messages removed.
int64_t remove_acknowledged(sqlite::Connection& c, uint64_t seq);
constexpr int64_t kAcknowledgeChunk = 1024;

}  // namespace gitaiops::agent::spool
