#include "agent/doctor.h"

#include <cerrno>
#include <cstring>
#include <ostream>

#include <asio/connect.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/ip/tcp.hpp>
#include <unistd.h>

#include "agent/containers/containers.h"
#include "agent/observer/observer.h"
#include "agent/sources/sources.h"
#include "agent/status/status.h"
#include "agent/usage/kernel_log.h"
#include "base/bytes/bytes.h"
#include "base/http/get.h"
#include "base/io/files.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
constexpr auto kProbeTimeout = 3s;

// A checklist for people: what is well, what is missing and how to get it.
class Checklist {
 public:
  explicit Checklist(std::ostream& out) : out_(out) {}
  void good(std::string_view text) { out_ << "  ok    " << text << "\n"; }
  void note(std::string_view text) { out_ << "        " << text << "\n"; }
  // Works without, but sees less.
  void could(std::string_view text, std::string_view cure) {
    out_ << "  less  " << text << "\n";
    indent(cure);
  }
  void bad(std::string_view text, std::string_view cure) {
    out_ << "  FAIL  " << text << "\n";
    indent(cure);
    healthy_ = false;
  }
  void title(std::string_view text) { out_ << "\n" << text << "\n"; }
  bool healthy() const { return healthy_; }

 private:
  void indent(std::string_view lines) {
    for (const auto line : split(lines, '\n')) out_ << "        " << line << "\n";
  }
  std::ostream& out_;
  bool healthy_ = true;
};

void check_identity(const Config& config, Checklist& list) {
  list.title("Controller");
  const auto identity = config.state.dir / "identity";
  if (::access((identity / "key.pem").c_str(), R_OK) == 0) {
    list.good("enrolled: the identity is in " + identity.string());
  } else if (errno == EACCES) {
    list.bad("the identity in " + identity.string() + " cannot be read by this user",
             "it belongs to another one; was `enroll` run as root?  chown -R gitaiops-agent: " +
                 config.state.dir.string());
  } else {
    list.bad("not enrolled: there is no identity in " + identity.string(),
             "on the controller:  gitaiops-controller token create\n"
             "on this host:       gitaiops-agent enroll --controller HOST:7462 --token-file FILE");
  }
}

Task<void> connect_to(std::string host, std::string port, asio::error_code* error) {
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto places = co_await resolver.async_resolve(
      host, port, asio::redirect_error(asio::use_awaitable, *error));
  if (*error) co_return;
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  co_await asio::async_connect(socket, places, asio::redirect_error(asio::use_awaitable, *error));
}

Task<void> check_controller(std::string address, Checklist* list) {
  using namespace asio::experimental::awaitable_operators;
  const auto colon = address.rfind(':');
  asio::error_code error;
  auto connecting = connect_to(address.substr(0, colon), address.substr(colon + 1), &error);
  const auto first = co_await (std::move(connecting) || sleep_for(kProbeTimeout));
  if (first.index() == 1) {
    list->bad("no answer from " + address + " within 3 s",
              "is the controller running, and is this the address of its fleet listener (default "
              "port 7461)?");
  } else if (error) {
    list->bad("cannot reach " + address + ": " + error.message(),
              "check controller.address in the configuration, name resolution and firewalls");
  } else {
    list->good("reachable: " + address);
  }
}

void check_journal(const Config& config, Checklist& list) {
  const auto& container = config.runner.journal_container;
  const auto journal = "the journal (unit " + config.runner.journal_unit +
                       (container.empty() ? ")" : ", container " + container + ")");
  int why = ENOENT;
  for (const char* folder : {"/var/log/journal", "/run/log/journal"}) {
    if (::access(folder, R_OK) == 0) {
      list.good("its log is read from " + journal);
      return;
    }
    if (errno != ENOENT) why = errno;
  }
  if (why == ENOENT) {
    list.bad("its log cannot be read from " + journal + ": this host keeps no journal",
             "if the runner writes to a file, say which:\n[runner]\nlog = \"file\"\n"
             "log_file = \"/var/log/gitlab-runner.log\"");
  } else {
    list.bad("its log cannot be read from " + journal + ": this user may not",
             "add the service's user to the group:  usermod -aG systemd-journal gitaiops-agent");
  }
}

