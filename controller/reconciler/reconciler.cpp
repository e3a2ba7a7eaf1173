#include "controller/reconciler/reconciler.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/crypto/crypto.h"
#include "base/log/log.h"

namespace gitaiops::reconciler {
namespace {

using nlohmann::json;

constexpr int64_t kActive = 30ll * 24 * 3600 * kMicrosPerSecond;
constexpr std::size_t kPlacesAtOnce = 100;
constexpr int64_t kSettle = 60 * kMicrosPerSecond;       // a webhook may be under way
constexpr int64_t kOverlap = 60 * kMicrosPerSecond;      // GitLab's clock is not ours
constexpr int64_t kFirstLook = 3600 * kMicrosPerSecond;  // back, of a project that is new to us
constexpr int64_t kAfterStart = 60 * kMicrosPerSecond;
constexpr int64_t kTokenInterval = 12 * 3600 * kMicrosPerSecond;
constexpr int64_t kTokenSoon = 14ll * 24 * 3600 * kMicrosPerSecond;

struct Found {
  store::Told told;
  json payload;
  UnixMicros updated_at;
};

json project_of(const store::Place& place) {
  return {{"id", place.project_id}, {"path_with_namespace", place.project_path}};
}

Found found(const store::Place& place, const gitlab::MergeRequest& m) {
  return {{"merge_request", m.iid, m.state + " " + m.sha},
          {{"object_kind", "merge_request"},
           {"project", project_of(place)},
           {"object_attributes",
            {{"iid", m.iid},
             {"target_project_id", m.project_id},
             {"source_project_id", m.source_project_id},
             {"source_branch", m.source_branch},
             {"state", m.state},
             {"last_commit", {{"id", m.sha}}}}}},
          m.updated_at};
}

Found found(const store::Place& place, const gitlab::Pipeline& p) {
  return {
      {"pipeline", p.id, p.status},
      {{"object_kind", "pipeline"},
       {"project", project_of(place)},
       {"object_attributes", {{"id", p.id}, {"status", p.status}, {"ref", p.ref}, {"sha", p.sha}}}},
      p.updated_at};
}

bool same(const store::Told& a, const store::Told& b) {
  return a.kind == b.kind && a.number == b.number && a.word == b.word;
}

store::Delivery delivery_of(const std::string& instance, const store::Place& place,
                            const Found& found, UnixMicros now) {
  store::Delivery d;
  d.id = crypto::uuid7(now);
  d.instance = instance;
  d.key = "found:" + found.told.kind + ":" + std::to_string(place.project_id) + ":" +
          std::to_string(found.told.number) + ":" + std::to_string(found.updated_at.value) + ":" +
          found.told.word;
  d.source = "reconciler";
  d.type = found.told.kind;
  d.received_at = now;
  d.body = found.payload.dump(-1, ' ', false, json::error_handler_t::replace);
  return d;
}

}  // namespace

Reconciler::Reconciler(store::Inbox& inbox, const Clock& clock,
                       std::map<std::string, Source> sources,
                       std::function<void(std::string_view, std::string_view, int64_t)> on_found)
    : inbox_(inbox), clock_(clock), sources_(std::move(sources)), on_found_(std::move(on_found)) {}

std::optional<UnixMicros> Reconciler::token_expiry(const std::string& instance) const {
  const auto known = expiries_.find(instance);
  return known == expiries_.end() ? std::nullopt : std::optional(known->second);
}

Task<void> Reconciler::run() {
  struct Next {
    SteadyMicros look, token;
  };
  std::map<std::string, Next> next;
  const auto begun = clock_.steady();
  for (const auto& [id, source] : sources_) {
    const int64_t first = std::min(source.interval_us, kAfterStart);
    next[id] = {begun + first, begun + kAfterStart};
  }
  if (next.empty()) co_return;
  while (!stopping_.is_set()) {
    int64_t pause = kTokenInterval;
    for (auto& [id, at] : next) {
      const int64_t interval = sources_.at(id).interval_us;
      if (clock_.steady() >= at.token) {
        at.token = clock_.steady() + kTokenInterval;
        co_await look_at_token(id);
      }
      if (interval > 0 && clock_.steady() >= at.look) {
        at.look = clock_.steady() + interval;
        const Status looked = co_await look(id);
        if (!looked.ok())
          log::warning("GitLab cannot be asked what its webhooks did not tell; later again",
                       {{"instance", id}, {"why", looked.error().to_string()}});
      }
      pause = std::min(pause, at.token - clock_.steady());
      if (interval > 0) pause = std::min(pause, at.look - clock_.steady());
    }
    co_await stopping_.wait(std::chrono::microseconds(std::max<int64_t>(pause, 0) + 1));
  }
}

Task<Status> Reconciler::look(std::string instance) {
  CO_ASSIGN_OR_RETURN(const auto places,
                      co_await inbox_.places(instance, clock_.now() + -kActive, kPlacesAtOnce));
  for (const auto& place : places) {
    if (stopping_.is_set() || sources_.at(instance).gitlab->wait_hint().count() > 0)
      co_return Status();
    Status looked = co_await look_at(instance, place);
    if (looked.ok()) continue;
    const Code code = looked.error().code();
    if (code != Code::not_found && code != Code::permission_denied) co_return looked;
    // Gone, or not ours to see: its turn comes again.
    std::vector<store::Delivery> nothing;
    const auto kept = co_await inbox_.keep_found(instance, place, std::move(nothing));
    if (!kept.ok()) co_return kept.error();
  }
  co_return Status();
}

Task<Status> Reconciler::look_at(std::string instance, store::Place place) {
  gitlab::Gitlab& gitlab = *sources_.at(instance).gitlab;
  const UnixMicros now = clock_.now();
  UnixMicros until = now + -kSettle;
  const UnixMicros from = place.upto.value > 0 ? place.upto + -kOverlap : now + -kFirstLook;
  if (until <= from) co_return Status();
  CO_ASSIGN_OR_RETURN(const auto requests,
                      co_await gitlab.changed_merge_requests(place.project_id, from, until));
  CO_ASSIGN_OR_RETURN(const auto pipelines,
                      co_await gitlab.changed_pipelines(place.project_id, from, until));
  // A list that is full is not whole: the rest comes next time.
  if (requests.size() >= gitlab::kMostListed)
    until = std::min(until, requests.back().updated_at + kOverlap);
  if (pipelines.size() >= gitlab::kMostListed)
    until = std::min(until, pipelines.back().updated_at + kOverlap);

  std::vector<Found> all;
  for (const auto& request : requests) all.push_back(found(place, request));
  for (const auto& pipeline : pipelines) all.push_back(found(place, pipeline));
  std::vector<store::Told> states;
  for (const auto& one : all) states.push_back(one.told);
  CO_ASSIGN_OR_RETURN(const auto news,
                      co_await inbox_.untold(instance, place.project_id, std::move(states)));
  std::erase_if(all, [&](const Found& one) {
    return std::ranges::none_of(news, [&](const store::Told& n) { return same(n, one.told); });
  });
  std::vector<store::Delivery> deliveries;
  std::map<std::string, int64_t> counts;
  for (auto& one : all) {
    if (one.told.kind == "pipeline" && one.told.word == "failed") {
      auto jobs = co_await gitlab.pipeline_jobs(place.project_id, one.told.number);
      if (!jobs.ok() && jobs.error().code() != Code::not_found) co_return jobs.error();
      auto& builds = one.payload["builds"] = json::array();
      if (jobs.ok())
        for (const auto& job : *jobs) builds.push_back({{"id", job.id}, {"status", job.status}});
    }
    ++counts[one.told.kind];
    deliveries.push_back(delivery_of(instance, place, one, now));
  }
  place.upto = until;
  const auto fresh = co_await inbox_.keep_found(instance, place, std::move(deliveries));
  if (!fresh.ok()) co_return fresh.error();
  if (*fresh > 0 && on_found_)
    for (const auto& [kind, count] : counts) on_found_(instance, kind, count);
  co_return Status();
}

Task<void> Reconciler::look_at_token(std::string instance) {
  const auto expiry = co_await sources_.at(instance).gitlab->token_expiry();
  if (!expiry.ok()) co_return;  // an old GitLab, or none: whoever needs it will say so
  expiries_.erase(instance);
  if (!*expiry) co_return;
  expiries_[instance] = **expiry;
  if (**expiry - clock_.now() > kTokenSoon) co_return;
  log::warning("the token for GitLab expires soon",
               {{"instance", instance},
                {"expires_at", to_rfc3339(**expiry)},
                {"cure",
                 "renew it in GitLab and write it into gitlab.token_file; no restart is "
                 "needed"}});
}

}  // namespace gitaiops::reconciler
