#include "agent/sources/runner_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kSeen = 1'764'000'000'000'000;

struct Reader {
  InstanceMap instances;
  RunnerLogReader reader;
  explicit Reader(const std::vector<GitLabInstance>& list = {{"lab", "http://gitlab.test"}})
      : instances(InstanceMap::make(list).value()), reader(instances) {}

  // "lab/7 project_path=grp/demo" for each fact.
  std::vector<std::string> feed(const std::string& line, const std::string& stream = "") {
    std::vector<Fact> facts;
    reader.feed(line, {kSeen}, 200, facts, stream);
    std::vector<std::string> found;
    for (const auto& fact : facts) {
      EXPECT_EQ(fact.source, Source::runner_log);
      found.push_back(fact.job.instance + "/" + std::to_string(fact.job.job_id) + " " +
                      std::string(to_string(fact.field)) + "=" + fact.value);
    }
    return found;
  }
};

const std::string kReceived =
    "Checking for jobs... received                      \x1b[0;m  job\x1b[0;m=7 "
    "repo_url\x1b[0;m=http://gitlab.test/grp/demo.git "
    "runner\x1b[0;m=tok";

TEST(RunnerLog, AnnouncesAJob) {
  Reader reader;
  EXPECT_THAT(reader.feed(kReceived),
              ElementsAre("lab/7 project_path=grp/demo", "lab/7 runner_short=tok",
                          "lab/7 received_at=" + std::to_string(kSeen)));
}

TEST(RunnerLog, NewerRunnersSayMore) {
  Reader reader;
  EXPECT_THAT(
      reader.feed("Added job to processing list                        builds=1 job=7 "
                  "max_builds=10 project=77 "
                  "queue_depth=1 repo_url=http://gitlab.test/grp/demo.git time_in_queue_seconds=1"),
      ElementsAre("lab/7 project_path=grp/demo", "lab/7 project_id=77"));
}

TEST(RunnerLog, SizeAndChecksumOfALog) {
  Reader reader;
  reader.feed(kReceived);
  const std::string pairs =
      "bytesize\x1b[0;m=3032 checksum\x1b[0;m=crc32:73bd7bfa correlation_id\x1b[0;m=634ca297 "
      "job\x1b[0;m=7 runner\x1b[0;m=tok runner_name\x1b[0;m=lab";
  EXPECT_THAT(reader.feed("Updating job...                                   \x1b[0;m  " + pairs),
              ElementsAre("lab/7 trace_sum=3032 crc32:73bd7bfa"));
  EXPECT_THAT(reader.feed("\x1b[0;33mWARNING: Submitting job to coordinator... job failed\x1b[0;m  "
                          "bytesize=3032 checksum=crc32:73bd7bfa code=200 job=7 job-status=failed "
                          "runner=tok status=200 OK update-interval=0s"),
              ElementsAre("lab/7 trace_sum=3032 crc32:73bd7bfa"));
  EXPECT_THAT(
      reader.feed(R"({"bytesize":3032,"checksum":"crc32:73bd7bfa","job":7,"level":"info",)"
                  R"("msg":"Updating job...","runner":"tok","time":"2026-11-22T10:00:00Z"})"),
      ElementsAre("lab/7 trace_sum=3032 crc32:73bd7bfa"));
  EXPECT_EQ(reader.reader.counters().unreadable, 0u);
}

TEST(RunnerLog, BeforeThereIsALogThereIsNoChecksum) {
  Reader reader;
  reader.feed(kReceived);
  EXPECT_THAT(reader.feed("Updating job...                                   \x1b[0;m  "
                          "bytesize\x1b[0;m=0 checksum\x1b[0;m= correlation_id\x1b[0;m=11c65f6c "
                          "job\x1b[0;m=7 runner\x1b[0;m=tok"),
              IsEmpty());
  EXPECT_EQ(reader.reader.counters().unreadable, 0u);
  EXPECT_THAT(reader.feed("Updating job...   bytesize=10 checksum=md5:00 job=7 runner=tok"),
              IsEmpty());
  EXPECT_EQ(reader.reader.counters().unreadable, 1u);
}