Task<void> check_runner(const Config* config, Observer* observer, Checklist* list) {
  list->title("GitLab Runner");
  if (!observer) {
    list->could("processes and traces were not checked",
                "run this command as root, or as the service's user through the observer:\n"
                "gitaiops-observer -- gitaiops-agent doctor");
  } else {
    const auto abilities = co_await observer->self_check();
    if (abilities.ok()) {
      list->good("the observer answers:");
      for (const auto& line : *abilities) list->note(line);
    } else {
      list->bad("the observer does not answer: " + abilities.error().to_string(),
                "see its messages: journalctl -u gitaiops-agent");
    }
    const auto runners = co_await observer->runners();
    if (runners.ok() && !runners->empty()) {
      for (const auto& runner : *runners)
        list->good("running: " + runner.comm + " (pid " + std::to_string(runner.id.pid) + ")");
    } else {
      list->bad("no runner process is seen on this host",
                "start it (systemctl start gitlab-runner); if it runs under another name, give the "
                "observer --runner-name NAME");
    }
  }
  if (config->usage.enabled && !KernelLog::open(co_await asio::this_coro::executor).ok())
    list->could(
        "neither the journal nor the kernel's log can be read: a job that was killed for memory is "
        "told by its exit code only",
        "add the service's user to the group:  usermod -aG systemd-journal gitaiops-agent");
  const auto& log = config->runner.log;
  if (log == "journal") {
    check_journal(*config, *list);
  } else if (log == "docker") {
    list->note("its log is what docker keeps of its container; see the running agent below");
  } else if (log == "none") {
    list->could("its log is not read: jobs are known only after their end, from the usage log",
                "[runner]\nlog = \"journal\"");
  } else if (::access(config->runner.log_file.c_str(), R_OK) == 0) {
    list->good("its log is read from " + config->runner.log_file.string());
  } else {
    list->bad("its log cannot be read: " +
                  errno_error("open", config->runner.log_file.native()).to_string(),
              "check runner.log_file, or give the service's user the right to read it (group adm)");
  }
  if (config->runner.usage_log_dir.empty()) {
    list->could(
        "its usage log is not read (exact status and duration of each job, GitLab Runner 17.9 and "
        "later)",
        "in /etc/gitlab-runner/config.toml:\n[experimental.usage_logger]\n  enabled = true\n"
        "in agent.toml:\n[runner]\nusage_log_dir = \"/etc/gitlab-runner/usage-log\"");
  } else if (::access(config->runner.usage_log_dir.c_str(), R_OK | X_OK) == 0) {
    list->good("its usage log is read from " + config->runner.usage_log_dir.string());
  } else {
    list->could("its usage log cannot be read: " +
                    errno_error("open", config->runner.usage_log_dir.native()).to_string(),
                "enable [experimental.usage_logger] in the runner's config.toml, or correct "
                "runner.usage_log_dir");
  }
  if (config->runner.debug_address.empty()) {
    list->could(
        "its debug page is not asked (stages of running jobs)",
        "in /etc/gitlab-runner/config.toml, at the top:\nlisten_address = \"127.0.0.1:9252\"\n"
        "in agent.toml:\n[runner]\ndebug_address = \"127.0.0.1:9252\"");
  } else {
    const auto colon = config->runner.debug_address.rfind(':');
    const auto port =
        parse_uint(std::string_view(config->runner.debug_address).substr(colon + 1)).value_or(0);
    const auto page =
        co_await http::get(config->runner.debug_address.substr(0, colon),
                           static_cast<uint16_t>(port), "/debug/jobs/list", kProbeTimeout, 1 << 20);
    if (page.ok() && page->status == 200) {
      list->good("its debug page answers at " + config->runner.debug_address);
    } else {
      list->could("its debug page does not answer at " + config->runner.debug_address,
                  "in /etc/gitlab-runner/config.toml, at the top:\nlisten_address = \"" +
                      config->runner.debug_address + "\"");
    }
  }
}

// What of the control groups this kernel has mounted, in words; empty when there are none.
std::string group_versions(const std::filesystem::path& root) {
  std::error_code ignored;
  if (std::filesystem::exists(root / "cgroup.controllers", ignored)) return "version 2";
  if (!std::filesystem::exists(root / "memory", ignored)) return "";
  return std::filesystem::exists(root / "unified" / "cgroup.controllers", ignored)
             ? "version 1, with 2 beside it"
             : "version 1";
}

