#include "agent/tracker/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kUtc = 1'700'000'000'000'000;  // UTC when the steady clock shows 0
constexpr int64_t kSecond = kMicrosPerSecond;
const ProcessId kRunner{100, 5};

// Speaks to a tracker in seconds.
struct Host {
  Tracker tracker;
  explicit Host(TrackerOptions options = {}) : tracker(options) {}

  void fact(double at, int64_t job, Field field, std::string value,
            Source source = Source::runner_log) {
    const auto now = static_cast<int64_t>(at * kSecond);
    tracker.on_fact({{"lab", job}, field, std::move(value), source, {now + kUtc}, 0, 0}, {now});
  }
  void announce(double at, int64_t job, const std::string& project = "grp/demo",
                const std::string& entry = "tok") {
    fact(at, job, Field::project_path, project);
    fact(at, job, Field::runner_short, entry);
    fact(at, job, Field::received_at, std::to_string(static_cast<int64_t>(at * kSecond) + kUtc));
  }
  void end(double at, int64_t job, const std::string& outcome = "passed") {
    fact(at, job, Field::runner_short, "tok");
    fact(at, job, Field::duration_us, "4000000");
    fact(at, job, Field::finished_at, std::to_string(static_cast<int64_t>(at * kSecond) + kUtc));
    fact(at, job, Field::outcome, outcome);
  }
  TraceId open(double at, uint64_t inode, double born = -1) {
    const auto birth = static_cast<int64_t>((born < 0 ? at : born) * kSecond) + kUtc;
    const TraceId id{1, inode, birth * 1000};
    tracker.on_trace_opened(id, kRunner, steady(at));
    tracker.on_trace_progress(
        id, {.runner_short = "tok", .checkout_path = "", .ended = false, .failed = {}});
    return id;
  }
  std::vector<FinishedJob> finished(double at) { return tracker.take_finished(steady(at)); }
  static SteadyMicros steady(double at) { return {static_cast<int64_t>(at * kSecond)}; }
};

TEST(Tracker, AJobFromItsAnnouncementToItsReport) {
  Host host;
  host.announce(10, 7);
  const auto started = host.tracker.take_started();
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(started[0].project_path, "grp/demo");
  EXPECT_EQ(started[0].received_at.value, 10 * kSecond + kUtc);
  EXPECT_THAT(host.tracker.take_started(), IsEmpty());

  const auto trace = host.open(10.01, 1);
  EXPECT_THAT(host.finished(13), IsEmpty());
  EXPECT_EQ(host.tracker.trace_of({"lab", 7}), trace);
  host.fact(14, 7, Field::project_id, "77");
  host.fact(14, 7, Field::failure_reason, "script_failure");
  host.fact(14, 7, Field::exit_code, "3");
  host.end(14, 7, "failed");
  EXPECT_THAT(host.finished(14), IsEmpty()) << "the trace is still open";
  host.tracker.on_trace_closed(trace, Host::steady(14.2));
  const auto done = host.finished(14.2);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].outcome, "failed");
  EXPECT_EQ(done[0].failure_reason, "script_failure");
  EXPECT_EQ(done[0].exit_code, 3);
  EXPECT_EQ(done[0].project_id, 77);
  EXPECT_EQ(done[0].wall_us, 4 * kSecond);
  EXPECT_EQ(done[0].trace, trace);
  EXPECT_EQ(done[0].trace_reason, "");
  EXPECT_EQ(host.tracker.open_jobs(), 0u);
  EXPECT_EQ(host.tracker.counters().jobs_reported, 1u);
}

TEST(Tracker, ChecksumsDecideWhereAnnouncementsAndBirthsCross) {
  Host host;
  host.announce(10, 7);
  host.announce(10, 8);
  const auto first = host.open(10.01, 1), second = host.open(10.02, 2);
  host.fact(11, 7, Field::trace_sum, "50 crc32:00000001");  // of a part: it runs
  host.end(14, 7);
  host.end(14, 8);
  host.tracker.on_trace_closed(first, Host::steady(14.1), {}, TraceSum{90, 0xb});
  host.tracker.on_trace_closed(second, Host::steady(14.1), {}, TraceSum{80, 0xa});
  EXPECT_THAT(host.finished(14.1), IsEmpty()) << "the checksums may be on their way";
  host.fact(14.2, 7, Field::trace_sum, "80 crc32:0000000a");
  host.fact(14.2, 8, Field::trace_sum, "90 crc32:0000000b");
  const auto done = host.finished(14.2);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].ref.job_id, 7);
  EXPECT_EQ(done[0].trace, second);
  EXPECT_EQ(done[1].trace, first);
  EXPECT_THAT(host.tracker.explanations(), ElementsAre(HasSubstr("request_concurrency")));

  // Now that the order is known to mean nothing, it decides nothing.
  host.announce(20, 9);
  host.announce(20, 10);
  const auto third = host.open(20.01, 3), fourth = host.open(20.02, 4);
  host.end(24, 9);
  host.end(24, 10);
  host.tracker.on_trace_closed(third, Host::steady(24.1));
  host.tracker.on_trace_closed(fourth, Host::steady(24.1));
  for (const auto& job : host.finished(60)) EXPECT_EQ(job.trace, std::nullopt);
}

