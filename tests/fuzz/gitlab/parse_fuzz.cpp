// Any body in GitLab's name: an Error, or values that have what the rest of the controller relies
// on. And whatever we say reaches GitLab as we said it.
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "controller/gitlab/parse.h"

using namespace gitaiops;
using namespace gitaiops::gitlab;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto project = parse_project(body); project.ok())
    require(project->id > 0 && !project->path.empty());
  if (const auto job = parse_job(body); job.ok()) require(job->id > 0 && !job->status.empty());
  if (const auto pipeline = parse_pipeline(body); pipeline.ok()) require(pipeline->id > 0);
  if (const auto request = parse_merge_request(body); request.ok())
    require(request->iid > 0 && request->project_id > 0);
  if (const auto user = parse_user(body); user.ok()) require(user->id > 0);
  if (const auto runners = parse_runners(body); runners.ok())
    for (const auto& runner : *runners) require(runner.id > 0);
  if (const auto jobs = parse_jobs(body); jobs.ok())
    for (const auto& job : *jobs) require(job.id > 0);
  if (const auto requests = parse_merge_requests(body); requests.ok())
    for (const auto& request : *requests) require(request.iid > 0);
  if (const auto pipelines = parse_pipelines(body); pipelines.ok())
    for (const auto& pipeline : *pipelines) require(pipeline.id > 0);
  if (const auto expiry = parse_token_expiry(body); expiry.ok() && *expiry)
    require((*expiry)->value % (86'400 * kMicrosPerSecond) == 0);
  if (const auto notes = parse_notes(body); notes.ok())
    for (const auto& note : *notes) require(note.id > 0);

  const auto message = parse_message(body);
  require(message.size() <= 200 && to_utf8(message) == message);

  const auto text = to_utf8(body);
  const auto echoed = parse_note("{\"id\":1," + note_json(text).substr(1));
  require(echoed.ok() && echoed->body == text);
  note_json(body);  // not even UTF-8: replaced, not thrown
  return 0;
}
