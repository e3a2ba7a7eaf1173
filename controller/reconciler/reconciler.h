// Asks GitLab what its webhooks did not tell: a push to more than three branches sends none, a hook
// that failed is switched off, a limit drops them silently. Merge requests and ended pipelines that
// changed since it last asked are compared with what was told (store/inbox.h); what is news becomes
// a delivery like any other, in the shape of a webhook's payload, so that it goes the same way and
// is done once, whoever tells of it first.
//
// Asked about: projects with jobs or events in the last 30 days, in turn, at most 100 a round, none
// while GitLab wants to be left alone. The last minute is left out, since a webhook may be under
// way. When GitLab was down, the next round asks from where the last one ended. Also: when our
// token expires. Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/store/store.h"

namespace gitaiops::reconciler {

struct Source {
  gitlab::Gitlab* gitlab = nullptr;
  int64_t interval_us = 600 * kMicrosPerSecond;  // 0: only the token is looked at
};

class Reconciler {
 public:
  // `on_found`: how many changes of a kind ("merge_request", "pipeline") were news.
  Reconciler(store::Inbox& inbox, const Clock& clock, std::map<std::string, Source> sources,
             std::function<void(std::string_view instance, std::string_view kind, int64_t count)>
                 on_found = {});
  // Until stop().
  Task<void> run();
  void stop() { stopping_.set(); }
  // All places of an instance once.
  Task<Status> look(std::string instance);
  // Warns when our token's end is near.
  Task<void> look_at_token(std::string instance);
  // Absent: not known, or never.
  std::optional<UnixMicros> token_expiry(const std::string& instance) const;

 private:
  Task<Status> look_at(std::string instance, store::Place place);

  store::Inbox& inbox_;
  const Clock& clock_;
  std::map<std::string, Source> sources_;
  std::function<void(std::string_view, std::string_view, int64_t)> on_found_;
  std::map<std::string, UnixMicros> expiries_;
  Event stopping_;
};

}  // namespace gitaiops::reconciler
