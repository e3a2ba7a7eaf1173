// The API over a store with two projects, and one way to ask it.
#pragma once

#include <asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/crypto/crypto.h"
#include "controller/api/api.h"
#include "memory_store.h"

namespace gitaiops::api {

constexpr const char* kJobA = "018f0000-0000-7000-8000-00000000000a";
constexpr const char* kJobA2 = "018f0000-0000-7000-8000-0000000000a2";
constexpr const char* kJobB = "018f0000-0000-7000-8000-00000000000b";

// A failed job with everything in it.
inline store::Job full_job(const std::string& id, const std::string& path, int64_t project_id,
                           int64_t job_id) {
  store::Job job;
  job.id = id;
  job.key = {"main", project_id, job_id};
  job.project_path = path;
  job.agent_id = "018f0000-0000-7000-8000-0000000000ff";
  job.received_at = {1'700'000'100'000'000};
  auto& report = job.report;
  report.set_report_id(id);
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.set_failure_reason("script_failure");
  report.set_exit_code(2);
  report.set_received_at_us(1'700'000'000'000'000);
  report.set_finished_at_us(1'700'000'012'500'000);
  report.set_wall_us(12'500'000);
  report.mutable_runner()->set_executor("shell");
  report.mutable_log()->set_availability(fleet::v1::LogFacts::AVAILABILITY_COMPLETE);
  report.mutable_log()->set_lines(40);
  auto& usage = *report.mutable_usage();
  usage.mutable_cpu_us()->set_value(1'500'000);
  usage.mutable_cpu_us()->set_method(fleet::v1::METHOD_PROC_LIVE_AND_REAPED);
  usage.mutable_oom_kills()->set_value(0);
  usage.mutable_oom_kills()->set_method(fleet::v1::METHOD_KERNEL_LOG);
  usage.set_withheld_reason("a test withholds");
  usage.mutable_samples()->set_start_us(1'700'000'000'000'000);
  usage.mutable_samples()->set_interval_us(1'000'000);
  usage.mutable_samples()->add_cpu_us(500'000);
  usage.mutable_samples()->add_cpu_us(-1);
  auto& diagnosis = *report.mutable_diagnosis();
  diagnosis.set_schema("gitaiops.diagnosis/1");
  diagnosis.set_category("compile_error");
  diagnosis.set_owner("code");
  diagnosis.set_confidence(0.9);
  diagnosis.mutable_root_cause()->set_line(12);
  diagnosis.mutable_root_cause()->set_text("main.cpp:3: error: expected ';'");
  auto& candidate = *diagnosis.add_candidates();
  candidate.mutable_line()->set_line(12);
  candidate.set_score(0.9);
  diagnosis.add_evidence()->set_text("main.cpp:3: error: expected ';'");
  diagnosis.add_failing_tests()->set_name("Suite.case");
  store::GitlabFacts facts;
  facts.status = "failed";
  facts.name = "build";
  facts.pipeline_id = 70 + project_id;
  facts.merge_request = store::MergeRequestKey{"main", project_id, 7};
  job.gitlab = facts;
  return job;
}

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    metrics_.declare(metric_definitions());
    store_.all_jobs = {full_job(kJobB, "grp/b", 2, 201), full_job(kJobA2, "grp/a", 1, 102),
                       full_job(kJobA, "grp/a", 1, 101)};
    store_.all_notes = {note("mr/main/1/7", 1, "grp/a"), note("mr/main/2/7", 2, "grp/b"),
                        note(std::string("job/") + kJobB, 2, "grp/b")};
    add_token("of-a", {"read"}, {{"main", "grp/a"}});
    add_token("of-all", {"read"}, store::everything());
    add_token("admin", {"admin"}, {{"main", "grp/a"}});
    add_token("no-verb", {}, store::everything());
    add_token("nothing", {"read"}, {});
  }

  static store::Note note(std::string subject, int64_t project_id, std::string path) {
    return {std::move(subject),     "main", project_id, std::move(path), "# body", 55,
            {1'700'000'000'000'000}};
  }
  store::ApiToken& add_token(const std::string& secret, std::vector<std::string> verbs,
                             store::Scope scope) {
    const UnixMicros expires = clock_.now() + 3600 * kMicrosPerSecond;
    store_.all_tokens.push_back({"id-" + secret, secret, crypto::sha256_hex(secret),
                                 std::move(verbs), std::move(scope), clock_.now(), expires,
                                 std::nullopt});
    return store_.all_tokens.back();
  }

  // What the API answers to `target` with this token's secret ("": without a token).
  http::Response ask(const std::string& target, const std::string& secret,
                     const std::string& method = "GET") {
    http::Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    for (std::size_t at = 1; at <= request.path.size();) {
      const auto end = std::min(request.path.find('/', at), request.path.size());
      request.segments.push_back(request.path.substr(at, end - at));
      at = end + 1;
    }
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      for (std::size_t at = mark + 1; at <= target.size();) {
        const auto end = std::min(target.find('&', at), target.size());
        const auto pair = target.substr(at, end - at);
        request.query.emplace(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
        at = end + 1;
      }
    }
    if (!secret.empty()) request.headers.add("Authorization", "Bearer " + secret);
    return handle(std::move(request));
  }
  nlohmann::json body(const std::string& target, const std::string& secret) {
    return nlohmann::json::parse(ask(target, secret).body);
  }
  int status(const std::string& target, const std::string& secret) {
    return ask(target, secret).status;
  }

  http::Response handle(http::Request request) {
    if (!handler_) {
      Dependencies all{store_, clock_, metrics_, [this] { return ready_; }, {}};
      all.reviewers = reviewers_;
      all.reviewers_of = reviewers_of_;
      handler_ = make_handler(options_, std::move(all));
    }
    http::Response response;
    asio::io_context loop;
    spawn(loop.get_executor(), "ask", keep(handler_(std::move(request)), response));
    loop.run();
    return response;
  }
  static Task<void> keep(Task<http::Response> task, http::Response& response) {
    response = co_await std::move(task);
  }

  FakeClock clock_;
  store::MemoryStore store_;
  metrics::Registry metrics_;
  ApiOptions options_;
  Status ready_;
  decltype(Dependencies::reviewers) reviewers_;
  decltype(Dependencies::reviewers_of) reviewers_of_;
  http::Handler handler_;
};

}  // namespace gitaiops::api
