#include "controller/service.h"

#include <csignal>

#include <asio/signal_set.hpp>

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
#include "controller/checks/checks.h"
#include "controller/commands/commands.h"
#include "controller/config/config.h"
#include "controller/dependencies/dependencies.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fetching/fetching.h"
#include "controller/figures.h"
#include "controller/fleet/fleet.h"
#include "controller/gitlab/gitlab.h"
#include "controller/ingest/ingest.h"
#include "controller/models/models.h"
#include "controller/note/note.h"
#include "controller/operator.h"
#include "controller/project_files/project_files.h"
#include "controller/queue/queue.h"
#include "controller/reactions/reactions.h"
#include "controller/reconciler/reconciler.h"
#include "controller/reviewing.h"
#include "controller/settings.h"
#include "controller/state_folder.h"
#include "controller/store/store.h"
#include "controller/triaging/triaging.h"
#include "controller/webhooks/webhooks.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::controller {
namespace {

namespace fs = std::filesystem;

constexpr auto kShutdownLimit = std::chrono::seconds(4);
constexpr int64_t kQuestionLife = 8 * kMicrosPerSecond;  // people wait for the answer
constexpr auto kSweepInterval = std::chrono::minutes(10);

// What a model may be told of.
std::vector<models::Vulnerability> brought_by(const note::View& view) {
  std::vector<models::Vulnerability> out;
  if (!view.quote_logs || !view.wants("vulnerabilities") || !view.dependencies ||
      !view.dependencies->target_known)
    return out;
  for (const auto& one : view.dependencies->added)
    out.push_back({one.package, one.version, one.name, one.summary});
  return out;
}

std::string endpoint(const std::string& address, int64_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// What runs between start and stop.
class Controller {
 public:
  Controller(asio::io_context& loop, fs::path config_path, Config config)
      : loop_(loop), config_path_(std::move(config_path)), config_(std::move(config)) {}

  Task<Status> serve() {
    CO_RETURN_IF_ERROR(open());
    CO_RETURN_IF_ERROR(co_await project_files_->load());
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
    if (reviewing_) start("history", reviewing_->run());
    start("feed", feed_->run());
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
    ASSIGN_OR_RETURN(accepted_, accepted_of(config_));
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
    ASSIGN_OR_RETURN(reviewing_, Reviewing::open(config_, *store_, instances, clock_));
    ASSIGN_OR_RETURN(auto triaging, triaging_options());
    triaging_ =
        std::make_unique<triaging::Triaging>(*store_, clock_, instances, std::move(triaging));
    ASSIGN_OR_RETURN(auto asked_models, model_settings(config_, clock_.now()));
    project_files_ = std::make_unique<project_files::ProjectFiles>(
        *store_, [this](const store::ProjectFile& of, std::vector<scanner::Ignore> ignores) {
          if (config_.advisories.project_ignores)
            accepted_.set_own(of.instance, of.project_id, of.project_path, std::move(ignores));
        });
    asked_models.welcome = [this](const std::string& instance, int64_t project) {
      return project_files_->may_ask_models(instance, project);
    };
    ASSIGN_OR_RETURN(asker_, models::open(std::move(asked_models), *store_, clock_, executor));
    if (asker_) explainer_ = std::make_unique<models::Explainer>(*asker_, *store_, clock_);
    if (asker_ && config_.models.reads_changes)
      reader_ = std::make_unique<models::Reader>(*asker_, *store_, clock_, instances, guidelines());
    checks_ = std::make_unique<checks::Checks>(*store_, clock_, instances, check_options());
    reactions_ = std::make_unique<reactions::Reactions>(*store_, clock_, instances,
                                                        note::Composer(), reaction_options());
    commands_ = std::make_unique<commands::Commands>(*store_, clock_, std::move(instances),
                                                     command_options());
    worker_ = std::make_unique<queue::Worker>(*store_, clock_);
    reactions_->attach(*worker_);
    checks_->attach(*worker_);
    commands_->attach(*worker_);
    if (explainer_) explainer_->attach(*worker_);
    if (reader_) reader_->attach(*worker_);
    acting_->attach(*worker_);
    fetching_->attach(*worker_);
    triaging_->attach(*worker_);

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
                                                           index_of_advisories(config_));
    advisory_web_ = std::make_unique<Outgoing>(
        executor, OutgoingOptions{.ca_file = config_.advisories.ca_file});
    feed_ = make_feed(config_, config_path_, *advisory_web_, clock_);
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
             .accepted = &accepted_,
             .reviewers = reviewers_of_paths(),
             .reviewers_of = reviewers_of_merge_request(),
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

  reactions::Options reaction_options() {
    reactions::Options options;
    options.least_severity = note_severity(config_);
    options.project_files = project_files_.get();
    options.unwanted = config_.note.leave_out;
    options.accepted = &accepted_;
    if (config_.reviewers.enabled)
      options.reviewers = [this](std::string instance, gitlab::MergeRequest merge_request) {
        return reviewing_->propose(std::move(instance), std::move(merge_request));
      };
    if (explainer_)
      options.explain = [this](const gitaiops::fleet::v1::JobReport& report) {
        return explainer_->work_for(report);
      };
    if (reader_)
      options.read = [this](const std::string& instance, const gitlab::MergeRequest& merge_request,
                            const std::optional<store::ReadMergeRequest>& known,
                            const note::View& view) {
        return reader_->work_for(instance, merge_request, known, brought_by(view));
      };
    options.reading_alone = config_.models.own_note;
    options.reviewers_alone = config_.reviewers.enabled && config_.reviewers.own_note;
    if (config_.triage.enabled)
      options.triage = [this](
                           const std::string& instance, const gitlab::MergeRequest& merge_request,
                           const std::optional<store::TriagedMergeRequest>& known, UnixMicros now) {
        return triaging_->work_for(instance, merge_request, known, now);
      };
    options.triage_alone = config_.triage.own_note;
    options.matching = [this] { return advisories_ && advisories_->counters().made_at.value > 0; };
    if (checks_->wanted())
      options.status = [this](const store::MergeRequestKey& key,
                              const gitlab::MergeRequest& merge_request, const note::View& view) {
        return checks_->work_for(key, merge_request, view, clock_.now());
      };
    return options;
  }

  models::Reader::Guidelines guidelines() {
    return
        [this](gitlab::Gitlab& gitlab, std::string instance,
               gitlab::MergeRequest request) -> Task<Result<std::vector<project_file::Guideline>>> {
          auto own = project_files_->as_read(instance, request.project_id).guidelines;
          co_return co_await project_files_->guidelines(gitlab, std::move(instance),
                                                        std::move(request), std::move(own));
        };
  }

  checks::Options check_options() {
    checks::Options options;
    if (config_.status.commit) options.commit_status = config_.status.name;
    options.external_check = config_.status.external_check;
    for (const auto& reason : config_.status.fails_on) {
      options.fails_on_jobs = options.fails_on_jobs || reason == "jobs";
      options.fails_on_vulnerabilities =
          options.fails_on_vulnerabilities || reason == "vulnerabilities";
    }
    options.on_told = [told = metrics_.counter("gitaiops_statuses_total")](
                          std::string_view kind, std::string_view result) mutable {
      told.add(1, {kind, result});
    };
    return options;
  }

  commands::Options command_options() {
    commands::Options options;
    options.look = [this](store::MergeRequestKey key, gitlab::MergeRequest merge_request) {
      return reactions_->look(std::move(key), std::move(merge_request));
    };
    if (config_.reviewers.enabled)
      options.reviewers = [this](std::string instance, gitlab::MergeRequest merge_request) {
        return reviewing_->propose(std::move(instance), std::move(merge_request));
      };
    if (explainer_)
      options.explain = [this](const gitaiops::fleet::v1::JobReport& report) {
        return explainer_->work_for(report, models::Wish::asked);
      };
    options.on_command = [commands = metrics_.counter("gitaiops_commands_total")](
                             std::string_view command, std::string_view outcome) mutable {
      commands.add(1, {command, outcome});
    };
    return options;
  }

  // Work of before, when it was enabled, finds nothing to do.
  Result<triaging::Options> triaging_options() {
    triaging::Options options;
    options.assess = [this](std::string instance,
                            gitlab::MergeRequest merge_request) -> Task<Result<history::Assessed>> {
      if (!reviewing_) co_return history::Assessed();
      auto assessed = co_await reviewing_->assess(std::move(instance), std::move(merge_request));
      co_return assessed;
    };
    if (!config_.triage.enabled) return options;
    options.labels = config_.triage.labels;
    ASSIGN_OR_RETURN(options.version, triage_version(config_));
    return options;
  }

  decltype(api::Dependencies::reviewers) reviewers_of_paths() {
    if (!config_.reviewers.enabled) return {};
    return [this](store::Scope scope, std::string instance, std::string project,
                  std::vector<std::string> paths) {
      return reviewing_->of_paths(std::move(scope), std::move(instance), std::move(project),
                                  std::move(paths));
    };
  }

  decltype(api::Dependencies::reviewers_of) reviewers_of_merge_request() {
    if (!config_.reviewers.enabled) return {};
    return [this](std::string instance, int64_t project, int64_t iid) {
      return reviewing_->of_merge_request(std::move(instance), project, iid);
    };
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
    if (config_.commands.enabled)
      options.command = [](const webhooks::Comment& comment, UnixMicros now) {
        return commands::work_for(comment.instance, comment.project_id, comment.merge_request,
                                  comment.note, comment.discussion, now);
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
    for (const auto& [id, gitlab] : gitlabs_) {
      metrics_.gauge("gitaiops_gitlab_breaker_open").set(gitlab->wait_hint().count() > 0, {id});
      if (const auto at = reconciler_->token_expiry(id))
        metrics_.gauge("gitaiops_gitlab_token_expiry_timestamp_seconds")
            .set(static_cast<double>(at->value) / kMicrosPerSecond, {id});
    }
    uint64_t bytes = 0;
    for (const auto* part : {"controller.db", "controller.db-wal"}) {
      std::error_code missing;
      const auto size = fs::file_size(config_.state.dir / part, missing);
      bytes += missing ? 0 : size;
    }
    metrics_.gauge("gitaiops_store_bytes").set(static_cast<double>(bytes));
    metrics_.gauge("gitaiops_advisory_sources_failed").set(static_cast<double>(feed_->failed()));
    show(*keyring_, metrics_);
    show(acting_->counters(), metrics_);
    show(fleet_->counters(), metrics_);
    show(ingest_->counters(), metrics_);
    if (!index_of_advisories(config_).empty()) show(advisories_->counters(), metrics_);
    if (asker_) show(*asker_, metrics_);
    if (reviewing_) show(reviewing_->counters(), metrics_);
    if (config_.triage.enabled) show(triaging_->counters(), metrics_);
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
    auto accepted = accepted_of(*fresh);
    if (!accepted.ok())
      log::error("what is accepted stays as it was", {{"why", accepted.error().to_string()}});
    if (accepted.ok()) {
      accepted->keep_own_of(accepted_);
      accepted_ = std::move(*accepted);
    }
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
    if (reviewing_) reviewing_->stop();
    feed_->stop();
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
  dependencies::Accepted accepted_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<enrollment::Keyring> keyring_;
  std::unique_ptr<enrollment::Enrollment> enrollment_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::vector<std::unique_ptr<Outgoing>> webs_;
  std::map<std::string, std::unique_ptr<gitlab::Gitlab>> gitlabs_;
  std::unique_ptr<Reviewing> reviewing_;  // nothing: nobody is proposed
  std::unique_ptr<triaging::Triaging> triaging_;
  std::unique_ptr<models::Asker> asker_;  // nothing: no model is asked
  std::unique_ptr<models::Explainer> explainer_;
  std::unique_ptr<models::Reader> reader_;
  std::unique_ptr<project_files::ProjectFiles> project_files_;
  std::unique_ptr<checks::Checks> checks_;
  std::unique_ptr<reactions::Reactions> reactions_;
  std::unique_ptr<commands::Commands> commands_;
  std::unique_ptr<acting::Acting> acting_;
  std::unique_ptr<baselines::Baselines> baselines_;
  std::unique_ptr<fetching::Fetching> fetching_;
  std::unique_ptr<webhooks::Webhooks> webhooks_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<advisories::Advisories> advisories_;
  std::unique_ptr<Outgoing> advisory_web_;
  std::unique_ptr<feed::Feed> feed_;
  std::unique_ptr<queue::Worker> worker_;
  std::unique_ptr<rpc::Server> fleet_server_, enrollment_server_;
  std::unique_ptr<http::Server> api_;
  Event stopping_, quiet_;
  int running_ = 0;
};

}  // namespace

Status run_service(const fs::path& config_path, Config config) {
  asio::io_context loop(1);
  Controller controller(loop, config_path, std::move(config));
  return run_task(loop, controller.serve());
}

}  // namespace gitaiops::controller
