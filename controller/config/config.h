// The controller's configuration: /etc/gitaiops/controller.toml. The schema in config.cpp is the
// only place where a key, its default and its words stand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config/config.h"
#include "base/config/log_section.h"

namespace gitaiops::controller {

using config::Duration;

struct GitlabInstance {
  std::string id;
  std::string url;
  std::filesystem::path token_file;
  std::filesystem::path ca_file;
  std::vector<std::string> poll_projects;
  Duration poll_interval{60ll * 1'000'000};
  int64_t poll_trace_bytes = 16 << 20;
  std::vector<std::string> webhook_secret_files;
  Duration reconcile_interval{10 * 60ll * 1'000'000};
};

struct RetrySettings {
  std::string gitlab = "*";
  std::string project;
  std::vector<std::string> owners;
  std::vector<std::string> categories;
  int64_t max_per_hour = 10;
  Duration backoff{60ll * 1'000'000};
};

// A finding that somebody decided to live with.
struct IgnoreSettings {
  std::string gitlab = "*";
  std::string project;
  std::string id;
  std::string package;
  std::string reason;
  std::string until;
};

// What a model's tokens cost, USD a million.
struct ModelPrice {
  std::string model;
  std::string from = "2026-01-01";
  int64_t above_tokens = 0;
  double input = 0;
  double cached_input = 0;
  double output = 0;
};

struct VexSettings {
  std::string gitlab = "*";
  std::string project;
  std::filesystem::path file;
};

struct Config {
  struct {
    std::filesystem::path dir = "/var/lib/gitaiops-controller";
  } state;
  struct {
    std::string address = "0.0.0.0";
    int64_t port = 7461;
    std::vector<std::string> names;
  } fleet;
  struct {
    std::string address = "0.0.0.0";
    int64_t port = 7462;
    Duration certificate_life{24ll * 3600 * 1'000'000};
  } enrollment;
  struct {
    std::string address = "127.0.0.1";
    int64_t port = 7460;
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
    bool behind_proxy = false;
  } api;
  std::vector<GitlabInstance> gitlab;
  std::vector<RetrySettings> retry;
  std::vector<IgnoreSettings> ignore;
  std::vector<VexSettings> vex;
  struct {
    Duration window{3600ll * 1'000'000};
    int64_t jobs = 5;
    int64_t projects = 3;
    bool pause_runners = false;
  } hosts;
  struct {
    Duration keep{30ll * 24 * 3600 * 1'000'000};
    int64_t max_bytes = 10 << 20;
  } webhooks;
  struct {
    bool enabled = true;
  } commands;
  struct {
    std::filesystem::path index;
    std::string note_severity = "high";
    bool project_ignores = true;
    std::vector<std::string> sources;
    std::filesystem::path ca_file;
    Duration refresh{6 * 3600ll * 1'000'000};
  } advisories;
  struct {
    std::string provider = "none";
    std::vector<std::string> names;
    std::string gitlab = "*";
    std::vector<std::string> projects;
    bool reads_changes = false;
    bool own_note = false;
    std::string google_project;
    std::string location = "global";
    std::string url;
    std::filesystem::path credentials_file;
    std::filesystem::path api_key_file;
    std::filesystem::path ca_file;
    double usd_per_day = 5;
    double usd_per_day_project = 1;
    int64_t tokens_per_day = 5'000'000;
    int64_t tokens_per_day_project = 1'000'000;
  } models;
  std::vector<ModelPrice> model_price;
  struct {
    bool enabled = false;
    bool own_note = false;
    int64_t max_bytes = 10ll << 30;
    int64_t most_open_reviews = 8;
  } reviewers;
  struct {
    bool enabled = false;
    bool own_note = false;
    std::vector<std::string> labels;
    std::filesystem::path rules;
  } triage;
  struct {
    std::vector<std::string> leave_out;
  } note;
  struct {
    bool commit = false;
    std::string name = "gitaiops";
    std::string external_check;
    std::vector<std::string> fails_on{"vulnerabilities"};
  } status;
  struct {
    Duration age{90ll * 24 * 3600 * 1'000'000};
    int64_t max_bytes = 0;
  } retention;
  config::LogSettings log;
};

const config::Schema<Config>& schema();

// What the schema cannot say of one key alone.
config::Problems check(const Config& config);
// The same, and whether the files it names are there, can be read by this process, and keep their
// secrets.
config::Problems check_with_files(const Config& config);

}  // namespace gitaiops::controller
