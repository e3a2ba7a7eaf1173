// A SQLite file of ours: one writer thread, a few readers, durable commits.
//
// Writes are closures that queue. A batch is whatever queued while the previous COMMIT's fsync ran
// (no timer): it is one transaction, each closure in its own savepoint, so that one failing does
// not undo the others. If there is no space for the batch, the WAL is folded into the file and each
// closure run once more in its own transaction, in order: a closure must depend only on what it
// captured and on the database, and be fit to run twice (Connection::retrying()). A closure that
// itself returns resource_exhausted is treated the same.
// Settings: WAL, synchronous=FULL, auto_vacuum=INCREMENTAL, foreign keys, trusted_schema off, a
// bounded journal, a checksum in every page (checksum.h).
//
// Errors: resource_exhausted when the disk is full or cannot be written (the database stays usable
// and works again when there is space) and when the queue is full; data_loss when the file is
// damaged; cancelled once it is closing; unavailable when another process holds the write lock for
// longer than kBusyTimeout.
//
// Thread safety: any thread may call; tasks resume on the caller's executor, which must outlive the
// Database. Destruction runs what is queued, then closes. In a coroutine give the closure a name
// before `co_await db.write(std::move(act))`: gcc 12 destroys a temporary closure within a co_await
// expression twice. No call may come in or be awaited on while the destructor's caller waits.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/io/io.h"
#include "base/result/result.h"
#include "base/sqlite/connection.h"

namespace gitaiops::sqlite {

constexpr std::chrono::milliseconds kBusyTimeout{5000};

struct Options {
  std::filesystem::path path;  // created 0600, its folder 0700
  int32_t application_id = 0;  // stands in the file's header; another one is refused
  std::span<const std::string_view>
      migrations;  // the i-th takes the schema from version i to i+1; static storage
  std::size_t queue_limit = 1024;    // closures waiting to write, and as many to read
  uint64_t batch_bytes = 16u << 20;  // a batch takes closures up to this weight, at least one
  uint64_t wal_bytes =
      16u << 20;                // a longer WAL is checkpointed and truncated before the next batch
  uint64_t max_file_bytes = 0;  // the file (without WAL) cannot grow beyond; 0: no limit
  int readers = 2;
  bool exclusive = false;  // refuse to open while another process has it open
  // Called at the first data_loss that a closure meets, on the thread that met it.
  std::function<void(const Error&)> on_damage = {};
};

class Database {
 public:
  // Creates or opens, migrates, and checks the whole file (quick_check). Blocking.
  // data_loss: damaged, not SQLite, or another application's; unimplemented: written by a newer
  // version of ours; unavailable: in use by another process.
  static Result<std::unique_ptr<Database>> open(Options options);
  ~Database();

  // Act is Result<T>(Connection&); completes when its transaction is durable. `weight`: about how
  // many bytes it writes.
  template <class Act>
  Task<std::invoke_result_t<const Act&, Connection&>> write(Act act, std::size_t weight = 0) {
    return perform(Lane::write, std::move(act), weight);
  }
  // Sees one snapshot; every write that completed before is in it.
  template <class Act>
  Task<std::invoke_result_t<const Act&, Connection&>> read(Act act) {
    return perform(Lane::read, std::move(act), 0);
  }

  using Step = std::function<Status(Connection&)>;
  using Done = std::function<void(Status)>;
  // Fire and forget; `done` runs on the writer's thread, or on the caller's when the queue is full
  // or closed.
  void write_later(Step act, Done done);
  // For start-up and tools, before there is a loop.
  Status write_blocking(Step act);

  // Moves the WAL into the file and gives its space back to the disk.
  Task<Status> checkpoint();
  // A consistent copy, taken while others read and write: a new file, 0600, complete when it
  // appears under its name.
  Task<Status> backup(std::filesystem::path to);
  // Bytes of the file and its WAL now.
  uint64_t bytes() const;

 private:
  enum class Lane { write, read, aside };  // aside: on the writer's thread, outside a transaction
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  Task<Status> submit(Lane lane, Step act, std::size_t weight);

  template <class Act>
  Task<std::invoke_result_t<const Act&, Connection&>> perform(Lane lane, Act act,
                                                              std::size_t weight) {
    using Outcome = std::invoke_result_t<const Act&, Connection&>;
    const auto slot = std::make_shared<std::optional<Outcome>>();
    Step step = [slot, act = std::move(act)](Connection& connection) -> Status {
      slot->emplace(act(connection));
      if (!(*slot)->ok()) return (*slot)->error();
      return {};
    };
    const Status done = co_await submit(lane, std::move(step), weight);
    if (!done.ok()) co_return done.error();
    co_return std::move(**slot);
  }

  std::unique_ptr<Impl> impl_;
};

}  // namespace gitaiops::sqlite
