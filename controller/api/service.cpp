#include "controller/api/service.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "controller/api/openapi.h"
#include "controller/api/query.h"
#include "controller/api/render.h"

namespace gitaiops::api {
namespace {

using http::problem;
using http::Response;

constexpr std::size_t kMaxSecret = 512;  // bytes of a token: ours are far shorter

constexpr Service::Endpoint endpoint(std::string_view path, Access access,
                                     Task<Response> (Service::*serve)(Call)) {
  return {"GET", path, access, serve};
}
constexpr Service::Endpoint post(std::string_view path, Access access,
                                 Task<Response> (Service::*serve)(Call)) {
  return {"POST", path, access, serve};
}

// The parameters of a path that fits the pattern: "/jobs/{id}" and {"jobs", "7"} → {"7"}.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& segments) {
  const auto parts = split(pattern.substr(1), '/');
  if (parts.size() != segments.size()) return std::nullopt;
  std::vector<std::string> parameters;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].starts_with('{')) {
      if (parts[i] != segments[i]) return std::nullopt;
    } else if (segments[i].empty()) {
      return std::nullopt;
    } else {
      parameters.push_back(segments[i]);
    }
  }
  return parameters;
}

Response unauthorized(std::string_view detail) {
  auto response = problem(401, detail);
  response.headers.add("WWW-Authenticate", "Bearer realm=\"gitaiops\"");
  return response;
}

bool has_verb(const store::ApiToken& token, std::string_view verb) {
  return std::find(token.verbs.begin(), token.verbs.end(), verb) != token.verbs.end();
}

bool sees_everything(const store::ApiToken& token) {
  return std::any_of(token.scope.begin(), token.scope.end(), [](const store::ProjectGlob& glob) {
    return glob.instance == "*" && glob.path == "*";
  });
}

bool may(const store::ApiToken& token, Access access) {
  if (access == Access::act) return has_verb(token, "admin");
  if (access == Access::read) return has_verb(token, "read") || has_verb(token, "admin");
  return has_verb(token, "admin") || (has_verb(token, "read") && sees_everything(token));
}

}  // namespace

Response problem_of(const Call& call, const Error& error) {
  switch (error.code()) {
    case Code::not_found:
    case Code::permission_denied:  // what is out of scope does not exist
      return problem(404, "nothing here by that name, or not for this token");
    case Code::invalid_argument:
      return problem(400, error.to_string());
    case Code::unavailable:
    case Code::resource_exhausted:
    case Code::deadline_exceeded:
    case Code::cancelled: {
      log::warning(
          "the store did not answer the API",
          {{"request", call.id}, {"path", call.request.path}, {"error", error.to_string()}});
      auto response = problem(503, "the store does not answer now; try again shortly");
      response.headers.add("Retry-After", "5");
      return response;
    }
    default:
      log::error("the store failed the API",
                 {{"request", call.id}, {"path", call.request.path}, {"error", error.to_string()}});
      return problem(500, "a fault of the controller; its log says more");
  }
}

std::span<const Service::Endpoint> Service::endpoints() {
  static constexpr Endpoint kEndpoints[] = {
      endpoint("/api/v1/jobs", Access::read, &Service::jobs),
      endpoint("/api/v1/jobs/{id}", Access::read, &Service::job),
      endpoint("/api/v1/jobs/{id}/note", Access::read, &Service::job_note),
      endpoint("/api/v1/jobs/{id}/log", Access::read, &Service::job_log),
      endpoint("/api/v1/failures", Access::read, &Service::failures),
      endpoint("/api/v1/failures/{id}", Access::read, &Service::failure),
      endpoint("/api/v1/packages", Access::read, &Service::packages),
      endpoint("/api/v1/vulnerabilities", Access::read, &Service::vulnerabilities),
      endpoint("/api/v1/projects/{instance}/{project_id}/sbom", Access::read, &Service::sbom),
      endpoint("/api/v1/projects/{instance}/{project_id}/dependency_scanning_report", Access::read,
               &Service::dependency_scanning_report),
      endpoint("/api/v1/projects/{instance}/{project_id}/dependency_changes", Access::read,
               &Service::dependency_changes),
      endpoint("/api/v1/failing_hosts", Access::fleet, &Service::hosts),
      endpoint("/api/v1/reviewers", Access::read, &Service::reviewers),
      endpoint("/api/v1/merge_requests", Access::read, &Service::merge_requests),
      endpoint("/api/v1/merge_requests/{instance}/{project_id}/{iid}", Access::read,
               &Service::merge_request),
      endpoint("/api/v1/models/usage", Access::read, &Service::model_usage),
      endpoint("/api/v1/audit", Access::read, &Service::audit),
      endpoint("/api/v1/events", Access::fleet, &Service::events),
      endpoint("/api/v1/events/{id}", Access::fleet, &Service::event),
      post("/api/v1/events/{id}/replay", Access::act, &Service::replay_event),
      endpoint("/api/v1/dead-letters", Access::fleet, &Service::dead_letters),
      endpoint("/api/v1/dead-letters/{id}", Access::fleet, &Service::dead_letter),
      post("/api/v1/dead-letters/{id}/replay", Access::act, &Service::replay_dead_letter),
      post("/webhooks/gitlab/{instance}", Access::open, &Service::webhook),
      endpoint("/api/v1/projects/{instance}/{project_id}/merge_requests/{iid}/note", Access::read,
               &Service::merge_request_note),
      endpoint("/api/v1/agents", Access::fleet, &Service::agents),
      endpoint("/api/v1/me", Access::read, &Service::me),
      endpoint("/api/v1/openapi.yaml", Access::open, &Service::openapi),
      endpoint("/health", Access::open, &Service::health),
      endpoint("/ready", Access::open, &Service::ready),
      endpoint("/metrics", Access::metrics, &Service::metrics),
  };
  return kEndpoints;
}

