#include "agent/sources/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Record, TextForm) {
  const auto record = parse_record(
      "Checking for jobs... received                      \x1b[0;m  job\x1b[0;m=4242 "
      "repo_url\x1b[0;m=http://h/g/d.git "
      "runner\x1b[0;m=tok runner_name\x1b[0;m=my big runner\n");
  EXPECT_EQ(record.message, "Checking for jobs... received");
  EXPECT_THAT(record.fields,
              ElementsAre(Pair("job", "4242"), Pair("repo_url", "http://h/g/d.git"),
                          Pair("runner", "tok"), Pair("runner_name", "my big runner")));
}

TEST(Record, LevelAndColours) {
  const auto record = parse_record(
      "\x1b[0;33mWARNING: Job failed: exit status 3                \x1b[0;m  "
      "\x1b[0;33mjob\x1b[0;m=1");
  EXPECT_EQ(record.message, "Job failed: exit status 3");
  EXPECT_THAT(record.fields, ElementsAre(Pair("job", "1")));
}

TEST(Record, PairsAlone) {
  for (const auto* line :
       {"                \x1b[0;m  duration_s\x1b[0;m=1.5 job\x1b[0;m=2", "duration_s=1.5 job=2"}) {
    const auto record = parse_record(line);
    EXPECT_EQ(record.message, "");
    EXPECT_THAT(record.fields, ElementsAre(Pair("duration_s", "1.5"), Pair("job", "2")));
  }
}

TEST(Record, WhatTheRunnerWroteComesLast) {
  // An image's name, chosen by the job, looks like pairs.
  const auto record = parse_record(
      "WARNING: Job failed: failed to pull image \"x  job=999 runner=mine\"  duration_s=2 job=7 "
      "project=3 runner=tok");
  EXPECT_EQ(*record.field("job"), "7");
  EXPECT_EQ(*record.field("runner"), "tok");
  EXPECT_EQ(record.message, "Job failed: failed to pull image \"x  job=999 runner=mine\"");
}

TEST(Record, JsonForm) {
  const auto record = parse_record(
      R"({"duration_s":7.698965319,"job":4242,"level":"info","msg":"Job succeeded\n","nested":{"a":1},"time":"2026-11-22T13:29:17Z"})");
  EXPECT_EQ(record.message, "Job succeeded");
  EXPECT_EQ(*record.field("job"), "4242");
  EXPECT_EQ(*record.field("duration_s"), "7.698965319");
  EXPECT_EQ(record.field("nested"), nullptr);
  EXPECT_EQ(record.time, parse_rfc3339("2026-11-22T13:29:17Z"));
}

TEST(Record, NothingIsNothing) {
  for (const auto* line : {"", "\n", "   ", "\x1b[0;m", "\x1b[", "\x1b"}) {
    EXPECT_EQ(parse_record(line).message, "") << line;
    EXPECT_THAT(parse_record(line).fields, IsEmpty()) << line;
  }
  EXPECT_EQ(parse_record("{\"a\":").message, "{\"a\":");
  EXPECT_EQ(parse_record("[[[[").message, "[[[[");
}

TEST(Syslog, TakesLinesOutOfTheirEnvelopes) {
  const auto bsd = parse_syslog(
      "Nov  2 13:29:10 host gitlab-runner[29069]: Job succeeded #033[0;m  job#033[0;m=1");
  ASSERT_TRUE(bsd);
  EXPECT_EQ(bsd->tag, "gitlab-runner");
  EXPECT_EQ(bsd->text, "Job succeeded \x1b[0;m  job\x1b[0;m=1");
  EXPECT_FALSE(bsd->time);
  const auto rfc = parse_syslog(
      "<13>2026-11-22T13:29:10.250000+01:00 host gitlab-runner: WARNING: two#012 lines #9");
  ASSERT_TRUE(rfc);
  EXPECT_EQ(rfc->text, "WARNING: two\n lines #9");
  EXPECT_EQ(rfc->time, parse_rfc3339("2026-11-22T12:29:10.250000Z"));
}

TEST(Syslog, OthersAreNone) {
  for (const auto* line : {"", "Job succeeded  job=1", "Foo 22 13:29:10 host a: b",
                           "Nov 22 13:29:10 host no tag", "<999999>x", "Nov 22 13:29:10"})
    EXPECT_FALSE(parse_syslog(line)) << line;
}

}  // namespace
}  // namespace gitaiops::agent
