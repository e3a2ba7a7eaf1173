// What came from GitLab, what went wrong with it, and what was done by itself.
#include "base/bytes/bytes.h"
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"

namespace gitaiops::api {
namespace {

using http::problem;
using http::Response;

store::AuditRecord replay_record(const Call& call, std::string act, std::string object,
                                 UnixMicros now) {
  store::AuditRecord record;
  record.at = now;
  record.actor = "token:" + call.token.id;
  record.act = std::move(act);
  record.object = std::move(object);
  record.outcome = "done";
  return record;
}

}  // namespace

// GitLab reads nothing of the answer but its status.
Task<Response> Service::webhook(Call call) {
  if (!dependencies_.webhook) co_return problem(404, "no webhooks are taken here");
  std::string instance = call.parameters[0];
  co_return co_await dependencies_.webhook(std::move(instance), std::move(call.request));
}

Task<Response> Service::events(Call call) {
  const auto query = parse_delivery_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto page = co_await dependencies_.store.inbox().deliveries(query->filter, query->page);
  if (!page.ok()) co_return problem_of(call, page.error());
  auto response = http::json(200, events_json(*page));
  link_next(response, call.request, page->next);
  co_return response;
}

Task<Response> Service::event(Call call) {
  const auto delivery = co_await dependencies_.store.inbox().delivery(call.parameters[0]);
  if (!delivery.ok()) co_return problem_of(call, delivery.error());
  co_return http::json(200, event_json(*delivery));
}

Task<Response> Service::replay_event(Call call) {
  const std::string id = call.parameters[0];
  auto record = replay_record(call, "event.replay", "event " + id, dependencies_.clock.now());
  const Status done = co_await dependencies_.store.inbox().replay_delivery(id, std::move(record));
  if (!done.ok()) co_return problem_of(call, done.error());
  co_return http::json(202, status_json("waiting"));
}

Task<Response> Service::dead_letters(Call call) {
  const auto page = parse_page_query(call.request);
  if (!page.ok()) co_return problem_of(call, page.error());
  const auto letters = co_await dependencies_.store.inbox().dead_letters(*page);
  if (!letters.ok()) co_return problem_of(call, letters.error());
  auto response = http::json(200, dead_letters_json(*letters));
  link_next(response, call.request, letters->next);
  co_return response;
}

Task<Response> Service::dead_letter(Call call) {
  const auto id = parse_int(call.parameters[0]);
  if (!id) co_return problem(400, "the id is a whole number");
  const auto letter = co_await dependencies_.store.inbox().dead_letter(*id);
  if (!letter.ok()) co_return problem_of(call, letter.error());
  co_return http::json(200, dead_letter_json(*letter));
}

Task<Response> Service::replay_dead_letter(Call call) {
  const auto id = parse_int(call.parameters[0]);
  if (!id) co_return problem(400, "the id is a whole number");
  const UnixMicros now = dependencies_.clock.now();
  auto record = replay_record(call, "work.replay", "dead letter " + call.parameters[0], now);
  const Status done =
      co_await dependencies_.store.inbox().replay_dead_letter(*id, std::move(record), now);
  if (!done.ok()) co_return problem_of(call, done.error());
  co_return http::json(202, status_json("waiting"));
}

Task<Response> Service::audit(Call call) {
  const auto query = parse_audit_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto records =
      co_await dependencies_.store.audit_page(call.token.scope, query->filter, query->page);
  if (!records.ok()) co_return problem_of(call, records.error());
  auto response = http::json(200, audit_json(*records));
  link_next(response, call.request, records->next);
  co_return response;
}

}  // namespace gitaiops::api
