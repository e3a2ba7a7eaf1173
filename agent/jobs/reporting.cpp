#include <algorithm>

#include "agent/jobs/state.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxWaiting =
    256;  // reports kept in memory while the disk is full; the oldest goes first
constexpr int kMaxArchiving = 8;  // logs written to the archive at once
// Commits whose inventory is known to be on its way; beyond, the oldest are forgotten and told
// again.
constexpr std::size_t kMaxKnownTrees = 4096;

}  // namespace

JobName JobWatch::State::name_of(const FinishedJob& job) const {
  const auto name = names.find(job.ref);
  if (name == names.end() || options.state_dir.empty()) return {};
  return {job.ref.instance,
          job.project_path.empty() ? std::to_string(job.project_id) : job.project_path,
          name->second};
}

LogReading JobWatch::State::read_log(const FinishedJob& job, const fleet::v1::Usage& usage,
                                     std::vector<uint64_t>& templates) {
  LogReading log;
  const auto found = job.trace ? traces.find(*job.trace) : traces.end();
  if (found == traces.end()) {
    log.facts.set_availability(fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE);
    log.facts.set_reason(job.trace_reason.empty() ? "its trace was not seen" : job.trace_reason);
    // The runner's word on the end is still worth a verdict (killed for memory, timed out), if it
    // says anything.
    auto verdict = diagnosis::Analyzer(rules).finish(exit_facts(job, usage, true));
    if (verdict.category != "unknown" && !verdict.category.empty())
      log.diagnosis = std::move(verdict);
    return log;
  }
  auto& trace = *found->second;
  const bool complete = trace.reader.complete();
  log.facts.set_availability(complete ? fleet::v1::LogFacts::AVAILABILITY_COMPLETE
                                      : fleet::v1::LogFacts::AVAILABILITY_PARTIAL);
  if (!complete)
    log.facts.set_reason(trace.reader.problem().empty()
                             ? "the job was over before the runner closed its log"
                             : trace.reader.problem());
  trace.reader.known(baselines.find(name_of(job)));
  templates = trace.reader.templates();
  auto diagnosed = trace.reader.finish(exit_facts(job, usage, !complete));
  log.facts.set_bytes(diagnosed.bytes);
  log.facts.set_lines(diagnosed.lines);
  log.facts.set_limit_reached(complete && diagnosed.truncated);
  log.diagnosis = std::move(diagnosed);
  return log;
}

fleet::v1::Usage JobWatch::State::usage_of(const FinishedJob& job) {
  std::vector<fleet::v1::Usage> stages;
  for (const auto& root : job.trees) {
    const auto meter = meters.find(root);
    if (meter == meters.end()) continue;
    stages.push_back(meter->second.meter.summary());
    meters.erase(meter);
  }
  auto in_containers = containers.take(
      {job.ref.instance, job.ref.job_id, job.project_path, job.project_id, job.runner_short});
  // A job with processes below the runner itself does not run in the runner's containers: what
  // bears its number then is of somebody else's making.
  if (!stages.empty()) return merge(std::move(stages));
  if (in_containers.usage) return std::move(*in_containers.usage);
  fleet::v1::Usage none;
  none.set_withheld_reason(!options.usage_enabled          ? "usage.enabled is false on this host"
                           : !in_containers.reason.empty() ? in_containers.reason
                           : !job.usage_reason.empty()
                               ? job.usage_reason
                               : "the job was over before its processes could be sampled");
  return none;
}

void JobWatch::State::learn(const FinishedJob& job, std::vector<uint64_t> templates) {
  if (job.outcome != "passed" || !baselines.add(name_of(job), templates)) return;
  fleet::v1::Envelope envelope;
  auto& passed = *envelope.mutable_passed_templates();
  passed.mutable_key()->set_instance(job.ref.instance);
  passed.mutable_key()->set_job_id(job.ref.job_id);
  passed.mutable_key()->set_project_id(job.project_id);
  passed.mutable_key()->set_project_path(job.project_path);
  passed.mutable_templates()->Add(templates.begin(), templates.end());
  lessons.push_back(std::move(envelope));
}

Task<void> JobWatch::State::keep_log(JobRef job, std::shared_ptr<Trace> trace) {
  const Trace* held = trace.get();
  const auto size = static_cast<uint64_t>(held->reader.size());
  LogArchive::Read read = [held](int64_t offset, std::size_t limit) {
    return held->reader.read_at(offset, limit);
  };
  const auto kept = co_await archive.keep(std::move(job), std::move(read), size);
  if (!kept.ok()) log::debug("a log is not kept", {{"why", kept.error().to_string()}});
  --archiving;
}

fleet::v1::Envelope JobWatch::State::report_of(FinishedJob job) {
  std::vector<uint64_t> templates;
  if (job.trace) {
    const auto trace = traces.find(*job.trace);
    if (trace != traces.end()) {
      const auto& progress = trace->second->reader.progress();
      if (job.runner_version.empty()) job.runner_version = progress.runner_version;
      if (job.executor.empty()) job.executor = progress.executor;
      if (job.runner_system_id.empty()) job.runner_system_id = progress.runner_system_id;
      if (job.runner_short.empty()) job.runner_short = progress.runner_short_token;
    }
  }
  auto usage = usage_of(job);
  const auto log = read_log(job, usage, templates);
  learn(job, std::move(templates));
  names.erase(job.ref);
  fleet::v1::Envelope envelope;
  *envelope.mutable_job_report() = compose(job, log, std::move(usage), crypto::uuid7(clock.now()));
  tell_inside(envelope.job_report().key());
  if (!job.trace) return envelope;
  const auto trace = traces.find(*job.trace);
  const bool asked_for = envelope.job_report().has_diagnosis() && trace != traces.end();
  if (asked_for && archiving < kMaxArchiving && options.log_age_us > 0 &&
      !options.state_dir.empty()) {
    ++archiving;
    start("log archive", keep_log(job.ref, trace->second));
  }
  if (trace != traces.end()) {
    trace->second->reported_as = envelope.job_report().key();
    tell_inventory(*trace->second);
  }
  forget(*job.trace);
  return envelope;
}

