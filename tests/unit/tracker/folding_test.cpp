#include "agent/tracker/folding.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

TEST(FoldedFacts, HigherSourceWinsWheneverItComes) {
  FoldedFacts facts;
  EXPECT_TRUE(facts.fold(Field::failure_reason, "script_failure", Source::runner_log));
  EXPECT_TRUE(facts.fold(Field::failure_reason, "job_execution_timeout", Source::usage_log));
  EXPECT_FALSE(facts.fold(Field::failure_reason, "unknown_failure", Source::runner_log));
  EXPECT_EQ(facts.text(Field::failure_reason), "job_execution_timeout");
}

TEST(FoldedFacts, WithinOneSourceTheLatestWins) {
  FoldedFacts facts;
  facts.fold(Field::stage, "prepare_script", Source::debug_jobs);
  facts.fold(Field::stage, "step_script", Source::debug_jobs);
  EXPECT_EQ(facts.text(Field::stage), "step_script");
}

TEST(FoldedFacts, WhatAJobCanWriteSaysNothingAboutWhoItIs) {
  FoldedFacts facts;
  EXPECT_FALSE(facts.fold(Field::project_path, "grp/other", Source::trace));
  EXPECT_FALSE(facts.fold(Field::outcome, "passed", Source::environment));
  EXPECT_FALSE(facts.fold(Field::received_at, "1", Source::processes));
  EXPECT_TRUE(facts.empty());
}

TEST(FoldedFacts, MalformedValuesAreRefused) {
  FoldedFacts facts;
  EXPECT_FALSE(facts.fold(Field::project_id, "77x", Source::runner_log));
  EXPECT_FALSE(facts.fold(Field::project_id, "-1", Source::runner_log));
  EXPECT_FALSE(facts.fold(Field::duration_us, "9223372036854775807", Source::runner_log));
  EXPECT_FALSE(facts.fold(Field::outcome, "splendid", Source::runner_log));
  EXPECT_FALSE(facts.fold(static_cast<Field>(200), "x", Source::runner_log));
  EXPECT_TRUE(facts.fold(Field::project_id, "77", Source::runner_log));
  EXPECT_EQ(facts.number(Field::project_id), 77);
}

}  // namespace
}  // namespace gitaiops::agent