TEST(Tracker, WithoutItsChecksumAJobWaitsASecondForIt) {
  Host host;
  host.announce(10, 7);
  host.fact(11, 7, Field::trace_sum, "50 crc32:00000001");
  const auto trace = host.open(10.01, 1);
  host.end(14, 7);
  host.tracker.on_trace_closed(trace, Host::steady(14.1), {}, TraceSum{80, 0xa});
  EXPECT_THAT(host.finished(15), IsEmpty());
  const auto done = host.finished(15.2);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].trace, trace);
}

TEST(Tracker, ALogOfOtherBytesIsNotTheJobs) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  host.end(14, 7);
  host.fact(14.05, 7, Field::trace_sum, "90 crc32:0000000b");
  host.tracker.on_trace_closed(trace, Host::steady(14.1), {}, TraceSum{80, 0xa});
  const auto done = host.finished(30);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].trace, std::nullopt);
}

TEST(Tracker, LateAndDoubledFactsAfterTheReportAreIgnored) {
  Host host;
  host.announce(10, 7);
  host.tracker.on_trace_closed(host.open(10.01, 1), Host::steady(14.1));
  host.end(14, 7);
  ASSERT_EQ(host.finished(15).size(), 1u);
  host.announce(16, 7);
  host.end(16, 7, "failed");
  host.fact(16, 7, Field::outcome, "failed", Source::usage_log);
  EXPECT_EQ(host.tracker.open_jobs(), 0u);
  EXPECT_THAT(host.tracker.take_started(), IsEmpty());
  EXPECT_THAT(host.finished(100), IsEmpty());
}

TEST(Tracker, AJobShorterThanTheLogsLatency) {
  Host host;
  const auto trace = host.open(10, 1);
  host.tracker.on_trace_closed(trace, Host::steady(10.2));
  // Both lines come at once, at most half a second after they were written.
  const UnixMicros arrival{kUtc + 10'300'000};
  host.fact(10.3, 7, Field::runner_short, "tok");
  host.tracker.on_fact({{"lab", 7},
                        Field::received_at,
                        std::to_string(arrival.value),
                        Source::runner_log,
                        arrival,
                        0,
                        500'000},
                       Host::steady(10.3));
  host.tracker.on_fact(
      {{"lab", 7}, Field::outcome, "passed", Source::runner_log, arrival, 0, 500'000},
      Host::steady(10.3));
  EXPECT_THAT(host.finished(10.3), IsEmpty()) << "an older announcement may still be on its way";
  EXPECT_EQ(host.tracker.next_deadline(), Host::steady(11.3));
  const auto done = host.finished(11.3);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].trace, trace);
}

TEST(Tracker, AJobWithoutATraceIsReportedWithItsReason) {
  Host host;
  host.announce(10, 7);
  host.end(14, 7);
  EXPECT_THAT(host.finished(15.9), IsEmpty());
  const auto done = host.finished(16);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].trace);
  EXPECT_THAT(done[0].trace_reason, HasSubstr("no trace file"));
}

TEST(Tracker, ALostTraceGivesItsReason) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  host.tracker.on_trace_lost(trace, "the disk said no");
  host.end(14, 7);
  const auto done = host.finished(14);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].trace);
  EXPECT_EQ(done[0].trace_reason, "the disk said no");
  EXPECT_THAT(host.tracker.take_orphaned_traces(Host::steady(14)), ElementsAre(trace));
}

TEST(Tracker, AnUploadThatNeverEndsIsNotWaitedForForever) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  host.end(14, 7);
  EXPECT_THAT(host.finished(14 + 899), IsEmpty());
  const auto done = host.finished(14 + 900);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].trace, trace);
}

TEST(Tracker, AMissingEndRecordIsReplacedByTheTracesOwnEnd) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  host.tracker.on_trace_progress(
      trace, {.runner_short = "tok", .checkout_path = "", .ended = true, .failed = true});
  host.tracker.on_trace_closed(trace, Host::steady(20));
  EXPECT_THAT(host.finished(29.9), IsEmpty());
  const auto done = host.finished(30);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].outcome, "failed");
  EXPECT_EQ(done[0].finished_at, UnixMicros{20 * kSecond + kUtc});
}