void JobWatch::State::tell_inventory(Trace& trace) {
  if (!trace.tree || !trace.reported_as) return;
  auto tree = *std::exchange(trace.tree, std::nullopt);
  if (names_checkout_of(trace.reader.progress().checkout_path, trace.reported_as->project_path()))
    tell(*trace.reported_as, std::move(tree));
}

void JobWatch::State::tell_inside(const fleet::v1::JobKey& key) {
  const auto place = std::ranges::find_if(insides, [&](const Inside& known) {
    return known.build.job.instance == key.instance() && known.build.job.job_id == key.job_id();
  });
  if (place == insides.end()) return;
  if (!place->tree && !place->missed) {
    place->reported_as = key;  // it is being read
    return;
  }
  auto tree = std::move(place->tree);
  insides.erase(place);
  if (tree) tell(key, std::move(*tree));
}

void JobWatch::State::tell(const fleet::v1::JobKey& key, fleet::v1::InventoryReport tree) {
  if (tree.commit_sha().empty()) return;
  auto known = key.instance() + " " + key.project_path() + " " + tree.commit_sha();
  if (std::ranges::find(known_trees, known) != known_trees.end()) return;
  known_trees.push_back(std::move(known));
  if (known_trees.size() > kMaxKnownTrees) known_trees.pop_front();
  fleet::v1::Envelope envelope;
  auto& report = *envelope.mutable_inventory_report();
  report = std::move(tree);
  report.set_report_id(crypto::uuid7(clock.now()));
  *report.mutable_key() = key;
  report.set_taken_at_us(clock.now().value);
  waiting.push_back(std::move(envelope));
}

fleet::v1::Envelope JobWatch::State::notice_of(const StartedJob& job) {
  fleet::v1::Envelope envelope;
  auto& started = *envelope.mutable_job_started();
  started.mutable_key()->set_instance(job.ref.instance);
  started.mutable_key()->set_job_id(job.ref.job_id);
  started.mutable_key()->set_project_path(job.project_path);
  started.mutable_runner()->set_short_token(job.runner_short);
  started.set_received_at_us(job.received_at.value);
  return envelope;
}

void JobWatch::State::forget(const TraceId& id) {
  const auto trace = traces.find(id);
  if (trace == traces.end()) return;
  trace->second->abandoned = true;
  traces.erase(trace);
  to_release.push_back(id);
}

Task<void> JobWatch::State::commit(std::map<std::string, std::string> cursors) {
  cursors.merge(std::exchange(unsaved_cursors, {}));  // a newer one of the same source stays
  unsaved_cursors = std::move(cursors);
  commit_again = true;
  if (std::exchange(committing, true)) co_return;
  while (std::exchange(commit_again, false)) co_await commit_step();
  committing = false;
}

Task<void> JobWatch::State::commit_step() {
  const auto now = clock.steady();
  for (const auto& job : tracker.take_started()) {
    containers.started({job.ref.instance, job.ref.job_id, job.project_path, 0, job.runner_short});
    waiting.push_back(notice_of(job));
    if (options.ask_baseline) {
      fleet::v1::BaselineRequest question;
      *question.mutable_key() = waiting.back().job_started().key();
      options.ask_baseline(std::move(question));
    }
  }
  for (auto& job : tracker.take_finished(now)) {
    log::info("job finished",
              {{"job", job.ref.job_id}, {"project", job.project_path}, {"outcome", job.outcome}});
    waiting.push_back(report_of(std::move(job)));
    for (auto& lesson : std::exchange(lessons, {})) waiting.push_back(std::move(lesson));
  }
  for (const auto& id : tracker.take_orphaned_traces(now)) forget(id);
  if (waiting.empty() && unsaved_cursors.empty() && to_release.empty()) co_return;

  auto cursors = std::exchange(unsaved_cursors, {});
  SpoolBatch batch;
  batch.messages.assign(waiting.begin(), waiting.end());
  batch.cursors = cursors;
  batch.tracker_state = tracker.save();
  const auto released = std::exchange(to_release, {});
  auto taken = std::exchange(waiting, {});
  const auto stored = co_await spool.append(std::move(batch));
  if (stored.ok()) {
    for (const auto& id : released) observer.release(id);
    co_return;
  }
  log::warning("the spool cannot store; keeping reports in memory",
               {{"reports", taken.size()}, {"why", stored.error().to_string()}});
  // The tracker has gone on: a restart must not read the same lines again because only their
  // place was not stored.
  unsaved_cursors.merge(std::move(cursors));
  to_release.insert(to_release.end(), released.begin(), released.end());
  waiting.insert(waiting.begin(), std::make_move_iterator(taken.begin()),
                 std::make_move_iterator(taken.end()));
  while (waiting.size() > kMaxWaiting) {
    waiting.pop_front();
    ++reports_dropped;
  }
}

}  // namespace gitaiops::agent
