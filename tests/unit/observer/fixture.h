// Real processes for the observer's tests. Whatever is waited for has a limit; nothing sleeps to be
// on the safe side.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/observer/observer.h"
#include "agent/observer/service.h"

namespace gitaiops::agent {

constexpr std::chrono::seconds kTestLimit(30);

struct TempFolder {
  std::filesystem::path path;
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "observer-test-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

inline std::string binary(const std::string& name) {
  return (std::filesystem::path(GITAIOPS_BINARY_DIR) / name).string();
}

inline std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Waits until `done`, or fails the test.
inline bool eventually(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + kTestLimit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A child process, killed at the end of the test.
class Process {
 public:
  Process(std::vector<std::string> words, std::vector<std::string> extra_environment, int in = -1,
          int out = -1) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, 1);
    std::vector<char*> argv, envp;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    for (auto& variable : extra_environment) envp.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable)
      if (!std::string_view(*variable).starts_with("TMPDIR=")) envp.push_back(*variable);
    envp.push_back(nullptr);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data()) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  int pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Its exit code; -n when signal n ended it.
  int wait() {
    int status = 0;
    if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

// A name that no other process of this machine bears, at most 15 bytes.
inline std::string runner_name() {
  return "glr" + std::to_string(::getpid());
}

class FakeRunner {
 public:
  explicit FakeRunner(const std::string& temp, const std::string& name = runner_name()) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) std::abort();
    const Fd theirs_in(in[0]), theirs_out(out[1]);
    commands_ = Fd(in[1]);
    answers_ = Fd(out[0]);
    process_ = std::make_unique<Process>(
        std::vector<std::string>{binary("observer_double"), "runner", name},
        std::vector<std::string>{"TMPDIR=" + temp}, theirs_in.get(), theirs_out.get());
    await("ready");
  }
  void tell(const std::string& command) {
    const auto line = command + "\n";
    ASSERT_EQ(::write(commands_.get(), line.data(), line.size()),
              static_cast<ssize_t>(line.size()));
    await("done");
  }
  int pid() const { return process_->pid(); }
  void kill() { process_.reset(); }
  ~FakeRunner() {
    commands_.reset();  // the double ends what it started, then itself
    if (process_) process_->wait();
  }

 private:
  void await(const std::string& word) {
    std::string line;
    for (char c; ::read(answers_.get(), &c, 1) == 1 && c != '\n';) line += c;
    ASSERT_EQ(line, word);
  }
  std::unique_ptr<Process> process_;
  Fd commands_, answers_;
};

// The service in a process of its own, as in life, and our end of the socket.
class ServiceProcess {
 public:
  explicit ServiceProcess(ServiceOptions options) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    socket = Fd(ends[0]);
    Fd theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) return;
    socket.reset();
    auto proc = ProcFs::open(options.proc_root);
    Service service(std::move(options), std::move(*proc));
    service.attach(std::move(theirs));
    while (service.attached()) service.step(-1, monotonic_us() + 1'000'000);
    ::_exit(0);
  }
  // 0: it ended because we closed our end.
  int wait() {
    socket.reset();
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void stop(int signal) const { ::kill(pid_, signal); }
  ~ServiceProcess() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), wait();
  }
  Fd socket;

 private:
  pid_t pid_ = -1;
};

inline ServiceOptions options_for_test() {
  ServiceOptions options;
  options.runners.names = {runner_name()};
  options.runners.uids = {0, static_cast<uint32_t>(::getuid())};
  return options;
}

// Runs one task of the loop to its end.
template <class T>
Result<T> run(asio::io_context& loop, Task<Result<T>> task) {
  std::optional<Result<T>> result;
  spawn(loop.get_executor(), "test",
        [](Task<Result<T>> inner, std::optional<Result<T>>& out) -> Task<void> {
          out = co_await std::move(inner);
        }(std::move(task), result));
  loop.restart();
  const auto limit = std::chrono::steady_clock::now() + kTestLimit;
  while (!result && std::chrono::steady_clock::now() < limit)
    loop.run_one_for(std::chrono::milliseconds(100));
  if (!result) return Error(Code::deadline_exceeded, "the test waited too long");
  return std::move(*result);
}

}  // namespace gitaiops::agent
