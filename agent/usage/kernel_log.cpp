#include "agent/usage/kernel_log.h"

#include <array>
#include <cerrno>
#include <deque>
#include <string>
#include <utility>

#include <asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::agent {
namespace {
constexpr std::size_t kLongestLine = 8192;  // the kernel's own limit of a record is below that
constexpr int kReadsAtOnce = 64;            // then others have their turn
}  // namespace

std::optional<int32_t> parse_oom_kill(std::string_view line) {
  // A process can put its own words into the kernel's log in few places, but names are among them:
  // what counts is the sentence at the start of the message, not one inside a name.
  for (const std::string_view sentence :
       {"Memory cgroup out of memory: Killed process ", "Out of memory: Killed process ",
        "Out of memory (oom_kill_allocating_task): Killed process "}) {
    const auto at = line.find(sentence);
    if (at == std::string_view::npos || line.substr(0, at).find('(') != std::string_view::npos)
      continue;
    const auto rest = line.substr(at + sentence.size());
    const auto pid = parse_int(rest.substr(0, rest.find_first_of(" ,")));
    if (pid && *pid > 0 && *pid <= INT32_MAX) return static_cast<int32_t>(*pid);
  }
  return std::nullopt;
}

namespace {

class Device final : public KernelLog::Reader {
 public:
  explicit Device(const asio::any_io_executor& executor) : log(executor) {}

  Task<Result<int32_t>> next(std::shared_ptr<Reader>) override {
    while (killed.empty()) {
      asio::error_code error;
      co_await log.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return Error(Code::cancelled, "the kernel log was closed");
      // What came before the end is given out first; the next read meets the end again.
      if (!read_some() && killed.empty()) co_return errno_error("read the kernel log");
    }
    const auto pid = killed.front();
    killed.pop_front();
    co_return pid;
  }

  // Reads what is there; false at the end of the file (a pipe whose writer left) or on an error,
  // with errno.
  bool read_some() {
    std::array<char, kLongestLine> buffer;
    for (int i = 0; i < kReadsAtOnce; ++i) {
      const ssize_t n = ::read(log.native_handle(), buffer.data(), buffer.size());
      if (n < 0 && (errno == EPIPE || errno == EINTR))
        continue;  // EPIPE: records were overwritten, reading goes on
      if (n < 0 && errno == EAGAIN) return true;
      if (n <= 0) {
        if (n == 0) errno = EPIPE;
        return false;
      }
      line.append(buffer.data(), static_cast<std::size_t>(n));
      for (auto end = line.find('\n'); end != std::string::npos; end = line.find('\n')) {
        if (const auto pid = parse_oom_kill(std::string_view(line).substr(0, end)); pid && !skip)
          killed.push_back(*pid);
        line.erase(0, end + 1);
        skip = false;
      }
      if (line.size() > kLongestLine) {
        line.clear();
        skip = true;  // the rest of it
      }
    }
    return true;
  }

  asio::posix::stream_descriptor log;
  std::string line;
  bool skip = false;
  std::deque<int32_t>
      killed;  // bounded by what one read_some() brings: it is only called when this is empty
};

}  // namespace

Result<KernelLog> KernelLog::open(const asio::any_io_executor& executor) {
  auto device = open_device(executor);
  return device.ok() ? std::move(device) : open_journal(executor);
}

Result<KernelLog> KernelLog::open_device(const asio::any_io_executor& executor, const char* path) {
  Fd fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  ::lseek(fd.get(), 0, SEEK_END);
  auto device = std::make_shared<Device>(executor);
  asio::error_code error;
  device->log.assign(fd.get(), error);
  if (error)
    return Error(Code::invalid_argument,
                 std::string(path) + " cannot be waited for: " + error.message());
  fd.release();
  return KernelLog(std::move(device));
}

}  // namespace gitaiops::agent
