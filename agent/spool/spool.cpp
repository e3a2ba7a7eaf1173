#include "agent/spool/spool.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>

#include "agent/spool/tables.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/sqlite/sqlite.h"
#include "base/sqlite/wakeup.h"

namespace gitaiops::agent {
namespace {

using namespace spool;
using sqlite::Connection;
using sqlite::Database;

constexpr uint64_t kSmallest = 4u << 20;
constexpr std::size_t kQueueLimit = 512;
// after() returns fewer messages than asked for rather than hold more than this in memory.
constexpr std::size_t kReadBytes = 4u << 20;
constexpr std::string_view kDamaged = ".damaged-";
constexpr std::string_view kWal = "-wal";

// The files beside `path` that were set aside, oldest first (their names end in their time).
std::vector<std::filesystem::path> damaged_files(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  const std::string prefix = path.filename().native() + std::string(kDamaged);
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with(prefix) && !name.ends_with(kWal)) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Moves a damaged file away, open or not: who has it open keeps it.
Status set_aside(const std::filesystem::path& path, UnixMicros now, const Error& why) {
  auto aside = path;
  aside += std::string(kDamaged) + std::to_string(now.value);
  std::error_code error;
  std::filesystem::rename(path, aside, error);
  if (error) return errno_error(error.value(), "set aside", path.native());
  // The WAL belongs to the damaged file, not to the next one.
  std::filesystem::rename(path.native() + std::string(kWal), aside.native() + std::string(kWal),
                          error);
  std::filesystem::remove(path.native() + "-shm", error);
  auto kept = damaged_files(path);
  for (; kept.size() > Spool::kDamagedKept; kept.erase(kept.begin())) {
    std::filesystem::remove(kept.front(), error);
    std::filesystem::remove(kept.front().native() + std::string(kWal), error);
  }
  log::error(
      "the spool is damaged: it is set aside and a new one begun. Reports that the controller had "
      "not acknowledged are lost; check the disk, then delete the file",
      {{"reason", why.to_string()}, {"file", path.native()}, {"set_aside", aside.native()}});
  return {};
}

class SqliteSpool final : public Spool {
 public:
  SqliteSpool(SpoolOptions options, const Clock& clock)
      : options_(std::move(options)), limits_(options_.max_bytes), clock_(clock) {}

  Status open() {
    sqlite::Options file;
    file.path = options_.path;
    file.application_id = kApplicationId;
    file.migrations = kMigrations;
    file.queue_limit = kQueueLimit;
    file.batch_bytes = limits_.append;
    file.wal_bytes = 2 * limits_.append;
    file.max_file_bytes = limits_.file;
    file.readers = 1;
    file.exclusive = true;
    file.on_damage = [this](const Error& why) { give_up(why); };
    auto database = Database::open(file);
    if (!database.ok() && database.error().code() == Code::data_loss) {
      RETURN_IF_ERROR(set_aside(options_.path, clock_.now(), database.error()));
      database = Database::open(file);
    }
    if (!database.ok()) return database.error();
    database_ = std::move(database).value();
    damaged_files_ = damaged_files(options_.path).size();
    return load();
  }

  Status load() {
    return database_->write_blocking([this](Connection& c) -> Status {
      epoch_ = ensure_epoch(c, std::max<uint64_t>(crypto::random_u64(), 1));
      fit(c, limits_);
      contents_ = contents(c);
      messages_ = c.integer("SELECT count(*) FROM messages").value_or(0);
      return {};
    });
  }

  uint64_t epoch() const override { return epoch_; }
  uint64_t oldest_seq() const override { return locked().oldest; }
  uint64_t newest_seq() const override { return locked().newest; }

  Task<Result<uint64_t>> append(SpoolBatch batch) override;
  Task<Result<std::vector<fleet::v1::Envelope>>> after(uint64_t seq, std::size_t limit) override;
  void acknowledged(uint64_t seq) override;
  Task<void> wait_after(uint64_t seq, std::chrono::microseconds limit) override;
  Task<Result<std::map<std::string, std::string>>> cursors() override;
  Task<Result<std::string>> tracker_state() override;
  Stats stats() const override;

