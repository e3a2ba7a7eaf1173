// The runner's unit in the journal. The stamp is the journal's own, so no announcement is ever
// "late" here.
//
// A job runs inside the runner's unit and can write to the journal too. What it cannot choose is
// the pid that the kernel puts beside its entry: only those of the runner count. Where the runner
// is a container, its engine writes for it and names it; a job that is a container, too, reaches no
// journal. What is too long for one entry is dropped whole: its rest would be a line that whoever
// wrote the beginning had chosen.
#include <algorithm>
#include <array>

#include <asio/posix/stream_descriptor.hpp>
#include <systemd/sd-journal.h>

#include "agent/sources/kinds.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxEntry = 64 << 10;
constexpr std::array<std::string_view, 2> kEngines = {"dockerd", "conmon"};  // who writes for them
constexpr int kMaxEntriesAStep = 500;
constexpr std::chrono::seconds kRetry{5};
// A lost wake-up (files rotated under us) costs at most this.
constexpr std::chrono::seconds kLongestWait{2};

struct CloseJournal {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

std::string field(sd_journal* journal, const std::string& name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (sd_journal_get_data(journal, name.c_str(), &data, &size) < 0) return {};
  const std::string_view text(static_cast<const char*>(data), size);
  return std::string(text.substr(std::min(text.size(), name.size() + 1)));
}

bool holds_journals(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::directory_iterator files(folder, ignored);
  return std::any_of(begin(files), end(files),
                     [](const auto& file) { return file.path().extension() == ".journal"; });
}

class JournalSource final : public LogSource {
 public:
  JournalSource(World world, std::string name, std::optional<Cursor> cursor)
      : world_(std::move(world)),
        reader_(world_->instances, cursor ? cursor->runners : std::map<std::string, std::string>()),
        position_(cursor ? cursor->journal : "") {
    state_.name = std::move(name);
    const auto& container = world_->options.journal_container;
    state_.reads = "the entries of " + world_->options.journal_unit + " in the journal" +
                   (container.empty() ? "" : ", of the container " + container);
  }
  ~JournalSource() override { close(); }

  Task<Result<SourceBatch>> next() override {
    SourceBatch batch;
    for (;;) {
      if (!journal_) {
        const auto opened = open(co_await asio::this_coro::executor);
        if (!opened.ok())
          set_problem(state_, batch, opened.error().to_string(),
                      "allow it with: usermod -a -G systemd-journal gitaiops-agent");
      }
      const bool more = journal_ && read(batch);
      if (!batch.facts.empty() || !batch.problems.empty() ||
          due_.due(world_->clock->steady(), moved_)) {
        finish(batch);
        co_return batch;
      }
      const bool goes_on = more ? true : co_await wait();
      if (!goes_on) co_return Error(Code::cancelled, "reading the journal");
    }
  }

  SourceState state() const override {
    auto state = state_;
    const auto& counters = reader_.counters();
    state.lines = counters.lines + foreign_;
    state.records = counters.records;
    state.unknown_hosts = counters.unknown_hosts;
    state.unreadable = counters.unreadable;
    return state;
  }

 private:
  Status open(asio::any_io_executor executor) {
    sd_journal* raw = nullptr;
    const auto& folder = world_->options.journal_folder;
    const int error = folder.empty() ? sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY)
                                     : sd_journal_open_directory(&raw, folder.c_str(), 0);
    Journal journal(raw);
    if (error < 0) return errno_error(-error, "open", "the journal");
    const bool found = folder.empty() ? sd_journal_has_persistent_files(raw) > 0 ||
                                            sd_journal_has_runtime_files(raw) > 0
                                      : holds_journals(folder);
    if (!found)
      return Error(Code::permission_denied, "no journal that the agent may read was found");
    sd_journal_set_data_threshold(raw, kMaxEntry);
    const auto match = "_SYSTEMD_UNIT=" + world_->options.journal_unit;
    if (const int e = sd_journal_add_match(raw, match.data(), match.size()); e < 0)
      return errno_error(-e, "filter", "the journal");
    seek(raw);
    const int fd = sd_journal_get_fd(raw);
    if (fd < 0) return errno_error(-fd, "watch", "the journal");
    watched_ = std::make_shared<asio::posix::stream_descriptor>(executor, fd);
    journal_ = std::move(journal);
    clear_problem(state_);
    return {};
  }

