#include "controller/api/render.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "controller/api/json.h"
#include "engines/scanner/cvss/cvss.h"

namespace gitaiops::api {
namespace {

namespace fleet = fleet::v1;

double seconds(int64_t micros) {
  return static_cast<double>(micros) / kMicrosPerSecond;
}

// "METHOD_PROC_LIVE" → "proc_live"; null for …_UNSPECIFIED and for values newer than we are.
Json word(const std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.ends_with("_UNSPECIFIED")) return nullptr;
  auto rest = name.substr(prefix.size());
  std::transform(rest.begin(), rest.end(), rest.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return rest;
}

// ---- Jobs ----

// The fields of a list's entry.
Json summary(const store::Job& job) {
  const auto& report = job.report;
  const auto& facts = job.gitlab;
  const bool diagnosed = report.has_diagnosis();
  return {
      {"id", job.id},
      {"instance", job.key.instance},
      {"project_id", id_or_null(job.key.project_id)},
      {"project_path", text_or_null(job.project_path)},
      {"job_id", job.key.job_id},
      {"agent_id", text_or_null(job.agent_id)},
      {"source", job.agent_id.empty() ? "api" : "agent"},
      {"state", job.running() ? "running" : "finished"},
      {"outcome", word(fleet::Outcome_Name(report.outcome()), "OUTCOME_")},
      {"category", diagnosed ? text_or_null(report.diagnosis().category()) : Json(nullptr)},
      {"owner", diagnosed ? text_or_null(report.diagnosis().owner()) : Json(nullptr)},
      {"name", facts ? text_or_null(facts->name) : Json(nullptr)},
      {"stage", facts ? text_or_null(facts->stage) : Json(nullptr)},
      {"ref", facts ? text_or_null(facts->ref) : Json(nullptr)},
      {"sha", facts ? text_or_null(facts->sha) : Json(nullptr)},
      {"pipeline_id", facts ? id_or_null(facts->pipeline_id) : Json(nullptr)},
      {"merge_request_iid",
       facts && facts->merge_request ? id_or_null(facts->merge_request->iid) : Json(nullptr)},
      {"web_url", facts ? text_or_null(facts->web_url) : Json(nullptr)},
      {"started_at", time_or_null(report.received_at_us())},
      {"finished_at", time_or_null(report.finished_at_us())},
      {"duration_s", report.has_wall_us() ? Json(seconds(report.wall_us())) : Json(nullptr)},
      {"stored_at", time_or_null(job.received_at.value)},
  };
}

Json line_json(const fleet::Line& line) {
  return {{"line", line.line()}, {"offset", line.offset()}, {"text", line.text()}};
}

Json excerpts_json(const google::protobuf::RepeatedPtrField<fleet::Excerpt>& excerpts) {
  Json list = Json::array();
  for (const auto& excerpt : excerpts) {
    list.push_back({{"first_line", excerpt.first_line()},
                    {"last_line", excerpt.last_line()},
                    {"text", excerpt.text()}});
  }
  return list;
}

Json candidates_json(const fleet::Diagnosis& diagnosis) {
  Json list = Json::array();
  for (const auto& candidate : diagnosis.candidates()) {
    list.push_back({{"line", candidate.line().line()},
                    {"score", candidate.score()},
                    {"category", candidate.category()},
                    {"text", candidate.line().text()}});
  }
  return list;
}

Json failing_tests_json(const fleet::Diagnosis& diagnosis) {
  Json list = Json::array();
  for (const auto& test : diagnosis.failing_tests()) {
    list.push_back({{"name", test.name()},
                    {"file", text_or_null(test.file())},
                    {"line", test.has_line() ? Json(test.line()) : Json(nullptr)}});
  }
  return list;
}

// The members of `gitaiops diagnose --format json` that the agent sends.
Json diagnosis_json(const fleet::Diagnosis& diagnosis) {
  return {
      {"schema", diagnosis.schema()},
      {"phase", text_or_null(diagnosis.phase())},
      {"command", text_or_null(diagnosis.command())},
      {"signal", diagnosis.has_signal() ? Json(diagnosis.signal()) : Json(nullptr)},
      {"category", diagnosis.category()},
      {"owner", text_or_null(diagnosis.owner())},
      {"retry", text_or_null(diagnosis.retry())},
      {"confidence", diagnosis.confidence()},
      {"root_cause",
       diagnosis.has_root_cause() ? line_json(diagnosis.root_cause()) : Json(nullptr)},
      {"candidates", candidates_json(diagnosis)},
      {"evidence", excerpts_json(diagnosis.evidence())},
      {"packet", excerpts_json(diagnosis.packet())},
      {"failing_tests", failing_tests_json(diagnosis)},
      {"fingerprint", text_or_null(diagnosis.fingerprint())},
      {"redacted", diagnosis.redacted()},
  };
}

// -1 marks a gap on the wire; here it is null.
template <class Scale>
Json series(const google::protobuf::RepeatedField<int64_t>& values, Scale scale) {
  Json list = Json::array();
  for (const auto value : values) list.push_back(value < 0 ? Json(nullptr) : Json(scale(value)));
  return list;
}

Json samples_json(const fleet::Samples& samples) {
  const auto same = [](int64_t value) { return value; };
  return {
      {"start_at", time_or_null(samples.start_us())},
      {"interval_s", seconds(samples.interval_us())},
      {"cpu_s", series(samples.cpu_us(), seconds)},
      {"memory_bytes", series(samples.memory_bytes(), same)},
      {"io_bytes", series(samples.io_bytes(), same)},
  };
}

// What a job and each of its containers are measured by. Usage: fleet::Usage or
// fleet::ContainerUsage.
template <class Usage>
Json measures_json(const Usage& usage) {
  Json json = Json::object();
  Json methods = Json::object();
  const auto add = [&](const char* name, bool present, const fleet::Measure& measure,
                       bool is_time = false) {
    if (!present) return;
    json[name] = is_time ? Json(seconds(measure.value())) : Json(measure.value());
    methods[name] = word(fleet::Method_Name(measure.method()), "METHOD_");
  };
  add("cpu_s", usage.has_cpu_us(), usage.cpu_us(), true);
  add("cpu_throttled_s", usage.has_cpu_throttled_us(), usage.cpu_throttled_us(), true);
  add("cpu_pressure_s", usage.has_cpu_pressure_us(), usage.cpu_pressure_us(), true);
  add("memory_peak_bytes", usage.has_memory_peak_bytes(), usage.memory_peak_bytes());
  add("memory_pressure_s", usage.has_memory_pressure_us(), usage.memory_pressure_us(), true);
  add("io_read_bytes", usage.has_io_read_bytes(), usage.io_read_bytes());
  add("io_write_bytes", usage.has_io_write_bytes(), usage.io_write_bytes());
  add("io_pressure_s", usage.has_io_pressure_us(), usage.io_pressure_us(), true);
  add("processes_peak", usage.has_processes_peak(), usage.processes_peak());
  add("oom_kills", usage.has_oom_kills(), usage.oom_kills());
  json["methods"] = std::move(methods);
  return json;
}

Json usage_json(const fleet::Usage& usage) {
  auto json = measures_json(usage);
  for (const auto& container : usage.containers()) {
    auto part = measures_json(container);
    part["kind"] = text_or_null(container.kind());
    part["engine"] = text_or_null(container.engine());
    part["name"] = text_or_null(container.name());
    if (container.memory_limit_bytes() > 0)
      part["memory_limit_bytes"] = container.memory_limit_bytes();
    json["containers"].push_back(std::move(part));
  }
  if (usage.has_samples()) json["samples"] = samples_json(usage.samples());
  if (!usage.withheld_reason().empty()) json["withheld_reason"] = usage.withheld_reason();
  return json;
}

Json runner_json(const fleet::Runner& runner) {
  return {{"short_token", text_or_null(runner.short_token())},
          {"system_id", text_or_null(runner.system_id())},
          {"name", text_or_null(runner.name())},
          {"executor", text_or_null(runner.executor())},
          {"version", text_or_null(runner.version())}};
}

Json log_json(const fleet::LogFacts& log) {
  return {{"availability",
           word(fleet::LogFacts::Availability_Name(log.availability()), "AVAILABILITY_")},
          {"reason", text_or_null(log.reason())},
          {"bytes", log.bytes()},
          {"lines", log.lines()},
          {"limit_reached", log.limit_reached()}};
}

Json gitlab_json(const store::GitlabFacts& facts) {
  Json merge_request = nullptr;
  if (facts.merge_request) {
    merge_request = {{"project_id", id_or_null(facts.merge_request->project_id)},
                     {"iid", facts.merge_request->iid}};
  }
  return {{"status", text_or_null(facts.status)},
          {"failure_reason", text_or_null(facts.failure_reason)},
          {"allow_failure", facts.allow_failure},
          {"retried", facts.retried},
          {"runner_id", id_or_null(facts.runner_id)},
          {"finished_at", time_or_null(facts.finished_at.value)},
          {"merge_request", std::move(merge_request)},
          {"read_at", time_or_null(facts.read_at.value)}};
}

Json scope_json(const store::Scope& scope) {
  Json list = Json::array();
  for (const auto& glob : scope) list.push_back({{"instance", glob.instance}, {"path", glob.path}});
  return list;
}

Json passed_json(const std::optional<store::Passed>& passed) {
  if (!passed) return nullptr;
  return {{"job_id", passed->job_id},
          {"sha", text_or_null(passed->sha)},
          {"same_sha", passed->same_sha},
          {"merge_request_iid", id_or_null(passed->merge_request_iid)},
          {"at", time_or_null(passed->at.value)}};
}

Json elsewhere_json(int64_t times, int64_t projects) {
  return {{"times", times}, {"projects", projects}};
}

Json seen_json(const std::optional<store::SeenBefore>& seen) {
  if (!seen) return nullptr;
  return {{"failure_id", seen->failure},
          {"times", seen->times},
          {"first_seen_at", time_or_null(seen->first_at)},
          {"last_seen_at", time_or_null(seen->last_at)},
          {"agent_ids", seen->agents},
          {"elsewhere", elsewhere_json(seen->elsewhere_times, seen->elsewhere_projects)},
          {"last_passed", passed_json(seen->last_passed)},
          {"passed", passed_json(seen->passed)},
          {"flaky", seen->passed_on_same_sha.has_value()},
          {"passed_on_same_sha",
           seen->passed_on_same_sha ? Json(*seen->passed_on_same_sha) : Json(nullptr)}};
}

Json failure_summary(const store::Failure& failure) {
  return {{"id", failure.id},
          {"category", failure.category},
          {"owner", text_or_null(failure.owner)},
          {"title", text_or_null(failure.title)},
          {"fingerprint", text_or_null(failure.fingerprint)},
          {"across_projects", failure.across_projects},
          {"times", failure.times},
          {"projects", failure.projects},
          {"first_seen_at", time_or_null(failure.first_at.value)},
          {"last_seen_at", time_or_null(failure.last_at.value)},
          {"agent_ids", failure.agents},
          {"elsewhere", elsewhere_json(failure.elsewhere_times, failure.elsewhere_projects)},
          {"flaky_times", failure.flaky_times}};
}

Json occurrence_json(const store::Occurrence& o) {
  return {
      {"id", o.job},
      {"instance", o.key.instance},
      {"project_id", id_or_null(o.key.project_id)},
      {"project_path", text_or_null(o.project_path)},
      {"job_id", o.key.job_id},
      {"agent_id", text_or_null(o.agent_id)},
      {"name", text_or_null(o.job_name)},
      {"ref", text_or_null(o.ref)},
      {"sha", text_or_null(o.sha)},
      {"at", time_or_null(o.at.value)},
      {"failing_test_names", o.failing_tests},
      {"passed", passed_json(o.passed)},
      {"passed_on_same_sha", o.passed_on_same_sha ? Json(*o.passed_on_same_sha) : Json(nullptr)}};
}

}  // namespace

std::string jobs_json(const store::Page<store::Job>& page, std::optional<int64_t> total) {
  Json json = {{"jobs", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& job : page.items) json["jobs"].push_back(summary(job));
  if (total) json["total"] = *total;
  return dump(json);
}

std::string job_json(const store::Job& job, const std::optional<store::SeenBefore>& seen) {
  const auto& report = job.report;
  Json json = summary(job);
  json["failure_reason"] = text_or_null(report.failure_reason());
  json["exit_code"] = report.has_exit_code() ? Json(report.exit_code()) : Json(nullptr);
  json["runner"] = report.has_runner() ? runner_json(report.runner()) : Json(nullptr);
  json["log"] = report.has_log() ? log_json(report.log()) : Json(nullptr);
  json["usage"] = report.has_usage() ? usage_json(report.usage()) : Json(nullptr);
  json["diagnosis"] = report.has_diagnosis() ? diagnosis_json(report.diagnosis()) : Json(nullptr);
  json["seen"] = seen_json(seen);
  json["gitlab"] = job.gitlab ? gitlab_json(*job.gitlab) : Json(nullptr);
  json["trimmed"] = std::vector<std::string>(report.trimmed().begin(), report.trimmed().end());
  json["notes"] = std::vector<std::string>(report.notes().begin(), report.notes().end());
  return dump(json);
}

std::string failures_json(const store::Page<store::Failure>& page) {
  Json json = {{"failures", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& failure : page.items) json["failures"].push_back(failure_summary(failure));
  return dump(json);
}

std::string failure_json(const store::Failure& failure) {
  Json json = failure_summary(failure);
  json["occurrences"] = Json::array();
  for (const auto& o : failure.occurrences) json["occurrences"].push_back(occurrence_json(o));
  return dump(json);
}

std::string lines_json(const fleet::Excerpt& lines) {
  return dump({{"first_line", lines.first_line()},
               {"last_line", lines.last_line()},
               {"text", lines.text()}});
}

std::string hosts_json(const std::vector<store::Store::FailingHost>& hosts,
                       const HostWatch& watch) {
  Json list = Json::array();
  for (const auto& host : hosts)
    list.push_back({{"agent_id", host.agent_id},
                    {"host_name", text_or_null(host.host_name)},
                    {"jobs", host.jobs},
                    {"projects", host.projects},
                    {"runner_id", id_or_null(host.runner_id)},
                    {"last_seen_at", time_or_null(host.last_at.value)}});
  return dump({{"window_s", seconds(watch.window_us)}, {"hosts", std::move(list)}});
}

std::string audit_json(const store::Page<store::AuditRecord>& page) {
  Json json = {{"records", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& record : page.items)
    json["records"].push_back({{"n", record.n},
                               {"at", time_or_null(record.at.value)},
                               {"actor", record.actor},
                               {"act", record.act},
                               {"instance", text_or_null(record.instance)},
                               {"project_id", id_or_null(record.project_id)},
                               {"object", record.object},
                               {"outcome", record.outcome},
                               {"hash", record.hash}});
  return dump(json);
}

namespace {

Json delivery_summary(const store::Delivery& d) {
  return {{"id", d.id},
          {"instance", d.instance},
          {"source", d.source},
          {"type", text_or_null(d.type)},
          {"received_at", time_or_null(d.received_at.value)},
          {"state", d.state},
          {"detail", text_or_null(d.detail)},
          {"project_id", id_or_null(d.project_id)},
          {"project_path", text_or_null(d.project_path)},
          {"object", text_or_null(d.object)},
          {"body_bytes", d.bytes}};
}

Json letter_value(const store::DeadLetter& letter) {
  return {
      {"id", std::to_string(letter.id)},    {"kind", letter.kind}, {"key", letter.key},
      {"payload", letter.payload},          {"why", letter.why},   {"attempts", letter.attempts},
      {"at", time_or_null(letter.at.value)}};
}

}  // namespace

std::string events_json(const store::Page<store::Delivery>& page) {
  Json json = {{"events", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& delivery : page.items) json["events"].push_back(delivery_summary(delivery));
  return dump(json);
}

std::string event_json(const store::Delivery& delivery) {
  Json json = delivery_summary(delivery);
  json["body"] = delivery.body;
  return dump(json);
}

std::string dead_letters_json(const store::Page<store::DeadLetter>& page) {
  Json json = {{"dead_letters", Json::array()}, {"next", text_or_null(page.next)}};
  for (const auto& letter : page.items) json["dead_letters"].push_back(letter_value(letter));
  return dump(json);
}

std::string dead_letter_json(const store::DeadLetter& letter) {
  return dump(letter_value(letter));
}

std::string note_json(const store::Note& note) {
  return dump({{"subject", note.subject},
               {"instance", note.instance},
               {"project_id", id_or_null(note.project_id)},
               {"project_path", text_or_null(note.project_path)},
               {"body", note.body},
               {"gitlab_note_id", id_or_null(note.gitlab_note_id)},
               {"updated_at", time_or_null(note.updated_at.value)}});
}

std::string reviewers_json(const Reviewers& reviewers) {
  return dump({{"pending", reviewers.pending}, {"reviewers", people_json(reviewers.people)}});
}

std::string agents_json(const std::vector<store::Agent>& agents) {
  Json list = Json::array();
  for (const auto& agent : agents) {
    list.push_back({{"id", agent.id},
                    {"host_name", agent.host_name},
                    {"version", text_or_null(agent.version)},
                    {"observation", text_or_null(agent.observation)},
                    {"labels", agent.labels},
                    {"scope", scope_json(agent.scope)},
                    {"enrolled_at", time_or_null(agent.enrolled_at.value)},
                    {"last_seen_at", time_or_null(agent.last_seen_at)},
                    {"revoked_at", time_or_null(agent.revoked_at)},
                    {"certificate_not_after", time_or_null(agent.certificate_not_after)},
                    {"clock_skew_s", seconds(agent.clock_skew_us)}});
  }
  return dump({{"agents", std::move(list)}});
}

std::string token_json(const store::ApiToken& token) {
  return dump({{"id", token.id},
               {"name", token.name},
               {"verbs", token.verbs},
               {"scope", scope_json(token.scope)},
               {"created_at", time_or_null(token.created_at.value)},
               {"expires_at", time_or_null(token.expires_at.value)}});
}

std::string status_json(std::string_view status) {
  return dump({{"status", status}});
}

}  // namespace gitaiops::api
