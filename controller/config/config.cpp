#include "controller/config/config.h"

#include <set>
#include <vector>

#include <asio/ip/address.hpp>

#include "base/io/files.h"

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

  s.section("retention", "How long results are kept.");
  s.key("retention.age", "Jobs that finished longer ago are removed.",
        [](Config& c) -> auto& { return c.retention.age; })
      .range(kHour, 3650ll * 24 * kHour)
      .reloadable();
  s.key("retention.max_bytes", "Size of the database above which the oldest jobs go; 0: no limit.",
        [](Config& c) -> auto& { return c.retention.max_bytes; })
      .range(0, 1ll << 50)
      .reloadable();

  config::log_section(s, "The controller's");

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

namespace {

constexpr std::size_t kLargestCertificate = 1 << 20;

void check_instances(const Config& config, config::Problems& problems) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < config.gitlab.size(); ++i) {
    const auto& [id, url, token_file, ca_file] = config.gitlab[i];
    if (!url.starts_with("https://") && !url.starts_with("http://"))
      problems.push_back(
          {"gitlab.url", "\"" + url + "\" does not start with https:// or http://", i});
    if (id.empty() || id.size() > 64 || id.find('/') != std::string::npos) {
      problems.push_back({"gitlab.id", "must have 1 to 64 characters and no \"/\"", i});
    } else if (!ids.insert(id).second) {
      problems.push_back({"gitlab.id", "\"" + id + "\" stands twice", i});
    }
  }
}

// Where one of the three listeners is to be.
struct Place {
  std::string section;
  asio::ip::address address;
  int64_t port;
};

bool collide(const Place& a, const Place& b) {
  return a.port != 0 && a.port == b.port &&
         (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified());
}

void check_listeners(const Config& config, config::Problems& problems) {
  std::vector<Place> taken;
  const auto add = [&](const std::string& section, const std::string& text, int64_t port) {
    asio::error_code error;
    const Place place{section, asio::ip::make_address(text, error), port};
    if (error) {
      problems.push_back({section + ".address",
                          "\"" + text + "\" is not an IP address, such as 0.0.0.0 or 127.0.0.1"});
      return;
    }
    for (const auto& other : taken) {
      if (collide(place, other))
        problems.push_back({section + ".port", std::to_string(port) + " is taken by " +
                                                   other.section + ".port; each needs its own"});
    }
    taken.push_back(place);
  };
  add("fleet", config.fleet.address, config.fleet.port);
  add("enrollment", config.enrollment.address, config.enrollment.port);
  add("api", config.api.address, config.api.port);
}

}  // namespace

config::Problems check(const Config& config) {
  config::Problems problems;
  check_instances(config, problems);
  check_listeners(config, problems);
  if (config.state.dir.empty())
    problems.push_back({"state.dir", "is empty; the controller needs a folder for its database"});
  if (config.api.tls_certificate.empty() != config.api.tls_key.empty())
    problems.push_back(
        {config.api.tls_key.empty() ? "api.tls_certificate" : "api.tls_key",
         "api.tls_certificate and api.tls_key belong together: set both or neither"});
  return problems;
}

config::Problems check_with_files(const Config& config) {
  auto problems = check(config);
  const auto need = [&](const char* key, const Result<std::string>& file, std::size_t item = 0) {
    if (!file.ok()) problems.push_back({key, file.error().message(), item});
  };
  for (std::size_t i = 0; i < config.gitlab.size(); ++i) {
    const auto& instance = config.gitlab[i];
    need("gitlab.token_file", read_secret_file(instance.token_file), i);
    if (!instance.ca_file.empty())
      need("gitlab.ca_file", read_file(instance.ca_file, kLargestCertificate), i);
  }
  if (!config.api.tls_certificate.empty())
    need("api.tls_certificate", read_file(config.api.tls_certificate, kLargestCertificate));
  if (!config.api.tls_key.empty()) need("api.tls_key", read_secret_file(config.api.tls_key));
  return problems;
}

}  // namespace gitaiops::controller