TEST(Tracker, ARunnerThatDiedEndsItsJobs) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  host.announce(30, 8);  // its trace was never seen
  host.tracker.on_runner_gone(kRunner, Host::steady(60));
  const auto done = host.finished(70);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].outcome, "unknown");
  EXPECT_EQ(done[0].trace, trace);
  EXPECT_EQ(done[1].ref.job_id, 8);
}

TEST(Tracker, ALieAboutTheCheckoutWithholdsTheLog) {
  Host host;
  host.announce(10, 7, "grp/demo");
  const auto trace = host.open(10.01, 1);
  host.tracker.on_trace_progress(trace, {.runner_short = "tok",
                                         .checkout_path = "/b/tok/0/grp/secret",
                                         .ended = false,
                                         .failed = {}});
  host.tracker.on_trace_closed(trace, Host::steady(14));
  host.end(14, 7);
  const auto done = host.finished(14);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].trace);
  EXPECT_THAT(done[0].trace_reason, HasSubstr("grp/secret"));
  EXPECT_EQ(host.tracker.counters().withheld_traces, 1u);
  EXPECT_THAT(host.tracker.explanations(), ElementsAre(HasSubstr("job 7 of lab")));
  EXPECT_THAT(host.tracker.take_orphaned_traces(Host::steady(14)), ElementsAre(trace));
}

TEST(Tracker, AWithheldJobGoesOnCompetingForTheTraceItMightHaveHad) {
  Host host;
  host.announce(10, 7);
  host.announce(10.05, 8);
  const auto trace = host.open(10.06, 1);  // of one of the two; the other's was lost
  host.end(14, 7);
  ASSERT_EQ(host.finished(24).size(), 1u);
  host.end(30, 8);
  host.tracker.on_trace_closed(trace, Host::steady(30.1));
  const auto done = host.finished(41);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].trace) << "nothing new was learnt about whose it is";
}

TEST(Tracker, ATraceOfNobodyIsGivenUp) {
  Host host;
  const auto trace = host.open(10, 1);
  host.tracker.on_trace_closed(trace, Host::steady(20));
  EXPECT_THAT(host.tracker.take_orphaned_traces(Host::steady(29)), IsEmpty());
  EXPECT_EQ(host.tracker.next_deadline(), Host::steady(30));
  EXPECT_THAT(host.tracker.take_orphaned_traces(Host::steady(30)), ElementsAre(trace));
  EXPECT_THAT(host.tracker.take_orphaned_traces(Host::steady(31)), IsEmpty());
}

TEST(Tracker, AJobHeardOfOnlyAtItsEndFindsItsTraceByItsDuration) {
  Host host;
  const auto trace = host.open(10, 1);
  host.end(14, 7);  // lasted 4 s
  host.tracker.on_trace_closed(trace, Host::steady(14.1));
  const auto done = host.finished(16);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].trace, trace);
}

TEST(Tracker, OnlyTheRunnersWordMakesAJobKnown) {
  Host host;
  host.fact(10, 7, Field::stage, "step_script", Source::environment);
  host.fact(10, 7, Field::outcome, "failed", Source::trace);
  EXPECT_EQ(host.tracker.open_jobs(), 0u);
  host.fact(10, 7, Field::stage, "step_script", Source::debug_jobs);
  EXPECT_EQ(host.tracker.open_jobs(), 1u);
}

TEST(Tracker, TheOldestJobMakesRoomAndIsCounted) {
  Host host({.max_jobs = 2});
  host.announce(10, 7);
  host.announce(11, 8);
  host.announce(12, 9);
  EXPECT_EQ(host.tracker.open_jobs(), 2u);
  EXPECT_EQ(host.tracker.counters().jobs_dropped, 1u);
  EXPECT_THAT(host.tracker.explanations(), ElementsAre(HasSubstr("job 7 of lab was dropped")));
}

TEST(Tracker, ProcessTreesComeWithTheReport) {
  Host host;
  host.announce(10, 7);
  const auto trace = host.open(10.01, 1);
  ProcessSample process;
  process.id = process.root = {500, 1010};
  process.runner = kRunner;
  process.cwd = "/builds/tok/0/grp/demo";
  for (double at = 10.5; at < 14; at += 1) host.tracker.on_processes({process}, Host::steady(at));
  host.tracker.on_trace_closed(trace, Host::steady(14.1));
  host.end(14, 7);
  const auto done = host.finished(14.1);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_THAT(done[0].trees, ElementsAre(process.root));
  EXPECT_EQ(done[0].usage_reason, "");
}

TEST(Tracker, SeesAProcessOfTheFutureWithoutHarm) {
  Host host;
  host.announce(10, 7);
  ProcessSample process;
  process.id = process.root = {500, ~0ull};
  host.tracker.on_processes({process}, Host::steady(11));
  host.end(14, 7);
  EXPECT_EQ(host.finished(20).size(), 1u);
}

}  // namespace
}  // namespace gitaiops::agent