void check_sockets(const Config& config, Checklist& list) {
  if (::geteuid() == 0) return;  // may use them in any case
  for (const char* socket :
       {"run/docker.sock", "run/podman/podman.sock", "run/containerd/containerd.sock"}) {
    const auto path = config.roots.host_root / socket;
    if (::access(path.c_str(), W_OK) == 0)
      list.could("this user may use " + path.string() + ", which is as good as being root",
                 "the agent never uses it: take the user out of the socket's group");
  }
}

// What it is marked with: a job's number in labels or annotations, or only a runner's kind of name.
enum class Marks { none, name, number };
Task<Marks> marks_of(Observer* observer, ContainerId id) {
  constexpr std::size_t kMaxState = 4 << 20;
  const auto file = co_await observer->open_container(id, ContainerFile::state);
  if (!file.ok()) co_return Marks::none;
  std::string text(kMaxState, '\0');  // with secrets in it
  const ssize_t n = ::pread(file->get(), text.data(), text.size(), 0);
  const std::string_view state(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  const auto read =
      id.engine == ContainerEngine::docker ? read_docker_state(state) : read_oci_config(state);
  ::explicit_bzero(text.data(), text.size());
  if (!read.ok() || !read->claim.any()) co_return Marks::none;
  co_return read->claim.job_id != 0 ? Marks::number : Marks::name;
}

Task<void> check_containers(const Config* config, Observer* observer, Checklist* list) {
  list->title("Containers");
  if (!config->containers.enabled) {
    list->could("the usage of jobs in containers is not measured: containers.enabled is false",
                "[containers]\nenabled = true");
    co_return;
  }
  const auto versions = group_versions(config->roots.cgroup_root);
  if (versions == "version 1") {
    list->could("control groups of version 1 in " + config->roots.cgroup_root.string() +
                    ": no figures of how long jobs waited for CPU, memory and IO",
                "boot with  systemd.unified_cgroup_hierarchy=1");
  } else if (!versions.empty()) {
    list->good("control groups: " + versions + " in " + config->roots.cgroup_root.string());
  } else {
    list->could("no control groups in " + config->roots.cgroup_root.string() +
                    ": the usage of containers cannot be measured",
                "mount the host's /sys/fs/cgroup there, or correct roots.cgroup_root");
  }
  check_sockets(*config, *list);
  if (!observer) co_return;
  const auto containers = co_await observer->containers();
  if (!containers.ok()) {
    list->bad("containers cannot be listed: " + containers.error().to_string(),
              "see the observer's messages: journalctl -u gitaiops-agent");
    co_return;
  }
  std::size_t seen = 0, of_jobs = 0, pods_without_number = 0;
  for (const auto& container : *containers) {
    const auto marks = co_await marks_of(observer, container.id);
    of_jobs += marks != Marks::none;
    pods_without_number +=
        marks == Marks::name && container.id.engine == ContainerEngine::containerd;
  }
  for (const auto& [engine, name] : {std::pair{ContainerEngine::docker, "docker"},
                                     {ContainerEngine::podman, "podman"},
                                     {ContainerEngine::containerd, "containerd"}}) {
    const ListedContainer* last = nullptr;
    std::size_t count = 0;
    for (const auto& container : *containers) {
      if (container.id.engine != engine) continue;
      last = &container;
      ++count;
    }
    if (last == nullptr) continue;
    seen += count;
    const auto file = co_await observer->open_container(last->id, ContainerFile::state);
    const auto said = std::string(name) + ": " + std::to_string(count) + " containers are seen";
    if (file.ok()) {
      list->good(said);
    } else {
      list->bad(said + ", but what they are cannot be read: " + file.error().to_string(),
                "the observer needs CAP_DAC_READ_SEARCH: see its lines above");
    }
  }
  const auto runners = co_await observer->runners();
  if (of_jobs > 0)
    list->note(std::to_string(of_jobs) + " of them bear the marks of a runner's job");
  if (pods_without_number > 0)
    list->could(
        "containerd keeps what the runner wrote on its pods to itself: jobs of one project that "
        "run at the same time are not told apart, and nothing is told of what they used",
        "in containerd's config.toml, in the table of its runtime (runtimes.runc):\n"
        "pod_annotations = [\"*.runner.gitlab.com/*\"]");
  if (of_jobs > 0 && runners.ok() && runners->empty())
    list->could(
        "no runner is on this host, so what those jobs use is not told: whose a container is "
        "starts "
        "at a runner's own word, and its marks alone can be forged",
        "in Kubernetes, run the agent on the node of the runner's manager pod: the jobs' logs are "
        "there");
  if (seen == 0)
    list->note(
        "no container of docker, podman or containerd is there now; where an engine keeps them\n"
        "        elsewhere, give the observer --docker-root, --podman-root or --containerd-root");
}

void repeat_problems(const Config& config, const StatusSnapshot& s, Checklist& list) {
  if (s.link_state == "refused")
    list.bad("the controller refuses it: " + s.link_detail,
             "see `gitaiops-controller agents list`; enrol again if it was revoked");
  else if (s.link_state != "connected")
    list.could("it is not connected to the controller (" + s.link_state + ")" +
                   (s.link_detail.empty() ? "" : ": " + s.link_detail),
               "its reports wait on disk until it is");
  if (!s.observer_problem.empty())
    list.bad("its observer: " + s.observer_problem,
             "see the observer's messages: journalctl -u gitaiops-agent");
  // The usage log and the debug page add detail; jobs are named by the runner's own log, if it has
  // one. Where none was named yet, its problem is why.
  const bool idle = s.open_jobs + s.jobs_reported == 0;
  for (const auto& source : s.sources) {
    if (source.problem.empty()) continue;
    const auto told = source.name + ": " + source.problem;
    const bool adds_detail =
        config.runner.log != "none" &&
        (source.name.starts_with("usage-log:") || source.name.starts_with("debug-jobs:"));
    if (idle && !adds_detail) {
      list.bad(told, source.cure);
    } else {
      list.could(told, source.cure);
    }
  }
  if (s.disk_full)
    list.bad("its disk is full: what it cannot keep is lost", "make room for state.dir");
}

// What only the service itself can know: it has met the runner's jobs.
Task<void> check_running_agent(const Config* config, Checklist* list) {
  list->title("The running agent");
  if (config->status.port == 0) {
    list->note("not asked: status.port is 0");
    co_return;
  }
  const auto port = static_cast<uint16_t>(config->status.port);
  const auto asked = co_await ask_status(config->status.address, port);
  if (!asked.ok()) {
    list->could("it does not answer: " + asked.error().message(),
                "when it should run:  systemctl status gitaiops-agent");
    co_return;
  }
  const auto& s = *asked;
  list->good("it runs: version " + s.version + ", " + std::to_string(s.open_jobs) + " jobs open, " +
             std::to_string(s.jobs_reported) + " reported");
  repeat_problems(*config, s, *list);
  if (s.withheld_traces + s.withheld_trees == 0) co_return;
  list->note("withheld, because it was not certain which job they belong to: " +
             std::to_string(s.withheld_traces) + " logs and " + std::to_string(s.withheld_trees) +
             " process trees; of the last ones:");
  for (const auto& explanation : s.explanations) list->note("- " + explanation);
}

}  // namespace

Task<bool> examine(Config config, std::string config_path, int observer_socket, const Clock&,
                   std::ostream& out) {
  Checklist list(out);
  out << "gitaiops-agent " << GITAIOPS_VERSION << " on this host\n";
  list.title("Configuration");
  if (const auto valid = schema().load_file(config_path, check_with_files); valid.ok()) {
    list.good(config_path + " is valid");
  } else {
    list.bad("the configuration is not valid", valid.error().message());
  }
  check_identity(config, list);
  co_await check_controller(config.controller.address, &list);

  std::unique_ptr<Observer> observer;
  if (observer_socket >= 0) {
    auto connected = connect_observer(co_await asio::this_coro::executor, observer_socket);
    if (connected.ok()) observer = std::move(connected).value();
  }
  co_await check_runner(&config, observer.get(), &list);
  co_await check_containers(&config, observer.get(), &list);
  co_await check_running_agent(&config, &list);
  out << "\n"
      << (list.healthy() ? "Nothing keeps the agent from its work."
                         : "Something keeps the agent from its work: see FAIL above.")
      << "\n";
  co_return list.healthy();
}

}  // namespace gitaiops::agent
