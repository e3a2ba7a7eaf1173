// Properties over many small worlds: never a wrong pair, every job once, and everything attributed
// where nobody lies and nothing is lost.
#include "tests/unit/tracker/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using simulation::Options;
using simulation::Outcome;
using testing::IsEmpty;

constexpr uint64_t kWorlds = 25;

Outcome must_be_right(Options options) {
  Outcome total;
  for (uint64_t seed = 1; seed <= kWorlds; ++seed) {
    options.seed = seed;
    const auto outcome = simulation::run(options);
    EXPECT_THAT(outcome.wrong, IsEmpty()) << "seed " << seed;
    total.finished += outcome.finished;
    total.with_trace += outcome.with_trace;
    total.with_trees += outcome.with_trees;
    for (const auto& [reason, count] : outcome.trace_reasons) total.trace_reasons[reason] += count;
    for (const auto& [reason, count] : outcome.usage_reasons) total.usage_reasons[reason] += count;
  }
  return total;
}

// Nobody lies, nothing is lost: everything finds its place.
void must_be_complete(const Options& options) {
  const auto total = must_be_right(options);
  EXPECT_EQ(total.finished, static_cast<int>(kWorlds) * options.jobs);
  EXPECT_EQ(total.with_trace, total.finished);
  // Checkouts that changed hands within the same few milliseconds stay undecided.
  int withheld = 0;
  for (const auto& [reason, count] : total.usage_reasons) withheld += count;
  EXPECT_LE(withheld, total.finished * 8 / 100) << testing::PrintToString(total.usage_reasons);
}

TEST(Simulation, FiftyHonestJobsOfTwoProjectsAtOnce) {
  must_be_complete({});
}

TEST(Simulation, FiftyHonestJobsOverThreeEntriesWithJournalStampsAndDoubledLines) {
  must_be_complete({.entries = 3, .journal_stamps = true, .doubled = 0.5});
}

TEST(Simulation, JobsShorterThanTheLatencyOfTheLog) {
  must_be_complete({.spread_us = 10'000'000, .shortest_us = 50'000, .longest_us = 600'000});
}

TEST(Simulation, TheUsageLogIsReadBeforeTheRunnersLog) {
  must_be_complete(
      {.spread_us = 10'000'000, .shortest_us = 50'000, .longest_us = 600'000, .usage_log = true});
}

// Slots are taken again the instant they are free, so that their times alone decide nothing.
TEST(Simulation, ASaturatedRunner) {
  must_be_complete({.projects = 1,
                    .spread_us = 1'000'000,
                    .shortest_us = 2'500'000,
                    .longest_us = 6'000'000,
                    .log_latency_us = 200'000,
                    .usage_log = true,
                    .concurrent = 4,
                    .claimed = 1});
}

TEST(Simulation, LiarsOnASaturatedRunner) {
  must_be_right({.spread_us = 1'000'000,
                 .shortest_us = 2'500'000,
                 .longest_us = 6'000'000,
                 .log_latency_us = 200'000,
                 .liars = 0.3,
                 .concurrent = 4,
                 .claimed = 1});
}

// Longer than anything waits for a pause, and no pause comes.
constexpr Options kFlood{.jobs = 1500,
                         .spread_us = 120'000'000,
                         .shortest_us = 50'000,
                         .longest_us = 600'000,
                         .log_latency_us = 20'000,
                         .starved = 0.05};

TEST(Simulation, AFloodWithoutAPause) {
  auto options = kFlood;
  for (options.seed = 1; options.seed <= 3; ++options.seed) {
    const auto outcome = simulation::run(options);
    EXPECT_THAT(outcome.wrong, IsEmpty());
    EXPECT_EQ(outcome.with_trace, options.jobs) << testing::PrintToString(outcome.trace_reasons);
  }
}

TEST(Simulation, AFloodInWhichTracesOrAnnouncementsAreLost) {
  auto options = kFlood;
  options.jobs = 400;
  options.spread_us = 40'000'000;
  for (options.seed = 1; options.seed <= 6; ++options.seed) {
    options.lose_trace = options.seed % 2 ? 0.01 : 0;
    options.lose_announcement = options.seed % 2 ? 0 : 0.01;
    EXPECT_THAT(simulation::run(options).wrong, IsEmpty()) << "seed " << options.seed;
  }
}

