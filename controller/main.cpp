// gitaiops-controller: its commands, one function each.
#include <iostream>

#include "base/command_line/command_line.h"
#include "base/io/run_task.h"
#include "base/log/log.h"
#include "controller/api/api.h"
#include "controller/operator.h"
#include "controller/service.h"
#include "controller/settings.h"
#include "controller/state_folder.h"
#include "controller/webhooks/webhooks.h"

namespace gitaiops::controller {
namespace {

namespace fs = std::filesystem;

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;

int fail(const Error& error, int code = kExitFailure) {
  std::cerr << "gitaiops-controller: " << error.to_string() << "\n";
  return code;
}

int serve(const fs::path& config_path) {
  auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  config::configure_log(config->log);
  const auto ended = run_service(config_path, std::move(config).value());
  if (ended.ok()) return 0;
  return fail(ended.error(),
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

// A command on the folder of advisories.
template <class Act>
int with_advisories(const fs::path& config_path, Act act) {
  const auto config = load(config_path);
  if (!config.ok()) return fail(config.error(), kExitUsage);
  log::configure(log::Level::warning, log::Format::text);
  if (const auto user = become_service_user(config->state.dir); !user.ok())
    return fail(user.error());
  if (const auto made = make_state_dir(*config); !made.ok()) return fail(made.error());
  const auto done = act(*config);
  if (done.ok()) return 0;
  return fail(done.error(),
              done.error().code() == Code::invalid_argument ? kExitUsage : kExitFailure);
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
  const auto models =
      problems.empty() ? check_model_settings(config, system_clock().now()) : Status();
  if (!models.ok()) problems.push_back({"models.names", models.error().message()});
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

// What the command line said, and the commands that act on it.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    command(app_, "serve", "Run the service", [this] { return serve(config_); });
    command(app_, "check-config", "Check the configuration without starting",
            [this] { return check_config(config_); });
    add_tokens();
    add_agents();
    add_audit();
    add_events();
    add_dead_letters();
    add_advisories();
    add_authority();
    add_backups();
    app_.add_subcommand("sample-config", "Print a commented configuration file")->callback([] {
      std::cout << schema().sample();
    });
    app_.add_subcommand("version", "Print the version")->callback([] {
      std::cout << "gitaiops-controller " GITAIOPS_VERSION "\n";
    });
  }
  int code() const { return code_; }

 private:
  template <class Act>
  CLI::App* command(CLI::App& parent, const char* name, const char* words, Act act) {
    auto* sub = parent.add_subcommand(name, words);
    sub->add_option("--config", config_, "Configuration file")->capture_default_str();
    sub->callback([this, act] { code_ = act(); });
    return sub;
  }
  // A command on the store.
  template <class Act>
  CLI::App* on_store(CLI::App& parent, const char* name, const char* words, Act act) {
    return command(parent, name, words, [this, act] { return operate(config_, act); });
  }
  CLI::App& group(const char* name, const char* words) {
    return *app_.add_subcommand(name, words)->require_subcommand(1);
  }
  void takes_id(CLI::App* sub, const char* words) { sub->add_option("id", id_, words)->required(); }
  void takes_limit(CLI::App* sub, const char* words) {
    sub->add_option("--limit", records_, words)->capture_default_str();
  }

  void add_tokens() {
    auto& tokens = group("token", "Tokens: for enrolling agents, and for the API");
    add_token_creation(tokens);
    on_store(tokens, "list", "List tokens",
             [this](store::Store& s, const Config&) { return list_tokens(s, clock_, std::cout); });
    takes_id(on_store(tokens, "revoke", "End a token before its time",
                      [this](store::Store& s, const Config&) {
                        return revoke_token(s, id_, clock_, std::cout);
                      }),
             "The ID that `token list` shows");
  }

  void add_token_creation(CLI::App& tokens) {
    auto* create = on_store(tokens, "create", "Make a token and print it; it is shown once",
                            [this](store::Store& s, const Config& c) {
                              return create_token(s, c, request_, clock_, std::cout);
                            });
    auto* api = create->add_flag("--api", request_.api,
                                 "For the REST API (default: for enrolling an agent)");
    create->add_option("--name", request_.name, "API: whose it is")->needs(api);
    create->add_option("--ttl", request_.ttl, "How long it is valid, e.g. 30m, 1h, 90d")
        ->capture_default_str();
    create->add_option("--uses", request_.uses, "Enrolment: how many agents it may enrol")
        ->capture_default_str()
        ->excludes(api);
    create
        ->add_option("--label", request_.labels,
                     "Enrolment: a label for the agents; may stand more than once")
        ->excludes(api);
    create
        ->add_option("--certificate-life", request_.certificate_life,
                     "Enrolment: how long each certificate of these agents lives, from 1h to 90d; "
                     "short for images and nodes that come and go (default: "
                     "enrollment.certificate_life)")
        ->excludes(api);
    create->add_option("--project", request_.projects,
                       "INSTANCE:GLOB it is good for, e.g. main:group/*, or GLOB for every "
                       "instance; may stand more than once (default: all)");
    create
        ->add_flag("--admin", request_.admin,
                   "API: also what concerns the whole fleet: agents, metrics")
        ->needs(api);
  }

  void add_agents() {
    auto& agents = group("agents", "The agents of the fleet");
    on_store(agents, "list", "List agents",
             [this](store::Store& s, const Config&) { return list_agents(s, clock_, std::cout); });
    takes_id(on_store(agents, "revoke", "Shut an agent out, within 5 seconds",
                      [this](store::Store& s, const Config&) {
                        return revoke_agent(s, id_, clock_, std::cout);
                      }),
             "The ID that `agents list` shows");
  }

  void add_audit() {
    auto& audit = group("audit", "What was done by itself and by operators");
    takes_limit(on_store(audit, "list", "List acts, newest first",
                         [this](store::Store& s, const Config&) {
                           return list_audit(s, records_, std::cout);
                         }),
                "How many");
    on_store(audit, "verify", "Check that no record was changed, slipped in or taken out",
             [this](store::Store& s, const Config&) { return verify_audit(s, noted_, std::cout); })
        ->add_option("--noted", noted_,
                     "N:HASH of a record as it was noted elsewhere: it must still be the same");
    on_store(audit, "export", "Print all records as JSON lines, oldest first",
             [this](store::Store& s, const Config&) { return export_audit(s, first_, std::cout); })
        ->add_option("--from", first_, "Number of the first")
        ->capture_default_str();
  }

  void add_events() {
    auto& events = group("events", "What GitLab told by webhooks, as it came");
    auto* list = on_store(events, "list", "List events, newest first",
                          [this](store::Store& s, const Config&) {
                            return list_events(s, state_, records_, std::cout);
                          });
    list->add_option("--state", state_, "Only these: waiting, done, ignored or unreadable");
    takes_limit(list, "How many, at most 200");
    takes_id(
        on_store(events, "show", "Print one with its body",
                 [this](store::Store& s, const Config&) { return show_event(s, id_, std::cout); }),
        "The ID that `events list` shows");
    takes_id(on_store(events, "replay", "Read one again",
                      [this](store::Store& s, const Config&) {
                        return replay_event(s, id_, clock_, std::cout);
                      }),
             "The ID that `events list` shows");
  }

  void add_dead_letters() {
    auto& letters = group("dead-letters", "Work that was given up, and why");
    takes_limit(on_store(letters, "list", "List it, newest first",
                         [this](store::Store& s, const Config&) {
                           return list_dead_letters(s, records_, clock_, std::cout);
                         }),
                "How many, at most 200");
    takes_id(on_store(letters, "replay", "Put it back into the queue",
                      [this](store::Store& s, const Config&) {
                        return replay_dead_letters(s, id_, clock_, std::cout);
                      }),
             "The ID that `dead-letters list` shows, or all");
  }

  void add_advisories() {
    auto& known = group("advisories", "What is known of vulnerable packages");
    command(known, "refresh", "Fetch all sources now and build the index from them", [this] {
      return with_advisories(
          config_, [this](const Config& c) { return refresh_advisories(c, config_, clock_); });
    });
    command(known, "build", "Build the index from what was fetched", [this] {
      return with_advisories(config_,
                             [](const Config& c) { return build_advisories(c, std::cerr); });
    });
  }

  void add_authority() {
    auto& ca = group("ca", "The certificate authority of agents and controller");
    on_store(ca, "rotate", "Replace it: three steps, one a run, each when its time has come",
             [this](store::Store& s, const Config& c) {
               return rotate_authority(s, c, at_once_, clock_, std::cout);
             })
        ->add_flag("--at-once", at_once_,
                   "Do not wait: for a stolen key. Agents that were away must enrol again");
  }

  void add_backups() {
    auto* save = on_store(app_, "backup", "Copy the database, also while the service runs",
                          [this](store::Store& s, const Config& c) {
                            return backup(s, c, to_, with_key_, clock_, std::cout);
                          });
    save->add_option("to", to_, "File to write; must not exist")->required();
    save->add_flag("--with-key", with_key_,
                   "Also the certificate authority with its key, into a second file: TO.key");
    command(app_, "restore", "Put a backup in place of the database; the service must not run",
            [this] { return put_back(config_, from_); })
        ->add_option("from", from_, "The file that `backup` wrote")
        ->required();
  }

  CLI::App& app_;
  const Clock& clock_ = system_clock();
  int code_ = 0;
  std::string config_ = "/etc/gitaiops/controller.toml";
  TokenRequest request_;
  std::string id_, to_, from_, noted_, state_;
  std::size_t records_ = 50;
  int64_t first_ = 1;
  bool at_once_ = false, with_key_ = false;
};

}  // namespace
}  // namespace gitaiops::controller

int main(int argc, char** argv) {
  using namespace gitaiops;
  CLI::App app("gitaiops-controller: keeps what the agents report, and tells people");
  app.require_subcommand(1);
  app.set_version_flag("--version", "gitaiops-controller " GITAIOPS_VERSION);
  controller::Commands commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command_line::refused(app, "gitaiops-controller", error, std::cout);
  }
  return commands.code();
}
