#include "controller/ingest/ingest.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/fleet/fake_store.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::ingest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace fleet::v1;  // NOLINT

constexpr int64_t kNow = 1'900'000'000'000'000;

Envelope failed_report() {
  Envelope envelope;
  envelope.set_seq(1);
  auto& report = *envelope.mutable_job_report();
  report.set_report_id("0190b1e2-0000-7000-8000-000000000001");
  report.mutable_key()->set_instance("main");
  report.mutable_key()->set_project_id(7);
  report.mutable_key()->set_job_id(42);
  report.set_outcome(OUTCOME_FAILED);
  report.set_finished_at_us(kNow);
  auto& diagnosis = *report.mutable_diagnosis();
  diagnosis.set_category("test_failure");
  diagnosis.set_confidence(0.9);
  diagnosis.mutable_root_cause()->set_line(12);
  return envelope;
}

Samples* samples(Envelope& envelope, int points) {
  auto* out = envelope.mutable_job_report()->mutable_usage()->mutable_samples();
  out->set_start_us(kNow);
  out->set_interval_us(1'000'000);
  for (int i = 0; i < points; ++i) {
    out->add_cpu_us(i);
    out->add_memory_bytes(i);
    out->add_io_bytes(-1);
  }
  return out;
}

std::string refusal(const std::function<void(Envelope&)>& spoil) {
  auto envelope = failed_report();
  spoil(envelope);
  const auto result = valid_envelope(std::move(envelope));
  return result.ok() ? "accepted" : result.error().to_string();
}

TEST(Ingest, APlainReportPassesUnchanged) {
  const auto envelope = failed_report();
  const auto valid = valid_envelope(envelope);
  ASSERT_TRUE(valid.ok()) << valid.error().to_string();
  EXPECT_EQ(valid->SerializeAsString(), envelope.SerializeAsString());
}

TEST(Ingest, RefusesNonsenseByTheFieldsName) {
  EXPECT_THAT(refusal([](Envelope& e) { e.set_seq(0); }), HasSubstr("seq: "));
  EXPECT_THAT(refusal([](Envelope& e) { e.clear_job_report(); }), HasSubstr("payload: "));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->mutable_key()->set_job_id(0); }),
              HasSubstr("job_report.key.job_id: 0"));
  EXPECT_THAT(
      refusal([](Envelope& e) { e.mutable_job_report()->mutable_key()->set_project_id(-1); }),
      HasSubstr("key.project_id"));
  EXPECT_THAT(
      refusal([](Envelope& e) { e.mutable_job_report()->mutable_key()->clear_project_id(); }),
      HasSubstr("names no project"));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->mutable_key()->clear_instance(); }),
              HasSubstr("key.instance"));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->set_report_id("42"); }),
              HasSubstr("report_id"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_job_report()->set_report_id("0190B1E2-0000-7000-8000-000000000001");
              }),
              HasSubstr("report_id"));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->clear_outcome(); }),
              HasSubstr("outcome"));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->set_finished_at_us(12); }),
              HasSubstr("finished_at_us: 12"));
  EXPECT_THAT(refusal([](Envelope& e) { e.mutable_job_report()->set_wall_us(-5); }),
              HasSubstr("wall_us: -5"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_job_report()->mutable_diagnosis()->set_confidence(std::nan(""));
              }),
              HasSubstr("confidence"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_job_report()->mutable_diagnosis()->mutable_root_cause()->set_line(0);
              }),
              HasSubstr("root_cause"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_job_report()->mutable_usage()->mutable_cpu_us()->set_value(-1);
              }),
              HasSubstr("usage.cpu_us: -1"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_job_report()->mutable_usage()->mutable_oom_kills()->set_value(INT64_MAX);
              }),
              HasSubstr("usage.oom_kills: 9223372036854775807 is not a measure"));
  EXPECT_THAT(refusal([](Envelope& e) { samples(e, 9)->set_cpu_us(3, INT64_MAX); }),
              HasSubstr("neither a measure nor a gap"));
  EXPECT_THAT(refusal([](Envelope& e) { samples(e, 121); }), HasSubstr("121 points"));
  EXPECT_THAT(refusal([](Envelope& e) { samples(e, 9)->mutable_io_bytes()->RemoveLast(); }),
              HasSubstr("io_bytes"));
  EXPECT_THAT(refusal([](Envelope& e) { samples(e, 9)->set_cpu_us(0, -2); }), HasSubstr("-2"));
  EXPECT_THAT(refusal([](Envelope& e) { samples(e, 9)->set_interval_us(0); }),
              HasSubstr("interval_us"));
  EXPECT_THAT(refusal([](Envelope& e) {
                auto* excerpt = e.mutable_job_report()->mutable_diagnosis()->add_evidence();
                excerpt->set_first_line(9);
                excerpt->set_last_line(8);
              }),
              HasSubstr("evidence: lines 9 to 8"));
  EXPECT_THAT(refusal([](Envelope& e) {
                e.mutable_host_samples()->set_at_us(kNow),
                    e.mutable_host_samples()->set_load1(INFINITY);
              }),
              HasSubstr("load1"));
}

TEST(Ingest, TextIsMadeFitForATerminalAndCutToItsLimit) {
  auto envelope = failed_report();
  auto& report = *envelope.mutable_job_report();
  report.mutable_diagnosis()->mutable_root_cause()->set_text("\x1b[31mred\x1b[0m\ttab" +
                                                             std::string(600, 'x'));
  report.set_failure_reason(std::string("script\0failure", 14));
  for (int i = 0; i < 12; ++i) report.add_notes(std::string(300, 'n'));
  const auto valid = *valid_envelope(envelope);
  const auto& text = valid.job_report().diagnosis().root_cause().text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("\ttab"));
  EXPECT_LE(text.size(), 512u);
  EXPECT_EQ(valid.job_report().failure_reason(),
            "script\xEF\xBF\xBD"
            "failure");
  EXPECT_EQ(valid.job_report().notes_size(), 8);
  EXPECT_LE(valid.job_report().notes(0).size(), 256u);
}