TEST(Simulation, HonestJobsAndSlowUploads) {
  must_be_complete({.entries = 2, .spread_us = 30'000'000, .slow_upload = true});
}

TEST(Simulation, HonestJobsThatWorkElsewhere) {
  must_be_complete({.entries = 2, .spread_us = 30'000'000, .wanderers = 0.2});
}

TEST(Simulation, AgentRestartsLoseNoLog) {
  const Options options{.entries = 2, .jobs = 30, .spread_us = 10'000'000, .restarts = 3};
  const auto total = must_be_right(options);
  EXPECT_EQ(total.finished, static_cast<int>(kWorlds) * options.jobs);
  EXPECT_EQ(total.with_trace, total.finished);
}

TEST(Simulation, LiarsGetNobodyElsesPlace) {
  const auto total = must_be_right({.entries = 2, .liars = 0.3});
  EXPECT_GT(total.with_trace, total.finished / 2);
}

TEST(Simulation, LiarsWhereClosingsAreNoticedLate) {
  must_be_right({.entries = 2, .spread_us = 30'000'000, .liars = 0.3, .unlink_known = false});
}

TEST(Simulation, LiarsAmongFewJobs) {
  must_be_right({.jobs = 4, .spread_us = 20'000'000, .liars = 0.5});
}

TEST(Simulation, LostTraces) {
  must_be_right({.entries = 2, .spread_us = 30'000'000, .lose_trace = 0.1});
}

TEST(Simulation, LostTracesAndLiarsInTheJournal) {
  must_be_right({.entries = 2,
                 .spread_us = 60'000'000,
                 .journal_stamps = true,
                 .lose_trace = 0.1,
                 .liars = 0.3});
}

// With a checksum for each, what surrounds a lost trace is attributed as if nothing had happened.
TEST(Simulation, LostTracesOfARunnerThatTellsChecksums) {
  const auto total =
      must_be_right({.entries = 2, .spread_us = 30'000'000, .lose_trace = 0.1, .sums = true});
  EXPECT_GE(total.with_trace, total.finished * 88 / 100)
      << testing::PrintToString(total.trace_reasons);
}

TEST(Simulation, AFloodInWhichTracesOfARunnerThatTellsChecksumsAreLost) {
  auto options = kFlood;
  options.jobs = 400;
  options.spread_us = 40'000'000;
  options.lose_trace = 0.02;
  options.sums = true;
  for (options.seed = 1; options.seed <= 6; ++options.seed) {
    const auto outcome = simulation::run(options);
    EXPECT_THAT(outcome.wrong, IsEmpty()) << "seed " << options.seed;
    EXPECT_GE(outcome.with_trace, outcome.finished * 96 / 100)
        << testing::PrintToString(outcome.trace_reasons);
  }
}

// Several requests of one entry at a time: announcements and births cross.
TEST(Simulation, CrossingRequestsOfARunnerThatTellsChecksums) {
  const auto total = must_be_right({.spread_us = 1'000'000, .requests = 8, .sums = true});
  EXPECT_EQ(total.with_trace, total.finished) << testing::PrintToString(total.trace_reasons);
}

TEST(Simulation, CrossingRequestsAndEverythingElse) {
  must_be_right({.entries = 3,
                 .spread_us = 20'000'000,
                 .shortest_us = 100'000,
                 .doubled = 0.3,
                 .lose_trace = 0.05,
                 .liars = 0.3,
                 .slow_upload = true,
                 .restarts = 2,
                 .requests = 8,
                 .sums = true,
                 .same_text = 0.1});
}

TEST(Simulation, LostAnnouncements) {
  must_be_right({.entries = 2, .spread_us = 30'000'000, .lose_announcement = 0.1});
}

TEST(Simulation, LostEndRecords) {
  must_be_right({.entries = 2, .spread_us = 30'000'000, .lose_end = 0.1});
}

TEST(Simulation, EverythingAtOnce) {
  must_be_right({.entries = 3,
                 .spread_us = 60'000'000,
                 .shortest_us = 100'000,
                 .doubled = 0.3,
                 .lose_end = 0.05,
                 .lose_trace = 0.05,
                 .liars = 0.3,
                 .slow_upload = true,
                 .restarts = 2});
}

}  // namespace
}  // namespace gitaiops::agent
