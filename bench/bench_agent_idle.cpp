// What agent and observer cost together on a host with 500 processes that are none of their
// business (a runner of this host is not watched either), and node_exporter beside them when it is
// installed (scraped every 15 s).
//   GITAIOPS_BENCH_SECONDS  how long (60)
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

namespace gitaiops::bench {
namespace {

constexpr int kForeign = 500;
constexpr int kExporterPort = 39'100;
constexpr int kScrapeEvery = 15;
constexpr int kSettle = 10;  // seconds until nothing is new any more

std::vector<pid_t> make_foreign() {
  std::vector<pid_t> out;
  for (int i = 0; i < kForeign; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::pause();
      ::_exit(0);
    }
    out.push_back(pid);
  }
  return out;
}

pid_t child_of(pid_t pid) {
  const std::string id = std::to_string(pid);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

bool scrape() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kExporterPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool answered = false;
  const std::string get = "GET /metrics HTTP/1.0\r\n\r\n";
  char buffer[1 << 14];
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::write(fd, get.data(), get.size()) > 0)
    while (::read(fd, buffer, sizeof buffer) > 0) answered = true;
  ::close(fd);
  return answered;
}

void pass(int64_t seconds) {
  for (int64_t i = 0; i < seconds; ++i) {
    if (i % kScrapeEvery == 0) scrape();
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void measure() {
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "state");
  std::filesystem::permissions(folder.path() / "state", std::filesystem::perms::owner_all);
  std::ofstream(folder.path() / "runner.log") << "";
  const auto config = folder.path() / "agent.toml";
  std::ofstream(config) << "[controller]\naddress = \"127.0.0.1:1\"\n[runner]\nlog = \"file\"\n"
                        << "log_file = \"" << (folder.path() / "runner.log").string() << "\"\n"
                        << "[state]\ndir = \"" << (folder.path() / "state").string() << "\"\n"
                        << "[status]\nport = 0\n[log]\nlevel = \"warning\"\n"
                        << "[[gitlab]]\nid = \"main\"\nurl = \"https://gitlab.example.com\"\n";
  const auto seconds = setting("GITAIOPS_BENCH_SECONDS", 60);
  const auto foreign = make_foreign();
  const pid_t observer =
      start({our_program("gitaiops-observer"), "--runner-name", "no-runner", "--",
             our_program("gitaiops-agent"), "run", "--config", config.string()},
            folder.path() / "agent.log");
  const pid_t exporter = start({"prometheus-node-exporter",
                                "--web.listen-address=127.0.0.1:" + std::to_string(kExporterPort)},
                               folder.path() / "exporter.log");
  pass(kSettle);
  const pid_t agent = child_of(observer);
  const bool compared = scrape();
  if (agent == 0) {
    std::printf("error: the agent does not run\n");
    return;
  }
  const auto watcher_before = cost_of(observer), agent_before = cost_of(agent),
             exporter_before = cost_of(exporter);
  const double begun = seconds_now();
  pass(seconds);
  const double taken = seconds_now() - begun;
  const auto o = cost_of(observer), a = cost_of(agent), e = cost_of(exporter);
  row("agent and observer idle, anonymous", o.anonymous_mb + a.anonymous_mb, "MB", 8,
      Better::lower);
  row("agent and observer idle, PSS", o.pss_mb + a.pss_mb, "MB", 25, Better::lower);
  row("agent and observer idle, RSS", o.rss_mb + a.rss_mb, "MB", 40, Better::lower);
  row("agent and observer idle, processor",
      (o.cpu_s - watcher_before.cpu_s + a.cpu_s - agent_before.cpu_s) / taken * 100, "% of a core",
      0.3, Better::lower);
  fact("… of which the observer", (o.cpu_s - watcher_before.cpu_s) / taken * 100, "% of a core");
  fact("… of which the observer, RSS", o.rss_mb, "MB");
  if (compared) {
    fact("node_exporter beside them, anonymous", e.anonymous_mb, "MB");
    fact("node_exporter beside them, RSS", e.rss_mb, "MB");
    fact("node_exporter beside them, processor", (e.cpu_s - exporter_before.cpu_s) / taken * 100,
         "% of a core");
  } else {
    std::printf("node_exporter is not installed (prometheus-node-exporter): nothing to compare\n");
  }
  stop(observer);
  stop(exporter);
  for (const pid_t pid : foreign) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  gitaiops::bench::measure();
  return gitaiops::bench::verdict();
}