TEST(RunnerLog, Success) {
  Reader reader;
  EXPECT_THAT(
      reader.feed("Job succeeded                                       duration_s=7.05 job=7 "
                  "project=77 runner=tok"),
      ElementsAre("lab/7 project_id=77", "lab/7 runner_short=tok", "lab/7 duration_us=7050000",
                  "lab/7 finished_at=" + std::to_string(kSeen), "lab/7 outcome=passed"));
}

const std::string kFailed = "\x1b[0;33mWARNING: Job failed: exit status 3";
const std::string kPairs =
    "               \x1b[0;m  \x1b[0;33mduration_s\x1b[0;m=2 \x1b[0;33mjob\x1b[0;m=7 runner=tok";

TEST(RunnerLog, ARecordOverTwoLines) {
  Reader reader;
  EXPECT_THAT(reader.feed(kFailed), IsEmpty());
  EXPECT_TRUE(reader.reader.halfway());
  const auto facts = reader.feed(kPairs);
  EXPECT_FALSE(reader.reader.halfway());
  EXPECT_THAT(facts,
              ElementsAre("lab/7 runner_short=tok", "lab/7 duration_us=2000000",
                          "lab/7 failure_reason=script_failure", "lab/7 exit_code=3",
                          "lab/7 finished_at=" + std::to_string(kSeen), "lab/7 outcome=failed"));
  EXPECT_THAT(reader.feed(kPairs), IsEmpty()) << "no message before it";
}

TEST(RunnerLog, TheSameTwoLinesByTwoWays) {
  Reader reader;
  EXPECT_THAT(reader.feed(kFailed, "stdout"), IsEmpty());
  EXPECT_EQ(reader.feed(kFailed + "\n" + kPairs, "syslog").size(), 6u)
      << "whole, with its line end inside";
  EXPECT_EQ(reader.feed(kPairs, "stdout").size(), 6u);
  EXPECT_THAT(reader.feed(kFailed), IsEmpty());
  EXPECT_THAT(reader.feed(kFailed), IsEmpty());
  EXPECT_EQ(reader.feed(kPairs).size(), 6u);
  EXPECT_EQ(reader.feed(kPairs).size(), 6u);
}

TEST(RunnerLog, HalvesOfTwoJobsThatMixKeepOnlyWhatTheyShare) {
  Reader reader;
  reader.feed(kFailed);
  reader.feed("WARNING: Job failed: exit status 5");
  EXPECT_THAT(reader.feed(kPairs),
              ElementsAre("lab/7 runner_short=tok", "lab/7 duration_us=2000000",
                          "lab/7 finished_at=" + std::to_string(kSeen), "lab/7 outcome=failed"));
}

TEST(RunnerLog, HowJobsEnd) {
  using E = Ending;
  const std::pair<const char*, E> cases[] = {
      {"Job succeeded", {"passed", "", {}, {}}},
      {"Job failed: exit status 3", {"failed", "script_failure", 3, {}}},
      {"Job failed: exit code 1", {"failed", "script_failure", 1, {}}},
      {"Job failed: command terminated with exit code 137", {"failed", "script_failure", 137, {}}},
      {"Job failed: signal: killed", {"failed", "script_failure", {}, 9}},
      {"Job failed (system failure): prepare environment: exit status 1. Check it",
       {"failed", "runner_system_failure", 1, {}}},
      {"Job failed: execution took longer than 1h0m0s seconds",
       {"failed", "job_execution_timeout", {}, {}}},
      {"Job failed: canceled", {"canceled", "job_canceled", {}, {}}},
      {"Job failed (system failure): aborted: terminated",
       {"failed", "runner_system_failure", {}, {}}},
      {"Job failed: failed to pull image \"x\"", {"failed", "image_pull_failure", {}, {}}},
      {"Job failed: something new", {"failed", "", {}, {}}},
  };
  for (const auto& [message, ending] : cases) EXPECT_EQ(parse_ending(message), ending) << message;
  EXPECT_FALSE(parse_ending("Appending trace to coordinator...ok"));
  EXPECT_EQ(parse_ending("Job failed: exit status 99999999999")->exit_code, std::nullopt);
}

