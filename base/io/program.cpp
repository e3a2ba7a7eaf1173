#include "base/io/program.h"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io/files.h"

namespace gitaiops {
namespace {

// Killed and reaped, whatever happens.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)code();
  }
  int code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

Result<pid_t> start(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  errno =
      ::posix_spawn(&pid, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return errno_error("run", words.front());
  return pid;
}

}  // namespace

Task<Result<int>> run_program(std::vector<std::string> words, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  const auto pid = start(words);
  if (!pid.ok()) co_return pid.error();
  Child child(*pid);
  asio::posix::stream_descriptor ended(co_await asio::this_coro::executor);
  asio::error_code failed;
  ended.assign(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)), failed);
  if (failed) co_return Error(Code::internal, words.front() + ": cannot be waited for");
  auto over = ended.async_wait(asio::posix::descriptor_base::wait_read,
                               asio::redirect_error(asio::use_awaitable, failed));
  const auto first = co_await (std::move(over) || sleep_for(limit));
  if (first.index() == 1)
    co_return Error(Code::deadline_exceeded, words.front() + " took longer than " +
                                                 std::to_string(limit.count() / 1000) + " s");
  co_return child.code();
}

}  // namespace gitaiops
