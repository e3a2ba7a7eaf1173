#include "base/git/git.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::git {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kErrorsKept = 4 << 10;
constexpr const char* kProgram = "git";
constexpr int64_t kLookMs = 250;  // how often somebody may want us to stop

using Setting = std::pair<std::string, std::string>;

// Over whatever the repository's own configuration says.
const std::vector<Setting>& harmless() {
  static const std::vector<Setting> settings = {
      {"core.fsmonitor", "false"},
      {"core.hooksPath", "/dev/null"},
      {"core.pager", "cat"},
      {"core.askPass", ""},
      {"core.sshCommand", "false"},
      {"core.gitProxy", "none"},
      {"core.editor", "false"},
      {"core.attributesFile", "/dev/null"},
      {"core.alternateRefsCommand", "false"},
      {"core.excludesFile", "/dev/null"},
      {"credential.helper", ""},
      {"diff.external", ""},
      {"diff.orderFile", "/dev/null"},
      {"gpg.program", "false"},
      {"gpg.ssh.program", "false"},
      {"gpg.x509.program", "false"},
      {"log.showSignature", "false"},
      {"mailmap.file", "/dev/null"},
      {"uploadpack.packObjectsHook", ""},
      {"submodule.recurse", "false"},
      {"fetch.recurseSubmodules", "false"},
      {"gc.auto", "0"},
      {"maintenance.auto", "false"},
      {"color.ui", "false"},
      {"core.quotePath", "true"},
  };
  return settings;
}

std::vector<std::string> environment(const Command& command) {
  std::vector<std::string> out = {
      "PATH=/usr/local/bin:/usr/bin:/bin",
      "HOME=/nonexistent",
      "LC_ALL=C",
      "TZ=UTC",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_SYSTEM=/dev/null",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "GIT_ATTR_NOSYSTEM=1",
      "GIT_TERMINAL_PROMPT=0",
      "GIT_OPTIONAL_LOCKS=0",
      "GIT_NO_REPLACE_OBJECTS=1",
      "GIT_PROTOCOL_FROM_USER=0",
      "GIT_ALLOW_PROTOCOL=" + command.protocols,
  };
  // From git 2.45 on; before it the lack of a protocol stops it.
  if (command.protocols == "none") out.push_back("GIT_NO_LAZY_FETCH=1");
  if (command.protocols != "none")
    for (const auto* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY"})
      if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  std::size_t n = 0;
  for (const auto* list : {&harmless(), &command.settings}) {
    for (const auto& [key, value] : *list) {
      const auto number = std::to_string(n++);
      out.push_back("GIT_CONFIG_KEY_" + number + "=" + key);
      out.push_back("GIT_CONFIG_VALUE_" + number + "=" + value);
    }
  }
  out.push_back("GIT_CONFIG_COUNT=" + std::to_string(n));
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// The child, with its process group, which is ended and reaped whatever happens.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// Between fork and exec: only what is safe in the child of a process with threads.
[[noreturn]] void become_git(int in, int out, int err, pid_t parent, uint64_t largest_file,
                             char* const* arguments, char* const* variables) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (largest_file > 0) {
    const rlimit limit{largest_file, largest_file};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(127);
  }
  if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(127);
  ::execvpe(kProgram, arguments, variables);
  ::_exit(errno == ENOENT ? 126 : 127);
}

std::string first_line(std::string_view text) {
  auto line = trimmed(text.substr(0, text.find('\n')));
  if (line.starts_with("fatal: ")) line.remove_prefix(7);
  return to_utf8(line);
}

// Moves bytes until the child has closed its output.
class Pump {
 public:
  Pump(const Command& command, Fd in, Fd out, Fd err)
      : command_(command), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {
    for (const auto* fd : {&in_, &out_, &err_})
      ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) | O_NONBLOCK);
    if (command_.input.empty()) in_.reset();
  }

  Status run(const std::function<Status(std::string_view)>& on_output) {
    const auto end = Clock::now() + command_.limit;
    buffer_.resize(kPiece);
    while (out_ || err_) {
      if (command_.stop && command_.stop->load())
        return Error(Code::cancelled, "git was told to stop");
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
      if (left <= 0)
        return Error(
            Code::deadline_exceeded,
            "git took longer than " + std::to_string(command_.limit.count() / 1000) + " s");
      std::array<pollfd, 3> waits = {
          {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {in_.get(), POLLOUT, 0}}};
      const int ready =
          ::poll(waits.data(), waits.size(), static_cast<int>(std::min(int64_t{left}, kLookMs)));
      if (ready < 0 && errno != EINTR) return errno_error("poll");
      if (ready <= 0) continue;
      if (waits[0].revents != 0) RETURN_IF_ERROR(take(on_output));
      if (waits[1].revents != 0) complain();
      if (waits[2].revents != 0) give();
    }
    return {};
  }
  const std::string& errors() const { return errors_; }

 private:
  Status take(const std::function<Status(std::string_view)>& on_output) {
    const auto n = ::read(out_.get(), buffer_.data(), buffer_.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR ? Status() : errno_error("read", "git");
    if (n == 0) {
      out_.reset();
      return {};
    }
    seen_ += static_cast<uint64_t>(n);
    if (seen_ > command_.largest_output)
      return Error(
          Code::resource_exhausted,
          "git printed more than " + std::to_string(command_.largest_output >> 20) + " MiB");
    return on_output({buffer_.data(), static_cast<std::size_t>(n)});
  }
  void complain() {
    std::array<char, 1024> piece;
    const auto n = ::read(err_.get(), piece.data(), piece.size());
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) err_.reset();
    if (n > 0 && errors_.size() < kErrorsKept)
      errors_.append(piece.data(), static_cast<std::size_t>(n));
  }
  void give() {
    const auto n =
        ::write(in_.get(), command_.input.data() + given_, command_.input.size() - given_);
    if (n > 0) given_ += static_cast<std::size_t>(n);
    if (given_ == command_.input.size() || (n < 0 && errno != EAGAIN && errno != EINTR))
      in_.reset();
  }

  const Command& command_;
  Fd in_, out_, err_;
  std::string buffer_, errors_;
  std::size_t given_ = 0;
  uint64_t seen_ = 0;
};

