#include "agent/sources/debug_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const InstanceMap kInstances = InstanceMap::make({{"lab", "http://gitlab.test"}}).value();

std::vector<std::string> feed(DebugJobsReader& reader, const std::string& body) {
  std::vector<Fact> facts;
  reader.feed(body, {10'000'000}, facts);
  std::vector<std::string> found;
  for (const auto& fact : facts)
    found.push_back(std::to_string(fact.job.job_id) + " " + std::string(to_string(fact.field)) +
                    "=" + fact.value);
  return found;
}

TEST(DebugJobs, OnlyChangesBecomeFacts) {
  DebugJobsReader reader(kInstances);
  const std::string first =
      "url=http://gitlab.test/grp/demo/-/jobs/7 state=running stage=prepare_script "
      "executor_stage=prepare duration=6.5s\n";
  EXPECT_THAT(feed(reader, first), ElementsAre("7 project_path=grp/demo", "7 received_at=3500000",
                                               "7 stage=prepare_script"));
  EXPECT_THAT(feed(reader, first), IsEmpty());
  EXPECT_THAT(
      feed(reader,
           "url=http://gitlab.test/grp/demo/-/jobs/7 state=running stage=step_script duration=8s"),
      ElementsAre("7 stage=step_script"));
  EXPECT_THAT(feed(reader, ""), IsEmpty());
}

TEST(DebugJobs, OthersAreCounted) {
  DebugJobsReader reader(kInstances);
  EXPECT_THAT(feed(reader,
                   "url=http://elsewhere.test/g/d/-/jobs/7 "
                   "stage=x\nnonsense\nurl=http://gitlab.test/g/d/-/jobs/x\n"),
              IsEmpty());
  EXPECT_EQ(reader.counters().unknown_hosts, 1u);
  EXPECT_EQ(reader.counters().unreadable, 2u);
}

TEST(DebugJobs, GoDurations) {
  EXPECT_EQ(parse_go_duration("6.1s"), 6'100'000);
  EXPECT_EQ(parse_go_duration("1h2m3.5s"), 3'723'500'000);
  EXPECT_EQ(parse_go_duration("350ms"), 350'000);
  EXPECT_EQ(parse_go_duration("12\xc2\xb5s"), 12);
  for (const auto* bad : {"", "s", "5", "5x", "-5s", "1e400h", "999999999999999h"})
    EXPECT_FALSE(parse_go_duration(bad)) << bad;
}

}  // namespace
}  // namespace gitaiops::agent
