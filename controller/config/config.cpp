#include "controller/config/config.h"

#include <algorithm>
#include <set>
#include <vector>

#include <asio/ip/address.hpp>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"
#include "base/io/files.h"
#include "controller/config/models.h"
#include "engines/project_file/project_file.h"

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

  s.section("webhooks",
            "Events that GitLab sends to /webhooks/gitlab/ID of the API's address; they are taken "
            "for each [[gitlab]] with webhook_secret_files.");
  s.key("webhooks.keep",
        "How long events are kept as they came, to look at and to read again; a repetition is "
        "noticed for as long.",
        [](Config& c) -> auto& { return c.webhooks.keep; })
      .range(24 * kHour, 3650ll * 24 * kHour)
      .reloadable();
  s.key("webhooks.max_bytes", "Larger events are refused (413); GitLab sends up to 25 MB.",
        [](Config& c) -> auto& { return c.webhooks.max_bytes; })
      .range(64 << 10, 32 << 20);

  s.section("commands",
            "Comments on merge requests that begin with /gitaiops; they come by webhooks.");
  s.key("commands.enabled",
        "Whether they are carried out, for people with the role Developer or more. Nobody gets an "
        "answer who did not ask.",
        [](Config& c) -> auto& { return c.commands.enabled; });

  s.section("advisories",
            "What the jobs' checkouts depend on is matched against known vulnerabilities.");
  s.key("advisories.sources",
        "Where advisories are published: https://… of an all.zip of OSV's, of EPSS' scores "
        "(.csv.gz) or of CISA's catalogue (.json); or files and folders of this machine. They are "
        "fetched every so often and made into one index. Empty: nothing is fetched.",
        [](Config& c) -> auto& { return c.advisories.sources; });
  s.key("advisories.refresh", "How often.", [](Config& c) -> auto& {
     return c.advisories.refresh;
   }).range(600ll * 1'000'000, 30ll * 24 * kHour);
  s.key("advisories.ca_file",
        "PEM file of a private CA that signed the certificates of a mirror. Empty: the system's "
        "CAs.",
        [](Config& c) -> auto& { return c.advisories.ca_file; });
  s.key("advisories.index",
        "In place of sources: a file that `gitaiops advisories build` made; one that replaces it "
        "is noticed within seconds, and all projects are matched again. Without either, nothing is "
        "matched.",
        [](Config& c) -> auto& { return c.advisories.index; });
  s.key("advisories.note_severity",
        "A merge request that brings a vulnerability of at least this severity, or one that is "
        "known "
        "to be exploited, gets a note; of others a note tells that is there already. \"never\": "
        "vulnerabilities alone make no note.",
        [](Config& c) -> auto& { return c.advisories.note_severity; })
      .one_of({"low", "medium", "high", "critical", "never"});
  s.key("advisories.project_ignores",
        "What a project's file .gitaiops.yml sets aside under \"ignore\" is accepted there, as by "
        "[[ignore]].",
        [](Config& c) -> auto& { return c.advisories.project_ignores; });

  s.section(
      "reviewers",
      "Who should look at a merge request, by its project's own history: three people in the "
      "note, with the reason each. The repositories are mirrored on this machine without file "
      "contents, with the token of [[gitlab]], which may read them.");
  s.key("reviewers.enabled", "Mirror repositories and propose reviewers.",
        [](Config& c) -> auto& { return c.reviewers.enabled; });
  s.key(
      "reviewers.own_note",
      "Write a note for the reviewers alone, too, when a pipeline's job ended; else they stand in "
      "notes that have something else to say.",
      [](Config& c) -> auto& { return c.reviewers.own_note; });
  s.key("reviewers.max_bytes",
        "Bytes that all mirrors together may take; those unused for longest go first.",
        [](Config& c) -> auto& { return c.reviewers.max_bytes; })
      .range(100ll << 20, 1ll << 50);
  s.key("reviewers.most_open_reviews",
        "Whoever has as many open reviews is not proposed for another.",
        [](Config& c) -> auto& { return c.reviewers.most_open_reviews; })
      .range(1, 100);

  model_keys(s);

  s.section("note",
            "What notes hold, for projects that say nothing else in their file .gitaiops.yml "
            "(docs/notes.md).");
  s.key("note.leave_out",
        "Sections that are left out: \"failures\", \"explanation\" (a model's words; nothing is "
        "sent to it then), \"risk\", \"look_at\" (a model's words on the change), "
        "\"vulnerabilities\", \"usage\", \"reviewers\", \"guidelines\".",
        [](Config& c) -> auto& { return c.note.leave_out; });

  s.section(
      "triage",
      "What a merge request is like among the changes of its project: how risky and large, of what "
      "kind, how long reviewing it takes, which reviews it needs. The repositories are then "
      "mirrored with file contents, below reviewers.max_bytes all together.");
  s.key("triage.enabled",
        "Mirror repositories and say it in notes that have something else to say.",
        [](Config& c) -> auto& { return c.triage.enabled; });
  s.key("triage.own_note",
        "Write a note for it alone, too, where the change is not small and ordinary.",
        [](Config& c) -> auto& { return c.triage.own_note; });
  s.key("triage.labels",
        "Labels that may be set by it, of \"risk::low|medium|high\", \"type::feature|bugfix|…\", "
        "\"size::trivial|small|medium|large|huge\", \"review:security|…\" and "
        "\"priority::low|high|urgent\". GitLab makes those that a project lacks. What people set "
        "or took away stays so. Empty: labels are left alone.",
        [](Config& c) -> auto& { return c.triage.labels; });
  s.key("triage.rules",
        "A file that says which reviews a change needs, as `gitaiops triage --print-rules` prints "
        "one; its labels are not looked at. Empty: the usual rules.",
        [](Config& c) -> auto& { return c.triage.rules; });

  s.section(
      "status",
      "Telling GitLab how a merge request stands once the jobs of its newest pipeline are over, "
      "so that merging can wait for it.");
  s.key("status.commit",
        "Set a commit status in that pipeline. The token's user needs the role Developer in the "
        "project that the pipeline runs in.",
        [](Config& c) -> auto& { return c.status.commit; });
  s.key("status.name", "Its name.", [](Config& c) -> auto& { return c.status.name; });
  s.key("status.external_check",
        "The name of an external status check (GitLab Ultimate) to answer where a project has one. "
        "Empty: none.",
        [](Config& c) -> auto& { return c.status.external_check; });
  s.key("status.fails_on",
        "What makes it fail: \"vulnerabilities\" (new ones that are worth a note, see "
        "advisories.note_severity), \"jobs\" (one failed that may not). Empty: it only informs.",
        [](Config& c) -> auto& { return c.status.fails_on; });

  s.section(
      "hosts",
      "A host on which jobs of several projects fail for a reason that the runner owns (a full "
      "disk, a dead container engine) is reported: log, metric, API.");
  s.key("hosts.window", "How far back failures count.", [](Config& c) -> auto& {
     return c.hosts.window;
   }).range(60ll * 1'000'000, 24 * kHour);
  s.key("hosts.jobs", "At least so many jobs …", [](Config& c) -> auto& {
     return c.hosts.jobs;
   }).range(1, 10'000);
  s.key("hosts.projects", "… of at least so many projects.", [](Config& c) -> auto& {
     return c.hosts.projects;
   }).range(1, 1000);
  s.key("hosts.pause_runners",
        "Pause the runner of such a host at GitLab, at most once a day, and never the last active "
        "one of a project. The token needs the right to manage the runner.",
        [](Config& c) -> auto& { return c.hosts.pause_runners; });

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
  instance->key(
      "poll_projects",
      "Projects (\"group/project\") whose failed jobs are also looked for at GitLab, for "
      "jobs on hosts without an agent: their logs are read by the API and diagnosed here.",
      &GitlabInstance::poll_projects);
  instance
      ->key("poll_interval", "How often each of them is looked at.", &GitlabInstance::poll_interval)
      .range(5ll * 1'000'000, kHour);
  instance
      ->key("poll_trace_bytes", "At most so much of a log is read.",
            &GitlabInstance::poll_trace_bytes)
      .range(64 << 10, 64 << 20);
  instance->key("webhook_secret_files",
                "Files (mode 0600) with the secret of its webhooks, one to four, each good: the "
                "current one, and for a while the one before it. A secret that begins with whsec_ "
                "is a signing token, any other a secret token. Empty: no webhooks are taken.",
                &GitlabInstance::webhook_secret_files);
  instance
      ->key("reconcile_interval",
            "How often GitLab is asked what its webhooks did not tell: changed merge requests and "
            "pipelines of projects with recent jobs or events. 0: never.",
            &GitlabInstance::reconcile_interval)
      .range(0, 24 * kHour);
  s.array("gitlab",
          "GitLab instances that notes are written to. Without one, notes are kept and served by "
          "the API.",
          &Config::gitlab, instance);

  auto retry = std::make_shared<config::Schema<RetrySettings>>("retry");
  retry->key("gitlab", "Id of the instance; \"*\": each.", &RetrySettings::gitlab);
  retry
      ->key("project", "Which projects: \"group/project\", \"group/*\", \"*\".",
            &RetrySettings::project)
      .required();
  retry->key(
      "owners",
      "Failures of these owners are retried, where the diagnosis says that a retry can help: "
      "\"infrastructure\", \"runner\", \"dependency\", \"config\".",
      &RetrySettings::owners);
  retry->key("categories", "And those of these categories, such as \"dns\" or \"http_5xx\".",
             &RetrySettings::categories);
  retry
      ->key("max_per_hour", "At most so many retries an hour in each project.",
            &RetrySettings::max_per_hour)
      .range(1, 1000);
  retry
      ->key("backoff", "How long to wait before a retry that wants some time to pass.",
            &RetrySettings::backoff)
      .range(0, 24 * kHour);
  s.array("retry",
          "Failed jobs that are retried by themselves, once for each commit, job and category; the "
          "first table that names project and cause counts. Without one, nothing is retried.",
          &Config::retry, retry);

  auto ignore = std::make_shared<config::Schema<IgnoreSettings>>("ignore");
  ignore->key("gitlab", "Id of the instance; \"*\": each.", &IgnoreSettings::gitlab);
  ignore
      ->key("project", "Which projects: \"group/project\", \"group/*\", \"*\".",
            &IgnoreSettings::project)
      .required();
  ignore->key("id", "Any of the vulnerability's names, such as a CVE.", &IgnoreSettings::id)
      .required();
  ignore->key("package", "Only in this package; empty: in any.", &IgnoreSettings::package);
  ignore->key("reason", "Why it can be lived with.", &IgnoreSettings::reason).required();
  ignore->key("until", "The last day, as \"2026-12-31\"; empty: for good.", &IgnoreSettings::until);
  s.array("ignore",
          "Vulnerabilities that are accepted: they make no note and are not in GitLab's report, "
          "but are "
          "counted and named with the reason. Read again on SIGHUP.",
          &Config::ignore, ignore);

  auto vex = std::make_shared<config::Schema<VexSettings>>("vex");
  vex->key("gitlab", "Id of the instance; \"*\": each.", &VexSettings::gitlab);
  vex->key("project", "Which projects: \"group/project\", \"group/*\", \"*\".",
           &VexSettings::project)
      .required();
  vex->key("file", "An OpenVEX or CycloneDX document.", &VexSettings::file).required();
  s.array("vex",
          "VEX documents: what one says is not affected or is fixed, is accepted as by [[ignore]]. "
          "Read "
          "again on SIGHUP.",
          &Config::vex, vex);
  return s;
}

}  // namespace

