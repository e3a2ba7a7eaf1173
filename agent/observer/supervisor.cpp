#include "agent/observer/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/observer/privilege.h"
#include "agent/observer/procfs.h"
#include "agent/observer/say.h"
#include "agent/observer/wire.h"

namespace gitaiops::agent {
namespace {

constexpr int64_t kFirstBackoffUs = 200'000;
constexpr int64_t kLongestBackoffUs = 10'000'000;
constexpr int64_t kHealthyUs = 30'000'000;  // one that lived so long is started again at once
constexpr int kCannotStart = 72;            // EX_OSFILE of sysexits.h

bool is_final(int code) {
  return code == 0 || code == 2 || (code >= 64 && code <= 78);
}

}  // namespace

Result<Fd> Supervisor::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return errno_error("socketpair");
  Fd ours(ends[0]), theirs(ends[1]);
  const int parent = ::getpid();
  std::fflush(nullptr);
  const int pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0) become_agent(theirs.get(), parent);
  pid_ = pid;
  started_ = monotonic_us();
  return ours;
}

// After fork, before exec. Whatever fails here ends the child: an agent with privilege must not
// run.
void Supervisor::become_agent(int socket, int parent) {
  const auto fail = [](const char* what) {
    say("error", "cannot start the agent", {{"at", what}, {"why", std::strerror(errno)}});
    ::_exit(kCannotStart);
  };
  // SIGKILL, because an agent that hangs must not outlive its observer; its spool is made for that.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail("prctl");
  if (::getppid() != parent) ::_exit(kCannotStart);
  if (!give_up_all_capabilities().ok()) fail("capabilities");
  ::setrlimit(RLIMIT_NOFILE, &files_);
  const int end = ::fcntl(socket, F_DUPFD, 3);
  if (end < 0) fail("fcntl");
  if (::setenv(wire::kSocketVariable, std::to_string(end).c_str(), 1) != 0) fail("setenv");
  ::sigprocmask(SIG_SETMASK, &signals_, nullptr);
  std::vector<char*> arguments;
  for (const auto& argument : command_) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  fail(arguments[0]);
  std::abort();
}

void Supervisor::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> Supervisor::reap(bool stopping) {
  for (;;) {
    int status = 0;
    const int pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return std::nullopt;
    if (pid != pid_) continue;  // an orphan, where we are process 1 of a container
    pid_ = -1;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (stopping || (WIFEXITED(status) && is_final(code))) return code;
    const auto now = monotonic_us();
    backoff_ = now - started_ >= kHealthyUs ? 0 : backoff_;
    backoff_ = std::clamp(backoff_ * 2, kFirstBackoffUs, kLongestBackoffUs);
    next_start_ = now + backoff_;
    say("warning", "the agent ended", {{"status", code}, {"restart_in_ms", backoff_ / 1000}});
  }
}

}  // namespace gitaiops::agent