  void seek(sd_journal* journal) {
    if (!position_.empty() && sd_journal_seek_cursor(journal, position_.c_str()) >= 0) {
      // Stands on the entry itself if it still exists, else on its successor.
      if (sd_journal_next(journal) > 0 && sd_journal_test_cursor(journal, position_.c_str()) <= 0)
        sd_journal_previous(journal);
      return;
    }
    sd_journal_seek_tail(journal);
    sd_journal_previous(journal);
  }

  void close() {
    if (watched_) watched_->release();  // the descriptor is the journal's
    watched_.reset();
    journal_.reset();
  }

  // Returns whether there is more to read at once.
  bool read(SourceBatch& batch) {
    if (sd_journal_process(journal_.get()) < 0) {
      close();
      return false;
    }
    for (int i = 0; i < kMaxEntriesAStep; ++i) {
      const int got = sd_journal_next(journal_.get());
      if (got < 0) {  // files vanished while we stood in them: open again at our position
        set_problem(state_, batch, errno_error(-got, "read", "the journal").to_string(),
                    "it is opened again by itself");
        close();
        return false;
      }
      if (got == 0) return false;
      entry(batch);
    }
    return true;
  }

  bool is_of_container() {
    const auto comm = field(journal_.get(), "_COMM");
    if (std::ranges::find(kEngines, comm) == kEngines.end() ||
        field(journal_.get(), "CONTAINER_NAME") != world_->options.journal_container)
      return false;
    const bool begun = field(journal_.get(), "CONTAINER_PARTIAL_MESSAGE") == "true";
    const bool part = begun || halfway_ || !field(journal_.get(), "CONTAINER_PARTIAL_ID").empty();
    halfway_ = begun;
    return !part;
  }

  bool is_runners() {
    const auto& options = world_->options;
    if (!options.journal_container.empty()) return is_of_container();
    const auto comm = field(journal_.get(), "_COMM");
    if (std::find(options.runner_names.begin(), options.runner_names.end(), comm) ==
        options.runner_names.end())
      return false;
    if (options.is_runner) {
      const auto pid = std::atoi(field(journal_.get(), "_PID").c_str());
      return options.is_runner(pid);
    }
    return (field(journal_.get(), "_CMDLINE") + " ").find(" run ") != std::string::npos;
  }

  void entry(SourceBatch& batch) {
    uint64_t stamp = 0;
    if (sd_journal_get_realtime_usec(journal_.get(), &stamp) < 0) return;
    if (!is_runners()) {
      ++foreign_;
    } else {
      const auto message = field(journal_.get(), "MESSAGE");
      const auto stream = field(journal_.get(), "_TRANSPORT") + field(journal_.get(), "_PID");
      reader_.feed(message, {static_cast<int64_t>(stamp)}, 0, batch.facts, stream);
      state_.last_line = UnixMicros{static_cast<int64_t>(stamp)};
      tell_unknown_hosts(state_, batch, reader_.unknown_hosts());
    }
    moved_ = true;
    char* cursor = nullptr;
    if (!reader_.halfway() && !halfway_ && sd_journal_get_cursor(journal_.get(), &cursor) >= 0) {
      position_ = cursor;
      std::free(cursor);
    }
  }

  // Until something was written, or a while has passed. False: cancelled.
  Task<bool> wait() {
    if (!journal_) co_return co_await sleep_for(kRetry);
    const auto watched = watched_;
    asio::steady_timer timer(co_await asio::this_coro::executor, kLongestWait);
    bool late = false;
    const auto expired = std::make_shared<bool>(false);
    timer.async_wait([watched, expired](asio::error_code error) {
      if (error) return;
      *expired = true;
      asio::error_code ignored;
      watched->cancel(ignored);
    });
    asio::error_code error;
    co_await watched->async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::redirect_error(asio::use_awaitable, error));
    late = *expired;
    co_return !error || late;
  }

  void finish(SourceBatch& batch) {
    batch.cursor_name = state_.name;
    Cursor cursor;
    cursor.journal = position_;
    cursor.runners = reader_.runners();
    batch.cursor = encode(cursor);
    due_.stored(world_->clock->steady());
    moved_ = false;
  }

  const World world_;
  RunnerLogReader reader_;
  std::string position_;
  Journal journal_;
  std::shared_ptr<asio::posix::stream_descriptor> watched_;
  SourceState state_;
  CursorDue due_;
  bool moved_ = false;
  bool halfway_ = false;  // the container's next entry goes on with its last
  uint64_t foreign_ = 0;
};

}  // namespace

std::unique_ptr<LogSource> make_journal_source(World world, std::string name,
                                               std::optional<Cursor> cursor) {
  return std::make_unique<JournalSource>(std::move(world), std::move(name), std::move(cursor));
}

}  // namespace gitaiops::agent
