// What happened before: failures, lines of kept logs, hosts that fail jobs; and what projects
// depend on.
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::api {
namespace {

using http::problem;
using http::Response;

}  // namespace

Task<Response> Service::failures(Call call) {
  const auto query = parse_failure_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto page =
      co_await dependencies_.store.failures(call.token.scope, query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  auto response = http::json(200, failures_json(*page));
  link_next(response, call.request, page->next);
  co_return response;
}

Task<Response> Service::failure(Call call) {
  const auto failure = co_await dependencies_.store.failure(call.token.scope, call.parameters[0]);
  if (!failure.ok()) co_return problem_of(call, failure.error());
  co_return http::json(200, failure_json(*failure));
}

// The job is looked up in the token's scope first: whoever may not see it cannot ask for its log.
Task<Response> Service::job_log(Call call) {
  const auto query = parse_lines_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  auto job = co_await dependencies_.store.job(call.token.scope, call.parameters[0]);
  if (!job.ok()) co_return problem_of(call, job.error());
  if (!dependencies_.lines_around)
    co_return problem(404, "this controller has nobody to ask for the log");
  const auto lines = co_await dependencies_.lines_around(std::move(*job), query->line,
                                                         query->before, query->after);
  if (lines.ok()) co_return http::json(200, lines_json(*lines));
  if (lines.error().code() == Code::not_found) co_return problem(404, lines.error().message());
  if (lines.error().code() == Code::unavailable ||
      lines.error().code() == Code::deadline_exceeded ||
      lines.error().code() == Code::resource_exhausted) {
    auto response = problem(503, lines.error().message());
    response.headers.add("Retry-After", "5");
    co_return response;
  }
  co_return problem_of(call, lines.error());
}

// What is in no readable version is left out only where versions were asked for.
Task<Response> Service::packages(Call call) {
  const auto query = parse_package_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  auto page = co_await dependencies_.store.package_uses(
      call.token.scope, std::string(scanner::osv_name(query->ecosystem)), query->name, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  if (!query->versions.empty())
    std::erase_if(page->items, [&](const store::PackageUse& use) {
      const auto match = scanner::matches(query->ecosystem, use.version, query->versions,
                                          scanner::Prereleases::included);
      return match != scanner::Match::yes && match != scanner::Match::recommended;
    });
  auto response = http::json(200, packages_json(*page));
  link_next(response, call.request, page->next);
  co_return response;
}

Task<Response> Service::vulnerabilities(Call call) {
  const auto query = parse_vulnerability_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto page = co_await dependencies_.store.vulnerabilities().vulnerabilities(
      call.token.scope, query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  Reasons reasons;
  for (const auto& v : page->items) {
    std::vector<store::Found> one(1, v.found);
    reasons.push_back(accepted_in(v.instance, v.project_path, one).front());
  }
  auto response = http::json(200, vulnerabilities_json(*page, reasons));
  link_next(response, call.request, page->next);
  co_return response;
}

Task<Response> Service::hosts(Call call) {
  const HostWatch& watch = dependencies_.hosts;
  const auto hosts = co_await dependencies_.store.failing_hosts(
      dependencies_.clock.now() + -watch.window_us, watch.jobs, watch.projects);
  if (!hosts.ok()) co_return problem_of(call, hosts.error());
  co_return http::json(200, hosts_json(*hosts, watch));
}

}  // namespace gitaiops::api
