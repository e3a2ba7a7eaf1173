#include "agent/tracker/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using Pairs = std::vector<int>;  // trace of each job, -1: none

const ProcessId kRunner{10, 1}, kOtherRunner{20, 1};

JobSide job(uint64_t rank, int64_t from, int64_t until, std::string entry = "A") {
  return {std::move(entry), rank, from, until, {}, 0};
}
TraceSide trace(int64_t birth, std::string entry = "A", ProcessId runner = kRunner) {
  return {std::move(entry), runner, birth, static_cast<uint64_t>(birth), {}, 0};
}
Pairs pairs(const std::vector<JobSide>& jobs, const std::vector<TraceSide>& traces,
            int64_t now = 1000) {
  Pairs found;
  for (const auto& match : match_traces(jobs, traces, {now}))
    found.push_back(match.trace ? static_cast<int>(*match.trace) : -1);
  return found;
}

TEST(MatchTraces, OrderDecidesWhereTimesDoNot) {
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10), job(3, 0, 10)}, {trace(7), trace(3), trace(5)}),
              ElementsAre(1, 2, 0));
}

TEST(MatchTraces, BirthsOfOneInstantComeInTheOrderOfOpening) {
  auto first = trace(5), second = trace(5);
  first.seen = 1;
  second.seen = 2;
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10)}, {second, first}), ElementsAre(1, 0));
}

TEST(MatchTraces, ALostTraceMakesItsNeighboursAmbiguous) {
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10), job(3, 0, 10)}, {trace(3), trace(5)}),
              ElementsAre(-1, -1, -1));
}

TEST(MatchTraces, ALostAnnouncementToo) {
  EXPECT_THAT(pairs({job(1, 0, 10)}, {trace(3), trace(5)}), ElementsAre(-1));
}

TEST(MatchTraces, WindowsTellWhichNeighbourIsMeant) {
  // The second job's trace is lost: nothing was born in its window.
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 20, 30), job(3, 40, 50)}, {trace(5), trace(45)}),
              ElementsAre(0, -1, 1));
}

TEST(MatchTraces, OnlyTheUncertainPartOfAGroupIsWithheld) {
  // 1 and 2 may be either way round with one trace; 3 has its own in every assignment.
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10), job(3, 8, 30)}, {trace(5), trace(20)}),
              ElementsAre(-1, -1, 1));
}

TEST(MatchTraces, HeadersSeparateEntries) {
  EXPECT_THAT(pairs({job(1, 0, 10, "A"), job(2, 0, 10, "B")}, {trace(3, "B"), trace(5, "A")}),
              ElementsAre(1, 0));
}

TEST(MatchTraces, AMissingHeaderBlocksOnlyWhereSeveralEntriesAreInPlay) {
  EXPECT_THAT(pairs({job(1, 0, 10, "A")}, {trace(3, "")}), ElementsAre(0));
  const auto waiting = match_traces(std::vector{job(1, 0, 10, "A"), job(2, 0, 10, "B")},
                                    std::vector{trace(3, ""), trace(5, "B")}, {1000});
  EXPECT_FALSE(waiting[0].trace);
  EXPECT_TRUE(waiting[0].open);
}

TEST(MatchTraces, ATraceWhoseAnnouncementMayBeOnItsWayIsWaitedFor) {
  auto young = trace(5);
  young.settled_us = 2000;
  const auto early = match_traces(std::vector{job(1, 0, 10)}, std::vector{young}, {1999});
  EXPECT_FALSE(early[0].trace);
  EXPECT_EQ(early[0].settles_us, 2000);
  EXPECT_THAT(pairs({job(1, 0, 10)}, {young}, 2000), ElementsAre(0));
}

TEST(MatchTraces, ATraceClosedBeforeTheEndIsAnothers) {
  auto ended = job(1, 0, 10);
  ended.ended_us = 500;
  auto closed = trace(3);
  closed.closed_us = 400;
  EXPECT_THAT(pairs({ended}, {closed, trace(5)}), ElementsAre(1));
}

TEST(MatchTraces, WithoutOrderOnlyWhatLeavesNobodyOver) {
  // Never announced jobs: their windows must do.
  EXPECT_THAT(pairs({job(0, 0, 10), job(0, 20, 30)}, {trace(5), trace(25)}), ElementsAre(0, 1));
  EXPECT_THAT(pairs({job(0, 0, 10), job(1, 0, 6)}, {trace(5), trace(8)}), ElementsAre(1, 0));
  EXPECT_THAT(pairs({job(0, 0, 10), job(1, 0, 10)}, {trace(5), trace(8)}), ElementsAre(-1, -1));
  EXPECT_THAT(pairs({job(0, 0, 10), job(1, 0, 10)}, {trace(5)}), ElementsAre(-1, -1));
}

TEST(MatchTraces, TwoRunnerProcessesBehindOneEntryHaveNoCommonOrder) {
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10)}, {trace(3), trace(5, "A", kOtherRunner)}),
              ElementsAre(-1, -1));
}

TEST(MatchTraces, TellsWhereSomebodyWasNeverAnnounced) {
  const auto found =
      match_traces(std::vector{job(1, 0, 10)}, std::vector{trace(3), trace(5)}, {1000});
  EXPECT_TRUE(found[0].surplus);
  EXPECT_EQ(found[0].possible.size(), 2u);
}

}  // namespace
}  // namespace gitaiops::agent