// A write to a child that has gone must not end this process.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;
  ~NoBrokenPipe() {
    if (!::sigismember(&before_, SIGPIPE)) {
      const timespec now{};
      while (::sigtimedwait(&pipe_, nullptr, &now) > 0) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

}  // namespace

Status run(const Command& command, const std::function<Status(std::string_view)>& on_output) {
  std::vector<std::string> words = {kProgram, "-C", command.repository.string()};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto variables = environment(command);
  const auto arguments = pointers(words), settings = pointers(variables);
  ASSIGN_OR_RETURN(auto in, make_pipe());
  ASSIGN_OR_RETURN(auto out, make_pipe());
  ASSIGN_OR_RETURN(auto err, make_pipe());
  const NoBrokenPipe quiet;
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return errno_error("fork");
  if (pid == 0)
    become_git(in.read.get(), out.write.get(), err.write.get(), parent, command.largest_file,
               arguments.data(), settings.data());
  ::setpgid(pid, pid);
  Child child(pid);
  in.read.reset(), out.write.reset(), err.write.reset();
  Pump pump(command, std::move(in.write), std::move(out.read), std::move(err.read));
  RETURN_IF_ERROR(pump.run(on_output));
  const int status = child.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 126 && pump.errors().empty())
    return Error(Code::not_found, "there is no git on this machine");
  if (command.largest_file > 0 && (pump.errors().find("File too large") != std::string::npos ||
                                   pump.errors().find("died of signal 25") != std::string::npos ||
                                   (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)))
    return Error(Code::resource_exhausted, "git would write a file of more than " +
                                               std::to_string(command.largest_file >> 20) + " MiB");
  if (WIFSIGNALED(status))
    return Error(Code::internal, "git was ended by signal " + std::to_string(WTERMSIG(status)));
  const auto said = first_line(pump.errors());
  return Error(
      Code::invalid_argument,
      said.empty() ? "git ended with code " + std::to_string(WEXITSTATUS(status)) : "git: " + said);
}

Result<std::string> output(const Command& command, std::size_t limit) {
  std::string text;
  RETURN_IF_ERROR(run(command, [&](std::string_view bytes) -> Status {
    if (text.size() + bytes.size() > limit)
      return Error(Code::resource_exhausted, "git printed more than was expected");
    text += bytes;
    return {};
  }));
  return std::string(trimmed(text));
}

}  // namespace gitaiops::git
