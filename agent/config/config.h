// The agent's configuration: /etc/gitaiops/agent.toml. The schema in config.cpp is the only place
// where a key, its default and its words stand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config/config.h"
#include "base/config/log_section.h"

namespace gitaiops::agent {

using config::Duration;

struct GitlabInstance {
  std::string id;
  std::string url;
};

struct Config {
  struct {
    std::string address;
  } controller;
  std::vector<GitlabInstance> gitlab;
  struct {
    std::string log = "journal";  // journal, file, syslog, docker, none
    std::string journal_unit = "gitlab-runner.service";
    std::string journal_container;
    std::filesystem::path log_file = "/var/log/gitlab-runner.log";
    std::filesystem::path usage_log_dir;  // empty: not read
    std::string debug_address;            // "127.0.0.1:9252"; empty: not asked
  } runner;
  struct {
    std::filesystem::path dir = "/var/lib/gitaiops-agent";
    int64_t spool_max_bytes = 256ll << 20;
  } state;
  struct {
    bool enabled = true;
    Duration interval{1'000'000};
  } usage;
  struct {
    bool enabled = true;
  } containers;
  struct {
    Duration age{7ll * 24 * 3600 * 1'000'000};
    int64_t max_bytes = 256ll << 20;
  } logs;
  struct {
    bool enabled = true;
  } scanner;
  struct {
    std::filesystem::path rules_dir;  // empty: built-in rules only
  } diagnosis;
  struct {
    Duration interval{30'000'000};
  } host;
  struct {
    std::string address = "127.0.0.1";
    int64_t port = 9417;  // 0: no status page
  } status;
  struct {
    std::filesystem::path proc_root = "/proc";
    std::filesystem::path host_root = "/";
    std::filesystem::path cgroup_root = "/sys/fs/cgroup";
  } roots;
  config::LogSettings log;
};

const config::Schema<Config>& schema();

// What the schema cannot say of one key alone: which combinations make sense.
config::Problems check(const Config& config);
// The same, and whether what it names on this host is there.
config::Problems check_with_files(const Config& config);

}  // namespace gitaiops::agent
