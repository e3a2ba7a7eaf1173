#include "agent/jobs/report.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using fleet::v1::JobReport;
using fleet::v1::Usage;

FinishedJob failed_job() {
  FinishedJob job;
  job.ref = {"main", 4242};
  job.project_path = "grp/demo";
  job.project_id = 77;
  job.outcome = "failed";
  job.exit_code = 2;
  job.finished_at = UnixMicros{5'000'000};
  return job;
}

LogReading reading(diagnosis::Outcome outcome) {
  LogReading log;
  log.facts.set_availability(fleet::v1::LogFacts::AVAILABILITY_COMPLETE);
  diagnosis::Diagnosis d;
  d.outcome = outcome;
  d.category = "compile_error";
  d.root_cause = diagnosis::Line{12, 300, "main.c:1:1: error: x"};
  d.evidence = {{10, 14, std::string(8 << 10, 'e')}};
  d.packet = {{1, 90, std::string(16 << 10, 'p')}};
  for (int i = 0; i < 10; ++i)
    d.candidates.push_back(
        {{20u + static_cast<unsigned>(i), 1, std::string(600, 'c')}, "compile_error", 0.5});
  for (int i = 0; i < 100; ++i)
    d.failing_tests.push_back({std::string(500, 't'), std::string(500, 'f'), 3});
  log.diagnosis = std::move(d);
  return log;
}

Usage usage(int64_t start, int points) {
  Usage u;
  u.mutable_cpu_us()->set_value(1000);
  u.mutable_memory_peak_bytes()->set_value(start);
  auto& s = *u.mutable_samples();
  s.set_start_us(start);
  s.set_interval_us(1'000'000);
  for (int i = 0; i < points; ++i) {
    s.add_cpu_us(10);
    s.add_memory_bytes(start + i);
    s.add_io_bytes(1);
  }
  return u;
}

TEST(Report, APassedJobCarriesNoLogText) {
  auto job = failed_job();
  job.outcome = "passed";
  const auto report = compose(job, reading(diagnosis::Outcome::passed), usage(1, 3), "id");
  EXPECT_FALSE(report.has_diagnosis());
  EXPECT_EQ(report.outcome(), fleet::v1::OUTCOME_PASSED);
  EXPECT_LT(report.ByteSizeLong(), 6u << 10);
}

TEST(Report, AFailedJobIsTrimmedInTheWrittenOrderUntilItFits) {
  auto report = compose(failed_job(), reading(diagnosis::Outcome::failed), usage(1, 120), "id");
  EXPECT_LE(report.ByteSizeLong(), kReportMaxBytes);
  EXPECT_EQ(report.diagnosis().root_cause().line(), 12u);
  EXPECT_LE(report.diagnosis().candidates(0).line().text().size(), 512u);
  std::vector<std::string> steps(report.trimmed().begin(), report.trimmed().end());
  EXPECT_EQ(steps, (std::vector<std::string>{"samples", "packet", "candidates", "failing_tests"}));

  trim(report, 4 << 10);
  EXPECT_LE(report.diagnosis().evidence(0).text().size(), 2u << 10);
  EXPECT_EQ(report.diagnosis().packet_size(), 0);
  EXPECT_EQ(report.diagnosis().root_cause().line(), 12u);
}

TEST(Report, SecretsInNamesAreRedactedToo) {
  auto job = failed_job();
  job.runner_name = "builder glpat-abcdefghij0123456789";
  const auto report = compose(job, {}, {}, "id");
  EXPECT_EQ(report.runner().name().find("glpat-abcdefghij0123456789"), std::string::npos);
}

TEST(Report, StagesAddUpAndPeaksAreTheHighest) {
  const auto total = merge({usage(5'000'000, 100), usage(1'000'000, 100)});
  EXPECT_EQ(total.cpu_us().value(), 2000);
  EXPECT_EQ(total.memory_peak_bytes().value(), 5'000'000);
  EXPECT_FALSE(total.has_io_read_bytes());
  EXPECT_LE(total.samples().cpu_us_size(), 120);
  EXPECT_EQ(total.samples().start_us(), 1'000'000);
  int64_t cpu = 0;
  for (const auto point : total.samples().cpu_us()) cpu += point;
  EXPECT_EQ(cpu, 200 * 10);
}

TEST(Report, TheRunnersWordOutweighsTheLog) {
  auto job = failed_job();
  job.exit_code = 137;
  Usage u;
  u.mutable_oom_kills()->set_value(1);
  const auto facts = exit_facts(job, u, true);
  EXPECT_EQ(facts.exit_code, 137);
  EXPECT_EQ(facts.oom_kills, 1);
  EXPECT_EQ(facts.failed, true);
  EXPECT_TRUE(facts.log_incomplete);
}

}  // namespace
}  // namespace gitaiops::agent
