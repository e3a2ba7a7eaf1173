#include "agent/jobs/jobs.h"

#include "agent/jobs/state.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxNames = 4096;  // of running jobs

}  // namespace

JobWatch::JobWatch(asio::any_io_executor executor, JobWatchOptions options, Observer& observer,
                   Spool& spool, const Clock& clock, std::shared_ptr<const diagnosis::Rules> rules,
                   std::vector<std::unique_ptr<LogSource>> sources)
    : state_(std::make_unique<State>(std::move(executor), std::move(options), observer, spool,
                                     clock, std::move(rules), std::move(sources))) {}

JobWatch::~JobWatch() = default;

Task<Status> JobWatch::restore() {
  if (!state_->options.state_dir.empty()) {
    for (const auto& opened : {state_->baselines.open(), state_->archive.open()})
      if (!opened.ok())
        log::warning("a folder of the agent cannot be used", {{"why", opened.error().to_string()}});
  }
  CO_ASSIGN_OR_RETURN(const auto saved, co_await state_->spool.tracker_state());
  if (saved.empty()) co_return Status();
  co_return state_->tracker.restore(saved);
}

Task<Status> JobWatch::run() {
  auto& s = *state_;
  s.start("traces", s.follow_traces());
  s.start("processes", s.sample_processes());
  s.start("runners", s.watch_runners());
  s.start("deadlines", s.watch_deadlines());
  s.start("host", s.sample_host());
  s.start("kernel log", s.follow_kernel_log());
  if (s.options.usage_enabled && s.options.containers_enabled)
    s.start("containers",
            s.containers.run(&s.stopping, [state = &s] { return state->tracker.open_jobs() > 0; }));
  for (const auto& source : s.sources) s.start("source", s.follow_source(source.get()));
  co_await s.finished.wait();
  co_return s.ended_by;
}

void JobWatch::stop() {
  state_->stop();
}

Task<fleet::v1::CommandResult> JobWatch::command(fleet::v1::Command command) {
  auto& s = *state_;
  fleet::v1::CommandResult result;
  result.set_id(command.id());
  switch (command.action_case()) {
    case fleet::v1::Command::kDrain:
      s.draining = command.drain().draining();
      result.set_status(fleet::v1::CommandResult::STATUS_DONE);
      result.set_message(s.draining ? "new jobs are not observed" : "observing new jobs");
      break;
    case fleet::v1::Command::kLinesAround: {
      const auto& ask = command.lines_around();
      const auto trace = s.tracker.trace_of({ask.key().instance(), ask.key().job_id()});
      const auto found = trace ? s.traces.find(*trace) : s.traces.end();
      const JobRef job{ask.key().instance(), ask.key().job_id()};
      const auto excerpt =
          found != s.traces.end()
              ? found->second->reader.lines_around(ask.line(), ask.before(), ask.after())
              : s.archive.lines_around(job, ask.line(), ask.before(), ask.after());
      if (!excerpt.ok()) {
        result.set_status(fleet::v1::CommandResult::STATUS_NOT_FOUND);
        result.set_message(excerpt.error().to_string());
        break;
      }
      result.set_status(fleet::v1::CommandResult::STATUS_DONE);
      result.mutable_excerpt()->set_first_line(excerpt->first_line);
      result.mutable_excerpt()->set_last_line(excerpt->last_line);
      result.mutable_excerpt()->set_text(excerpt->text);
      break;
    }
    default:
      result.set_status(fleet::v1::CommandResult::STATUS_UNSUPPORTED);
      result.set_message("this agent does not know the command");
  }
  co_return result;
}

void JobWatch::on_baseline(const fleet::v1::Baseline& baseline) {
  auto& s = *state_;
  const JobRef job{baseline.key().instance(), baseline.key().job_id()};
  if (baseline.job_name().empty() || s.options.state_dir.empty()) return;
  if (s.names.size() >= kMaxNames && !s.names.contains(job)) s.names.clear();
  s.names[job] = truncate_utf8(to_utf8(baseline.job_name()), 255);
  const auto& key = baseline.key();
  const JobName name{
      job.instance,
      key.project_path().empty() ? std::to_string(key.project_id()) : key.project_path(),
      s.names[job]};
  if (baseline.templates_size() > 0) {
    s.baselines.add(name, {baseline.templates().begin(), baseline.templates().end()});
    return;
  }
  if (!s.baselines.find(name).empty() || baseline.whole() || !s.options.ask_baseline) return;
  fleet::v1::BaselineRequest question;
  *question.mutable_key() = key;
  question.set_templates(true);
  s.options.ask_baseline(std::move(question));
}

void JobWatch::set_usage_interval(int64_t micros) {
  state_->options.usage_interval_us = micros;
  state_->containers.set_interval(micros);
}
void JobWatch::set_host_interval(int64_t micros) {
  state_->options.host_interval_us = micros;
}

JobWatch::Snapshot JobWatch::snapshot() const {
  const auto& s = *state_;
  Snapshot snapshot;
  snapshot.open_jobs = s.tracker.open_jobs();
  snapshot.open_traces = s.traces.size();
  snapshot.live_containers = s.containers.live();
  snapshot.counters = s.tracker.counters();
  snapshot.explanations = s.tracker.explanations();
  for (const auto& source : s.sources) snapshot.sources.push_back(source->state());
  for (const auto& runner : s.runners)
    snapshot.runners.push_back(runner.comm + " (pid " + std::to_string(runner.id.pid) + ")");
  snapshot.reports_waiting = s.waiting.size();
  snapshot.reports_dropped = s.reports_dropped;
  snapshot.observer_problem = s.observer_problem;
  snapshot.draining = s.draining;
  return snapshot;
}

}  // namespace gitaiops::agent
