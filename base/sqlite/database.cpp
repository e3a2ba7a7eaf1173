#include <atomic>
#include <cerrno>
#include <future>
#include <system_error>
#include <thread>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/sqlite/file.h"
#include "base/sqlite/lane.h"
#include "base/sqlite/sqlite.h"

namespace gitaiops::sqlite {
namespace {

uint64_t size_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

}  // namespace

struct Database::Impl {
  Impl(Options o, OpenFile f)
      : options(std::move(o)),
        file(std::move(f)),
        writes(options.queue_limit),
        reads(options.queue_limit) {}

  const Options options;
  const std::string path = options.path.native();
  const std::string wal_path = path + "-wal";
  OpenFile file;                                     // the writer's thread only, once it runs
  std::vector<std::unique_ptr<Connection>> readers;  // each its own thread's
  JobQueue writes, reads;                            // synchronise themselves
  std::vector<std::thread> threads;
  std::atomic<bool> damage_told = false;

  void start() {
    threads.emplace_back([this] { write_loop(); });
    for (const auto& reader : readers)
      threads.emplace_back([this, &reader] { read_loop(*reader); });
  }

  void write_loop() {
    Connection& c = *file.writer;
    for (;;) {
      auto batch = writes.pop(options.batch_bytes, options.queue_limit);
      if (batch.empty()) return;
      if (size_of(wal_path) > options.wal_bytes) (void)c.execute("PRAGMA wal_checkpoint(TRUNCATE)");
      run_batch(c, std::move(batch), [this](const Status& s) { notice(s); });
    }
  }

  // The first that says the file is damaged is told.
  void notice(const Status& status) {
    if (status.ok() || status.error().code() != Code::data_loss || !options.on_damage) return;
    if (!damage_told.exchange(true)) options.on_damage(status.error());
  }

  void read_loop(Connection& c) {
    for (;;) {
      auto batch = reads.pop(0, 1);
      if (batch.empty()) return;
      auto status = c.execute("BEGIN");
      if (status.ok()) status = run_guarded(batch.front().act, c);
      if (c.in_transaction()) (void)c.execute("COMMIT");
      notice(status);
      batch.front().done(std::move(status));
    }
  }

  void stop() {
    writes.close();
    reads.close();
    for (auto& thread : threads) thread.join();
    threads.clear();
  }
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Database::~Database() {
  impl_->stop();
  // Readers first: the last connection to close folds the WAL into the file, and only the writer
  // can.
  impl_->readers.clear();
}

Result<std::unique_ptr<Database>> Database::open(Options options) {
  ASSIGN_OR_RETURN(auto file, open_file(options));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(file));
  for (int i = 0; i < impl->options.readers; ++i) {
    ASSIGN_OR_RETURN(auto reader, Connection::open(impl->path, Connection::Mode::read_only));
    impl->readers.push_back(std::move(reader));
  }
  impl->start();
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Task<Status> Database::submit(Lane lane, Step act, std::size_t weight) {
  auto begin = [this, lane, weight](auto handler, Step step) {
    auto executor = asio::get_associated_executor(handler);
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    // The guard keeps the caller's loop running until its answer is there. It goes with the answer:
    // let go on our thread after the post, it could outlive the loop.
    auto done = [waiting, executor,
                 guard = asio::make_work_guard(executor)](Status status) mutable {
      asio::post(executor,
                 [waiting = std::move(waiting), guard = std::move(guard),
                  status = std::move(status)]() mutable { (*waiting)(std::move(status)); });
    };
    JobQueue& queue = lane == Lane::read ? impl_->reads : impl_->writes;
    queue.push({std::move(step), std::move(done), weight, lane != Lane::aside});
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Status)>(
      begin, asio::use_awaitable, std::move(act));
}

void Database::write_later(Step act, Done done) {
  impl_->writes.push({std::move(act), std::move(done)});
}

Status Database::write_blocking(Step act) {
  const auto promise = std::make_shared<std::promise<Status>>();
  auto answer = promise->get_future();
  write_later(std::move(act), [promise](Status status) { promise->set_value(std::move(status)); });
  return answer.get();
}

Task<Status> Database::checkpoint() {
  return submit(
      Lane::aside, [](Connection& c) { return c.execute("PRAGMA wal_checkpoint(TRUNCATE)"); }, 0);
}

Task<Status> Database::backup(std::filesystem::path to) {
  return submit(
      Lane::read,
      [to](Connection& c) -> Status {
        const std::string part = to.native() + ".part";
        std::error_code error;
        if (std::filesystem::exists(to, error))
          return Error(Code::already_exists, to.native() + " exists; a backup does not overwrite");
        ::unlink(part.c_str());
        if (!Fd(::open(part.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600)))
          return errno_error("create", part);
        auto status = c.copy_to(part);
        if (status.ok() && ::rename(part.c_str(), to.c_str()) != 0)
          status = errno_error("rename", part);
        if (status.ok()) return sync_file_and_folder(to);
        ::unlink(part.c_str());
        return status.error().within("backup");
      },
      0);
}

uint64_t Database::bytes() const {
  return size_of(impl_->path) + size_of(impl_->wal_path);
}

}  // namespace gitaiops::sqlite
