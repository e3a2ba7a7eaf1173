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
  return {std::move(entry), runner, birth, 0, {}, 0};
}
Pairs pairs(const std::vector<JobSide>& jobs, const std::vector<TraceSide>& traces,
            int64_t now = 1000) {
  Pairs found;
  for (const auto& match : match_traces(jobs, traces, {now}, {0}))
    found.push_back(match.trace ? static_cast<int>(*match.trace) : -1);
  return found;
}

TEST(MatchTraces, OrderDecidesWhereTimesDoNot) {
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10), job(3, 0, 10)}, {trace(7), trace(3), trace(5)}),
              ElementsAre(1, 2, 0));
}

TEST(MatchTraces, BirthsOfOneInstantComeInTheOrderOfTheirAppearance) {
  auto first = trace(5), second = trace(5);
  first.order = 1;
  second.order = 2;
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10)}, {second, first}), ElementsAre(1, 0));
}

TEST(MatchTraces, BirthsOfOneInstantThatNobodySawArePairedWithNobody) {
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10), job(3, 0, 10)}, {trace(5), trace(5), trace(7)}),
              ElementsAre(-1, -1, 2));
  auto seen = trace(5);
  seen.order = 1;
  EXPECT_THAT(pairs({job(1, 0, 10), job(2, 0, 10)}, {trace(5), seen}), ElementsAre(-1, -1));
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

JobSide summed(JobSide side, uint32_t crc) {
  side.sum = TraceSum{100, crc};
  return side;
}
TraceSide summed(TraceSide side, uint32_t crc) {
  side.sum = TraceSum{100, crc};
  return side;
}

TEST(MatchTraces, AChecksumComesBeforeTheOrder) {
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7), summed(job(2, 0, 10), 8)},
                    {summed(trace(3), 8), summed(trace(5), 7)}),
              ElementsAre(1, 0));
}

TEST(MatchTraces, ChecksumsTellWhatAroundALostTraceIsMeant) {
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7), summed(job(2, 0, 10), 8), summed(job(3, 0, 10), 9)},
                    {summed(trace(3), 7), summed(trace(5), 9)}),
              ElementsAre(0, -1, 1));
}

TEST(MatchTraces, WhoeverIsProvenLeavesTheRestToTheOrder) {
  EXPECT_THAT(pairs({job(1, 0, 10), summed(job(2, 0, 10), 8), job(3, 0, 10)},
                    {trace(3), summed(trace(5), 8), trace(7)}),
              ElementsAre(0, 1, 2));
  // Also out of order, as several requests at once leave them.
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 8), job(2, 0, 10)}, {trace(3), summed(trace(5), 8)}),
              ElementsAre(1, 0));
}

TEST(MatchTraces, AnotherChecksumIsAnotherJobs) {
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7)}, {summed(trace(3), 8)}), ElementsAre(-1));
  // Its own may still be open.
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7)}, {trace(3)}), ElementsAre(0));
}

TEST(MatchTraces, TwoThatAgreeAreToldApartByOrderOrNotAtAll) {
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7), summed(job(2, 0, 10), 7)},
                    {summed(trace(3), 7), summed(trace(5), 7)}),
              ElementsAre(0, 1));
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7), summed(job(2, 0, 10), 7)}, {summed(trace(3), 7)}),
              ElementsAre(-1, -1));
  EXPECT_THAT(pairs({summed(job(1, 0, 10), 7)}, {summed(trace(3), 7), summed(trace(5), 7)}),
              ElementsAre(-1));
}

TEST(MatchTraces, HeadersSeparateEntries) {
  EXPECT_THAT(pairs({job(1, 0, 10, "A"), job(2, 0, 10, "B")}, {trace(3, "B"), trace(5, "A")}),
              ElementsAre(1, 0));
}

TEST(MatchTraces, AMissingHeaderBlocksOnlyWhereSeveralEntriesAreInPlay) {
  EXPECT_THAT(pairs({job(1, 0, 10, "A")}, {trace(3, "")}), ElementsAre(0));
  const auto waiting = match_traces(std::vector{job(1, 0, 10, "A"), job(2, 0, 10, "B")},
                                    std::vector{trace(3, ""), trace(5, "B")}, {1000}, {0});
  EXPECT_FALSE(waiting[0].trace);
  EXPECT_TRUE(waiting[0].open);
}

TEST(MatchTraces, ATraceWhoseAnnouncementMayBeOnItsWayIsWaitedFor) {
  auto young = trace(5);
  young.settled_us = 2000;
  const auto early = match_traces(std::vector{job(1, 0, 10)}, std::vector{young}, {1999}, {0});
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

// Jobs of a stream without a pause: announced at a known moment, born soon after, windows that
// reach over many neighbours.
struct Stream {
  std::vector<JobSide> jobs;
  std::vector<TraceSide> traces;

  void announce(int64_t at) {
    jobs.push_back(job(jobs.size() + 1, at - 100'000, at + 300'000));
    jobs.back().announced_from_us = jobs.back().announced_until_us = at;
  }
  void bear(int64_t at) { traces.push_back(trace(at)); }
  std::vector<TraceMatch> match(int64_t arrived) const {
    return match_traces(jobs, traces, {1000}, {arrived});
  }
};

TEST(MatchTraces, AStreamIsJudgedAsFarAsItHasArrived) {
  Stream stream;
  for (int64_t at = 0; at < 10; ++at) stream.announce(at * 100'000), stream.bear(at * 100'000 + 9);
  stream.jobs.back().settled_us = 2000;  // the last one just came
  const auto found = stream.match(700'000);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(found[i].trace, i);
  EXPECT_FALSE(found[7].trace);
  EXPECT_TRUE(found[7].open);
}

TEST(MatchTraces, AStreamIsNotCutBetweenAnAnnouncementAndItsTrace) {
  Stream stream;
  stream.announce(0);
  stream.announce(200'000);  // the first one's trace is late
  stream.bear(200'009);
  stream.announce(400'000);
  stream.bear(400'009);
  stream.bear(500'000);
  stream.announce(900'000);
  stream.jobs.back().settled_us = 2000;
  const auto found = stream.match(800'000);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(found[i].trace, i);
}

TEST(MatchTraces, WhereATraceWasLostTheStreamIsNotCut) {
  Stream stream;
  for (int64_t at = 0; at < 10; ++at) {
    stream.announce(at * 100'000);
    if (at != 5) stream.bear(at * 100'000 + 9);
  }
  const auto found = stream.match(2'000'000);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(found[i].trace, i) << "before it: certain";
  for (std::size_t i = 5; i < 9; ++i) EXPECT_FALSE(found[i].trace) << i;
}

TEST(MatchTraces, TellsWhereSomebodyWasNeverAnnounced) {
  const auto found =
      match_traces(std::vector{job(1, 0, 10)}, std::vector{trace(3), trace(5)}, {1000}, {0});
  EXPECT_TRUE(found[0].surplus);
  EXPECT_EQ(found[0].possible.size(), 2u);
}

}  // namespace
}  // namespace gitaiops::agent
