// The kernel's messages as the journal keeps them, for an agent that may not open /dev/kmsg.
//
// journald sets _TRANSPORT itself, so no process can make an entry look like the kernel's, except
// by writing to /dev/kmsg, which takes root; and such a line cannot have the kernel's facility, 0.
#include <deque>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <systemd/sd-journal.h>

#include "agent/usage/kernel_log.h"

namespace gitaiops::agent {
namespace {

constexpr int kEntriesAtOnce = 500;  // then others have their turn
// A lost wake-up (files rotated under us) costs at most this.
constexpr std::chrono::seconds kLongestWait{2};
constexpr std::chrono::seconds kReopenAfter{5};

struct CloseJournal {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

Result<Journal> open_at_end(const std::string& folder) {
  sd_journal* raw = nullptr;
  const int opened = folder.empty() ? sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY)
                                    : sd_journal_open_directory(&raw, folder.c_str(), 0);
  Journal journal(raw);
  if (opened < 0) return errno_error(-opened, "open", "the journal");
  if (folder.empty() && sd_journal_has_persistent_files(raw) <= 0 &&
      sd_journal_has_runtime_files(raw) <= 0)
    return Error(Code::permission_denied, "no journal that the agent may read was found");
  for (const std::string_view match : {"_TRANSPORT=kernel", "SYSLOG_FACILITY=0"})
    if (const int e = sd_journal_add_match(raw, match.data(), match.size()); e < 0)
      return errno_error(-e, "filter", "the journal");
  // Before the end is looked for: what is written from now on wakes us.
  if (const int fd = sd_journal_get_fd(raw); fd < 0)
    return errno_error(-fd, "watch", "the journal");
  sd_journal_seek_tail(raw);
  sd_journal_previous(raw);
  return journal;
}

class JournalReader final : public KernelLog::Reader {
 public:
  JournalReader(std::string folder, Journal journal)
      : folder_(std::move(folder)), journal_(std::move(journal)) {}
  ~JournalReader() override { close(); }

  Task<Result<int32_t>> next(std::shared_ptr<Reader>) override {
    while (killed_.empty()) {
      if (!journal_) {
        auto again = open_at_end(folder_);
        if (again.ok()) journal_ = std::move(again).value();
      }
      if (journal_ && read()) continue;
      const bool goes_on = co_await wait();
      if (!goes_on) co_return Error(Code::cancelled, "the journal was closed");
    }
    const auto pid = killed_.front();
    killed_.pop_front();
    co_return pid;
  }

 private:
  void close() {
    if (watched_) watched_->release();  // the descriptor is the journal's
    watched_.reset();
    journal_.reset();
  }

  // Whether there is more to read at once.
  bool read() {
    for (int i = 0; i < kEntriesAtOnce; ++i) {
      const int got = sd_journal_next(journal_.get());
      if (got < 0) close();  // files vanished while we stood in them
      if (got <= 0) return false;
      const void* data = nullptr;
      std::size_t size = 0;
      if (sd_journal_get_data(journal_.get(), "MESSAGE", &data, &size) < 0) continue;
      if (const auto pid = parse_oom_kill({static_cast<const char*>(data), size}))
        killed_.push_back(*pid);
    }
    return true;
  }

  // Until something was written, or a while has passed. False: cancelled.
  Task<bool> wait() {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    if (!journal_) co_return co_await sleep_for(kReopenAfter);
    if (!watched_)
      watched_ = std::make_shared<asio::posix::stream_descriptor>(
          executor, sd_journal_get_fd(journal_.get()));
    const auto watched = watched_;
    asio::steady_timer timer(executor, kLongestWait);
    asio::error_code not_written, not_late;
    auto written = watched->async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, not_written));
    auto late = timer.async_wait(asio::redirect_error(asio::use_awaitable, not_late));
    const auto first = co_await (std::move(written) || std::move(late));
    const auto error = first.index() == 0 ? not_written : not_late;
    if (error) co_return false;
    if (journal_ && sd_journal_process(journal_.get()) < 0) close();
    co_return true;
  }

  const std::string folder_;
  Journal journal_;
  std::shared_ptr<asio::posix::stream_descriptor> watched_;
  std::deque<int32_t> killed_;  // bounded by what one read() brings: called only when this is empty
};

}  // namespace

Result<KernelLog> KernelLog::open_journal(const asio::any_io_executor&, const std::string& folder) {
  ASSIGN_OR_RETURN(auto journal, open_at_end(folder));
  return KernelLog(std::make_shared<JournalReader>(folder, std::move(journal)));
}

}  // namespace gitaiops::agent
