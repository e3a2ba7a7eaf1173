#include "agent/jobs/report.h"

#include <algorithm>

#include "agent/usage/usage.h"
#include "base/bytes/bytes.h"
#include "gitaiops/fleet/v1/diagnosis_message.h"

namespace gitaiops::agent {
namespace {

using namespace fleet;

constexpr std::size_t kNoteMax = 256;
constexpr int kNotesMax = 8;
constexpr int kMaxPoints = 120;

v1::Outcome outcome_of(std::string_view outcome) {
  if (outcome == "passed") return v1::OUTCOME_PASSED;
  if (outcome == "failed") return v1::OUTCOME_FAILED;
  if (outcome == "canceled") return v1::OUTCOME_CANCELED;
  return v1::OUTCOME_UNKNOWN;
}

std::string clean(std::string_view text, std::size_t max) {
  return truncate_utf8(to_utf8(diagnosis::redact(text).text), max);
}

void note(v1::JobReport& report, std::string_view text) {
  if (!text.empty() && report.notes_size() < kNotesMax) report.add_notes(clean(text, kNoteMax));
}

// Keeps the first excerpts that fit into `max` bytes together; the one that does not fit is cut.
void cut(google::protobuf::RepeatedPtrField<v1::Excerpt>& excerpts, std::size_t max) {
  int kept = 0;
  for (auto& excerpt : excerpts) {
    if (max == 0) break;
    if (excerpt.text().size() > max) excerpt.set_text(truncate_utf8(excerpt.text(), max));
    max -= std::min(max, excerpt.text().size());
    ++kept;
  }
  excerpts.DeleteSubrange(kept, excerpts.size() - kept);
}

template <class T>
void keep_first(google::protobuf::RepeatedPtrField<T>& items, int count) {
  if (items.size() > count) items.DeleteSubrange(count, items.size() - count);
}

void add(v1::Measure& sum, const v1::Measure& part, bool first) {
  sum.set_value(first ? part.value() : sum.value() + part.value());
  sum.set_method(part.method());
}

void raise(v1::Measure& peak, const v1::Measure& part, bool first) {
  peak.set_value(first ? part.value() : std::max(peak.value(), part.value()));
  peak.set_method(part.method());
}

}  // namespace

v1::Usage merge(std::vector<v1::Usage> stages) {
  if (stages.size() == 1) return std::move(stages.front());
  std::ranges::sort(stages, {}, [](const v1::Usage& u) { return u.samples().start_us(); });
  v1::Usage total;
  for (auto& stage : stages) {
    if (stage.has_cpu_us()) add(*total.mutable_cpu_us(), stage.cpu_us(), !total.has_cpu_us());
    if (stage.has_io_read_bytes())
      add(*total.mutable_io_read_bytes(), stage.io_read_bytes(), !total.has_io_read_bytes());
    if (stage.has_io_write_bytes())
      add(*total.mutable_io_write_bytes(), stage.io_write_bytes(), !total.has_io_write_bytes());
    if (stage.has_oom_kills())
      add(*total.mutable_oom_kills(), stage.oom_kills(), !total.has_oom_kills());
    if (stage.has_memory_peak_bytes())
      raise(*total.mutable_memory_peak_bytes(), stage.memory_peak_bytes(),
            !total.has_memory_peak_bytes());
    if (stage.has_processes_peak())
      raise(*total.mutable_processes_peak(), stage.processes_peak(), !total.has_processes_peak());
    if (!stage.has_samples()) continue;
    auto& points = *total.mutable_samples();
    if (points.cpu_us_size() == 0) {
      points = stage.samples();
    } else {
      thin(points, kMaxPoints);
      // One distance for all points: the coarser of both decides.
      auto& next = *stage.mutable_samples();
      while (next.interval_us() * 2 <= points.interval_us() && next.cpu_us_size() > 1)
        thin(next, (next.cpu_us_size() + 1) / 2);
      points.mutable_cpu_us()->MergeFrom(next.cpu_us());
      points.mutable_memory_bytes()->MergeFrom(next.memory_bytes());
      points.mutable_io_bytes()->MergeFrom(next.io_bytes());
    }
  }
  if (total.has_samples()) thin(*total.mutable_samples(), kMaxPoints);
  return total;
}

diagnosis::ExitFacts exit_facts(const FinishedJob& job, const v1::Usage& usage,
                                bool log_incomplete) {
  diagnosis::ExitFacts facts;
  if (job.outcome == "passed") facts.failed = false;
  if (job.outcome == "failed") facts.failed = true;
  facts.exit_code = job.exit_code;
  facts.signal = job.signal;
  facts.failure_reason = job.failure_reason;
  if (usage.has_oom_kills()) facts.oom_kills = usage.oom_kills().value();
  facts.log_incomplete = log_incomplete;
  return facts;
}

void trim(v1::JobReport& report, std::size_t max_bytes) {
  auto& d = *report.mutable_diagnosis();
  const bool diagnosed = !d.schema().empty();
  if (!diagnosed) report.clear_diagnosis();
  const auto fits = [&] { return report.ByteSizeLong() <= max_bytes; };
  const auto step = [&](std::string_view name, auto&& act) {
    if (fits()) return;
    act();
    report.add_trimmed(std::string(name));
  };
  if (report.usage().has_samples()) {
    step("samples", [&] {
      auto& samples = *report.mutable_usage()->mutable_samples();
      while (!fits() && samples.cpu_us_size() > 15)
        thin(samples, std::max(15, samples.cpu_us_size() / 2));
    });
  }
  if (diagnosed) {
    auto& diagnosis = *report.mutable_diagnosis();
    step("packet", [&] { cut(*diagnosis.mutable_packet(), 4 << 10); });
    step("candidates", [&] { keep_first(*diagnosis.mutable_candidates(), 3); });
    step("failing_tests", [&] { keep_first(*diagnosis.mutable_failing_tests(), 20); });
    step("evidence", [&] { cut(*diagnosis.mutable_evidence(), 2 << 10); });
    step("candidate_text", [&] {
      for (auto& candidate : *diagnosis.mutable_candidates())
        candidate.mutable_line()->set_text(truncate_utf8(candidate.line().text(), 128));
    });
    step("packet_all", [&] { diagnosis.clear_packet(); });
  }
  if (report.usage().has_samples())
    step("samples_all", [&] { report.mutable_usage()->clear_samples(); });
}

v1::JobReport compose(const FinishedJob& job, const LogReading& log, v1::Usage usage,
                      std::string report_id) {
  v1::JobReport report;
  report.set_report_id(std::move(report_id));
  auto& key = *report.mutable_key();
  key.set_instance(job.ref.instance);
  key.set_job_id(job.ref.job_id);
  key.set_project_id(job.project_id);
  key.set_project_path(clean(job.project_path, 512));
  auto& runner = *report.mutable_runner();
  runner.set_short_token(clean(job.runner_short, 32));
  runner.set_system_id(clean(job.runner_system_id, 64));
  runner.set_name(clean(job.runner_name, 256));
  runner.set_executor(clean(job.executor, 64));
  runner.set_version(clean(job.runner_version, 64));
  report.set_outcome(outcome_of(job.outcome));
  report.set_failure_reason(clean(job.failure_reason, 64));
  if (job.exit_code) report.set_exit_code(*job.exit_code);
  if (job.received_at) report.set_received_at_us(job.received_at->value);
  if (job.finished_at) report.set_finished_at_us(job.finished_at->value);
  if (job.wall_us) report.set_wall_us(*job.wall_us);
  *report.mutable_log() = log.facts;
  report.mutable_log()->set_reason(clean(log.facts.reason(), 256));
  const auto withheld = usage.withheld_reason();
  *report.mutable_usage() = std::move(usage);
  report.mutable_usage()->set_withheld_reason(clean(withheld, 256));
  if (log.diagnosis && report.outcome() != v1::OUTCOME_PASSED &&
      log.diagnosis->outcome != diagnosis::Outcome::passed) {
    *report.mutable_diagnosis() = v1::message_of(*log.diagnosis);
    // Without the runner's word, the trace's own end is the best there is; the controller asks
    // GitLab in any case.
    if (report.outcome() == v1::OUTCOME_UNKNOWN &&
        log.diagnosis->outcome == diagnosis::Outcome::failed)
      note(report, "The runner's end record is missing; the outcome is taken from the log.");
    if (!report.has_exit_code() && log.diagnosis->exit_code)
      report.set_exit_code(*log.diagnosis->exit_code);
  }
  trim(report, kReportMaxBytes);
  return report;
}

}  // namespace gitaiops::agent
