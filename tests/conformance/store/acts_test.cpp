// Acts are decided once, within their bound, and never without their record.
#include <gmock/gmock.h>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

Decision retry(std::string id, std::string sha, std::string category = "dns") {
  Decision d;
  d.act.id = id;
  d.act.what = "job.retry";
  d.act.instance = "gl";
  d.act.project_id = 7;
  d.act.sha = std::move(sha);
  d.act.job_name = "unit";
  d.act.category = std::move(category);
  d.act.pipeline_id = 9;
  d.act.job_id = 41;
  d.act.why = "a name could not be resolved";
  d.act.at = kNow;
  d.audit = {kNow, "reaction:retry", "job.retry", "gl", 7, "job 41", "decided"};
  d.work = {"act.do", id, "{}", kNow};
  d.since = kNow + -3600 * kSecond;
  d.most = 2;
  return d;
}

// The decision as the outcome of a piece of work.
bool decided(Store& store, const Decision& decision) {
  using gitaiops::testing::await;
  if (!await(store.advance("c", 0, {{"job.retry", decision.act.id, "", kNow}})).ok()) return false;
  for (;;) {
    const auto work = *await(store.lease(kNow, kSecond));
    if (!work) return false;
    if (work->kind != "job.retry") continue;
    WorkOutcome outcome;
    outcome.decisions = {decision};
    return await(store.finish(*work, outcome)).ok();
  }
}

TEST_P(StoreConformance, AnActIsWrittenWithItsRecordAndItsWork) {
  ASSERT_TRUE(decided(*store, retry("a1", "sha1")));
  const auto act = await(store->act("a1"));
  ASSERT_TRUE(act.ok());
  EXPECT_EQ(act->state, "intended");
  EXPECT_EQ(act->category, "dns");
  EXPECT_EQ(await(store->audit(10))->at(0).outcome, "decided");
  EXPECT_EQ(await(store->pipeline_acts("gl", 7, 9))->size(), 1u);
  const auto work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->kind, "act.do");
  Act ended = *act;
  ended.state = "done";
  ended.made = 42;
  ended.ended_at = kNow + 5;
  WorkOutcome outcome;
  outcome.ended = ended;
  ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  EXPECT_EQ(await(store->act("a1"))->state, "done");
  EXPECT_EQ(await(store->act("a1"))->made, 42);
  EXPECT_EQ(await(store->act("a1"))->why, "a name could not be resolved");
}

TEST_P(StoreConformance, TheSameActIsNotDecidedTwice) {
  ASSERT_TRUE(decided(*store, retry("a1", "sha1")));
  ASSERT_TRUE(decided(*store, retry("a2", "sha1")));
  EXPECT_FALSE(await(store->act("a2")).ok());
  EXPECT_EQ(await(store->audit(10))->size(), 1u);
  ASSERT_TRUE(decided(*store, retry("a3", "sha1", "disk_full")));
  EXPECT_TRUE(await(store->act("a3")).ok());
}

TEST_P(StoreConformance, NoMoreActsThanTheBoundOfTheProject) {
  for (const std::string n : {"1", "2", "3"})
    ASSERT_TRUE(decided(*store, retry("a" + n, "sha" + n)));
  EXPECT_TRUE(await(store->act("a2")).ok());
  EXPECT_FALSE(await(store->act("a3")).ok());
  auto elsewhere = retry("a4", "sha4");
  elsewhere.act.project_id = 8;
  ASSERT_TRUE(decided(*store, elsewhere));
  EXPECT_TRUE(await(store->act("a4")).ok());
  auto later = retry("a5", "sha5");
  later.since = kNow + 1;
  ASSERT_TRUE(decided(*store, later));
  EXPECT_TRUE(await(store->act("a5")).ok());
}

TEST_P(StoreConformance, AuditGoesByPages) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(
        await(store->add_audit({kNow, "operator", "act " + std::to_string(i), "", 0, "", "done"}))
            .ok());
  const auto first = await(store->audit_page(everything(), {}, {"", 3}));
  ASSERT_EQ(first->items.size(), 3u);
  EXPECT_EQ(first->items[0].act, "act 4");
  const auto second = await(store->audit_page(everything(), {}, {first->next, 3}));
  ASSERT_EQ(second->items.size(), 2u);
  EXPECT_EQ(second->items[1].act, "act 0");
  EXPECT_EQ(second->next, "");
  EXPECT_FALSE(await(store->audit_page(everything(), {}, {"x", 3})).ok());
}

}  // namespace
}  // namespace gitaiops::store
