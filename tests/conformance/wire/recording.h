// What a version of agent and controller said to each other, and what its spool held. A recording
// is a folder named after the version:
//
//   requests.bin   every ConnectRequest of one stream, in order, length-delimited, as it came in
//   responses.bin  every ConnectResponse of the same stream
//   spool.db       the agent's spool before it connected
//
// record.cpp makes one from a real agent and a real controller, with the content below.
#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/util/delimited_message_util.h>

#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::wire {

constexpr const char* kAgent = "0190b1e2-0000-7000-8000-000000000001";
constexpr int64_t kReceived = 1'790'000'000'000'000;  // when the first job began
constexpr int64_t kSecond = 1'000'000;

template <class Message>
std::vector<Message> read_all(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  google::protobuf::io::IstreamInputStream stream(&in);
  std::vector<Message> out;
  for (bool end = false;;) {
    Message message;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&message, &stream, &end)) break;
    out.push_back(std::move(message));
  }
  return out;
}

inline void write_one(const google::protobuf::Message& message, std::ofstream& out) {
  google::protobuf::util::SerializeDelimitedToOstream(message, &out);
}

inline fleet::v1::JobKey job(int64_t id) {
  fleet::v1::JobKey key;
  key.set_instance("main");
  key.set_project_id(7);
  key.set_job_id(id);
  key.set_project_path("group/ring");
  return key;
}

inline fleet::v1::Runner runner() {
  fleet::v1::Runner runner;
  runner.set_short_token("aBcDeFgHi");
  runner.set_system_id("s_0123456789ab");
  runner.set_name("ring builder");
  runner.set_executor("shell");
  runner.set_version("17.1.0");
  return runner;
}

inline fleet::v1::Envelope started(int64_t id) {
  fleet::v1::Envelope e;
  *e.mutable_job_started()->mutable_key() = job(id);
  *e.mutable_job_started()->mutable_runner() = runner();
  e.mutable_job_started()->set_received_at_us(kReceived);
  return e;
}

inline fleet::v1::Envelope finished(int64_t id, fleet::v1::Outcome outcome) {
  fleet::v1::Envelope e;
  auto& report = *e.mutable_job_report();
  report.set_report_id("0190b1e2-0000-7000-8000-000000000" + std::to_string(id));
  *report.mutable_key() = job(id);
  *report.mutable_runner() = runner();
  report.set_outcome(outcome);
  report.set_received_at_us(kReceived);
  report.set_finished_at_us(kReceived + 90 * kSecond);
  report.set_wall_us(90 * kSecond);
  report.mutable_log()->set_availability(fleet::v1::LogFacts::AVAILABILITY_COMPLETE);
  report.mutable_log()->set_bytes(4096);
  report.mutable_log()->set_lines(64);
  const auto measure = [](fleet::v1::Measure* m, int64_t value, fleet::v1::Method how) {
    m->set_value(value);
    m->set_method(how);
  };
  auto& usage = *report.mutable_usage();
  measure(usage.mutable_cpu_us(), 61 * kSecond, fleet::v1::METHOD_PROC_LIVE_AND_REAPED);
  measure(usage.mutable_memory_peak_bytes(), 300 << 20, fleet::v1::METHOD_PROC_LIVE);
  measure(usage.mutable_processes_peak(), 12, fleet::v1::METHOD_PROC_LIVE);
  usage.mutable_samples()->set_start_us(kReceived);
  usage.mutable_samples()->set_interval_us(kSecond);
  for (const int64_t cpu : {900'000, -1, 1'100'000}) usage.mutable_samples()->add_cpu_us(cpu);
  return e;
}

inline fleet::v1::Envelope failed(int64_t id) {
  auto e = finished(id, fleet::v1::OUTCOME_FAILED);
  auto& report = *e.mutable_job_report();
  report.set_failure_reason("script_failure");
  report.set_exit_code(2);
  auto& d = *report.mutable_diagnosis();
  d.set_schema("gitaiops.diagnosis/1");
  d.set_phase("step_script");
  d.set_command("make ring");
  d.set_category("compile_error");
  d.set_owner("code");
  d.set_retry("never");
  d.set_confidence(0.875);
  d.mutable_root_cause()->set_line(60);
  d.mutable_root_cause()->set_offset(3900);
  d.mutable_root_cause()->set_text("ring.c:12:3: error: expected expression");
  auto& candidate = *d.add_candidates();
  *candidate.mutable_line() = d.root_cause();
  candidate.set_category("compile_error");
  candidate.set_score(0.875);
  auto& evidence = *d.add_evidence();
  evidence.set_first_line(59);
  evidence.set_last_line(61);
  evidence.set_text(
      "cc -c ring.c\nring.c:12:3: error: expected expression\nmake: *** [ring.o] Error 1");
  *d.add_packet() = evidence;
  auto& test = *d.add_failing_tests();
  test.set_name("ring grows");
  test.set_file("ring_test.c");
  test.set_line(44);
  d.set_fingerprint("v1:0123456789abcdef");
  d.set_redacted(1);
  return e;
}

inline fleet::v1::Envelope samples() {
  fleet::v1::Envelope e;
  auto& host = *e.mutable_host_samples();
  host.set_at_us(kReceived + 60 * kSecond);
  host.set_load1(0.5);
  host.set_memory_total_bytes(8ll << 30);
  host.set_cpu_busy_ratio(0);  // measured, and nothing
  host.set_jobs_running(2);
  return e;
}

}  // namespace gitaiops::wire
