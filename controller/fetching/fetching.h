// Jobs of hosts without an agent. The failed jobs of the projects that the configuration names are
// looked for at GitLab; of those that nobody reported, the log is read by the API and diagnosed
// here with the same engine, and kept like an agent's report (without usage). Redaction is the
// engine's, before anything is stored. A job that an agent reports, then or later, is the agent's.
//
// Where a webhook tells that such a job failed, it is looked at soon after, as work of the queue.
//
// Gentle: one project after the other, one log at a time, none while GitLab wants to be left alone;
// a job is looked at only once it has been over for an interval, so that agents come first. The
// engine runs on a thread of its own. Thread safety: one executor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/queue/queue.h"
#include "controller/store/store.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::fetching {

struct Source {
  gitlab::Gitlab* gitlab = nullptr;
  std::vector<std::string> projects;  // "group/project"
  int64_t interval_us = 60 * kMicrosPerSecond;
  std::size_t trace_bytes = 16 << 20;
};

// The report of a log that was read at GitLab. Pure.
fleet::v1::JobReport report_of(const std::string& instance, const gitlab::Project& project,
                               const gitlab::Job& job, const Result<gitlab::Trace>& trace,
                               std::shared_ptr<const diagnosis::Rules> rules,
                               std::string report_id);

class Fetching {
 public:
  // `sources`: by instance, also those without projects: their logs can be asked for.
  Fetching(store::Store& store, const Clock& clock, std::map<std::string, Source> sources,
           std::shared_ptr<const diagnosis::Rules> rules);
  ~Fetching();
  // Until stop().
  Task<void> run();
  void stop() { stopping_.set(); }
  // All projects of an instance once.
  Task<void> look(std::string instance);

  // Registers the handler of "job.fetch".
  void attach(queue::Worker& worker);
  // For a job that GitLab says has failed; nothing: its project is not one of those.
  std::optional<store::NewWork> work_for(const std::string& instance,
                                         const std::string& project_path, int64_t project_id,
                                         int64_t job_id, UnixMicros now) const;
  Task<queue::Verdict> fetch_told(store::Work work);

  // Lines of a job that no agent watched; errors as Gitlab's.
  Task<Result<fleet::v1::Excerpt>> lines_around(store::Job job, uint64_t line, uint32_t before,
                                                uint32_t after);

 private:
  Task<Status> look_at(std::string instance, std::string project);
  Task<Status> fetch(std::string instance, gitlab::Project project, gitlab::Job job);

  struct Pool;
  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, Source> sources_;
  std::shared_ptr<const diagnosis::Rules> rules_;
  std::unique_ptr<Pool> pool_;
  int asked_ = 0;  // for lines, at the moment
  Event stopping_;
};

}  // namespace gitaiops::fetching
