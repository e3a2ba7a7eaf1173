// What it costs the observer to look at a host once a second: 500 processes that are none of its
// business.
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

}  // namespace

int main() {
  constexpr int kForeign = 500;
  constexpr int kScans = 500;
  constexpr double kTarget = 0.3;  // percent of a core at one scan a second
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
  for (int i = 0; i < 10; ++i) table.sample();  // afterwards nothing is new
  const auto before = cpu_us();
  for (int i = 0; i < kScans; ++i) table.sample();
  const double each_us = static_cast<double>(cpu_us() - before) / kScans;
  gitaiops::bench::row(
      "observer, a scan a second of " + std::to_string(table.known()) + " processes", each_us / 1e4,
      "% of a core", kTarget, gitaiops::bench::Better::lower);
  for (const pid_t pid : children) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  return gitaiops::bench::verdict();
}
