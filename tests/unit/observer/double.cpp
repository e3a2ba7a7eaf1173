// Plays the other processes of the observer's tests:
//   observer_double runner NAME         takes the name and obeys commands on standard input, one a
//   line:
//       trace DIGITS HOLD_MS TEXT         a log file that is written and unlinked after so long
//       open DIGITS TEXT | close          one that stays until `close`
//       hold PATH                         opens any file and keeps it
//       run SHELL                         starts /bin/sh -c SHELL as a child
//   observer_double agent FILE exit N   notes how it was started, then ends with this code
//   observer_double agent FILE serve    notes every trace the observer hands out, until killed
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/observer/observer.h"

namespace gitaiops::agent {
namespace {

int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

struct Log {
  int64_t end_ms;
  std::string path, text;
  Fd fd;
  void finish() {
    if (::write(fd.get(), text.data(), text.size()) < 0) std::perror("write");
    ::unlink(path.c_str());
    fd.reset();
  }
};

std::string temp() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr ? folder : "/tmp";
}

Log make_log(const std::string& digits, int64_t hold_ms, std::string text) {
  const auto path = temp() + "/trace" + digits;
  return {now_ms() + hold_ms, path, std::move(text),
          Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600))};
}

// In a process group of its own and without our output, as a runner's shell.
int start_shell(const std::string& script) {
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  const int null = ::open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) ::dup2(null, standard);
  ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
  ::_exit(127);
}

int play_runner(const char* name) {
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
  std::puts("ready");
  std::fflush(stdout);
  std::vector<Log> logs, open;
  std::vector<Fd> held;
  std::vector<int> shells;
  std::string input;
  for (;;) {
    int wait = 1000;
    for (const auto& log : logs)
      wait = std::max<int>(0, std::min<int64_t>(wait, log.end_ms - now_ms()));
    pollfd in{0, POLLIN, 0};
    ::poll(&in, 1, wait);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    std::erase_if(logs,
                  [](Log& log) { return log.end_ms <= now_ms() ? (log.finish(), true) : false; });
    if (in.revents == 0) continue;
    char buffer[4096];
    const auto n = ::read(0, buffer, sizeof buffer);
    if (n <= 0) {
      for (const int shell : shells) ::kill(-shell, SIGKILL);
      return 0;
    }
    input.append(buffer, static_cast<std::size_t>(n));
    for (auto end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      std::istringstream line(input.substr(0, end));
      input.erase(0, end + 1);
      std::string word, digits, rest;
      int64_t hold = 0;
      line >> word;
      if (word == "trace" && line >> digits >> hold && std::getline(line >> std::ws, rest)) {
        logs.push_back(make_log(digits, hold, rest));
      } else if (word == "open" && line >> digits && std::getline(line >> std::ws, rest)) {
        open.push_back(make_log(digits, 0, rest));
      } else if (word == "close") {
        for (auto& log : open) log.finish();
        open.clear();
      } else if (word == "hold" && line >> rest) {
        held.emplace_back(::open(rest.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
      } else if (word == "run" && std::getline(line >> std::ws, rest)) {
        shells.push_back(start_shell(rest));
      }
      std::puts("done");
      std::fflush(stdout);
    }
  }
}

// One write a line, so that a reader never sees half of one.
void note(const std::string& file, const std::string& line) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (::write(fd.get(), (line + '\n').data(), line.size() + 1) < 0) std::perror("write");
}

std::string privileges() {
  std::string text;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Cap") || line.starts_with("NoNewPrivs"))
      text += " " + line.substr(0, line.find(':') + 1) + line.substr(line.rfind('\t') + 1);
  return text;
}

Task<void> serve(Observer& observer, std::string file) {
  for (;;) {
    auto trace = co_await observer.next_trace();
    if (!trace.ok()) co_return note(file, "lost " + trace.error().to_string());
    char buffer[4096];
    const auto n = ::read(trace->fd.get(), buffer, sizeof buffer);
    note(file, "trace " + std::to_string(trace->id.inode) + " " +
                   std::string(buffer, n > 0 ? static_cast<std::size_t>(n) : 0));
  }
}

int play_agent(const std::string& file, const std::string& what, const char* code) {
  note(file, "start " + std::to_string(::getpid()) + privileges());
  if (what == "exit") return std::atoi(code);
  const char* number = std::getenv("GITAIOPS_OBSERVER_FD");
  if (number == nullptr) return 70;
  asio::io_context loop;
  auto observer = connect_observer(loop.get_executor(), std::atoi(number));
  if (!observer.ok()) return 70;
  spawn(loop.get_executor(), "serve", serve(**observer, file));
  loop.run();
  return 1;
}

}  // namespace
}  // namespace gitaiops::agent

int main(int argc, char** argv) {
  const std::string role = argc > 2 ? argv[1] : "";
  if (role == "runner") return gitaiops::agent::play_runner(argv[2]);
  if (role == "agent" && argc > 3)
    return gitaiops::agent::play_agent(argv[2], argv[3], argc > 4 ? argv[4] : "0");
  return 64;
}