Service::Service(bool reachable, Dependencies dependencies)
    : reachable_(reachable),
      dependencies_(std::move(dependencies)),
      requests_(dependencies_.metrics.counter("gitaiops_api_requests_total")),
      durations_(dependencies_.metrics.histogram("gitaiops_api_request_duration_seconds")),
      queue_(dependencies_.metrics.gauge("gitaiops_queue_items")),
      queue_lag_(dependencies_.metrics.gauge("gitaiops_queue_lag_seconds")),
      events_(dependencies_.metrics.gauge("gitaiops_events_waiting")) {}

Task<Response> Service::handle(http::Request request) {
  const auto start = dependencies_.clock.steady();
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const Endpoint* found = nullptr;
  Call call;
  call.id = crypto::uuid7(dependencies_.clock.now());
  const std::string id = call.id;
  for (const auto& candidate : endpoints()) {
    if (auto parameters = match(candidate.path, request.segments)) {
      found = &candidate;
      call.parameters = std::move(*parameters);
      break;
    }
  }
  Response response = problem(404, "the API has no such path; see /api/v1/openapi.yaml");
  if (found && method != found->method) {
    const std::string allowed = found->method == "GET" ? "GET, HEAD" : std::string(found->method);
    response = problem(405, "this path only answers " + allowed);
    response.headers.add("Allow", allowed);
  } else if (found) {
    call.request = std::move(request);
    response = co_await answer(*found, std::move(call));
  }
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("X-Request-Id", id);
  const std::string_view route = found ? found->path : "none";
  requests_.add(1, {route, std::to_string(response.status)});
  durations_.observe(static_cast<double>(dependencies_.clock.steady() - start) / kMicrosPerSecond,
                     {route});
  co_return response;
}

Task<Response> Service::answer(const Endpoint& endpoint, Call call) {
  const bool open =
      endpoint.access == Access::open || (endpoint.access == Access::metrics && !reachable_);
  if (!open) {
    const auto& headers = call.request.headers;
    if (headers.count("Authorization") > 1)
      co_return problem(400, "more than one Authorization header");
    auto token = co_await authenticate(std::string(headers.get("Authorization").value_or("")));
    if (!token.ok()) {
      if (token.error().code() != Code::unauthenticated) co_return problem_of(call, token.error());
      co_return unauthorized(token.error().message());
    }
    call.token = std::move(*token);
    if (!may(call.token, endpoint.access))
      co_return problem(403, "the token does not grant this; see /api/v1/me");
  }
  auto response = co_await (this->*endpoint.serve)(std::move(call));
  co_return response;
}

Task<Result<store::ApiToken>> Service::authenticate(std::string authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto refused = [](std::string why) { return Error(Code::unauthenticated, std::move(why)); };
  if (!http::same_name(std::string_view(authorization).substr(0, kScheme.size()), kScheme)) {
    co_return refused("a token is needed: Authorization: Bearer …");
  }
  const std::string secret(trimmed(std::string_view(authorization).substr(kScheme.size())));
  if (secret.empty() || secret.size() > kMaxSecret) co_return refused("this is not a token");
  auto token = co_await dependencies_.store.api_token_by_secret(crypto::sha256_hex(secret));
  if (!token.ok()) {
    const bool unknown =
        token.error().code() == Code::not_found || token.error().code() == Code::unauthenticated;
    if (unknown) co_return refused("the token is not known here");
    co_return token.error();
  }
  if (token->revoked_at) co_return refused("the token was revoked");
  if (token->expires_at <= dependencies_.clock.now()) co_return refused("the token has expired");
  co_return token;
}