const config::Schema<Config>& schema() {
  static const auto made = make_schema();
  return made;
}

bool is_date(const std::string& text) {
  return text.size() == std::string_view("2026-12-31").size() &&
         parse_rfc3339(text + "T00:00:00Z").has_value();
}

namespace {

constexpr std::size_t kLargestCertificate = 1 << 20;
constexpr std::size_t kLargestRules = 256 << 10;
constexpr std::size_t kMostSecrets = 4;

void check_instances(const Config& config, config::Problems& problems) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < config.gitlab.size(); ++i) {
    const auto& id = config.gitlab[i].id;
    const auto& url = config.gitlab[i].url;
    if (!url.starts_with("https://") && !url.starts_with("http://"))
      problems.push_back(
          {"gitlab.url", "\"" + url + "\" does not start with https:// or http://", i});
    if (id.empty() || id.size() > 64 || id.find('/') != std::string::npos) {
      problems.push_back({"gitlab.id", "must have 1 to 64 characters and no \"/\"", i});
    } else if (!ids.insert(id).second) {
      problems.push_back({"gitlab.id", "\"" + id + "\" stands twice", i});
    }
    if (config.gitlab[i].webhook_secret_files.size() > kMostSecrets)
      problems.push_back({"gitlab.webhook_secret_files", "names more than four files", i});
  }
}

