// Who could review a change of files: asked of whoever mirrors the project's history.
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"

namespace gitaiops::api {

using http::problem;
using http::Response;

Task<Response> Service::reviewers(Call call) {
  auto query = parse_reviewer_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  if (!dependencies_.reviewers)
    co_return problem(404, "this controller mirrors no repositories; see reviewers.enabled");
  const auto answer =
      co_await dependencies_.reviewers(call.token.scope, std::move(query->instance),
                                       std::move(query->project), std::move(query->paths));
  if (!answer.ok()) co_return problem_of(call, answer.error());
  co_return http::json(200, reviewers_json(*answer));
}

}  // namespace gitaiops::api