TEST(RunnerLog, ExplicitFieldsWinOverWords) {
  Reader reader;
  EXPECT_THAT(
      reader.feed(
          R"({"duration_s":1,"exit_code":137,"failure_reason":"runner_interrupted","job":7,"msg":"Job failed: exit code 1","runner":"tok"})"),
      testing::IsSupersetOf({"lab/7 failure_reason=runner_interrupted", "lab/7 exit_code=137"}));
}

TEST(RunnerLog, TheRunnersOwnTimeBoundsTheMoment) {
  Reader reader;
  std::vector<Fact> facts;
  const auto whole = parse_rfc3339("2026-11-22T13:29:10Z")->value;
  const std::string line =
      R"({"job":7,"msg":"Checking for jobs... received","repo_url":"http://gitlab.test/g/d.git","runner":"tok","time":"2026-11-22T13:29:10Z"})";
  reader.reader.feed(line, {whole + 400'000}, 600'000'000, facts);
  reader.reader.feed(line, {whole + 90'000'000}, 600'000'000, facts);
  EXPECT_EQ(facts[2].observed_at.value, whole + 400'000);
  EXPECT_EQ(facts[2].late_us, 1'000'000);
  EXPECT_EQ(facts[5].observed_at.value, whole + 999'999);
}

TEST(RunnerLog, EndRecordsFindTheirInstanceByTheRunnerEntry) {
  Reader reader({{"one", "http://one.test"}, {"two", "http://two.test"}});
  EXPECT_THAT(reader.feed("Job succeeded  duration_s=1 job=7 project=1 runner=tok"), IsEmpty());
  EXPECT_EQ(reader.reader.counters().unknown_hosts, 1u);
  reader.feed("Checking for jobs... received  job=7 repo_url=http://two.test/g/d.git runner=tok");
  EXPECT_EQ(reader.feed("Job succeeded  duration_s=1 job=7 project=1 runner=tok").back(),
            "two/7 outcome=passed");
  EXPECT_THAT(reader.reader.runners(), ElementsAre(testing::Pair("tok", "two")));

  RunnerLogReader restarted(reader.instances, reader.reader.runners());
  std::vector<Fact> facts;
  restarted.feed("Job succeeded  duration_s=1 job=8 project=1 runner=tok", {kSeen}, 0, facts);
  EXPECT_EQ(facts.back().job, (JobRef{"two", 8}));
}

TEST(RunnerLog, JobsOfAnUnknownHostAreCountedNotGuessed) {
  Reader reader;
  EXPECT_THAT(
      reader.feed(
          "Checking for jobs... received  job=7 repo_url=http://elsewhere.test/g/d.git runner=tok"),
      IsEmpty());
  EXPECT_THAT(reader.feed("Job succeeded  duration_s=1 job=7 project=1 runner=tok"), IsEmpty());
  EXPECT_THAT(reader.reader.unknown_hosts(), ElementsAre("elsewhere.test:80"));
  EXPECT_EQ(reader.reader.counters().unknown_hosts, 1u);
}

TEST(RunnerLog, OtherLinesAreNothing) {
  Reader reader;
  for (const auto* line :
       {"", "Runtime platform    arch=amd64 os=linux pid=1 revision=HEAD version=14.7.0",
        "Appending trace to coordinator...ok   code=202 job=7 job-log=0-281 job-status=running "
        "runner=tok",
        "Checking for jobs... nothing  runner=tok", "Job succeeded  duration_s=1 runner=tok",
        "Job succeeded  job=-7 runner=tok", "Job succeeded  job=99999999999999999999 runner=tok"})
    EXPECT_THAT(reader.feed(line), IsEmpty()) << line;
  EXPECT_THAT(reader.feed(std::string(1 << 17, 'x')), IsEmpty());
  EXPECT_EQ(reader.reader.counters().unreadable, 4u);
}

TEST(RunnerLog, ValuesAreMadeSafe) {
  Reader reader;
  const auto facts = reader.feed("Job succeeded  duration_s=nan job=7 project=1 runner=a\xff\x01" +
                                 std::string(2000, 'b'));
  ASSERT_EQ(facts.size(), 4u) << "the duration is none";
  EXPECT_LE(facts[1].size(), 600u);
  EXPECT_EQ(facts[1].find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::agent