TEST(Ingest, WhatMustNotLeaveTheHostGoesNoFurther) {
  auto passed = failed_report();
  passed.mutable_job_report()->set_outcome(OUTCOME_PASSED);
  EXPECT_FALSE(valid_envelope(passed)->job_report().has_diagnosis());
  auto token = failed_report();
  token.mutable_job_report()->mutable_runner()->set_short_token(
      "glrt-0123456789abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(valid_envelope(token)->job_report().runner().short_token(), "");
}

TEST(Ingest, AWordOfALaterRevisionIsUnknown) {
  auto envelope = failed_report();
  envelope.mutable_job_report()->set_outcome(static_cast<Outcome>(99));
  EXPECT_EQ(valid_envelope(envelope)->job_report().outcome(), OUTCOME_UNKNOWN);
}

TEST(Trim, GoesInTheWrittenOrderAndNamesEachStep) {
  auto envelope = failed_report();
  auto& report = *envelope.mutable_job_report();
  samples(envelope, 120);
  auto* packet = report.mutable_diagnosis()->add_packet();
  packet->set_first_line(1);
  packet->set_last_line(9);
  packet->set_text(std::string(16 << 10, 'p'));
  for (int i = 0; i < 60; ++i)
    report.mutable_diagnosis()->add_failing_tests()->set_name(std::string(512, 't'));
  EXPECT_TRUE(trim(report));
  EXPECT_TRUE(report.trimmed().empty()) << "it is below 64 KiB";

  for (int i = 0; i < 40; ++i)
    report.mutable_diagnosis()->add_failing_tests()->set_name(std::string(512, 't'));
  EXPECT_TRUE(trim(report));
  EXPECT_THAT(report.trimmed(), ElementsAre("samples", "packet"));
  EXPECT_EQ(report.usage().samples().cpu_us_size(), 15);
  EXPECT_EQ(report.usage().samples().interval_us(), 8'000'000);
  EXPECT_EQ(report.usage().samples().cpu_us(0), 0 + 1 + 2 + 3 + 4 + 5 + 6 + 7) << "use adds up";
  EXPECT_EQ(report.usage().samples().memory_bytes(0), 7) << "of memory the highest counts";
  EXPECT_EQ(report.usage().samples().io_bytes(0), -1) << "a gap stays a gap";
  EXPECT_EQ(report.diagnosis().packet(0).text().size(), 8u << 10);
  EXPECT_EQ(report.diagnosis().failing_tests_size(), 100);
}

TEST(Trim, TheLargestReportTheContractAllowsFits) {
  auto envelope = failed_report();
  auto& report = *envelope.mutable_job_report();
  auto& diagnosis = *report.mutable_diagnosis();
  for (int i = 0; i < 100; ++i) {
    auto* test = diagnosis.add_failing_tests();
    test->set_name(std::string(512, 'n'));
    test->set_file(std::string(512, 'f'));
  }
  const auto valid = valid_envelope(envelope);
  ASSERT_TRUE(valid.ok()) << valid.error().to_string();
  EXPECT_LE(valid->job_report().ByteSizeLong(), kMaxReportBytes);
  EXPECT_THAT(valid->job_report().trimmed(), Contains("failing_tests"));
  EXPECT_EQ(valid->job_report().diagnosis().failing_tests_size(), 20);
}

TEST(Trim, UnknownFieldsDoNotMakeAReportUntakable) {
  auto envelope = failed_report();
  auto& report = *envelope.mutable_job_report();
  report.GetReflection()->MutableUnknownFields(&report)->AddLengthDelimited(
      900, std::string(70'000, 'u'));
  const auto valid = valid_envelope(envelope);
  ASSERT_TRUE(valid.ok()) << valid.error().to_string();
  EXPECT_LE(valid->job_report().ByteSizeLong(), kMaxReportBytes);
}

TEST(Take, APoisonEnvelopeIsCountedAndDoesNotStopTheStream) {
  testing::Loop loop;
  testing::FakeStore store;
  const FakeClock clock(kNow);
  Ingest ingest(store, clock);
  auto poison = failed_report();
  poison.mutable_job_report()->mutable_key()->set_job_id(-1);
  EXPECT_TRUE(loop.run(ingest.take("agent", 1, poison)).ok());
  EXPECT_EQ(ingest.counters().refused_invalid, 1u);

  store.forbidden_instance = "main";
  EXPECT_TRUE(loop.run(ingest.take("agent", 1, failed_report())).ok());
  EXPECT_EQ(ingest.counters().refused_scope, 1u);
  EXPECT_TRUE(store.sequences().empty());

  store.forbidden_instance.clear();
  EXPECT_TRUE(loop.run(ingest.take("agent", 1, failed_report())).ok());
  EXPECT_TRUE(loop.run(ingest.take("agent", 1, failed_report())).ok());
  EXPECT_EQ(ingest.counters().stored, 1u);
  EXPECT_EQ(ingest.counters().duplicates, 1u);

  store.broken = true;
  EXPECT_EQ(loop.run(ingest.take("agent", 1, failed_report())).error().code(), Code::unavailable);
  EXPECT_EQ(ingest.counters().failed, 1u);
}

}  // namespace
}  // namespace gitaiops::ingest
