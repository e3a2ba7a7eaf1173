#include "agent/spool/tables.h"

#include <algorithm>

namespace gitaiops::agent::spool {
namespace {

using sqlite::Blob;
using sqlite::Connection;

constexpr std::string_view kSteps[] = {
    R"sql(
  CREATE TABLE state(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    newest_seq INTEGER NOT NULL DEFAULT 0,
    dropped_samples INTEGER NOT NULL DEFAULT 0,
    dropped_started INTEGER NOT NULL DEFAULT 0,
    dropped_reports INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE messages(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE INDEX messages_in_order_of_dropping ON messages(kind, seq);
  CREATE TABLE cursors(source BLOB PRIMARY KEY, position BLOB NOT NULL);
  CREATE TABLE tracker(one INTEGER PRIMARY KEY CHECK (one = 1), saved BLOB NOT NULL);
)sql",
    "ALTER TABLE messages ADD COLUMN at INTEGER NOT NULL DEFAULT 0"};

constexpr uint64_t kPage = 4096;
// More free pages than this are given back to the disk, so many at a time.
constexpr int64_t kFreePagesKept = 256;
constexpr int64_t kFreePagesReturned = 256;
// How many messages of a kind go at once: small ones by the page, reports one by one.
constexpr std::array<int64_t, kKinds> kDropChunk = {64, 16, 1};
// What a row costs beside its body.
constexpr uint64_t kRowOverhead = 32;

Kind kind_of(const fleet::v1::Envelope& envelope) {
  if (envelope.has_host_samples() || envelope.has_passed_templates()) return Kind::samples;
  if (envelope.has_job_started()) return Kind::started;
  return Kind::report;
}

uint64_t bytes_in_use(Connection& c) {
  const int64_t pages = c.integer("PRAGMA page_count").value_or(0);
  return static_cast<uint64_t>(pages - c.integer("PRAGMA freelist_count").value_or(0)) * kPage;
}

// Drops messages, least important and oldest first, until at most `keep` bytes are in use. Returns
// how many.
int64_t drop_down_to(Connection& c, uint64_t keep) {
  PerKind dropped{};
  int64_t all = 0;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    while (c.ok() && bytes_in_use(c) > keep) {
      const int64_t gone = c.run(
          "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE kind = ? ORDER BY seq "
          "LIMIT ?)",
          {kind, kDropChunk[kind]});
      if (gone == 0) break;
      dropped[kind] += static_cast<uint64_t>(gone);
      all += gone;
    }
  }
  if (all > 0) count_dropped(c, dropped);
  return all;
}

}  // namespace

const std::span<const std::string_view> kMigrations = kSteps;

Limits::Limits(uint64_t max_bytes)
    : append(std::clamp<uint64_t>(max_bytes / 16, 256u << 10, 4u << 20)),
      file(max_bytes - 8 * append),
      keep(file - append - append / 4 - (64u << 10)) {}

Entry to_entry(SpoolBatch batch, UnixMicros now) {
  Entry entry;
  entry.at = now;
  for (auto& envelope : batch.messages) {
    envelope.clear_seq();
    envelope.set_spooled_at_us(now.value);
    const Kind kind = kind_of(envelope);
    entry.messages.push_back({kind, envelope.SerializeAsString()});
    entry.bytes += entry.messages.back().body.size() + kRowOverhead;
    ++entry.count[static_cast<std::size_t>(kind)];
  }
  for (const auto& [source, position] : batch.cursors)
    entry.bytes += source.size() + position.size() + kRowOverhead;
  if (batch.tracker_state) entry.bytes += batch.tracker_state->size();
  entry.cursors = std::move(batch.cursors);
  entry.tracker = std::move(batch.tracker_state);
  return entry;
}

uint64_t ensure_epoch(Connection& c, uint64_t candidate) {
  c.run("INSERT OR IGNORE INTO state(one, epoch) VALUES(1, ?)", {candidate});
  return static_cast<uint64_t>(c.integer("SELECT epoch FROM state").value_or(0));
}

void fit(Connection& c, const Limits& limits) {
  const auto pages = static_cast<uint64_t>(c.integer("PRAGMA page_count").value_or(0));
  if (pages * kPage <= limits.file) return;
  drop_down_to(c, limits.keep);
  c.run("PRAGMA incremental_vacuum");
  c.run("PRAGMA max_page_count = " + std::to_string(limits.file / kPage));
}

void count_dropped(Connection& c, const PerKind& dropped) {
  c.run(
      "UPDATE state SET dropped_samples = dropped_samples + ?, dropped_started = dropped_started + "
      "?, "
      "dropped_reports = dropped_reports + ?",
      {dropped[0], dropped[1], dropped[2]});
}

Contents contents(Connection& c) {
  Contents out;
  auto rows = c.query(
      "SELECT newest_seq, dropped_samples, dropped_started, dropped_reports, "
      "(SELECT min(seq) FROM messages), (SELECT max(seq) FROM messages), "
      "(SELECT at FROM messages ORDER BY seq LIMIT 1) FROM state");
  if (!rows.next()) return out;
  const auto number = [&rows](int column) { return static_cast<uint64_t>(rows.integer(column)); };
  out.newest = number(0);
  out.dropped = {number(1), number(2), number(3)};
  out.oldest = number(4);
  out.latest = number(5);
  out.oldest_at = rows.time(6);
  return out;
}

int64_t append(Connection& c, const Entry& entry, const Limits& limits, uint64_t acknowledged) {
  int64_t change = 0;
  if (c.retrying()) {
    // The disk is full: what this entry needs must come from pages that the file already has.
    change -= remove_acknowledged(c, acknowledged);
    const uint64_t used = bytes_in_use(c);
    change -= drop_down_to(c, used - std::min(used, 2 * entry.bytes + 8 * kPage));
  }
  int64_t seq = c.integer("SELECT newest_seq FROM state").value_or(0);
  for (const auto& message : entry.messages)
    c.run("INSERT INTO messages VALUES(?, ?, ?, ?)",
          {++seq, static_cast<int>(message.kind), Blob{message.body}, entry.at});
  change += static_cast<int64_t>(entry.messages.size());
  c.run("UPDATE state SET newest_seq = ?", {seq});
  for (const auto& [source, position] : entry.cursors)
    c.run("INSERT INTO cursors VALUES(?1, ?2) ON CONFLICT DO UPDATE SET position = ?2",
          {Blob{source}, Blob{position}});
  if (entry.tracker) c.run("INSERT OR REPLACE INTO tracker VALUES(1, ?)", {Blob{*entry.tracker}});
  return change - drop_down_to(c, limits.keep);
}

int64_t remove_acknowledged(Connection& c, uint64_t seq) {
  const int64_t gone = c.run(
      "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE seq <= ? ORDER BY seq "
      "LIMIT ?)",
      {seq, kAcknowledgeChunk});
  if (c.integer("PRAGMA freelist_count").value_or(0) > kFreePagesKept)
    c.run("PRAGMA incremental_vacuum(" + std::to_string(kFreePagesReturned) + ")");
  return gone;
}

}  // namespace gitaiops::agent::spool