void check_retries(const Config& config, config::Problems& problems) {
  static const std::set<std::string> kOwners = {"infrastructure", "runner", "dependency", "config"};
  for (std::size_t i = 0; i < config.retry.size(); ++i) {
    const auto& rule = config.retry[i];
    if (rule.project.empty()) problems.push_back({"retry.project", "is empty; \"*\" is each", i});
    for (const auto& owner : rule.owners)
      if (!kOwners.contains(owner))
        problems.push_back(
            {"retry.owners",
             "\"" + owner + "\" is none of infrastructure, runner, dependency, config", i});
    if (rule.owners.empty() && rule.categories.empty())
      problems.push_back(
          {"retry.project", "names no cause: set retry.owners or retry.categories", i});
  }
}

void check_ignores(const Config& config, config::Problems& problems) {
  for (std::size_t i = 0; i < config.ignore.size(); ++i) {
    const auto& ignore = config.ignore[i];
    if (trimmed(ignore.reason).empty())
      problems.push_back({"ignore.reason", "is empty; say why this can be lived with", i});
    if (!ignore.until.empty() && !is_date(ignore.until))
      problems.push_back({"ignore.until", "expected a date as \"2026-12-31\"", i});
    if (ignore.id.empty()) problems.push_back({"ignore.id", "is empty", i});
    if (ignore.project.empty())
      problems.push_back({"ignore.project", "is empty; \"*\" is each", i});
  }
  for (std::size_t i = 0; i < config.vex.size(); ++i)
    if (config.vex[i].project.empty())
      problems.push_back({"vex.project", "is empty; \"*\" is each", i});
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

std::string wrong_with_source(std::string_view source) {
  if (source.starts_with('/')) return "";
  if (!source.starts_with("https://") && !source.starts_with("http://"))
    return "is neither https://… nor the full path of a file or folder";
  const auto path = source.substr(0, source.find_first_of("?#"));
  for (const auto end : {".json", ".zip", ".csv", ".csv.gz"})
    if (path.ends_with(end)) return "";
  return "does not end in .json, .zip, .csv or .csv.gz";
}

void check_advisories(const Config& config, config::Problems& problems) {
  if (!config.advisories.index.empty() && !config.advisories.sources.empty())
    problems.push_back({"advisories.index",
                        "is for an index that somebody else makes; take out advisories.sources "
                        "or this"});
  for (const auto& source : config.advisories.sources)
    if (const auto wrong = wrong_with_source(source); !wrong.empty())
      problems.push_back({"advisories.sources", "\"" + source + "\" " + wrong});
}

void check_labels(const Config& config, config::Problems& problems) {
  static constexpr std::string_view kOurs[] = {
      "risk::", "type::", "size::", "review:", "priority::"};
  for (const auto& label : config.triage.labels) {
    const bool ours = std::ranges::any_of(kOurs, [&](std::string_view scope) {
      return label.size() > scope.size() && label.starts_with(scope);
    });
    if (!ours || label.find(',') != std::string::npos)
      problems.push_back({"triage.labels", "\"" + label +
                                               "\" is none that is ever set: they begin with "
                                               "risk::, type::, size::, review: or priority::"});
  }
}

void check_sections(const Config& config, config::Problems& problems) {
  for (const auto& section : config.note.leave_out) {
    if (std::ranges::find(project_file::kSections, section) != project_file::kSections.end())
      continue;
    const auto meant = nearest(section, project_file::kSections);
    problems.push_back(
        {"note.leave_out", "no section is called \"" + section + "\"" +
                               (meant ? "; did you mean \"" + std::string(*meant) + "\"?" : "")});
  }
}

void check_status(const Config& config, config::Problems& problems) {
  static constexpr std::string_view kReasons[] = {"jobs", "vulnerabilities"};
  for (const auto& reason : config.status.fails_on)
    if (std::ranges::find(kReasons, reason) == std::end(kReasons))
      problems.push_back({"status.fails_on", "\"" + reason +
                                                 "\" is none of \"jobs\" and "
                                                 "\"vulnerabilities\""});
  if (config.status.name.empty() || config.status.name.size() > 255)
    problems.push_back({"status.name", "has 1 to 255 bytes"});
}

}  // namespace

