#include "controller/fetching/fetching.h"

#include <algorithm>

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "controller/ingest/ingest.h"
#include "engines/diagnosis/lines_around.h"
#include "gitaiops/fleet/v1/diagnosis_message.h"

namespace gitaiops::fetching {
namespace {

constexpr int64_t kOldest = 24 * 3600 * kMicrosPerSecond;  // jobs that ended before are let be
constexpr std::size_t kFetchedAtOnce = 20;                 // logs a project and look
constexpr int kAskedAtOnce = 4;                            // logs read for questions
constexpr std::size_t kChunk = 256 << 10;
constexpr std::string_view kFetch = "job.fetch";
constexpr int64_t kAgentsFirst = 15 * kMicrosPerSecond;  // an agent reports within seconds

fleet::v1::LogFacts facts_of(const Result<gitlab::Trace>& trace) {
  fleet::v1::LogFacts facts;
  if (!trace.ok()) {
    facts.set_availability(fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE);
    facts.set_reason(
        truncate_utf8(to_utf8(diagnosis::redact(trace.error().to_string()).text), 256));
    return facts;
  }
  facts.set_availability(trace->whole ? fleet::v1::LogFacts::AVAILABILITY_COMPLETE
                                      : fleet::v1::LogFacts::AVAILABILITY_PARTIAL);
  if (!trace->whole) facts.set_reason("only its beginning was read at GitLab (poll_trace_bytes)");
  return facts;
}

Task<fleet::v1::JobReport> diagnose(std::string instance, gitlab::Project project, gitlab::Job job,
                                    Result<gitlab::Trace> trace,
                                    std::shared_ptr<const diagnosis::Rules> rules,
                                    std::string report_id) {
  co_return report_of(instance, project, job, trace, std::move(rules), std::move(report_id));
}

// Optional: what a pool hands over must be able to be nothing.
Task<std::optional<Result<diagnosis::Excerpt>>> excerpt_of(std::string text, uint64_t line,
                                                           uint32_t before, uint32_t after) {
  diagnosis::LinesAround around(line, before, after);
  diagnosis::CleanLines clean(
      [&](uint64_t number, const std::string& said) { around.take(number, said); });
  for (std::size_t at = 0; at < text.size() && !around.complete(); at += kChunk)
    clean.feed(std::string_view(text).substr(at, kChunk));
  if (!around.complete()) clean.finish();
  co_return around.excerpt();
}

}  // namespace

fleet::v1::JobReport report_of(const std::string& instance, const gitlab::Project& project,
                               const gitlab::Job& job, const Result<gitlab::Trace>& trace,
                               std::shared_ptr<const diagnosis::Rules> rules,
                               std::string report_id) {
  fleet::v1::JobReport report;
  report.set_report_id(std::move(report_id));
  auto& key = *report.mutable_key();
  key.set_instance(instance);
  key.set_project_id(project.id);
  key.set_project_path(project.path);
  key.set_job_id(job.id);
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.set_failure_reason(truncate_utf8(to_utf8(job.failure_reason), 64));
  report.set_finished_at_us(job.finished_at.value);
  report.mutable_usage()->set_withheld_reason("no agent watched this job");
  *report.mutable_log() = facts_of(trace);
  diagnosis::Analyzer analyzer(std::move(rules));
  if (trace.ok())
    for (std::size_t at = 0; at < trace->text.size(); at += kChunk)
      analyzer.feed(std::string_view(trace->text).substr(at, kChunk));
  diagnosis::ExitFacts facts;
  facts.failed = true;
  facts.failure_reason = job.failure_reason;
  facts.log_incomplete = !trace.ok() || !trace->whole;
  const auto d = analyzer.finish(facts);
  report.mutable_log()->set_bytes(d.bytes);
  report.mutable_log()->set_lines(d.lines);
  report.mutable_log()->set_limit_reached(trace.ok() && trace->whole && d.truncated);
  if (d.exit_code) report.set_exit_code(*d.exit_code);
  if (trace.ok() || d.category != "unknown") *report.mutable_diagnosis() = fleet::v1::message_of(d);
  ingest::trim(report);
  return report;
}

struct Fetching::Pool {
  asio::thread_pool threads{1};
};

Fetching::Fetching(store::Store& store, const Clock& clock, std::map<std::string, Source> sources,
                   std::shared_ptr<const diagnosis::Rules> rules)
    : store_(store),
      clock_(clock),
      sources_(std::move(sources)),
      rules_(std::move(rules)),
      pool_(std::make_unique<Pool>()) {}

Fetching::~Fetching() {
  pool_->threads.stop();
  pool_->threads.join();
}

Task<void> Fetching::run() {
  std::map<std::string, SteadyMicros> next;
  for (const auto& [id, source] : sources_)
    if (!source.projects.empty()) next[id] = clock_.steady();
  if (next.empty()) co_return;
  while (!stopping_.is_set()) {
    const auto now = clock_.steady();
    int64_t pause = sources_.at(next.begin()->first).interval_us;
    for (auto& [id, at] : next) {
      if (now >= at) {
        at = now + sources_.at(id).interval_us;
        co_await look(id);
      }
      pause = std::min(pause, std::max<int64_t>(at - clock_.steady(), 0));
    }
    co_await stopping_.wait(std::chrono::microseconds(pause + 1));
  }
}

Task<void> Fetching::look(std::string instance) {
  const auto projects = sources_.at(instance).projects;
  for (const auto& project : projects) {
    if (stopping_.is_set()) co_return;
    const Status looked = co_await look_at(instance, project);
    if (!looked.ok())
      log::warning(
          "failed jobs of a project cannot be looked for",
          {{"instance", instance}, {"project", project}, {"why", looked.error().to_string()}});
  }
}

Task<Status> Fetching::look_at(std::string instance, std::string path) {
  const Source& source = sources_.at(instance);
  CO_ASSIGN_OR_RETURN(const auto project, co_await source.gitlab->project(path));
  CO_ASSIGN_OR_RETURN(auto jobs, co_await source.gitlab->failed_jobs(project.id));
  const UnixMicros now = clock_.now();
  std::erase_if(jobs, [&](const gitlab::Job& job) {
    const int64_t age = now - job.finished_at;
    return job.finished_at.value == 0 || age > kOldest || age < source.interval_us;
  });
  std::vector<int64_t> ids;
  for (const auto& job : jobs) ids.push_back(job.id);
  CO_ASSIGN_OR_RETURN(auto missing, co_await store_.unreported(instance, std::move(ids)));
  if (missing.size() > kFetchedAtOnce) missing.resize(kFetchedAtOnce);
  for (auto& job : jobs) {
    if (std::ranges::find(missing, job.id) == missing.end()) continue;
    if (stopping_.is_set() || source.gitlab->wait_hint().count() > 0) co_return Status();
    CO_RETURN_IF_ERROR(co_await fetch(instance, project, std::move(job)));
  }
  co_return Status();
}

Task<Status> Fetching::fetch(std::string instance, gitlab::Project project, gitlab::Job job) {
  const Source& source = sources_.at(instance);
  auto trace = co_await source.gitlab->trace(project.id, job.id, source.trace_bytes);
  if (!trace.ok() && trace.error().code() != Code::not_found &&
      trace.error().code() != Code::permission_denied)
    co_return trace.error();
  auto work = diagnose(instance, std::move(project), std::move(job), std::move(trace), rules_,
                       crypto::uuid7(clock_.now()));
  auto report =
      co_await asio::co_spawn(pool_->threads.get_executor(), std::move(work), asio::use_awaitable);
  const auto kept = co_await store_.keep_fetched(std::move(report), clock_.now());
  if (!kept.ok()) co_return kept.error();
  co_return Status();
}

// ---- Told by a webhook ----

void Fetching::attach(queue::Worker& worker) {
  worker.handle(std::string(kFetch),
                [this](store::Work work) { return fetch_told(std::move(work)); });
}

std::optional<store::NewWork> Fetching::work_for(const std::string& instance,
                                                 const std::string& project_path,
                                                 int64_t project_id, int64_t job_id,
                                                 UnixMicros now) const {
  const auto source = sources_.find(instance);
  if (source == sources_.end() || project_id <= 0 ||
      std::ranges::find(source->second.projects, project_path) == source->second.projects.end())
    return std::nullopt;
  store::NewWork work;
  work.kind = kFetch;
  work.unique_key = instance + "/" + std::to_string(job_id);
  work.payload =
      nlohmann::json{{"instance", instance}, {"project", project_id}, {"job", job_id}}.dump();
  work.not_before = now + std::min(kAgentsFirst, source->second.interval_us);
  work.priority = 2;
  return work;
}

Task<queue::Verdict> Fetching::fetch_told(store::Work work) {
  queue::Verdict out;
  const auto payload = nlohmann::json::parse(work.payload, nullptr, false);
  if (payload.is_discarded() || !payload.is_object()) {
    out.what = queue::GiveUp{"payload of job.fetch cannot be read"};
    co_return out;
  }
  const std::string instance = payload.value("instance", "");
  const int64_t project_id = payload.value("project", int64_t{0});
  const int64_t job_id = payload.value("job", int64_t{0});
  const auto source = sources_.find(instance);
  if (source == sources_.end()) {
    out.what = queue::GiveUp{"no [[gitlab]] with id \"" + instance + "\" is configured any more"};
    co_return out;
  }
  gitlab::Gitlab& gitlab = *source->second.gitlab;
  std::vector<int64_t> ids = {job_id};
  const auto missing = co_await store_.unreported(instance, std::move(ids));
  if (missing.ok() && missing->empty()) co_return out;  // an agent was faster
  auto project = co_await gitlab.project(std::to_string(project_id));
  if (!project.ok()) {
    out.what = queue::Failed{project.error(), gitlab.wait_hint()};
    co_return out;
  }
  auto job = co_await gitlab.job(project_id, job_id);
  if (!job.ok()) {
    out.what = queue::Failed{job.error(), gitlab.wait_hint()};
    co_return out;
  }
  if (job->status != "failed" || job->finished_at.value == 0) co_return out;
  const Status fetched = co_await fetch(instance, std::move(*project), std::move(*job));
  if (!fetched.ok()) out.what = queue::Failed{fetched.error(), gitlab.wait_hint()};
  co_return out;
}

Task<Result<fleet::v1::Excerpt>> Fetching::lines_around(store::Job job, uint64_t line,
                                                        uint32_t before, uint32_t after) {
  const auto source = sources_.find(job.key.instance);
  if (source == sources_.end())
    co_return Error(Code::not_found, "the job's GitLab is not configured here");
  if (asked_ >= kAskedAtOnce)
    co_return Error(Code::resource_exhausted, "other logs are being read; try again shortly");
  ++asked_;
  auto trace = co_await source->second.gitlab->trace(job.key.project_id, job.key.job_id,
                                                     source->second.trace_bytes);
  if (!trace.ok()) {
    --asked_;
    if (trace.error().code() == Code::not_found)
      co_return Error(Code::not_found, "GitLab does not keep the log any more");
    co_return Error(Code::unavailable, "GitLab does not give the log now");
  }
  auto work = excerpt_of(std::move(trace->text), line, before, after);
  const auto excerpt =
      co_await asio::co_spawn(pool_->threads.get_executor(), std::move(work), asio::use_awaitable);
  --asked_;
  if (!(*excerpt).ok()) co_return (*excerpt).error();
  const diagnosis::Excerpt& found = (*excerpt).value();
  fleet::v1::Excerpt out;
  out.set_first_line(found.first_line);
  out.set_last_line(found.last_line);
  out.set_text(found.text);
  co_return out;
}

}  // namespace gitaiops::fetching
