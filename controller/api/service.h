// The routes and what answers each of them. Private to controller/api.
//
// Thread safety: one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/api/api.h"

namespace gitaiops::api {

// What a route asks of the caller.
enum class Access {
  open,     // nothing
  read,     // verb "read" or "admin"; the scope goes into the query
  fleet,    // agents span projects: verb "admin", or "read" on everything
  metrics,  // as fleet when the listener can be reached from outside, else open
  act,      // verb "admin": something is done
};

// A request whose caller was let in.
struct Call {
  http::Request request;
  std::vector<std::string> parameters;  // what stood for each {…} of the path
  store::ApiToken token;                // empty for open routes
  std::string id;                       // in the answer (X-Request-Id) and in what is logged of it
};

class Service {
 public:
  Service(bool reachable, Dependencies dependencies);
  Task<http::Response> handle(http::Request request);

  struct Endpoint {
    std::string_view method, path;
    Access access;
    Task<http::Response> (Service::*serve)(Call);
  };
  static std::span<const Endpoint> endpoints();

 private:
  Task<http::Response> answer(const Endpoint& endpoint, Call call);
  Task<Result<store::Inventory>> inventory_of(Call call, store::InventoryFilter filter);
  // Of each why it does not count; empty: it counts.
  std::vector<std::string> accepted_in(const std::string& instance, const std::string& project,
                                       const std::vector<store::Found>& found) const;
  Task<Result<store::Matched>> matched_of(Call call, store::Inventory inventory);
  Task<Result<store::Matched>> matched_ref(Call call, std::string ref);
  Task<Result<store::ApiToken>> authenticate(std::string authorization);

  Task<http::Response> jobs(Call call);
  Task<http::Response> job(Call call);
  Task<http::Response> job_log(Call call);
  Task<http::Response> job_note(Call call);
  Task<http::Response> failures(Call call);
  Task<http::Response> failure(Call call);
  Task<http::Response> packages(Call call);
  Task<http::Response> vulnerabilities(Call call);
  Task<http::Response> sbom(Call call);
  Task<http::Response> dependency_scanning_report(Call call);
  Task<http::Response> dependency_changes(Call call);
  Task<http::Response> hosts(Call call);
  Task<http::Response> reviewers(Call call);
  Task<http::Response> model_usage(Call call);
  Task<http::Response> audit(Call call);
  Task<http::Response> merge_request_note(Call call);
  Task<http::Response> merge_requests(Call call);
  Task<http::Response> merge_request(Call call);
  Task<http::Response> agents(Call call);
  Task<http::Response> me(Call call);
  Task<http::Response> events(Call call);
  Task<http::Response> event(Call call);
  Task<http::Response> replay_event(Call call);
  Task<http::Response> dead_letters(Call call);
  Task<http::Response> dead_letter(Call call);
  Task<http::Response> replay_dead_letter(Call call);
  Task<http::Response> webhook(Call call);
  Task<http::Response> openapi(Call call);
  Task<http::Response> health(Call call);
  Task<http::Response> ready(Call call);
  Task<http::Response> metrics(Call call);

  bool reachable_;
  Dependencies dependencies_;
  metrics::Counter requests_;
  metrics::Histogram durations_;
  metrics::Gauge queue_, queue_lag_, events_;
};

// The one place where the store's errors become HTTP's. Words of faults of ours go to the log, not
// to the caller.
http::Response problem_of(const Call& call, const Error& error);

}  // namespace gitaiops::api
