// gitaiops-controller: wires the controller's rooms together. Each command is one function below.
#include <csignal>
#include <iostream>

#include <CLI/CLI.hpp>
#include <asio/signal_set.hpp>
#include <fcntl.h>
#include <sys/file.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "base/io/run_task.h"
#include "base/log/log.h"
#include "base/metrics/catalogue.h"
#include "base/metrics/metrics.h"
#include "base/notify/notify.h"
#include "base/outgoing/outgoing.h"
#include "controller/acting/acting.h"
#include "controller/advisories/advisories.h"
#include "controller/api/api.h"
#include "controller/baselines/baselines.h"
#include "controller/config/config.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fetching/fetching.h"
#include "controller/fleet/fleet.h"
#include "controller/gitlab/gitlab.h"
#include "controller/ingest/ingest.h"
#include "controller/operator.h"
#include "controller/queue/queue.h"
#include "controller/reactions/reactions.h"
#include "controller/reconciler/reconciler.h"
#include "controller/store/store.h"
#include "controller/webhooks/webhooks.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::controller {
namespace {

namespace fs = std::filesystem;

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;
constexpr auto kShutdownLimit = std::chrono::seconds(4);
constexpr int64_t kQuestionLife = 8 * kMicrosPerSecond;  // people wait for the answer
constexpr auto kSweepInterval = std::chrono::minutes(10);
constexpr std::size_t kLargestCertificate = 64 << 10;

int fail(const Error& error, int code = kExitFailure) {
  std::cerr << "gitaiops-controller: " << error.to_string() << "\n";
  return code;
}

Result<Config> load(const fs::path& path) {
  return schema().load_file(path, check);
}

Status make_state_dir(const Config& config) {
  std::error_code error;
  fs::create_directories(config.state.dir, error);
  if (error)
    return Error(Code::permission_denied,
                 "state.dir: cannot create " + config.state.dir.string() + ": " + error.message());
  return {};
}

Result<std::unique_ptr<store::Store>> open_store(const Config& config, const Clock& clock) {
  RETURN_IF_ERROR(make_state_dir(config));
  return store::open_sqlite({config.state.dir / "controller.db"}, clock);
}

// One service a state directory: two would answer the same agents and renew the same certificates.
// Commands beside it are welcome.
Result<Fd> claim(const fs::path& state_dir) {
  const auto path = state_dir / "serve.lock";
  Fd file(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return errno_error("create", path.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK)
    return Error(Code::already_exists, "another gitaiops-controller serves from " +
                                           state_dir.string() +
                                           "; stop it first, or set state.dir to another folder");
  return errno_error("lock", path.string());
}

std::string endpoint(const std::string& address, int64_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

acting::Options acting_options(const Config& config) {
  acting::Options out;
  for (const auto& rule : config.retry)
    out.retry.push_back({.project = {rule.gitlab, rule.project},
                         .owners = rule.owners,
                         .categories = rule.categories,
                         .max_per_hour = rule.max_per_hour,
                         .backoff_us = rule.backoff.micros});
  out.hosts = {config.hosts.window.micros, config.hosts.jobs, config.hosts.projects,
               config.hosts.pause_runners};
  return out;
}

// What runs between start and stop.
class Controller {
 public:
  Controller(asio::io_context& loop, fs::path config_path, Config config)
      : loop_(loop), config_path_(std::move(config_path)), config_(std::move(config)) {}

  Task<Status> serve() {
    CO_RETURN_IF_ERROR(open());
    const auto executor = loop_.get_executor();
    spawn(executor, "api", api_->run());
    spawn(executor, "enrolment", enrollment_->run());
    spawn(executor, "fleet", fleet_->run());
    spawn(executor, "retention", sweep());
    start("reactions", reactions_->follow());
    start("acting", acting_->follow());
    start("fetching", fetching_->run());
    start("webhooks", webhooks_->run());
    start("reconciler", reconciler_->run());
    start("advisories", advisories_->run());
    start("queue", worker_->run());
    spawn(executor, "watchdog", keep_watchdog());
    notify_manager("READY=1");
    log::info("serving",
              {{"version", GITAIOPS_VERSION},
               {"fleet", endpoint(config_.fleet.address, fleet_server_->port())},
               {"enrollment", endpoint(config_.enrollment.address, enrollment_server_->port())},
               {"api", endpoint(config_.api.address, api_->port())},
               {"gitlab_instances", config_.gitlab.size()}});
    co_await follow_signals();
    co_await shut_down();
    co_return Status();
  }

 private:
  Status open() {
    const auto executor = loop_.get_executor();
    RETURN_IF_ERROR(make_state_dir(config_));
    metrics_.declare(metrics::controller_metrics());
    ASSIGN_OR_RETURN(claim_, claim(config_.state.dir));
    ASSIGN_OR_RETURN(store_, open_store(config_, clock_), "opening the database");

    const auto options = enrollment_options(config_);
    ASSIGN_OR_RETURN(auto keyring, enrollment::Keyring::open(options, clock_),
                     "opening the certificate authority");
    keyring_ = std::make_unique<enrollment::Keyring>(std::move(keyring));
    ASSIGN_OR_RETURN(enrollment_,
                     enrollment::Enrollment::make(options, *keyring_, *store_, clock_));
    ingest_ = std::make_unique<ingest::Ingest>(*store_, clock_);
    fleet::Options fleet{.version = GITAIOPS_VERSION};
    fleet.on_baseline = [this](std::string agent, gitaiops::fleet::v1::BaselineRequest request) {
      return baselines_->answer(std::move(agent), std::move(request));
    };
    fleet_ = std::make_unique<fleet::Fleet>(std::move(fleet), *store_, *ingest_, clock_);
    RETURN_IF_ERROR(open_listeners());

    for (const auto& instance : config_.gitlab) {
      auto& web = webs_.emplace_back(
          std::make_unique<Outgoing>(executor, OutgoingOptions{.ca_file = instance.ca_file}));
      ASSIGN_OR_RETURN(auto gitlab, gitlab::open_http({.id = instance.id,
                                                       .url = instance.url,
                                                       .token_file = instance.token_file,
                                                       .on_request = count_requests(instance.id)},
                                                      *web, clock_));
      gitlabs_[instance.id] = std::move(gitlab);
    }
    std::map<std::string, gitlab::Gitlab*> instances;
    for (const auto& [id, gitlab] : gitlabs_) instances[id] = gitlab.get();
    baselines_ = std::make_unique<baselines::Baselines>(*store_, instances);
    std::map<std::string, fetching::Source> sources;
    for (const auto& instance : config_.gitlab)
      sources[instance.id] = {gitlabs_[instance.id].get(), instance.poll_projects,
                              instance.poll_interval.micros,
                              static_cast<std::size_t>(instance.poll_trace_bytes)};
    fetching_ = std::make_unique<fetching::Fetching>(*store_, clock_, std::move(sources),
                                                     diagnosis::builtin_rules());
    acting_ = std::make_unique<acting::Acting>(*store_, clock_, instances, acting_options(config_));
    reactions_ = std::make_unique<reactions::Reactions>(*store_, clock_, std::move(instances));
    worker_ = std::make_unique<queue::Worker>(*store_, clock_);
    reactions_->attach(*worker_);
    acting_->attach(*worker_);
    fetching_->attach(*worker_);

    std::map<std::string, reconciler::Source> asked;
    for (const auto& instance : config_.gitlab)
      asked[instance.id] = {gitlabs_[instance.id].get(), instance.reconcile_interval.micros};
    reconciler_ = std::make_unique<reconciler::Reconciler>(
        store_->inbox(), clock_, std::move(asked),
        [found = metrics_.counter("gitaiops_reconciled_total")](
            std::string_view instance, std::string_view kind, int64_t count) mutable {
          found.add(static_cast<double>(count), {instance, kind});
        });
    advisories_ = std::make_unique<advisories::Advisories>(store_->vulnerabilities(), clock_,
                                                           config_.advisories.index);
    ASSIGN_OR_RETURN(webhooks_,
                     webhooks::Webhooks::make(webhook_options(), store_->inbox(), clock_),
                     "gitlab.webhook_secret_files");

    api::ApiOptions api{.address = config_.api.address,
                        .port = static_cast<uint16_t>(config_.api.port),
                        .tls_certificate = config_.api.tls_certificate,
                        .tls_key = config_.api.tls_key,
                        .behind_proxy = config_.api.behind_proxy};
    ASSIGN_OR_RETURN(
        api_,
        api::listen(
            executor, api,
            {.store = *store_,
             .clock = clock_,
             .metrics = metrics_,
             .before_metrics = [this] { refresh_metrics(); },
             .lines_around =
                 [this](store::Job job, uint64_t line, uint32_t before, uint32_t after) {
                   return lines_around(std::move(job), line, before, after);
                 },
             .hosts = {config_.hosts.window.micros, config_.hosts.jobs, config_.hosts.projects},
             .webhook =
                 [this](std::string instance, http::Request request) {
                   return webhooks_->take(std::move(instance), std::move(request));
                 },
             .webhook_bytes =
                 [this](const std::string& instance, const http::Headers& head) {
                   return webhooks_->body_limit(instance, head);
                 }}),
        "opening the API (api.address, api.port)");
    return {};
  }

  Status open_listeners() {
    const auto executor = loop_.get_executor();
    const auto files = keyring_->files();
    const rpc::ListenOptions fleet{.address = endpoint(config_.fleet.address, config_.fleet.port),
                                   .key = files.key,
                                   .certificate = files.certificate,
                                   .trusted = files.trusted};
    ASSIGN_OR_RETURN(fleet_server_,
                     rpc::serve_fleet(
                         executor, fleet,
                         [this](std::shared_ptr<rpc::ServerSession> session) {
                           return fleet_->serve(std::move(session));
                         },
                         [this](gitaiops::enrollment::v1::RenewRequest request, rpc::Peer peer) {
                           return enrollment_->renew(std::move(request), std::move(peer));
                         }),
                     "opening the fleet listener (fleet.address, fleet.port)");
    auto enrolling = fleet;
    enrolling.address = endpoint(config_.enrollment.address, config_.enrollment.port);
    ASSIGN_OR_RETURN(enrollment_server_,
                     rpc::serve_enrollment(
                         executor, enrolling,
                         [this](gitaiops::enrollment::v1::EnrollRequest request, rpc::Peer peer) {
                           return enrollment_->enroll(std::move(request), std::move(peer));
                         }),
                     "opening the enrolment listener (enrollment.address, enrollment.port)");
    return {};
  }

  void start(std::string_view name, Task<void> task) {
    ++running_;
    spawn(loop_.get_executor(), name, [](Controller* c, Task<void> inner) -> Task<void> {
      co_await std::move(inner);
      if (--c->running_ == 0) c->quiet_.set();
    }(this, std::move(task)));
  }

  std::function<void(std::string_view, int64_t)> count_requests(const std::string& instance) {
    return [instance, requests = metrics_.counter("gitaiops_gitlab_requests_total"),
            durations = metrics_.histogram("gitaiops_gitlab_request_duration_seconds")](
               std::string_view result, int64_t took_us) mutable {
      requests.add(1, {instance, result});
      durations.observe(static_cast<double>(took_us) / kMicrosPerSecond, {instance});
    };
  }

  webhooks::Options webhook_options() {
    webhooks::Options options;
    options.max_bytes = static_cast<std::size_t>(config_.webhooks.max_bytes);
    for (const auto& instance : config_.gitlab)
      options.secrets[instance.id] = {instance.webhook_secret_files.begin(),
                                      instance.webhook_secret_files.end()};
    options.fetch = [this](const std::string& instance, const std::string& path, int64_t project,
                           int64_t job, UnixMicros now) {
      return fetching_->work_for(instance, path, project, job, now);
    };
    options.on_request = [requests = metrics_.counter("gitaiops_webhooks_total")](
                             std::string_view instance, std::string_view result) mutable {
      requests.add(1, {instance, result});
    };
    options.on_settled = [events = metrics_.counter("gitaiops_events_total")](
                             std::string_view type, std::string_view state) mutable {
      events.add(1, {type, state});
    };
    return options;
  }

  void refresh_metrics() {
    metrics_.gauge("gitaiops_info").set(1, {GITAIOPS_VERSION});
    for (const auto& [id, gitlab] : gitlabs_)
      metrics_.gauge("gitaiops_gitlab_breaker_open").set(gitlab->wait_hint().count() > 0, {id});
    for (const auto& [id, gitlab] : gitlabs_)
      if (const auto at = reconciler_->token_expiry(id))
        metrics_.gauge("gitaiops_gitlab_token_expiry_timestamp_seconds")
            .set(static_cast<double>(at->value) / kMicrosPerSecond, {id});
    auto expiry = metrics_.gauge("gitaiops_certificate_expiry_timestamp_seconds");
    const auto tell = [&](std::string_view which, const std::string& pem) {
      if (const auto facts = tls::facts(pem); facts.ok())
        expiry.set(static_cast<double>(facts->validity.not_after.value) / kMicrosPerSecond,
                   {which});
    };
    tell("server", read_file(keyring_->files().certificate, kLargestCertificate).value_or(""));
    tell("authority", keyring_->authority().certificate_pem());
    uint64_t bytes = 0;
    for (const auto* part : {"controller.db", "controller.db-wal"}) {
      std::error_code missing;
      const auto size = fs::file_size(config_.state.dir / part, missing);
      bytes += missing ? 0 : size;
    }
    metrics_.gauge("gitaiops_store_bytes").set(static_cast<double>(bytes));
    const auto& acts = acting_->counters();
    metrics_.gauge("gitaiops_failing_hosts").set(static_cast<double>(acts.failing_hosts));
    auto done = metrics_.counter("gitaiops_acts_total");
    done.raise_to(static_cast<double>(acts.retries), {"job.retry"});
    done.raise_to(static_cast<double>(acts.pauses), {"runner.pause"});
    done.raise_to(static_cast<double>(acts.refused), {"refused"});
    refresh_advisories();
    const auto& fleet = fleet_->counters();
    const auto& ingest = ingest_->counters();
    metrics_.gauge("gitaiops_agents_connected").set(static_cast<double>(fleet.connected));
    metrics_.counter("gitaiops_streams_opened_total").raise_to(static_cast<double>(fleet.opened));
    metrics_.counter("gitaiops_streams_refused_total").raise_to(static_cast<double>(fleet.refused));
    metrics_.counter("gitaiops_streams_replaced_total")
        .raise_to(static_cast<double>(fleet.replaced));
    metrics_.counter("gitaiops_streams_ended_total")
        .raise_to(static_cast<double>(fleet.ended_by_check));
    metrics_.counter("gitaiops_envelopes_failed_total")
        .raise_to(static_cast<double>(ingest.failed));
    metrics_.counter("gitaiops_envelopes_stored_total")
        .raise_to(static_cast<double>(ingest.stored));
    metrics_.counter("gitaiops_envelopes_duplicate_total")
        .raise_to(static_cast<double>(ingest.duplicates));
    metrics_.counter("gitaiops_envelopes_refused_total")
        .raise_to(static_cast<double>(ingest.refused_invalid), {"invalid"});
    metrics_.counter("gitaiops_envelopes_refused_total")
        .raise_to(static_cast<double>(ingest.refused_scope), {"scope"});
  }

  void refresh_advisories() {
    if (config_.advisories.index.empty()) return;
    const auto& counters = advisories_->counters();
    metrics_.gauge("gitaiops_advisories_unusable").set(counters.unusable);
    metrics_.gauge("gitaiops_advisories_timestamp_seconds")
        .set(static_cast<double>(counters.made_at.value) / kMicrosPerSecond);
    metrics_.counter("gitaiops_inventories_matched_total")
        .raise_to(static_cast<double>(counters.matched));
    auto found = metrics_.counter("gitaiops_vulnerabilities_found_total");
    found.raise_to(static_cast<double>(counters.found_by_commit), {"commit"});
    found.raise_to(static_cast<double>(counters.found_by_advisory), {"advisory"});
  }

  // Of the host that ran the job; of GitLab, when no agent watched it.
  Task<Result<gitaiops::fleet::v1::Excerpt>> lines_around(store::Job job, uint64_t line,
                                                          uint32_t before, uint32_t after) {
    if (job.agent_id.empty())
      co_return co_await fetching_->lines_around(std::move(job), line, before, after);
    gitaiops::fleet::v1::Command command;
    auto& ask = *command.mutable_lines_around();
    ask.mutable_key()->set_instance(job.key.instance);
    ask.mutable_key()->set_project_id(job.key.project_id);
    ask.mutable_key()->set_project_path(job.project_path);
    ask.mutable_key()->set_job_id(job.key.job_id);
    ask.set_line(line);
    ask.set_before(before);
    ask.set_after(after);
    command.set_expires_at_us((clock_.now() + kQuestionLife).value);
    auto result = co_await fleet_->command(job.agent_id, std::move(command));
    if (!result.ok()) co_return result.error();
    using Answer = gitaiops::fleet::v1::CommandResult;
    if (result->status() == Answer::STATUS_DONE) co_return std::move(*result->mutable_excerpt());
    const bool gone = result->status() == Answer::STATUS_NOT_FOUND ||
                      result->status() == Answer::STATUS_UNSUPPORTED;
    co_return Error(gone ? Code::not_found : Code::unavailable, result->message());
  }

  Task<void> sweep() {
    while (!stopping_.is_set()) {
      const store::Retention retention{clock_.now() + -config_.retention.age.micros,
                                       static_cast<uint64_t>(config_.retention.max_bytes),
                                       clock_.now() + -config_.webhooks.keep.micros};
      const auto removed = co_await store_->sweep(retention);
      if (!removed.ok()) log::warning("retention failed", {{"why", removed.error().to_string()}});
      if (removed.ok() && *removed > 0) log::info("old jobs removed", {{"jobs", *removed}});
      co_await stopping_.wait(kSweepInterval);
    }
  }

  // Alive means that the loop goes round.
  Task<void> keep_watchdog() {
    const auto interval = watchdog_interval_us();
    while (interval && !stopping_.is_set()) {
      notify_manager("WATCHDOG=1");
      co_await stopping_.wait(std::chrono::microseconds(*interval));
    }
  }

  void reload() {
    auto fresh = load(config_path_);
    if (!fresh.ok()) {
      log::error("configuration not reloaded", {{"why", fresh.error().to_string()}});
      return;
    }
    for (const auto& key : schema().needs_restart(config_, *fresh))
      log::warning("a changed setting needs a restart", {{"key", key}});
    config_.log = fresh->log;
    config_.retention = fresh->retention;
    config_.webhooks.keep = fresh->webhooks.keep;
    config::configure_log(config_.log);
    log::info("configuration reloaded");
  }

  Task<void> follow_signals() {
    for (;;) {
      asio::error_code error;
      const int signal =
          co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error || signal != SIGHUP) co_return;
      reload();
    }
  }

  // From the outside in: no new work first, then what is being done, then what it stands on.
  Task<void> shut_down() {
    log::info("stopping");
    notify_manager("STOPPING=1");
    stopping_.set();
    api_->stop();
    fleet_->stop();
    enrollment_->stop();
    co_await enrollment_server_->stop();
    co_await fleet_server_->stop();
    reactions_->stop();
    acting_->stop();
    fetching_->stop();
    webhooks_->stop();
    reconciler_->stop();
    advisories_->stop();
    worker_->stop();
    co_await quiet_.wait(kShutdownLimit);
    log::info("stopped");
  }

  asio::io_context& loop_;
  const fs::path config_path_;
  Config config_;
  const Clock& clock_ = system_clock();
  asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
  metrics::Registry metrics_;
  Fd claim_;  // released last: the next one finds everything written
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<enrollment::Keyring> keyring_;
  std::unique_ptr<enrollment::Enrollment> enrollment_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::vector<std::unique_ptr<Outgoing>> webs_;
  std::map<std::string, std::unique_ptr<gitlab::Gitlab>> gitlabs_;
  std::unique_ptr<reactions::Reactions> reactions_;
  std::unique_ptr<acting::Acting> acting_;
  std::unique_ptr<baselines::Baselines> baselines_;
  std::unique_ptr<fetching::Fetching> fetching_;
  std::unique_ptr<webhooks::Webhooks> webhooks_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<advisories::Advisories> advisories_;
  std::unique_ptr<queue::Worker> worker_;
  std::unique_ptr<rpc::Server> fleet_server_, enrollment_server_;
  std::unique_ptr<http::Server> api_;
  Event stopping_, quiet_;
  int running_ = 0;
};

int serve(const fs::path& config_path) {
  auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  config::configure_log(config->log);
  asio::io_context loop(1);
  Controller controller(loop, config_path, std::move(config).value());
  const auto ended = run_task(loop, controller.serve());
  return ended.ok()
             ? 0
             : fail(ended.error(),
                    ended.error().code() == Code::invalid_argument ? kExitUsage : kExitFailure);
}

// A command on the store, beside a running service or without one.
template <class Act>
int operate(const fs::path& config_path, Act act) {
  const auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  log::configure(log::Level::warning, log::Format::text);
  if (const auto user = become_service_user(config->state.dir); !user.ok())
    return fail(user.error());
  asio::io_context loop(1);  // outlives the store, whose threads post to it
  const auto store = open_store(*config, system_clock());
  if (!store.ok()) return fail(store.error());
  const auto done = run_task(loop, act(**store, *config));
  if (done.ok()) return 0;
  return fail(done.error(), done.error().code() == Code::invalid_argument ||
                                    done.error().code() == Code::not_found
                                ? kExitUsage
                                : kExitFailure);
}

int put_back(const fs::path& config_path, const fs::path& from) {
  const auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  log::configure(log::Level::warning, log::Format::text);
  if (const auto user = become_service_user(config->state.dir); !user.ok())
    return fail(user.error());
  if (const auto made = make_state_dir(*config); !made.ok()) return fail(made.error());
  const auto claimed = claim(config->state.dir);
  if (!claimed.ok()) return fail(claimed.error());
  const auto done = restore(*config, from, system_clock(), std::cout);
  return done.ok() ? 0 : fail(done.error());
}

// Files are looked at as the service will: as the owner of the state folder.
config::Problems check_as_service(const Config& config) {
  if (!config.state.dir.empty()) {
    const auto user = become_service_user(config.state.dir);
    if (!user.ok()) return {{"state.dir", user.error().message()}};
  }
  auto problems = check_with_files(config);
  const auto exposure = api::check_exposure({.address = config.api.address,
                                             .port = static_cast<uint16_t>(config.api.port),
                                             .tls_certificate = config.api.tls_certificate,
                                             .tls_key = config.api.tls_key,
                                             .behind_proxy = config.api.behind_proxy});
  for (std::size_t i = 0; problems.empty() && i < config.gitlab.size(); ++i)
    for (const auto& file : config.gitlab[i].webhook_secret_files)
      if (const auto good = webhooks::check_secret_file(file); !good.ok())
        problems.push_back({"gitlab.webhook_secret_files", good.error().to_string(), i});
  // It names the key first; what check() has said already is not said twice.
  const auto named = exposure.ok() ? "" : exposure.error().message();
  const auto colon = named.find(": ");
  if (problems.empty() && colon != std::string::npos)
    problems.push_back({named.substr(0, colon), named.substr(colon + 2)});
  return problems;
}

int check_config(const fs::path& config_path) {
  const auto config = schema().load_file(config_path, check_as_service);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  std::cout << config_path.string() << " is valid\n";
  return 0;
}

}  // namespace
}  // namespace gitaiops::controller

