#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

TEST_P(StoreConformance, AReportIsKeptAsReceived) {
  const auto agent = enroll(scope_of("grp/*"));
  auto envelope = reported(1, key(7, "grp/demo", 12));
  auto& report = *envelope.mutable_job_report();
  report.set_finished_at_us(kNow.value - 5);
  report.mutable_diagnosis()->set_category("test_failure");
  report.mutable_diagnosis()->set_owner("test");
  report.mutable_diagnosis()->set_command(std::string("make \0 \xc3\xa4", 9));
  report.GetReflection()->MutableUnknownFields(&report)->AddVarint(9000, 42);  // from a newer agent
  const auto accepted = accept(agent, envelope);
  ASSERT_TRUE(accepted.ok()) << accepted.error().to_string();
  EXPECT_EQ(accepted->high_water_seq, 1u);
  EXPECT_FALSE(accepted->duplicate);
  const auto job = job_of(7);
  EXPECT_EQ(job.report.SerializeAsString(), report.SerializeAsString());
  EXPECT_EQ(job.key, (JobKey{"gl", 12, 7}));
  EXPECT_EQ(job.project_path, "grp/demo");
  EXPECT_EQ(job.agent_id, agent);
  EXPECT_EQ(job.received_at, kNow);
  EXPECT_FALSE(job.running());
  EXPECT_FALSE(job.gitlab.has_value());
  EXPECT_EQ(job.id.size(), 36u);
  EXPECT_EQ(job.id[14], '7') << "a UUID of version 7";
}

TEST_P(StoreConformance, AStartedJobRunsUntilItsReport) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, started(1, key(7, "grp/demo"))).ok());
  const auto running = job_of(7);
  EXPECT_TRUE(running.running());
  EXPECT_EQ(running.project_path, "grp/demo");
  ASSERT_TRUE(accept(agent, reported(2, key(7, "grp/demo", 12)), 1, kNow + 9).ok());
  const auto done = job_of(7);
  EXPECT_FALSE(done.running());
  EXPECT_EQ(done.id, running.id) << "the public id stays";
  EXPECT_EQ(done.key.project_id, 12);
  EXPECT_EQ(done.received_at, kNow + 9);
  // A notice of the start that comes late changes nothing.
  EXPECT_TRUE(accept(agent, started(3, key(7, "grp/demo")))->duplicate);
  EXPECT_FALSE(job_of(7).running());
  const auto all = events();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].type, "job.started");
  EXPECT_EQ(all[2].type, "job.reported");
  EXPECT_EQ(all[2].subject, done.id);
  EXPECT_EQ(all[2].instance, "gl");
  EXPECT_EQ(all[2].project_id, 12);
  EXPECT_EQ(all[2].at, kNow + 9);
}

TEST_P(StoreConformance, WhatIsSentAgainIsADuplicateAndLeavesNothing) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(5, key(1, "a/b"))).ok());  // gaps are allowed
  const auto before = events().size();
  for (const uint64_t seq : {5, 4, 1}) {
    const auto again = accept(agent, reported(seq, key(2, "a/b")));
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->high_water_seq, 5u);
  }
  EXPECT_EQ(job_ids(everything()), Ids{1});
  EXPECT_EQ(events().size(), before);
  EXPECT_EQ(*await(store->high_water(agent, 1)), 5u);
}