 private:
  Contents locked() const {
    const std::lock_guard lock(mutex_);
    return contents_;
  }
  Result<uint64_t> store(Connection& c, const Entry& entry);
  Status forget(Connection& c);
  void forget_more(const Status& last);
  // Publishes what a transaction changed, once it is durable.
  void publish(Connection& c, int64_t change);
  void lost(const PerKind& count);
  void record_lost();
  // The file was found damaged while in use.
  void give_up(const Error& why);

  // Constant after open().
  const SpoolOptions options_;
  const Limits limits_;
  const Clock& clock_;
  uint64_t epoch_ = 0;

  // Synchronise themselves.
  Wakeup stored_;
  std::atomic<bool> disk_full_ = false;
  std::atomic<bool> given_up_ = false;  // what is written now is not read at the next start
  std::atomic<uint64_t> damaged_files_ = 0;

  mutable std::mutex mutex_;  // protects:
  Contents contents_;
  int64_t messages_ = 0;
  PerKind lost_{};          // dropped, and not yet counted on disk
  bool recording_ = false;  // a write that counts them is queued or running
  uint64_t acknowledged_ = 0;
  bool forgetting_ = false;  // a removal is queued or running

  std::unique_ptr<Database> database_;  // last: its threads use all of the above
};

void SqliteSpool::publish(Connection& c, int64_t change) {
  c.after_commit([this, change, now = contents(c)] {
    {
      const std::lock_guard lock(mutex_);
      contents_ = now;
      messages_ += change;
    }
    stored_.notify();
  });
}

Result<uint64_t> SqliteSpool::store(Connection& c, const Entry& entry) {
  uint64_t acknowledged;
  {
    const std::lock_guard lock(mutex_);
    acknowledged = acknowledged_;
  }
  publish(c, spool::append(c, entry, limits_, acknowledged));
  if (entry.messages.empty()) return uint64_t{0};
  return static_cast<uint64_t>(c.integer("SELECT newest_seq FROM state").value_or(0));
}

Task<Result<uint64_t>> SqliteSpool::append(SpoolBatch batch) {
  const auto entry = std::make_shared<const Entry>(to_entry(std::move(batch), clock_.now()));
  Result<uint64_t> last =
      Error(Code::resource_exhausted, "a batch of " + std::to_string(entry->bytes) +
                                          " bytes is more than the spool takes at once (" +
                                          std::to_string(limits_.append) + ")");
  if (entry->bytes <= limits_.append) {
    auto act = [this, entry](Connection& c) { return store(c, *entry); };
    last = co_await database_->write(std::move(act), entry->bytes);
    if (given_up_)
      last = Error(Code::data_loss, options_.path.native() + " is damaged; the agent starts again");
    disk_full_ = !last.ok() && last.error().code() == Code::resource_exhausted;
  }
  if (last.ok()) {
    record_lost();
    co_return last;
  }
  lost(entry->count);
  co_return last.error().within("spooling");
}

void SqliteSpool::give_up(const Error& why) {
  given_up_ = true;
  if (const auto moved = set_aside(options_.path, clock_.now(), why); !moved.ok())
    log::error("the spool is damaged and cannot be set aside; move the file away",
               {{"reason", why.to_string()}, {"why", moved.error().to_string()}});
  damaged_files_ = damaged_files(options_.path).size();
  if (options_.on_damage) options_.on_damage(why);
}

void SqliteSpool::lost(const PerKind& count) {
  const std::lock_guard lock(mutex_);
  for (std::size_t k = 0; k < kKinds; ++k) lost_[k] += count[k];
}

// Once writing works again: what was lost meanwhile joins the counters that survive a restart.
void SqliteSpool::record_lost() {
  PerKind count;
  {
    const std::lock_guard lock(mutex_);
    if (recording_ || lost_ == PerKind{}) return;
    recording_ = true;
    count = lost_;
  }
  database_->write_later(
      [this, count](Connection& c) -> Status {
        count_dropped(c, count);
        c.after_commit([this, count, now = contents(c)] {
          const std::lock_guard lock(mutex_);
          contents_ = now;
          for (std::size_t k = 0; k < kKinds; ++k) lost_[k] -= count[k];
        });
        return {};
      },
      [this](Status) {
        const std::lock_guard lock(mutex_);
        recording_ = false;
      });
}

Task<Result<std::vector<fleet::v1::Envelope>>> SqliteSpool::after(uint64_t seq, std::size_t limit) {
  using Envelopes = std::vector<fleet::v1::Envelope>;
  return database_->read([seq, limit](Connection& c) -> Result<Envelopes> {
    Envelopes out;
    std::size_t bytes = 0;
    auto rows =
        c.query("SELECT seq, body FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", {seq, limit});
    while (bytes < kReadBytes && rows.next()) {
      const std::string body = rows.text(1);
      bytes += body.size();
      fleet::v1::Envelope envelope;
      if (!envelope.ParseFromString(body)) {
        // It goes out as an empty message: the controller moves on, and the acknowledgement removes
        // it.
        log::error("a spooled message cannot be read and is sent empty",
                   {{"seq", rows.integer(0)}});
        envelope.Clear();
      }
      envelope.set_seq(static_cast<uint64_t>(rows.integer(0)));
      out.push_back(std::move(envelope));
    }
    return out;
  });
}

void SqliteSpool::acknowledged(uint64_t seq) {
  {
    const std::lock_guard lock(mutex_);
    // Never beyond what was assigned: a wrong number must not remove what comes later.
    acknowledged_ = std::max(acknowledged_, std::min(seq, contents_.newest));
    if (forgetting_ || contents_.oldest == 0 || contents_.oldest > acknowledged_) return;
    forgetting_ = true;
  }
  database_->write_later([this](Connection& c) { return forget(c); },
                         [this](Status s) { forget_more(s); });
}

Status SqliteSpool::forget(Connection& c) {
  uint64_t upto;
  {
    const std::lock_guard lock(mutex_);
    upto = acknowledged_;
  }
  publish(c, -remove_acknowledged(c, upto));
  return {};
}

// On the writer's thread. A removal that failed is taken up by the next acknowledgement.
void SqliteSpool::forget_more(const Status& last) {
  {
    const std::lock_guard lock(mutex_);
    forgetting_ = last.ok() && contents_.oldest != 0 && contents_.oldest <= acknowledged_;
    if (!forgetting_) return;
  }
  database_->write_later([this](Connection& c) { return forget(c); },
                         [this](Status s) { forget_more(s); });
}

Task<void> SqliteSpool::wait_after(uint64_t seq, std::chrono::microseconds limit) {
  const auto until = std::chrono::steady_clock::now() +
                     std::min<std::chrono::microseconds>(limit, std::chrono::hours(24));
  for (;;) {
    const auto seen = stored_.version();
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        until - std::chrono::steady_clock::now());
    if (locked().latest > seq || left.count() <= 0) co_return;
    co_await stored_.wait(seen, left);
  }
}

Task<Result<std::map<std::string, std::string>>> SqliteSpool::cursors() {
  using Cursors = std::map<std::string, std::string>;
  return database_->read([](Connection& c) -> Result<Cursors> {
    Cursors out;
    auto rows = c.query("SELECT source, position FROM cursors");
    while (rows.next()) out.emplace(rows.text(0), rows.text(1));
    return out;
  });
}

Task<Result<std::string>> SqliteSpool::tracker_state() {
  return database_->read([](Connection& c) -> Result<std::string> {
    auto rows = c.query("SELECT saved FROM tracker");
    return rows.next() ? rows.text(0) : std::string();
  });
}

Spool::Stats SqliteSpool::stats() const {
  Stats out;
  out.bytes = database_->bytes();
  out.disk_full = disk_full_;
  out.damaged_files = damaged_files_;
  const std::lock_guard lock(mutex_);
  out.messages = static_cast<uint64_t>(messages_);
  out.oldest_at = contents_.oldest_at;
  out.dropped_samples = contents_.dropped[0] + lost_[0];
  out.dropped_started = contents_.dropped[1] + lost_[1];
  out.dropped_reports = contents_.dropped[2] + lost_[2];
  return out;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options, const Clock& clock) {
  if (options.max_bytes < kSmallest)
    return Error(Code::invalid_argument,
                 "a spool needs at least " + std::to_string(kSmallest) + " bytes");
  auto spool = std::make_unique<SqliteSpool>(std::move(options), clock);
  RETURN_IF_ERROR(spool->open(), "opening the spool");
  return std::unique_ptr<Spool>(std::move(spool));
}

}  // namespace gitaiops::agent
