#include "controller/config/config.h"

#include <set>

namespace gitaiops::controller {
namespace {

config::Schema<Config> make_schema() {
  constexpr int64_t kHour = 3600ll * 1'000'000;
  config::Schema<Config> s("gitaiops-controller configuration (controller.toml)");
  s.section("state", "What the controller keeps on disk.");
  s.key("state.dir", "Folder of the database and the certificate authority.",
        [](Config& c) -> auto& { return c.state.dir; });

  s.section("fleet", "Where enrolled agents connect: gRPC with mutual TLS.");
  s.key("fleet.address", "Address to listen on.",
        [](Config& c) -> auto& { return c.fleet.address; });
  s.key("fleet.port", "Port; 0 takes any free one.", [](Config& c) -> auto& {
     return c.fleet.port;
   }).range(0, 65535);
  s.key("fleet.names",
        "Host names and addresses by which agents reach this controller, for its certificate. The "
        "host's own name, localhost and 127.0.0.1 are always in it.",
        [](Config& c) -> auto& { return c.fleet.names; });

  s.section("enrollment",
            "Where new agents ask for their certificate: TLS without a client certificate.");
  s.key("enrollment.address", "Address to listen on.",
        [](Config& c) -> auto& { return c.enrollment.address; });
  s.key("enrollment.port", "Port; 0 takes any free one.", [](Config& c) -> auto& {
     return c.enrollment.port;
   }).range(0, 65535);
  s.key("enrollment.certificate_life",
        "How long an agent's certificate is valid; renewed at two thirds.",
        [](Config& c) -> auto& { return c.enrollment.certificate_life; })
      .range(kHour, 30 * 24 * kHour);

  s.section("api",
            "REST API, health and metrics. Beyond loopback it wants TLS, or a proxy in front that "
            "adds it.");
  s.key("api.address", "Address to listen on.", [](Config& c) -> auto& { return c.api.address; });
  s.key("api.port", "Port; 0 takes any free one.", [](Config& c) -> auto& {
     return c.api.port;
   }).range(0, 65535);
  s.key("api.tls_certificate", "PEM file with the certificate chain. Empty: plain HTTP.",
        [](Config& c) -> auto& { return c.api.tls_certificate; });
  s.key("api.tls_key", "PEM file with its key, mode 0600.",
        [](Config& c) -> auto& { return c.api.tls_key; });
  s.key("api.behind_proxy",
        "Allow plain HTTP beyond loopback because a proxy in front terminates TLS.",
        [](Config& c) -> auto& { return c.api.behind_proxy; });
  s.key("api.public_url", "Address under which people reach the API, for links. Empty: no links.",
        [](Config& c) -> auto& { return c.api.public_url; });

  s.section("retention", "How long results are kept.");
  s.key("retention.age", "Jobs that finished longer ago are removed.",
        [](Config& c) -> auto& { return c.retention.age; })
      .range(kHour, 3650ll * 24 * kHour)
      .reloadable();
  s.key("retention.max_bytes", "Size of the database above which the oldest jobs go; 0: no limit.",
        [](Config& c) -> auto& { return c.retention.max_bytes; })
      .range(0, 1ll << 50)
      .reloadable();

  s.section("log", "The controller's own log, on standard error.");
  s.key("log.level", "How much is said.", [](Config& c) -> auto& { return c.log.level; })
      .one_of({"debug", "info", "warning", "error"})
      .reloadable();
  s.key("log.format", "Lines for people or for machines.", [](Config& c) -> auto& {
     return c.log.format;
   }).one_of({"text", "json"});

  auto instance = std::make_shared<config::Schema<GitlabInstance>>("gitlab");
  instance
      ->key("id", "Short name of the instance, the same as in the agents' configuration.",
            &GitlabInstance::id)
      .required();
  instance->key("url", "Its address, e.g. \"https://gitlab.example.com\".", &GitlabInstance::url)
      .required();
  instance
      ->key("token_file",
            "File (mode 0600) with an access token of scope api: a group or project bot is best.",
            &GitlabInstance::token_file)
      .required();
  instance->key("ca_file",
                "PEM file of a private CA that signed its certificate. Empty: the system's CAs.",
                &GitlabInstance::ca_file);
  s.array("gitlab",
          "GitLab instances that notes are written to. Without one, notes are kept and served by "
          "the API.",
          &Config::gitlab, instance);
  return s;
}

}  // namespace

const config::Schema<Config>& schema() {
  static const auto made = make_schema();
  return made;
}

Status check(const Config& config) {
  std::set<std::string> ids;
  for (const auto& instance : config.gitlab) {
    if (!instance.url.starts_with("https://") && !instance.url.starts_with("http://"))
      return Error(Code::invalid_argument,
                   "gitlab.url: \"" + instance.url + "\" does not start with https:// or http://");
    if (instance.id.empty() || instance.id.size() > 64 ||
        instance.id.find('/') != std::string::npos)
      return Error(Code::invalid_argument, "gitlab.id: must have 1 to 64 characters and no \"/\"");
    if (!ids.insert(instance.id).second)
      return Error(Code::invalid_argument, "gitlab.id: \"" + instance.id + "\" stands twice");
  }
  if (config.api.tls_certificate.empty() != config.api.tls_key.empty())
    return Error(Code::invalid_argument,
                 "api.tls_certificate and api.tls_key belong together: set both or neither");
  return {};
}

}  // namespace gitaiops::controller
