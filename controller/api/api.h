// REST over the store: what a person or a script may ask the controller. docs/openapi.yaml is the
// contract and is served by the API itself; a test holds the two together.
//
// Who asks is a bearer token, looked up by the SHA-256 of its secret. Its verbs say what it may do
// ("read": jobs and notes, "admin": the same, agents, and replaying what went wrong), its scope
// says of which projects, and the scope goes into every query of the store: what lies outside does
// not exist, neither in lists nor in counts. 401: no token, or not a valid one; 403: the token
// lacks the verb; 404: nothing there, or not for this token.
//
// Without a token: /health, /ready, the OpenAPI document, /metrics when the listener cannot be
// reached from outside, and GitLab's webhooks, which prove themselves otherwise.
//
// Thread safety: belongs to the thread that runs the executor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/http/server.h"
#include "base/metrics/metrics.h"
#include "base/result/result.h"
#include "controller/dependencies/dependencies.h"
#include "controller/store/store.h"

namespace gitaiops::api {

struct ApiOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 7460;                   // 0: any free one
  std::filesystem::path tls_certificate;  // both or neither
  std::filesystem::path tls_key;
  bool behind_proxy = false;  // a proxy in front speaks TLS and reaches us in the clear
};

// Refuses, with the keys to set, what would send tokens in the clear: an address other than
// loopback without TLS and without behind_proxy.
Status check_exposure(const ApiOptions& options);

// From when on a host that fails jobs of several projects is told of.
struct HostWatch {
  int64_t window_us = 3600 * kMicrosPerSecond;
  int64_t jobs = 5, projects = 3;
};

// Who could review a change, the one to ask first.
struct Reviewer {
  std::string username, name, reason;
};
struct Reviewers {
  bool pending = false;  // the history is being read: ask again
  std::vector<Reviewer> people;
};

// All must outlive the handler. metric_definitions() are declared in `metrics` already.
struct Dependencies {
  store::Store& store;
  const Clock& clock;
  metrics::Registry& metrics;
  // Beside the store's ping: what else must hold before the controller is ready. The message is
  // logged, not shown.
  std::function<Status()> ready = {};
  // Called before each rendering of /metrics, to bring gauges up to date.
  std::function<void()> before_metrics = {};
  // Lines of a job's log as its host keeps it, or GitLab, redacted. not_found: it is not kept any
  // more; unavailable: the host does not answer. Absent: nobody can be asked.
  std::function<Task<Result<fleet::v1::Excerpt>>(store::Job job, uint64_t line, uint32_t before,
                                                 uint32_t after)>
      lines_around = {};
  HostWatch hosts = {};
  // What does not count; nothing: all counts.
  const dependencies::Accepted* accepted = nullptr;
  // Of a project of the scope, for paths of its repository; an empty instance: the only one.
  // not_found: no such project in the scope. Absent: nobody reads histories.
  std::function<Task<Result<Reviewers>>(store::Scope scope, std::string instance,
                                        std::string project, std::vector<std::string> paths)>
      reviewers = {};
  // Of a merge request; whoever asks has looked whether the scope has it. Absent: as above.
  std::function<Task<Result<Reviewers>>(std::string instance, int64_t project_id, int64_t iid)>
      reviewers_of = {};
  // Webhooks of GitLab, which prove themselves. Absent: none are taken.
  std::function<Task<http::Response>(std::string instance, http::Request request)> webhook = {};
  std::function<std::size_t(const std::string& instance, const http::Headers& head)> webhook_bytes =
      {};
};
std::span<const metrics::Definition> metric_definitions();

// Every request of the API; listen() serves it with the limits that fit. Refuses what
// check_exposure() refuses.
http::Handler make_handler(const ApiOptions& options, Dependencies dependencies);
Result<std::unique_ptr<http::Server>> listen(asio::any_io_executor executor,
                                             const ApiOptions& options, Dependencies dependencies);

// What is served, as in the document: {"GET", "/api/v1/jobs/{id}"}.
struct Route {
  std::string method;
  std::string path;
};
std::vector<Route> routes();

}  // namespace gitaiops::api
