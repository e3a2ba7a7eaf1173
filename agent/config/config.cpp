#include "agent/config/config.h"

#include <set>
#include <system_error>

#include <asio/ip/address.hpp>

#include "base/tls/tls.h"

namespace gitaiops::agent {
namespace {

config::Schema<Config> make_schema() {
  constexpr int64_t kSecond = 1'000'000;
  config::Schema<Config> s("gitaiops-agent configuration (agent.toml)");
  s.section("controller", "The controller that reports go to.");
  s.key("controller.address", "host:port of the controller's fleet listener.",
        [](Config& c) -> auto& { return c.controller.address; })
      .required();

  s.section("runner",
            "Where GitLab Runner tells of its jobs. One of its logs is needed to name a job; the "
            "rest adds detail.");
  s.key(
       "runner.log",
       "Where the runner's own log goes. \"docker\": the runner is a docker container itself, with "
       "the log driver json-file; for the driver journald see journal_container.",
       [](Config& c) -> auto& { return c.runner.log; })
      .one_of({"journal", "file", "syslog", "docker", "none"});
  s.key("runner.journal_unit", "Its systemd unit, for log = \"journal\".",
        [](Config& c) -> auto& { return c.runner.journal_unit; });
  s.key(
      "runner.journal_container",
      "For log = \"journal\", where the runner is a container whose engine writes into the journal "
      "(log driver journald): the container's name. journal_unit is then the engine's, e.g. "
      "\"docker.service\". Empty: the runner is no container.",
      [](Config& c) -> auto& { return c.runner.journal_container; });
  s.key("runner.log_file", "The file, for log = \"file\" or \"syslog\".",
        [](Config& c) -> auto& { return c.runner.log_file; });
  s.key("runner.usage_log_dir",
        "The usage-log folder beside the runner's config.toml, if [experimental.usage_logger] is "
        "enabled there. Empty: not read.",
        [](Config& c) -> auto& { return c.runner.usage_log_dir; });
  s.key("runner.debug_address",
        "The runner's listen_address on loopback, for /debug/jobs/list. Empty: not asked.",
        [](Config& c) -> auto& { return c.runner.debug_address; });

  s.section("state", "What the agent keeps on disk.");
  s.key("state.dir", "Folder of the identity (key and certificate) and the spool.",
        [](Config& c) -> auto& { return c.state.dir; });
  s.key("state.spool_max_bytes",
        "Bound of the spool with its write-ahead log, in bytes. When it is reached, host samples "
        "go first, then start notices, then reports.",
        [](Config& c) -> auto& { return c.state.spool_max_bytes; })
      .range(4 << 20, 1ll << 40);

  s.section("usage", "CPU, memory and IO of each job.");
  s.key("usage.enabled", "Whether processes are sampled.",
        [](Config& c) -> auto& { return c.usage.enabled; });
  s.key("usage.interval", "Time between samples.",
        [](Config& c) -> auto& { return c.usage.interval; })
      .range(kSecond / 5, 60 * kSecond)
      .remote();

  s.section("containers",
            "Jobs that run in containers of docker, podman or Kubernetes on this host. The "
            "engines' folders are read, through the observer; their sockets, which are as good as "
            "root, are not used.");
  s.key("containers.enabled", "Whether the runner's containers are found and metered.",
        [](Config& c) -> auto& { return c.containers.enabled; });
  s.section(
      "scanner",
      "What the checkouts of jobs depend on. Manifests and lock files are read here; names and "
      "versions of packages travel, no content.");
  s.key("scanner.enabled", "Whether the manifests of checkouts are read.",
        [](Config& c) -> auto& { return c.scanner.enabled; });

  s.section(
      "logs",
      "Logs of failed jobs stay on this host for a while, redacted, so that the controller can "
      "ask for lines around a place in one.");
  s.key("logs.age", "How long; 0s: none is kept.", [](Config& c) -> auto& {
     return c.logs.age;
   }).range(0, 90ll * 24 * 3600 * kSecond);
  s.key("logs.max_bytes", "All of them together; the oldest go first.", [](Config& c) -> auto& {
     return c.logs.max_bytes;
   }).range(1 << 20, 1ll << 40);

  s.section("diagnosis", "How failures are recognised.");
  s.key("diagnosis.rules_dir",
        "Folder with rules of your own (*.toml), in addition to the built-in ones. Empty: none.",
        [](Config& c) -> auto& { return c.diagnosis.rules_dir; });

  s.section("host", "Figures of the host as a whole.");
  s.key("host.interval", "Time between host samples.",
        [](Config& c) -> auto& { return c.host.interval; })
      .range(5 * kSecond, 3600 * kSecond)
      .remote();

  s.section("status", "A page for people and metrics for Prometheus, on this host only.");
  s.key("status.address", "Loopback address to listen on.", [](Config& c) -> auto& {
     return c.status.address;
   }).one_of({"127.0.0.1", "::1"});
  s.key("status.port", "Port; 0 turns the page off.", [](Config& c) -> auto& {
     return c.status.port;
   }).range(0, 65535);

  s.section("roots",
            "Where the host's file systems are mounted, when the agent runs in a container. The "
            "observer takes the same as flags.");
  s.key("roots.proc_root", "The host's /proc.",
        [](Config& c) -> auto& { return c.roots.proc_root; });
  s.key("roots.host_root", "The host's /.", [](Config& c) -> auto& { return c.roots.host_root; });
  s.key("roots.cgroup_root", "The host's cgroup file system.",
        [](Config& c) -> auto& { return c.roots.cgroup_root; });

  config::log_section(s, "The agent's");

  auto instance = std::make_shared<config::Schema<GitlabInstance>>("gitlab");
  instance
      ->key("id", "Short name of the instance, the same as in the controller's configuration.",
            &GitlabInstance::id)
      .required();
  instance
      ->key("url", "Its address as the runner knows it, e.g. \"https://gitlab.example.com\".",
            &GitlabInstance::url)
      .required();
  s.array("gitlab", "The GitLab instances whose jobs run here; at least one.", &Config::gitlab,
          instance);
  return s;
}

}  // namespace

const config::Schema<Config>& schema() {
  static const auto made = make_schema();
  return made;
}

namespace {

void check_instances(const Config& config, config::Problems& problems) {
  if (config.gitlab.empty())
    problems.push_back(
        {"gitlab",
         "no [[gitlab]] is configured; add one with the id and url that the controller uses, e.g.\n"
         "[[gitlab]]\nid = \"main\"\nurl = \"https://gitlab.example.com\""});
  std::set<std::string> ids, urls;
  for (std::size_t i = 0; i < config.gitlab.size(); ++i) {
    const auto& [id, url] = config.gitlab[i];
    const auto quoted = "\"" + url + "\"";
    if (!url.starts_with("https://") && !url.starts_with("http://")) {
      problems.push_back({"gitlab.url", quoted + " does not start with https:// or http://", i});
    } else if (url.ends_with("://") || url.find('@') != std::string::npos) {
      problems.push_back(
          {"gitlab.url", quoted + ": expected scheme and host, without user or password", i});
    } else if (!urls.insert(url.substr(0, url.find_last_not_of('/') + 1)).second) {
      problems.push_back({"gitlab.url",
                          quoted + " stands twice: which of the two a job belongs to is unclear",
                          i});
    }
    if (id.empty() || id.size() > 64) {
      problems.push_back({"gitlab.id", "must have 1 to 64 characters", i});
    } else if (!ids.insert(id).second) {
      problems.push_back({"gitlab.id", "\"" + id + "\" stands twice", i});
    }
  }
}

void check_debug_address(const std::string& address, config::Problems& problems) {
  if (address.empty()) return;
  const auto at = tls::parse_host_port(address);
  if (!at.ok()) {
    problems.push_back({"runner.debug_address", at.error().message()});
    return;
  }
  asio::error_code error;
  const auto ip = asio::ip::make_address(at->host, error);
  if (at->host != "localhost" && (error || !ip.is_loopback()))
    problems.push_back(
        {"runner.debug_address", "\"" + address +
                                     "\" is not on this host; expected 127.0.0.1:PORT, "
                                     "[::1]:PORT or localhost:PORT"});
}

}  // namespace

config::Problems check(const Config& config) {
  config::Problems problems;
  check_instances(config, problems);
  const auto& runner = config.runner;
  if (runner.log == "none" && runner.usage_log_dir.empty())
    problems.push_back({"runner.log",
                        "is \"none\" and runner.usage_log_dir is empty: nothing would tell the "
                        "agent which jobs run"});
  if ((runner.log == "file" || runner.log == "syslog") && runner.log_file.empty())
    problems.push_back(
        {"runner.log_file", "is empty; runner.log = \"" + runner.log + "\" needs the file's path"});
  if (const auto at = tls::parse_host_port(config.controller.address); !at.ok())
    problems.push_back({"controller.address", at.error().message()});
  check_debug_address(runner.debug_address, problems);
  if (config.state.dir.empty())
    problems.push_back({"state.dir", "is empty; the agent needs a folder for its identity"});
  for (const auto& [key, path] : {std::pair{"state.dir", &config.state.dir},
                                  {"runner.log_file", &runner.log_file},
                                  {"runner.usage_log_dir", &runner.usage_log_dir},
                                  {"diagnosis.rules_dir", &config.diagnosis.rules_dir}}) {
    if (!path->empty() && !path->is_absolute())
      problems.push_back({key, "\"" + path->string() + "\" does not start with /"});
  }
  return problems;
}

config::Problems check_with_files(const Config& config) {
  auto problems = check(config);
  std::error_code error;
  const auto& rules = config.diagnosis.rules_dir;
  if (!rules.empty() && !std::filesystem::is_directory(rules, error))
    problems.push_back({"diagnosis.rules_dir", "\"" + rules.string() +
                                                   "\" is not a folder that can be read" +
                                                   (error ? ": " + error.message() : "")});
  return problems;
}

}  // namespace gitaiops::agent
