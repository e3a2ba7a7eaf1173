// gitaiops-controller: its commands, one function each.
#include <iostream>

#include <CLI/CLI.hpp>

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

  auto* known = app.add_subcommand("advisories", "What is known of vulnerable packages")
                    ->require_subcommand(1);
  command(known, "refresh", "Fetch all sources now and build the index from them", [&] {
    return with_advisories(config,
                           [&](const Config& c) { return refresh_advisories(c, config, clock); });
  });
  command(known, "build", "Build the index from what was fetched", [&] {
    return with_advisories(config, [](const Config& c) { return build_advisories(c, std::cerr); });
  });

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
