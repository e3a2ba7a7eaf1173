#include "bench/bench.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gitaiops::bench {
namespace {

bool missed = false;

void print(std::string_view what, double figure, std::string_view unit, const std::string& target,
           const char* word) {
  std::printf("| %.*s | %.*f %.*s | %s | %s |\n", static_cast<int>(what.size()), what.data(),
              figure < 10    ? 2
              : figure < 100 ? 1
                             : 0,
              figure, static_cast<int>(unit.size()), unit.data(), target.c_str(), word);
  std::fflush(stdout);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool listens(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool yes = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return yes;
}

}  // namespace

void row(std::string_view what, double figure, std::string_view unit, double target,
         Better better) {
  const bool good = better == Better::lower ? figure <= target : figure >= target;
  missed |= !good;
  char words[64];
  std::snprintf(words, sizeof words, "%s %g %.*s", better == Better::lower ? "at most" : "at least",
                target, static_cast<int>(unit.size()), unit.data());
  print(what, figure, unit, words, good ? "ok" : "MISSED");
}

void fact(std::string_view what, double figure, std::string_view unit) {
  print(what, figure, unit, "", "");
}

int verdict() {
  return missed ? 1 : 0;
}

int64_t setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

double fsync_ms(const std::filesystem::path& folder) {
  constexpr int kTimes = 200;
  const std::string block(4096, 'x');
  const int fd = ::open((folder / "fsync").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const double begun = seconds_now();
  for (int i = 0; i < kTimes; ++i)
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) break;
  ::close(fd);
  return (seconds_now() - begun) * 1000 / kTimes;
}

Cost cost_of(pid_t pid) {
  Cost cost;
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    const auto value = [&line] {
      return std::atof(line.substr(line.find(':') + 1).c_str()) * 1024 / 1e6;
    };
    if (line.starts_with("Rss:")) cost.rss_mb = value();
    if (line.starts_with("Pss:")) cost.pss_mb = value();
    if (line.starts_with("Anonymous:")) cost.anonymous_mb = value();
  }
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto after_name = line.rfind(')');
  if (after_name == std::string::npos) return cost;
  unsigned long user = 0, kernel = 0;
  std::sscanf(line.c_str() + after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
              &user, &kernel);
  cost.cpu_s = static_cast<double>(user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return cost;
}

pid_t start(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int out = ::open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

void stop(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
}

std::string our_program(std::string_view name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / name)
      .string();
}

Folder::Folder() {
  std::string pattern = std::filesystem::temp_directory_path().string() + "/gitaiops-bench-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Controller::Controller(const std::filesystem::path& folder, std::string_view more)
    : fleet_port_(free_port()), api_port_(free_port()) {
  const auto config = folder / "controller.toml";
  std::ofstream(config) << "[state]\ndir = \"" << (folder / "state").string() << "\"\n"
                        << "[fleet]\naddress = \"127.0.0.1\"\nport = " << fleet_port_ << "\n"
                        << "[enrollment]\naddress = \"127.0.0.1\"\nport = " << free_port() << "\n"
                        << "[api]\nport = " << api_port_ << "\n"
                        << "[log]\nlevel = \"warning\"\n"
                        << more;
  pid_ = start({our_program("gitaiops-controller"), "serve", "--config", config.string()},
               folder / "controller.log");
  // A store of a million jobs is checked before it is served.
  for (int i = 0; i < 6000 && !(listens(fleet_port_) && listens(api_port_)); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace gitaiops::bench
