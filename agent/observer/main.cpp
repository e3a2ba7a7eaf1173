// gitaiops-observer: holds the two capabilities that reading other users' processes needs, starts
// the agent without them, and answers its few questions. Small on purpose: no library but the C++
// one, no network, no foreign text.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/observer/privilege.h"
#include "agent/observer/say.h"
#include "agent/observer/service.h"
#include "agent/observer/supervisor.h"
#include "base/bytes/bytes.h"
#include "base/notify/notify.h"

namespace gitaiops::agent {
namespace {

constexpr char kUsage[] =
    "usage: gitaiops-observer [--proc-root PATH] [--host-root PATH] [--runner-name NAME]...\n"
    "                         [--runner-uid UID]... [--agent-timeout SECONDS]\n"
    "                         [--docker-root PATH] [--podman-root PATH] [--podman-run-root PATH]\n"
    "                         [--containerd-root PATH] [--log-format text|json]\n"
    "                         -- gitaiops-agent run ...\n"
    "Starts the agent without capabilities and answers its questions about runner processes.\n"
    "  --runner-name NAME  the name of a runner's process; default gitlab-runner\n"
    "  --runner-uid UID    a user that a runner may run as, besides root and our own; decimal\n"
    "  --agent-timeout SECONDS\n"
    "                      an agent that asks nothing for so long hangs, and is started again; "
    "default "
    "60\n"
    "  --docker-root PATH, --podman-root PATH, --podman-run-root PATH, --containerd-root PATH\n"
    "                      where they keep their containers, below the host's root; default\n"
    "                      /var/lib/docker, /var/lib/containers/storage, /run/containers/storage,\n"
    "                      /run/containerd\n"
    "  --log-format text|json\n"
    "                      of our own lines; as log.format is for the agent's\n";
constexpr int kUsageError = 2;
constexpr int kBroken = 70;                   // EX_SOFTWARE of sysexits.h
constexpr int64_t kStopLimitUs = 10'000'000;  // then the agent is killed
constexpr uint64_t kAgentTimeoutS = 60;       // a healthy one asks every two seconds
constexpr rlim_t kWantedFiles = 2048;
constexpr rlim_t kFilesForOurselves = 64;

struct Arguments {
  ServiceOptions service;
  uint64_t agent_timeout_s = kAgentTimeoutS;
  bool log_in_json = false;
  std::vector<std::string> agent;
};

Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  auto& options = arguments.service;
  options.runners.uids = {0, static_cast<uint32_t>(::getuid())};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      arguments.agent.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (!words[i].starts_with("--"))
      return Error(Code::invalid_argument,
                   "unexpected \"" + words[i] + "\"; the agent's command stands after --");
    if (i + 1 == words.size() || words[i + 1] == "--")
      return Error(Code::invalid_argument, words[i] + ": a value is missing");
    const auto& name = words[i];
    const auto& value = words[++i];
    if (name == "--proc-root") {
      options.proc_root = value;
    } else if (name == "--host-root") {
      options.host_root = value;
    } else if (name == "--docker-root") {
      options.containers.docker = value;
    } else if (name == "--podman-root") {
      options.containers.podman = value;
    } else if (name == "--podman-run-root") {
      options.containers.podman_run = value;
    } else if (name == "--containerd-root") {
      options.containers.containerd = value;
    } else if (name == "--runner-name") {
      names.push_back(value);
    } else if (name == "--runner-uid") {
      const auto uid = parse_uint(value);
      if (!uid || *uid >= std::numeric_limits<uint32_t>::max())
        return Error(Code::invalid_argument,
                     "--runner-uid: \"" + value + "\" is not a decimal user id");
      options.runners.uids.push_back(static_cast<uint32_t>(*uid));
    } else if (name == "--log-format") {
      if (value != "text" && value != "json")
        return Error(Code::invalid_argument, "--log-format: text or json, not \"" + value + "\"");
      arguments.log_in_json = value == "json";
    } else if (name == "--agent-timeout") {
      const auto seconds = parse_uint(value);
      if (!seconds || *seconds == 0 || *seconds > 3600)
        return Error(Code::invalid_argument, "--agent-timeout: \"" + value +
                                                 "\" is not a number of seconds from 1 to 3600");
      arguments.agent_timeout_s = *seconds;
    } else {
      return Error(Code::invalid_argument, "unknown option " + name);
    }
  }
  if (arguments.agent.empty())
    return Error(Code::invalid_argument, "the agent's command is missing; it stands after --");
  if (!names.empty()) options.runners.names = std::move(names);
  return arguments;
}

