// What a delivery leads to. Pure. Private to this folder.
//
//   merge request, pipeline, job   GitLab's word is passed on to what waits for it: see Settled in
//   store/inbox.h
//   a comment with a command       it is carried out by whoever knows commands
//   access token                   somebody must renew it
//   everything else                kept, and said so: nothing here reacts to it yet
#pragma once

#include <functional>
#include <string>

#include "controller/store/store.h"
#include "controller/webhooks/event.h"
#include "controller/webhooks/webhooks.h"

namespace gitaiops::webhooks {

// Work that fetches a failed job's log from GitLab when no agent reports it; nothing: its project
// is not one of those.
using FetchWork = std::function<std::optional<store::NewWork>(
    const std::string& instance, const std::string& project_path, int64_t project_id,
    int64_t job_id, UnixMicros now)>;

// By the header X-Gitlab-HookEvent, before anything is read: 0 for what people wait for.
int priority_of(std::string_view header);

// The delivery with its body in, what is to be written out.
store::Settled route(store::Delivery delivery, const FetchWork& fetch, const CommandWork& command,
                     UnixMicros now);

bool is_over(std::string_view status);  // of a pipeline or job
// What a state of a thing is remembered by: "opened 1a2b3c".
std::string merge_request_word(const std::string& state, const std::string& sha);

}  // namespace gitaiops::webhooks