config::Problems check(const Config& config) {
  config::Problems problems;
  check_status(config, problems);
  check_models(config, problems);
  check_instances(config, problems);
  check_listeners(config, problems);
  check_retries(config, problems);
  check_ignores(config, problems);
  check_advisories(config, problems);
  check_labels(config, problems);
  check_sections(config, problems);
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
    for (const auto& file : instance.webhook_secret_files)
      need("gitlab.webhook_secret_files", read_secret_file(file), i);
  }
  if (!config.triage.rules.empty())
    need("triage.rules", read_file(config.triage.rules, kLargestRules));
  if (config.models.provider == "vertex" && !config.models.credentials_file.empty())
    need("models.credentials_file", read_file(config.models.credentials_file));
  if (config.models.provider == "openai" && !config.models.api_key_file.empty())
    need("models.api_key_file", read_secret_file(config.models.api_key_file));
  if (config.models.provider != "none" && !config.models.ca_file.empty())
    need("models.ca_file", read_file(config.models.ca_file, kLargestCertificate));
  if (!config.api.tls_certificate.empty())
    need("api.tls_certificate", read_file(config.api.tls_certificate, kLargestCertificate));
  if (!config.api.tls_key.empty()) need("api.tls_key", read_secret_file(config.api.tls_key));
  return problems;
}

}  // namespace gitaiops::controller
