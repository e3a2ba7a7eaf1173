// gitaiops-agent: wires the agent's rooms together. Each command is one function below.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <asio/signal_set.hpp>
#include <unistd.h>

#include "agent/config/config.h"
#include "agent/doctor.h"
#include "agent/jobs/jobs.h"
#include "agent/observer/observer.h"
#include "agent/service_user.h"
#include "agent/sources/sources.h"
#include "agent/spool/spool.h"
#include "agent/status/status.h"
#include "agent/uplink/uplink.h"
#include "base/bytes/bytes.h"
#include "base/command_line/command_line.h"
#include "base/io/files.h"
#include "base/io/run_task.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

constexpr int kExitUsage =
    2;  // wrong input: trying again will not help, so the observer does not restart us
constexpr int kExitFailure = 1;
constexpr int kExitUnhealthy =
    69;  // EX_UNAVAILABLE, of doctor: the observer restarts no program that ends so
constexpr auto kShutdownLimit = std::chrono::seconds(4);

int fail(const Error& error, int code = kExitFailure) {
  std::cerr << "gitaiops-agent: " << error.to_string() << "\n";
  return code;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

Result<Config> load(const fs::path& path) {
  return schema().load_file(path, check);
}

int observer_socket() {
  const char* text = std::getenv("GITAIOPS_OBSERVER_FD");
  return text ? static_cast<int>(parse_int(text).value_or(-1)) : -1;
}

std::shared_ptr<const diagnosis::Rules> load_rules(const fs::path& dir) {
  if (dir.empty()) return diagnosis::builtin_rules();
  std::vector<diagnosis::RuleText> texts;
  std::error_code error;
  const fs::directory_iterator entries(dir, error);
  if (error)
    log::warning("diagnosis.rules_dir cannot be read; the built-in rules are used alone",
                 {{"folder", dir.string()}, {"why", error.message()}});
  for (const auto& entry : entries) {
    if (entry.path().extension() != ".toml") continue;
    auto text = read_file(entry.path(), 1 << 20);
    if (text.ok()) {
      texts.push_back({entry.path().string(), std::move(text).value()});
    } else {
      log::warning("rule file skipped", {{"why", text.error().to_string()}});
    }
  }
  std::vector<std::string> problems;
  auto rules = diagnosis::with_rules(texts, &problems);
  for (const auto& problem : problems) log::warning("rule refused", {{"why", problem}});
  return rules;
}

SourcesOptions sources_options(const Config& config, std::shared_ptr<std::set<int32_t>> runners) {
  SourcesOptions options;
  for (const auto& instance : config.gitlab)
    options.instances.push_back({instance.id, instance.url});
  if (config.runner.log == "journal") {
    options.journal_unit = config.runner.journal_unit;
    options.journal_container = config.runner.journal_container;
  }
  if (config.runner.log == "file") options.log_files.push_back(config.runner.log_file);
  if (config.runner.log == "syslog") options.syslog_files.push_back(config.runner.log_file);
  options.is_runner = [runners](int32_t pid) { return runners->contains(pid); };
  options.usage_log_folder = config.runner.usage_log_dir;
  if (const auto colon = config.runner.debug_address.rfind(':'); colon != std::string::npos) {
    options.debug_host = config.runner.debug_address.substr(0, colon);
    options.debug_port = static_cast<uint16_t>(
        parse_uint(std::string_view(config.runner.debug_address).substr(colon + 1)).value_or(0));
  }
  return options;
}

// The log of the container that a runner lives in.
Task<Result<Fd>> open_docker_log(Observer* observer) {
  CO_ASSIGN_OR_RETURN(const auto runners, co_await observer->runners());
  if (runners.empty()) co_return Error(Code::not_found, "no runner is running");
  Error why(Code::not_found, "the runner does not live in a container");
  for (const auto& runner : runners) {
    const auto groups = co_await observer->cgroup_of(runner.id.pid);
    const auto id = groups.ok() ? container_in(groups.value()) : std::string();
    if (id.empty()) continue;
    const ContainerId container{ContainerEngine::docker, id};
    auto file = co_await observer->open_container(container, ContainerFile::log);
    if (file.ok()) co_return file;
    why = file.error();
  }
  co_return why;
}

// What runs between start and stop; main() owns the loop.
class Agent {
 public:
  Agent(asio::io_context& loop, fs::path config_path, Config config)
      : loop_(loop),
        config_path_(std::move(config_path)),
        config_(std::move(config)),
        started_(clock_.steady()) {}

  Task<Status> run() {
    CO_RETURN_IF_ERROR(co_await open());
    spawn(loop_.get_executor(), "signals", follow_signals());
    if (status_) spawn(loop_.get_executor(), "status", status_->run());
    spawn(loop_.get_executor(), "uplink", [](Agent* a) -> Task<void> {
      co_await a->uplink_->run();
      a->uplink_done_.set();
    }(this));
    log::info("observing", {{"version", GITAIOPS_VERSION},
                            {"controller", config_.controller.address},
                            {"spool_messages", spool_->stats().messages}});
    const auto watched = co_await watch_->run();
    // What was known is in the spool; the next start sends what the controller has not
    // acknowledged.
    if (status_) status_->stop();
    uplink_->stop();
    if (!co_await uplink_done_.wait(kShutdownLimit)) {
      // Its threads still use what would now be destroyed. Everything durable is on disk, as after
      // a crash.
      log::warning("the connection to the controller does not end and is abandoned");
      std::_Exit(watched.ok() ? 0 : kExitFailure);
    }
    log::info("stopped");
    // The observer starts the agent again, with a new spool.
    if (damage_) co_return *damage_;
    co_return watched;
  }

 private:
  Task<Status> open() {
    const auto executor = loop_.get_executor();
    if (observer_socket() < 0)
      co_return Error(
          Code::invalid_argument,
          "not started by the observer; use: gitaiops-observer -- gitaiops-agent run --config " +
              config_path_.string());
    CO_ASSIGN_OR_RETURN(observer_, connect_observer(executor, observer_socket()),
                        "connecting to the observer");
    SpoolOptions spool;
    spool.path = config_.state.dir / "spool.db";
    spool.max_bytes = static_cast<uint64_t>(config_.state.spool_max_bytes);
    spool.on_damage = [this](const Error& why) {
      asio::post(loop_, [this, why] {
        damage_ = why;
        if (watch_) watch_->stop();
      });
    };
    CO_ASSIGN_OR_RETURN(spool_, Spool::open(std::move(spool), clock_));
    CO_ASSIGN_OR_RETURN(const auto cursors, co_await spool_->cursors());

    auto known_runners = std::make_shared<std::set<int32_t>>();
    if (const auto runners = co_await observer_->runners(); runners.ok()) {
      for (const auto& runner : *runners) known_runners->insert(runner.id.pid);
    }
    auto told = sources_options(config_, known_runners);
    if (config_.runner.log == "docker")
      told.open_docker_log = [observer = observer_.get()] { return open_docker_log(observer); };
    CO_ASSIGN_OR_RETURN(auto sources, start_sources(told, executor, clock_, cursors));

    JobWatchOptions options;
    options.usage_enabled = config_.usage.enabled;
    options.usage_interval_us = config_.usage.interval.micros;
    options.host_interval_us = config_.host.interval.micros;
    options.proc_root = config_.roots.proc_root;
    options.scanner_enabled = config_.scanner.enabled;
    options.containers_enabled = config_.containers.enabled;
    options.containers.cgroup_root = config_.roots.cgroup_root;
    options.containers.interval_us = config_.usage.interval.micros;
    for (const auto& instance : config_.gitlab)
      options.containers.instances.push_back({instance.id, instance.url});
    options.known_runners = known_runners;
    options.state_dir = config_.state.dir;
    options.log_age_us = config_.logs.age.micros;
    options.log_bytes = static_cast<uint64_t>(config_.logs.max_bytes);
    options.ask_baseline = [this](fleet::v1::BaselineRequest question) {
      if (uplink_) uplink_->ask(std::move(question));
    };
    watch_ =
        std::make_unique<JobWatch>(executor, options, *observer_, *spool_, clock_,
                                   load_rules(config_.diagnosis.rules_dir), std::move(sources));
    if (const auto restored = co_await watch_->restore(); !restored.ok())
      log::warning("what the spool remembers of running jobs cannot be used",
                   {{"why", restored.error().to_string()}});

    UplinkOptions uplink;
    uplink.controller = config_.controller.address;
    uplink.identity_dir = config_.state.dir / "identity";
    uplink.host_name = host_name();
    uplink.agent_version = GITAIOPS_VERSION;
    uplink.features = {"lines", "drain"};
    uplink_ = Uplink::make(
        std::move(uplink), *spool_, clock_, [this] { return observation(); },
        [this](fleet::v1::Command command) { return watch_->command(std::move(command)); },
        [this](const fleet::v1::RemoteConfig& remote) { apply(remote); },
        [this](const fleet::v1::Baseline& baseline) { watch_->on_baseline(baseline); });
    co_return open_status_page();
  }

  Status open_status_page() {
    if (config_.status.port == 0) return {};
    StatusOptions options;
    options.address = config_.status.address;
    options.port = static_cast<uint16_t>(config_.status.port);
    ASSIGN_OR_RETURN(
        status_, StatusPage::listen(loop_.get_executor(), options, [this] { return snapshot(); }),
        "opening the status page (status.address, status.port)");
    return {};
  }

  std::string observation() const {
    const auto s = watch_->snapshot();
    std::string text = std::to_string(s.runners.size()) + " runner process(es)";
    for (const auto& source : s.sources)
      text += "; " + source.name + (source.problem.empty() ? "" : ": " + source.problem);
    if (!s.observer_problem.empty()) text += "; observer: " + s.observer_problem;
    return truncate_utf8(text, 512);
  }

  // Only keys that the schema marks remote, within their limits; the rest is refused and said.
  void apply(const fleet::v1::RemoteConfig& remote) {
    for (const auto& setting : remote.settings()) {
      if (const auto set = schema().set_remote(config_, setting.key(), setting.value()); !set.ok())
        log::warning("setting from the controller refused",
                     {{"key", setting.key()}, {"why", set.error().to_string()}});
    }
    watch_->set_usage_interval(config_.usage.interval.micros);
    watch_->set_host_interval(config_.host.interval.micros);
  }

  void reload() {
    auto fresh = load(config_path_);
    if (!fresh.ok()) {
      log::error("configuration not reloaded", {{"why", fresh.error().to_string()}});
      return;
    }
    for (const auto& key : schema().needs_restart(config_, *fresh))
      log::warning("a changed setting needs a restart", {{"key", key}});
    config_.log.level = fresh->log.level;
    config::configure_log(config_.log);
    config_.usage.interval = fresh->usage.interval;
    config_.host.interval = fresh->host.interval;
    watch_->set_usage_interval(config_.usage.interval.micros);
    watch_->set_host_interval(config_.host.interval.micros);
    log::info("configuration reloaded");
  }

  Task<void> follow_signals() {
    for (;;) {
      asio::error_code error;
      const int signal =
          co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      if (signal == SIGHUP) {
        reload();
        continue;
      }
      watch_->stop();
      co_return;
    }
  }

  StatusSnapshot snapshot() const {
    const auto watch = watch_->snapshot();
    const auto spool = spool_->stats();
    const auto link = uplink_->status();
    StatusSnapshot s;
    s.version = GITAIOPS_VERSION;
    s.uptime_us = clock_.steady() - started_;
    s.link_state = link.state == UplinkStatus::State::connected    ? "connected"
                   : link.state == UplinkStatus::State::connecting ? "connecting"
                   : link.state == UplinkStatus::State::refused    ? "refused"
                   : link.state == UplinkStatus::State::waiting    ? "waiting"
                                                                   : "idle";
    s.link_detail = link.detail;
    s.controller = config_.controller.address;
    s.certificate_not_after = link.certificate_not_after;
    s.runners = watch.runners;
    s.open_jobs = watch.open_jobs;
    s.jobs_reported = watch.counters.jobs_reported;
    s.withheld_traces = watch.counters.withheld_traces;
    s.withheld_trees = watch.counters.withheld_trees;
    s.explanations = watch.explanations;
    s.spool_bytes = spool.bytes;
    s.spool_messages = spool.messages;
    if (spool.oldest_at.value != 0)
      s.spool_oldest_us = std::max<int64_t>(0, clock_.now() - spool.oldest_at);
    s.spool_damaged = spool.damaged_files;
    s.dropped = spool.dropped_samples + spool.dropped_started + spool.dropped_reports +
                watch.reports_dropped;
    s.disk_full = spool.disk_full;
    for (const auto& source : watch.sources)
      s.sources.push_back({source.name, source.reads, source.lines, source.records,
                           source.last_line, source.problem, source.cure});
    s.observer_problem = watch.observer_problem;
    return s;
  }

  asio::io_context& loop_;
  const fs::path config_path_;
  Config config_;
  const Clock& clock_ = system_clock();
  const SteadyMicros started_;
  asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<JobWatch> watch_;
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<StatusPage> status_;
  Event uplink_done_;
  std::optional<Error> damage_;  // of the spool, found while it was in use
};

int run(const fs::path& config_path) {
  auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  config::configure_log(config->log);
  asio::io_context loop(1);
  Agent agent(loop, config_path, std::move(config).value());
  const auto ended = run_task(loop, agent.run());
  // What was told to stop returns before what it uses is destroyed.
  loop.restart();
  loop.poll();
  return ended.ok()
             ? 0
             : fail(ended.error(),
                    ended.error().code() == Code::invalid_argument ? kExitUsage : kExitFailure);
}

struct EnrollFlags {
  std::string controller, token, token_file;
};

int enroll_host(const fs::path& config_path, const EnrollFlags& flags) {
  const auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  EnrollOptions options;
  options.controller = flags.controller;
  options.token = flags.token;
  if (!flags.token_file.empty()) {
    auto token = read_secret_file(flags.token_file);
    if (!token.ok()) return fail(token.error(), kExitUsage);
    options.token = std::move(token).value();
  }
  if (options.token.empty())
    return fail(Error(Code::invalid_argument,
                      "no token: give --token-file FILE or --token TEXT; it comes from "
                      "`gitaiops-controller token create`"),
                kExitUsage);
  // The token's file may be root's; the identity must be the service's.
  const auto user = become_service_user(config->state.dir, Keep::nothing);
  if (!user.ok()) return fail(user.error().within("enrolling as the service's user"));
  options.identity_dir = config->state.dir / "identity";
  options.host_name = host_name();
  options.agent_version = GITAIOPS_VERSION;
  const auto enrolled = enroll(options, system_clock());
  if (!enrolled.ok()) return fail(enrolled.error());
  std::cout << "enrolled as " << enrolled->agent_id << "; the identity is in "
            << options.identity_dir.string() << (user->empty() ? "" : ", which belongs to " + *user)
            << "\n"
            << "the certificate is valid until " << to_rfc3339(enrolled->not_after)
            << " and renews itself\n";
  return 0;
}

int doctor(const fs::path& config_path, const std::string& observer_program) {
  const auto config = schema().load_file(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  // As root, ask through the observer, as the service's user: that sees what the service will see.
  if (observer_socket() < 0 && ::geteuid() == 0) {
    const auto user = become_service_user(config->state.dir, Keep::observer_capabilities);
    if (!user.ok()) return fail(user.error().within("looking as the service's user"));
    std::error_code error;
    const auto self = fs::read_symlink("/proc/self/exe", error);
    const auto program = fs::exists(self.parent_path() / observer_program, error)
                             ? self.parent_path() / observer_program
                             : fs::path(observer_program);
    ::execlp(program.c_str(), "gitaiops-observer", "--", self.c_str(), "doctor", "--config",
             config_path.c_str(), nullptr);
    return fail(errno_error("start", program.string())
                    .within("looking through the observer (--observer names the program)"));
  }
  log::configure(log::Level::error, log::Format::text);
  asio::io_context loop(1);
  return run_task(loop, examine(*config, config_path.string(), observer_socket(), system_clock(),
                                std::cout))
             ? 0
             : kExitUnhealthy;
}

int status(const fs::path& config_path) {
  const auto config = schema().load_file(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  asio::io_context loop(1);
  const auto text = run_task(
      loop, status_text(config->status.address, static_cast<uint16_t>(config->status.port)));
  if (!text.ok()) return fail(text.error().within("the agent does not answer; is it running?"));
  std::cout << *text;
  return 0;
}

int check_config(const fs::path& config_path) {
  const auto config = schema().load_file(config_path, check_with_files);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  std::cout << config_path.string() << " is valid\n";
  return 0;
}

}  // namespace
}  // namespace gitaiops::agent

int main(int argc, char** argv) {
  using namespace gitaiops::agent;
  CLI::App app(
      "gitaiops-agent: sees the jobs of GitLab Runner on this host, without touching them");
  app.require_subcommand(1);
  app.set_version_flag("--version", "gitaiops-agent " GITAIOPS_VERSION);
  std::string config = "/etc/gitaiops/agent.toml", observer = "gitaiops-observer";
  EnrollFlags flags;
  int code = 0;
  const auto command = [&](const char* name, const char* words, auto act) {
    auto* sub = app.add_subcommand(name, words);
    sub->callback([&code, act] { code = act(); });
    return sub;
  };
  const auto with_config = [&](CLI::App* sub) {
    sub->add_option("--config", config, "Configuration file")->capture_default_str();
    return sub;
  };
  with_config(command("run", "Observe and report; started by gitaiops-observer",
                      [&] { return run(config); }));
  auto* enroll = with_config(command("enroll", "Get this host's certificate from the controller",
                                     [&] { return enroll_host(config, flags); }));
  enroll->add_option("--controller", flags.controller, "host:port of the enrolment listener")
      ->required();
  enroll->add_option("--token", flags.token,
                     "The token's text (others may see it in the process list)");
  enroll->add_option("--token-file", flags.token_file, "File with the token, mode 0600");
  with_config(command("check-config", "Check the configuration without starting",
                      [&] { return check_config(config); }));
  with_config(command("doctor", "Say what can and cannot be seen on this host, and how to see more",
                      [&] { return doctor(config, observer); }))
      ->add_option("--observer", observer, "The observer program")
      ->capture_default_str();
  with_config(command("status", "Ask the running agent how it is", [&] { return status(config); }));
  command("sample-config", "Print a commented configuration file",
          [] { return std::cout << schema().sample(), 0; });
  command("version", "Print the version",
          [] { return std::cout << "gitaiops-agent " GITAIOPS_VERSION "\n", 0; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return gitaiops::command_line::refused(app, "gitaiops-agent", error, std::cout);
  }
  return code;
}