// Room for the traces we hold; the agent gets the limit we found.
std::size_t make_room_for_traces(const rlimit& found, std::size_t wanted) {
  rlimit ours = found;
  ours.rlim_cur = std::max(ours.rlim_cur, std::min(ours.rlim_max, kWantedFiles));
  if (::setrlimit(RLIMIT_NOFILE, &ours) != 0) ours = found;
  const auto room = ours.rlim_cur > kFilesForOurselves ? ours.rlim_cur - kFilesForOurselves : 1;
  return std::min<std::size_t>(wanted, room);
}

int supervise(Service& service, Supervisor& agent, int signals, int64_t agent_timeout_us) {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const auto beat_us = watchdog_interval_us();
  int64_t next_beat = beat_us ? 0 : kNever;
  int64_t kill_at = kNever, killed_at = 0;
  bool stopping = false;
  for (;;) {
    const auto now = monotonic_us();
    if (!agent.running() && now >= agent.next_start_us()) {
      auto socket = agent.start();
      if (!socket.ok()) {
        say("error", "cannot start the agent", {{"why", socket.error().to_string()}});
        return kBroken;
      }
      service.attach(std::move(*socket));
      notify_manager("READY=1");
    }
    if (now >= next_beat) {
      notify_manager("WATCHDOG=1");
      next_beat = now + *beat_us;
    }
    // The traces stay with us: only the agent has to begin anew.
    int64_t silent_at = std::max(service.last_heard_us(), killed_at) + agent_timeout_us;
    if (stopping) silent_at = kNever;
    if (agent.running() && now >= silent_at) {
      say("error", "the agent hangs and is killed", {{"silent_s", agent_timeout_us / 1'000'000}});
      agent.signal(SIGKILL);
      killed_at = now;
    }
    if (now >= kill_at) {
      agent.signal(SIGKILL);
      kill_at = kNever;
    }
    service.step(signals, std::min(next_beat, agent.running() ? std::min(kill_at, silent_at)
                                                              : agent.next_start_us()));
    signalfd_siginfo signal{};
    while (::read(signals, &signal, sizeof signal) == sizeof signal) {
      const int number = static_cast<int>(signal.ssi_signo);
      if (number == SIGCHLD) continue;
      agent.signal(number);
      if (number == SIGHUP) continue;
      stopping = true;
      notify_manager("STOPPING=1");
      kill_at = monotonic_us() + kStopLimitUs;
    }
    if (const auto code = agent.reap(stopping)) return *code;
    if (stopping && !agent.running()) return 0;
  }
}

int run(const std::vector<std::string>& words) {
  if (words == std::vector<std::string>{"--help"}) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (words == std::vector<std::string>{"--version"}) {
    std::puts("gitaiops-observer " GITAIOPS_VERSION);
    return 0;
  }
  auto arguments = parse_arguments(words);
  if (!arguments.ok()) {
    std::fprintf(stderr, "gitaiops-observer: %s\n%s", arguments.error().to_string().c_str(),
                 kUsage);
    return kUsageError;
  }
  say_in_json(arguments->log_in_json);
  if (const auto kept = keep_only_needed_capabilities(); !kept.ok()) {
    say("error", "cannot give up privileges", {{"why", kept.error().to_string()}});
    return kBroken;
  }
  auto proc = ProcFs::open(arguments->service.proc_root);
  if (!proc.ok()) {
    std::fprintf(stderr, "gitaiops-observer: --proc-root: %s\n", proc.error().to_string().c_str());
    return kUsageError;
  }
  sigset_t handled, before;
  sigemptyset(&handled);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&handled, number);
  ::sigprocmask(SIG_BLOCK, &handled, &before);
  const Fd signals(::signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC));
  rlimit files{};
  if (!signals || ::getrlimit(RLIMIT_NOFILE, &files) != 0) return kBroken;
  arguments->service.max_held_traces =
      make_room_for_traces(files, arguments->service.max_held_traces);
  Supervisor agent(std::move(arguments->agent), before, files);
  Service service(std::move(arguments->service), std::move(*proc));
  return supervise(service, agent, signals.get(),
                   static_cast<int64_t>(arguments->agent_timeout_s) * 1'000'000);
}

}  // namespace
}  // namespace gitaiops::agent

int main(int argc, char** argv) {
  return gitaiops::agent::run({argv + 1, argv + argc});
}
