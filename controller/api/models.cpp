// What models were asked and what it cost.
#include "controller/api/json.h"
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"

namespace gitaiops::api {
namespace {

using http::Response;

Json use_json(const store::ModelUse& use) {
  constexpr int64_t kDay = 24 * 3600 * kMicrosPerSecond;
  return {{"day", to_rfc3339({use.day * kDay}).substr(0, std::string_view("2026-11-23").size())},
          {"instance", use.instance},
          {"project_id", use.project_id},
          {"project", use.project_path},
          {"model", text_or_null(use.model)},
          {"requests", use.requests},
          {"prompt_tokens", use.prompt_tokens},
          {"cached_tokens", use.cached_tokens},
          {"output_tokens", use.output_tokens},
          {"cost_usd", static_cast<double>(use.cost_microusd) / 1e6},
          {"reused", use.reused},
          {"saved_usd", static_cast<double>(use.saved_microusd) / 1e6}};
}

}  // namespace

Task<Response> Service::model_usage(Call call) {
  const auto query = parse_model_use_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto page = co_await dependencies_.store.model_answers().model_use(
      call.token.scope, query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  Json json = {{"usage", Json::array()}, {"next", text_or_null(page->next)}};
  for (const auto& use : page->items) json["usage"].push_back(use_json(use));
  auto response = http::json(200, dump(json));
  link_next(response, call.request, page->next);
  co_return response;
}

}  // namespace gitaiops::api
