// What merge requests are like among the changes of their projects, and what else is known of them.
#include "base/bytes/bytes.h"
#include "controller/api/json.h"
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"

namespace gitaiops::api {
namespace {

using http::problem;
using http::Response;

constexpr double kHourS = 3600;

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json risk_json(const store::TriagedMergeRequest& one) {
  if (!one.triage.risk) return nullptr;
  const auto& risk = *one.triage.risk;
  return {{"level", to_string(risk.level)},  {"percentile", risk.percentile},
          {"probability", risk.probability}, {"calibrated", risk.calibrated},
          {"reasons", risk.reasons},         {"basis", one.basis}};
}

Json size_json(const std::optional<triage::Size>& size) {
  if (!size) return nullptr;
  return {{"complexity", to_string(size->complexity)},
          {"files", size->files},
          {"lines_added", size->lines ? Json(size->lines->added) : Json(nullptr)},
          {"lines_deleted", size->lines ? Json(size->lines->deleted) : Json(nullptr)},
          {"percentile", number_or_null(size->percentile)}};
}

Json triaged_json(const store::TriagedMergeRequest& one) {
  const auto& t = one.triage;
  Json out = {{"instance", one.instance},
              {"project_id", one.project_id},
              {"project_path", one.project_path},
              {"iid", one.iid},
              {"title", one.title},
              {"web_url", text_or_null(one.web_url)},
              {"sha", one.sha},
              {"triaged_at", time_or_null(one.at.value)},
              {"priority", to_string(t.priority)},
              {"risk", risk_json(one)},
              {"size", size_json(t.size)},
              {"kind", nullptr},
              {"effort", nullptr},
              {"required_reviews", Json::array()},
              {"labels", t.labels},
              {"labels_set", one.labels.set}};
  if (t.kind)
    out["kind"] = {{"type", to_string(t.kind->type)},
                   {"confidence", t.kind->confidence},
                   {"said", t.kind->said}};
  if (t.effort)
    out["effort"] = {{"p50_s", t.effort->p50_h * kHourS},
                     {"p80_s", t.effort->p80_h * kHourS},
                     {"from_history", t.effort->from_history}};
  for (const auto& review : t.required_reviews)
    out["required_reviews"].push_back(
        {{"area", review.area}, {"reasons", review.reasons}, {"files", review.files}});
  return out;
}

Json reading_json(const store::ReadMergeRequest& one) {
  Json out = {{"model", text_or_null(one.model)},
              {"sha", one.sha},
              {"read_at", time_or_null(one.at.value)},
              {"cost_usd", static_cast<double>(one.cost_microusd) / 1e6},
              {"kind", nullptr},
              {"risk", nullptr},
              {"confidence", nullptr},
              {"look_at", Json::array()}};
  if (!one.said) return out;
  out["kind"] = to_string(one.said->kind);
  out["risk"] = to_string(one.said->risk);
  out["confidence"] = one.said->confidence;
  for (const auto& point : one.said->points)
    out["look_at"].push_back({{"path", point.path},
                              {"line", point.line},
                              {"removed", point.removed},
                              {"why", point.why},
                              {"guideline", text_or_null(point.guideline)}});
  return out;
}

}  // namespace

Task<Response> Service::merge_requests(Call call) {
  const auto query = parse_merge_request_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto page = co_await dependencies_.store.triages().triaged_page(call.token.scope,
                                                                        query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  Json list = Json::array();
  for (const auto& one : page->items) list.push_back(triaged_json(one));
  const Json json = {{"merge_requests", std::move(list)}, {"next", text_or_null(page->next)}};
  auto response = http::json(200, dump(json));
  link_next(response, call.request, page->next);
  co_return response;
}

Task<Response> Service::merge_request(Call call) {
  const auto& instance = call.parameters[0];
  const auto project = parse_int(call.parameters[1]);
  const auto iid = parse_int(call.parameters[2]);
  if (!project || !iid || *project <= 0 || *iid <= 0)
    co_return problem(400, "project_id and iid are positive whole numbers");
  const auto one =
      co_await dependencies_.store.triages().triaged(call.token.scope, instance, *project, *iid);
  if (!one.ok()) co_return problem_of(call, one.error());
  auto json = triaged_json(*one);
  const auto note = co_await dependencies_.store.note(
      call.token.scope,
      "mr/" + instance + "/" + std::to_string(*project) + "/" + std::to_string(*iid));
  if (!note.ok() && note.error().code() != Code::not_found)
    co_return problem_of(call, note.error());
  json["note_id"] = id_or_null(note.ok() ? note->gitlab_note_id : 0);
  const auto reading =
      co_await dependencies_.store.readings().reading(call.token.scope, instance, *project, *iid);
  if (!reading.ok() && reading.error().code() != Code::not_found)
    co_return problem_of(call, reading.error());
  json["reading"] = reading.ok() ? reading_json(*reading) : Json(nullptr);
  json["reviewers"] = nullptr;
  if (dependencies_.reviewers_of) {
    // What GitLab does not say now is not known now.
    const auto people = co_await dependencies_.reviewers_of(instance, *project, *iid);
    if (people.ok() && !people->pending) json["reviewers"] = people_json(people->people);
  }
  co_return http::json(200, dump(json));
}

}  // namespace gitaiops::api
