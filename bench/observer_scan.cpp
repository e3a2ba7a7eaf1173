// What it costs the observer to look once a second at a host of 500 processes that are none of its
// business: where nothing happens, and where a process begins and ends every second.
#include <string>
#include <vector>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/observer/process_table.h"
#include "bench/bench.h"

namespace {

int64_t cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) {
    return static_cast<int64_t>(t.tv_sec) * 1'000'000 + t.tv_usec;
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

constexpr int kForeign = 500;
constexpr int kScans = 500;
constexpr double kTarget = 0.3;  // percent of a core

// Of one scan.
double cost_us(gitaiops::agent::ProcessTable& table, bool births) {
  static int64_t now = 0;
  int64_t taken = 0;
  for (int i = 0; i < kScans; ++i) {
    if (births) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(0);
      ::waitpid(pid, nullptr, 0);
    }
    const auto before = cpu_us();
    table.sample(now += 1'000'000);
    taken += cpu_us() - before;
  }
  return static_cast<double>(taken) / kScans;
}

}  // namespace

int main() {
  std::vector<pid_t> children;
  for (int i = 0; i < kForeign; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::pause();
      ::_exit(0);
    }
    children.push_back(pid);
  }
  auto proc = gitaiops::agent::ProcFs::open("/proc");
  if (!proc.ok()) return 1;
  gitaiops::agent::ProcessTable table(*proc, {});
  cost_us(table, false);  // afterwards nothing is young
  for (const bool births : {false, true}) {
    const auto what = std::string("observer, a scan a second of ") + std::to_string(table.known()) +
                      " processes" + (births ? ", one born meanwhile" : "");
    gitaiops::bench::row(what, cost_us(table, births) / 1e4, "% of a core", kTarget,
                         gitaiops::bench::Better::lower);
  }
  for (const pid_t pid : children) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  return gitaiops::bench::verdict();
}
