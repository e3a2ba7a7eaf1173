#include "controller/webhooks/route.h"

namespace gitaiops::webhooks {
namespace {

std::string numbered(const char* what, int64_t number) {
  return std::string(what) + " " + std::to_string(number);
}

std::string object_of(const HookEvent& e) {
  switch (e.kind) {
    case Kind::merge_request:
      return numbered("merge request", e.number);
    case Kind::pipeline:
      return numbered("pipeline", e.number);
    case Kind::job:
      return numbered("job", e.number);
    case Kind::note:
      return numbered("note", e.number);
    case Kind::issue:
      return numbered("issue", e.number);
    case Kind::deployment:
      return numbered("deployment", e.number);
    case Kind::push:
    case Kind::tag_push:
      return e.ref;
    case Kind::release:
    case Kind::access_token:
      return e.name;
    case Kind::system:
    case Kind::unknown:
      return {};
  }
  return {};
}

void end_job(const HookEvent& e, int64_t id, const std::string& status, const FetchWork& fetch,
             store::Settled& out) {
  out.ended_jobs.push_back(id);
  if (status != "failed" || !fetch) return;
  auto work = fetch(out.delivery.instance, e.project_path, e.project_id, id, out.at);
  if (work)
    out.fetches.push_back({id, std::move(work->kind), std::move(work->unique_key),
                           std::move(work->payload), work->not_before, work->priority});
}

void settle_merge_request(const HookEvent& e, store::Settled& out) {
  if (e.number == 0 || e.project_id == 0) {
    out.delivery.state = "unreadable";
    out.delivery.detail = "it does not say which merge request it is about";
    return;
  }
  if (!e.state.empty())
    out.told.push_back({"merge_request", e.number, merge_request_word(e.state, e.sha)});
  out.merge_request_project = e.project_id;
  out.merge_request_iid = e.number;
  out.sha = e.sha;
}

void settle_pipeline(const HookEvent& e, const FetchWork& fetch, store::Settled& out) {
  if (e.number == 0) {
    out.delivery.state = "unreadable";
    out.delivery.detail = "it does not say which pipeline it is about";
    return;
  }
  if (!e.state.empty()) out.told.push_back({"pipeline", e.number, e.state});
  for (const auto& build : e.builds)
    if (is_over(build.status)) end_job(e, build.id, build.status, fetch, out);
  if (!is_over(e.state)) return;
  out.merge_request_project = e.merge_request_project;
  out.merge_request_iid = e.merge_request;
}

void settle_job(const HookEvent& e, const FetchWork& fetch, store::Settled& out) {
  if (e.number == 0) {
    out.delivery.state = "unreadable";
    out.delivery.detail = "it does not say which job it is about";
    return;
  }
  if (is_over(e.state)) end_job(e, e.number, e.state, fetch, out);
}

void ignore(const std::string& why, store::Settled& out) {
  out.delivery.state = "ignored";
  out.delivery.detail = why;
}

// Edits are not heard: what was asked for once is not asked for again.
void settle_note(const HookEvent& e, const CommandWork& command, store::Settled& out) {
  const bool whole = e.number != 0 && e.merge_request != 0 && e.merge_request_project != 0;
  if (!e.commands || !whole || e.system || e.action != "create" || !command)
    return ignore("there is no new command in it", out);
  out.work.push_back(command(
      {out.delivery.instance, e.merge_request_project, e.merge_request, e.number, e.discussion},
      out.at));
}

}  // namespace

bool is_over(std::string_view status) {
  return status == "success" || status == "failed" || status == "canceled" || status == "skipped";
}

std::string merge_request_word(const std::string& state, const std::string& sha) {
  return state + " " + sha;
}

int priority_of(std::string_view header) {
  if (header == "Merge Request Hook" || header == "Pipeline Hook" || header == "Job Hook" ||
      header == "Note Hook")
    return 0;
  return header == "System Hook" ? 2 : 1;
}

store::Settled route(store::Delivery delivery, const FetchWork& fetch, const CommandWork& command,
                     UnixMicros now) {
  store::Settled out;
  out.at = now;
  auto event = read_event(delivery.body);
  out.delivery = std::move(delivery);
  out.delivery.body.clear();
  if (!event.ok()) {
    out.delivery.state = "unreadable";
    out.delivery.detail = event.error().message();
    return out;
  }
  out.delivery.type = event->word;
  out.delivery.project_id = event->project_id;
  out.delivery.project_path = event->project_path;
  out.delivery.object = object_of(*event);
  out.delivery.state = "done";
  switch (event->kind) {
    case Kind::merge_request:
      settle_merge_request(*event, out);
      break;
    case Kind::pipeline:
      settle_pipeline(*event, fetch, out);
      break;
    case Kind::job:
      settle_job(*event, fetch, out);
      break;
    case Kind::note:
      settle_note(*event, command, out);
      break;
    case Kind::access_token:
      out.delivery.detail =
          "the access token \"" + event->name + "\" expires on " + event->expires_at + ": renew it";
      break;
    case Kind::unknown:
      ignore("this version does not know events of this kind", out);
      break;
    case Kind::push:
    case Kind::tag_push:
    case Kind::issue:
    case Kind::deployment:
    case Kind::release:
    case Kind::system:
      ignore("nothing here reacts to events of this kind", out);
      break;
  }
  return out;
}

}  // namespace gitaiops::webhooks