TEST_P(StoreConformance, AnotherEpochNumbersAnewAndTheFirstReportStands) {
  const auto agent = enroll(everything());
  const auto other = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(9, key(1, "a/b")), 0xffff'ffff'ffff'fff0).ok());
  EXPECT_EQ(*await(store->high_water(agent, 0xffff'ffff'ffff'fff0)), 9u);
  EXPECT_EQ(*await(store->high_water(agent, 2)), 0u);
  EXPECT_EQ(*await(store->high_water(other, 0xffff'ffff'ffff'fff0)), 0u);
  const auto again = accept(agent, reported(1, key(1, "a/b"), fleet::v1::OUTCOME_PASSED), 2);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->high_water_seq, 1u);
  EXPECT_EQ(job_of(1).report.outcome(), fleet::v1::OUTCOME_FAILED);
  // The same job number on another instance is another job.
  EXPECT_FALSE(accept(agent, reported(2, key(1, "a/b", 0, "other")), 2)->duplicate);
  EXPECT_EQ(job_ids(everything()).size(), 2u);
}

TEST_P(StoreConformance, AnAgentSpeaksOnlyForItsScope) {
  const auto agent = enroll({{"gl", "grp/*"}, {"gl", "solo/one"}});
  EXPECT_TRUE(accept(agent, reported(1, key(1, "grp/deep/er"))).ok());
  EXPECT_TRUE(accept(agent, reported(2, key(2, "solo/one"))).ok());
  uint64_t seq = 2;
  for (const auto& foreign : {key(3, "solo/one-more"), key(4, "group/demo"),
                              key(5, "grp/demo", 0, "other"), key(6, "")}) {
    EXPECT_EQ(accept(agent, reported(++seq, foreign)).error().code(), Code::permission_denied)
        << foreign.project_path();
    EXPECT_EQ(accept(agent, started(++seq, foreign)).error().code(), Code::permission_denied)
        << foreign.project_path();
  }
  EXPECT_EQ(job_ids(everything()), (Ids{2, 1}));
  EXPECT_EQ(events(1).size(), 2u);
  // Refused for good: the number is used, so that it is not sent for ever.
  EXPECT_EQ(*await(store->high_water(agent, 1)), seq);
  EXPECT_EQ(accept("nobody", reported(1, key(1, "grp/x"))).error().code(), Code::not_found);
}

TEST_P(StoreConformance, ARevokedAgentStoresNothing) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(await(store->revoke_agent(agent, kNow, "operator")).ok());
  EXPECT_EQ(accept(agent, reported(1, key(1, "a/b"))).error().code(), Code::unauthenticated);
  EXPECT_EQ(job_ids(everything()), Ids{});
  EXPECT_EQ(*await(store->high_water(agent, 1)), 0u);
}

TEST_P(StoreConformance, AnUnknownPathIsFoundByTheProjectsId) {
  const auto wide = enroll(scope_of("*"));
  const auto narrow = enroll(scope_of("grp/*"));
  EXPECT_EQ(accept(narrow, reported(1, key(1, "", 12))).error().code(), Code::permission_denied)
      << "nobody knows project 12";
  ASSERT_TRUE(accept(wide, reported(1, key(2, "", 12))).ok());
  EXPECT_EQ(job_of(2).project_path, "");
  ASSERT_TRUE(accept(narrow, reported(2, key(3, "grp/demo", 12))).ok());
  ASSERT_TRUE(accept(narrow, reported(3, key(4, "", 12))).ok());
  EXPECT_EQ(job_of(4).project_path, "grp/demo");
  EXPECT_EQ(job_ids(scope_of("grp/*")), (Ids{4, 3}))
      << "the one of unknown path is only for those who see all";
  EXPECT_EQ(job_ids(scope_of("*")), (Ids{4, 3, 2}));
}

TEST_P(StoreConformance, AnAgentCannotDrawAnothersProjectUnderItsPath) {
  const auto victim = enroll(scope_of("b/*"));
  const auto forger = enroll(scope_of("a/*"));
  const auto owner = enroll(everything());
  ASSERT_TRUE(accept(victim, reported(1, key(1, "b/secret", 20))).ok());
  ASSERT_TRUE(accept(forger, reported(1, key(2, "a/mine", 20))).ok());
  ASSERT_TRUE(accept(victim, reported(2, key(3, "", 20))).ok());
  EXPECT_EQ(job_of(3).project_path, "b/secret");
  EXPECT_EQ(job_ids(scope_of("a/*")), Ids{2});
  // Somebody who speaks for both may say that it moved.
  ASSERT_TRUE(accept(owner, reported(1, key(4, "a/moved", 20))).ok());
  ASSERT_TRUE(accept(owner, reported(2, key(5, "", 20))).ok());
  EXPECT_EQ(job_of(5).project_path, "a/moved");
}

TEST_P(StoreConformance, AnAgentCannotTakeOverAnothersRunningJob) {
  const auto victim = enroll(scope_of("b/*"));
  const auto forger = enroll(scope_of("a/*"));
  ASSERT_TRUE(accept(victim, started(1, key(1, "b/secret"))).ok());
  EXPECT_EQ(accept(forger, reported(1, key(1, "a/mine"))).error().code(), Code::permission_denied);
  EXPECT_TRUE(job_of(1).running());
  EXPECT_TRUE(accept(victim, reported(2, key(1, ""))).ok())
      << "what was said at the start is known at the end";
  EXPECT_EQ(job_of(1).project_path, "b/secret");
}

TEST_P(StoreConformance, NonsenseIsRefusedAndWhatIsNewerThanWeIsPassedOver) {
  const auto agent = enroll(everything());
  EXPECT_EQ(accept(agent, reported(0, key(1, "a/b"))).error().code(), Code::invalid_argument);
  EXPECT_EQ(accept(agent, reported(1, key(0, "a/b"))).error().code(), Code::invalid_argument);
  EXPECT_EQ(accept(agent, reported(2, key(-4, "a/b"))).error().code(), Code::invalid_argument);
  EXPECT_EQ(accept(agent, reported(3, key(1, "a/b", 0, ""))).error().code(),
            Code::invalid_argument);
  auto nameless = reported(4, key(1, "a/b"));
  nameless.mutable_job_report()->clear_report_id();
  EXPECT_EQ(accept(agent, nameless).error().code(), Code::invalid_argument);
  fleet::v1::Envelope unknown;
  unknown.set_seq(5);
  EXPECT_EQ(accept(agent, unknown)->high_water_seq, 5u);
  fleet::v1::Envelope samples;
  samples.set_seq(6);
  samples.mutable_host_samples()->set_load1(0.5);
  EXPECT_EQ(accept(agent, samples)->high_water_seq, 6u);
  EXPECT_EQ(job_ids(everything()), Ids{});
}

TEST_P(StoreConformance, WhatWasAcceptedIsThereAfterOpeningAgain) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, started(1, key(1, "a/b"))).ok());
  ASSERT_TRUE(accept(agent, reported(2, key(2, "a/b"))).ok());
  const auto before = events();
  reopen();
  EXPECT_EQ(*await(store->high_water(agent, 1)), 2u);
  EXPECT_EQ(job_ids(everything()), (Ids{2, 1}));
  EXPECT_EQ(events().size(), before.size());
  EXPECT_TRUE(accept(agent, reported(2, key(2, "a/b")))->duplicate);
  ASSERT_TRUE(accept(agent, reported(3, key(1, "a/b"))).ok());
  EXPECT_EQ(events().back().number, before.back().number + 1);
}

}  // namespace
}  // namespace gitaiops::store