Task<Response> Service::jobs(Call call) {
  auto query = parse_job_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  auto& store = dependencies_.store;
  const auto page = co_await store.jobs(call.token.scope, query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  std::optional<int64_t> total;
  if (query->count) {
    const auto count = co_await store.count_jobs(call.token.scope, query->filter);
    if (!count.ok()) co_return problem_of(call, count.error());
    total = *count;
  }
  auto response = http::json(200, jobs_json(*page, total));
  if (!page->next.empty()) {
    response.headers.add("Link", "<" + next_target(call.request, page->next) + ">; rel=\"next\"");
  }
  co_return response;
}

Task<Response> Service::job(Call call) {
  const auto job = co_await dependencies_.store.job(call.token.scope, call.parameters[0]);
  if (!job.ok()) co_return problem_of(call, job.error());
  const auto seen = co_await dependencies_.store.seen_before(call.token.scope, job->id);
  if (!seen.ok()) co_return problem_of(call, seen.error());
  co_return http::json(200, job_json(*job, *seen));
}

// The note of the job's merge request, else the job's own (kept when no GitLab is configured).
Task<Response> Service::job_note(Call call) {
  auto& store = dependencies_.store;
  const auto& scope = call.token.scope;
  const auto job = co_await store.job(scope, call.parameters[0]);
  if (!job.ok()) co_return problem_of(call, job.error());
  if (job->gitlab && job->gitlab->merge_request) {
    const auto& key = *job->gitlab->merge_request;
    const auto subject =
        "mr/" + key.instance + "/" + std::to_string(key.project_id) + "/" + std::to_string(key.iid);
    const auto note = co_await store.note(scope, subject);
    if (note.ok()) co_return http::json(200, note_json(*note));
    if (note.error().code() != Code::not_found) co_return problem_of(call, note.error());
  }
  const auto own = co_await store.note(scope, "job/" + job->id);
  if (!own.ok()) co_return problem_of(call, own.error());
  co_return http::json(200, note_json(*own));
}

Task<Response> Service::merge_request_note(Call call) {
  const auto project = parse_int(call.parameters[1]);
  const auto iid = parse_int(call.parameters[2]);
  if (!project || !iid || *project <= 0 || *iid <= 0)
    co_return problem(400, "project_id and iid are positive whole numbers");
  const auto subject =
      "mr/" + call.parameters[0] + "/" + std::to_string(*project) + "/" + std::to_string(*iid);
  const auto note = co_await dependencies_.store.note(call.token.scope, subject);
  if (!note.ok()) co_return problem_of(call, note.error());
  co_return http::json(200, note_json(*note));
}

Task<Response> Service::agents(Call call) {
  const auto agents = co_await dependencies_.store.agents();
  if (!agents.ok()) co_return problem_of(call, agents.error());
  co_return http::json(200, agents_json(*agents));
}

Task<Response> Service::me(Call call) {
  co_return http::json(200, token_json(call.token));
}

Task<Response> Service::openapi(Call) {
  Response response;
  response.headers.add("Content-Type", "application/yaml");
  response.body = std::string(kOpenApi);
  co_return response;
}

Task<Response> Service::health(Call) {
  co_return http::json(200, status_json("alive"));
}

Task<Response> Service::ready(Call call) {
  Status status = co_await dependencies_.store.ping();
  if (status.ok() && dependencies_.ready) status = dependencies_.ready();
  if (status.ok()) co_return http::json(200, status_json("ready"));
  log::warning("not ready", {{"request", call.id}, {"error", status.error().to_string()}});
  co_return problem(503, "not ready; the log of the controller says why");
}

Task<Response> Service::metrics(Call) {
  const auto stats = co_await dependencies_.store.queue_stats();
  if (stats.ok()) {
    queue_.set(static_cast<double>(stats->waiting), {"waiting"});
    queue_.set(static_cast<double>(stats->leased), {"leased"});
    queue_.set(static_cast<double>(stats->dead), {"dead"});
    const int64_t lag_us =
        stats->oldest_due ? dependencies_.clock.now() - *stats->oldest_due : int64_t{0};
    queue_lag_.set(static_cast<double>(std::max<int64_t>(lag_us, 0)) / kMicrosPerSecond);
  } else {
    queue_.clear();  // unknown is not zero
    queue_lag_.clear();
  }
  if (dependencies_.webhook) {
    const auto waiting = co_await dependencies_.store.inbox().count_waiting_deliveries();
    if (waiting.ok()) events_.set(static_cast<double>(*waiting));
    if (!waiting.ok()) events_.clear();
  }
  if (dependencies_.before_metrics) dependencies_.before_metrics();
  Response response;
  response.headers.add("Content-Type", std::string(metrics::kContentType));
  response.body = dependencies_.metrics.render();
  co_return response;
}

}  // namespace gitaiops::api