int main(int argc, char** argv) {
  using namespace gitaiops;
  using namespace gitaiops::controller;
  CLI::App app("gitaiops-controller: keeps what the agents report, and tells people");
  app.require_subcommand(1);
  app.set_version_flag("--version", "gitaiops-controller " GITAIOPS_VERSION);
  std::string config = "/etc/gitaiops/controller.toml", id, to;
  TokenRequest request;
  int code = 0;
  const Clock& clock = system_clock();
  const auto command = [&](CLI::App* parent, const char* name, const char* words, auto act) {
    auto* sub = parent->add_subcommand(name, words);
    sub->add_option("--config", config, "Configuration file")->capture_default_str();
    sub->callback([&code, act] { code = act(); });
    return sub;
  };
  command(&app, "serve", "Run the service", [&] { return serve(config); });
  command(&app, "check-config", "Check the configuration without starting",
          [&] { return check_config(config); });

  auto* token = app.add_subcommand("token", "Tokens: for enrolling agents, and for the API")
                    ->require_subcommand(1);
  auto* create = command(token, "create", "Make a token and print it; it is shown once", [&] {
    return operate(config, [&](store::Store& s, const Config& c) {
      return create_token(s, c, request, clock, std::cout);
    });
  });
  auto* api =
      create->add_flag("--api", request.api, "For the REST API (default: for enrolling an agent)");
  create->add_option("--name", request.name, "API: whose it is")->needs(api);
  create->add_option("--ttl", request.ttl, "How long it is valid, e.g. 30m, 1h, 90d")
      ->capture_default_str();
  create->add_option("--uses", request.uses, "Enrolment: how many agents it may enrol")
      ->capture_default_str()
      ->excludes(api);
  create
      ->add_option("--label", request.labels,
                   "Enrolment: a label for the agents; may stand more than once")
      ->excludes(api);
  create
      ->add_option("--certificate-life", request.certificate_life,
                   "Enrolment: how long each certificate of these agents lives, from 1h to 90d; "
                   "short for images and nodes that come and go (default: "
                   "enrollment.certificate_life)")
      ->excludes(api);
  create->add_option("--project", request.projects,
                     "INSTANCE:GLOB it is good for, e.g. main:group/*, or GLOB for every instance; "
                     "may stand more than once (default: all)");
  create
      ->add_flag("--admin", request.admin,
                 "API: also what concerns the whole fleet: agents, metrics")
      ->needs(api);
  command(token, "list", "List tokens", [&] {
    return operate(
        config, [&](store::Store& s, const Config&) { return list_tokens(s, clock, std::cout); });
  });
  command(token, "revoke", "End a token before its time",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return revoke_token(s, id, clock, std::cout);
            });
          })
      ->add_option("id", id, "The ID that `token list` shows")
      ->required();

  auto* agents = app.add_subcommand("agents", "The agents of the fleet")->require_subcommand(1);
  command(agents, "list", "List agents", [&] {
    return operate(
        config, [&](store::Store& s, const Config&) { return list_agents(s, clock, std::cout); });
  });
  command(agents, "revoke", "Shut an agent out, within 5 seconds",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return revoke_agent(s, id, clock, std::cout);
            });
          })
      ->add_option("id", id, "The ID that `agents list` shows")
      ->required();

  std::size_t records = 50;
  auto* audit = app.add_subcommand("audit", "What was done by itself and by operators")
                    ->require_subcommand(1);
  command(audit, "list", "List acts, newest first",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return list_audit(s, records, std::cout);
            });
          })
      ->add_option("--limit", records, "How many")
      ->capture_default_str();
  std::string noted;
  command(audit, "verify", "Check that no record was changed, slipped in or taken out",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return verify_audit(s, noted, std::cout);
            });
          })
      ->add_option("--noted", noted,
                   "N:HASH of a record as it was noted elsewhere: it must still be the same");
  int64_t first = 1;
  command(audit, "export", "Print all records as JSON lines, oldest first",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return export_audit(s, first, std::cout);
            });
          })
      ->add_option("--from", first, "Number of the first")
      ->capture_default_str();

  std::string state;
  auto* events = app.add_subcommand("events", "What GitLab told by webhooks, as it came")
                     ->require_subcommand(1);
  auto* list = command(events, "list", "List events, newest first", [&] {
    return operate(config, [&](store::Store& s, const Config&) {
      return list_events(s, state, records, std::cout);
    });
  });
  list->add_option("--state", state, "Only these: waiting, done, ignored or unreadable");
  list->add_option("--limit", records, "How many, at most 200")->capture_default_str();
  command(events, "show", "Print one with its body",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return show_event(s, id, std::cout);
            });
          })
      ->add_option("id", id, "The ID that `events list` shows")
      ->required();
  command(events, "replay", "Read one again",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return replay_event(s, id, clock, std::cout);
            });
          })
      ->add_option("id", id, "The ID that `events list` shows")
      ->required();

  auto* letters =
      app.add_subcommand("dead-letters", "Work that was given up, and why")->require_subcommand(1);
  command(letters, "list", "List it, newest first",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return list_dead_letters(s, records, clock, std::cout);
            });
          })
      ->add_option("--limit", records, "How many, at most 200")
      ->capture_default_str();
  command(letters, "replay", "Put it back into the queue",
          [&] {
            return operate(config, [&](store::Store& s, const Config&) {
              return replay_dead_letters(s, id, clock, std::cout);
            });
          })
      ->add_option("id", id, "The ID that `dead-letters list` shows, or all")
      ->required();

  bool at_once = false, with_key = false;
  auto* ca = app.add_subcommand("ca", "The certificate authority of agents and controller")
                 ->require_subcommand(1);
  command(ca, "rotate", "Replace it: three steps, one a run, each when its time has come",
          [&] {
            return operate(config, [&](store::Store& s, const Config& c) {
              return rotate_authority(s, c, at_once, clock, std::cout);
            });
          })
      ->add_flag("--at-once", at_once,
                 "Do not wait: for a stolen key. Agents that were away must enrol again");

  auto* save = command(&app, "backup", "Copy the database, also while the service runs", [&] {
    return operate(config, [&](store::Store& s, const Config& c) {
      return backup(s, c, to, with_key, clock, std::cout);
    });
  });
  save->add_option("to", to, "File to write; must not exist")->required();
  save->add_flag("--with-key", with_key,
                 "Also the certificate authority with its key, into a second file: TO.key");
  command(&app, "restore", "Put a backup in place of the database; the service must not run",
          [&] { return put_back(config, to); })
      ->add_option("from", to, "The file that `backup` wrote")
      ->required();
  app.add_subcommand("sample-config", "Print a commented configuration file")->callback([] {
    std::cout << schema().sample();
  });
  app.add_subcommand("version", "Print the version")->callback([] {
    std::cout << "gitaiops-controller " GITAIOPS_VERSION "\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // "A subcommand is required" hides which word was wrong.
    const auto left = app.remaining(true);
    if (left.empty()) return app.exit(error), kExitUsage;
    std::cerr << "gitaiops-controller: unknown command \"" << left.front()
              << "\"; run with --help for the commands there are\n";
    return kExitUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return code;
}
