#include <thread>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using namespace std::chrono_literals;

#define PUT(...) ASSERT_TRUE(await(store->advance("c", 0, {__VA_ARGS__})).ok())

TEST_P(StoreConformance, WorkComesWhenDueOldestFirst) {
  PUT({"k", "later", "1", kNow + 5}, {"k", "now", "2", kNow}, {"k", "earlier", "3", kNow + -5});
  EXPECT_EQ((*await(store->lease(kNow + -6, kSecond))).has_value(), false);
  const auto first = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->unique_key, "earlier");
  EXPECT_EQ(first->kind, "k");
  EXPECT_EQ(first->payload, "3");
  EXPECT_EQ(first->attempts, 1);
  EXPECT_EQ((*await(store->lease(kNow, kSecond)))->unique_key, "now");
  EXPECT_FALSE(*await(store->lease(kNow, kSecond)));
  EXPECT_EQ((*await(store->lease(kNow + 5, kSecond)))->unique_key, "later");
  const auto stats = await(store->queue_stats());
  EXPECT_EQ(stats->leased, 3);
  EXPECT_EQ(stats->waiting, 0);
}

TEST_P(StoreConformance, ASecondPutMovesTheTimeEarlierAndBringsTheNewerPayload) {
  PUT({"k", "x", "old", kNow + 10});
  PUT({"k", "x", "new", kNow + 20});
  PUT({"other", "x", "its own", kNow + 90});
  EXPECT_EQ(await(store->queue_stats())->waiting, 2);
  EXPECT_FALSE(*await(store->lease(kNow + 9, kSecond)));
  const auto work = *await(store->lease(kNow + 10, kSecond));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->payload, "new");
}

TEST_P(StoreConformance, WorkOnOneThingIsSerial) {
  PUT({"k", "x", "1", kNow});
  const auto first = *await(store->lease(kNow, kSecond));
  PUT({"k", "x", "2", kNow});  // put while it runs: a second item, which waits for the first
  EXPECT_FALSE(*await(store->lease(kNow, kSecond)));
  ASSERT_TRUE(await(store->finish(*first, {})).ok());
  const auto second = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->payload, "2");
}

TEST_P(StoreConformance, AnExpiredLeaseGoesToAnotherAndTheFirstHolderIsRefused) {
  PUT({"k", "x", "1", kNow});
  const auto slow = *await(store->lease(kNow, 100));
  EXPECT_FALSE(*await(store->lease(kNow + 99, 100)));
  const auto quick = *await(store->lease(kNow + 100, 100));
  ASSERT_TRUE(quick);
  EXPECT_EQ(quick->id, slow->id);
  EXPECT_GT(quick->fence, slow->fence);
  EXPECT_EQ(quick->attempts, 2);
  WorkOutcome outcome;
  outcome.audit = {{kNow, "reaction:note", "note.create", "gl", 1, "x", "done"}};
  outcome.note = Note{"job/1", "gl", 1, "a/b", "body", 0, kNow};
  outcome.follow_up = {{"k", "y", "", kNow}};
  EXPECT_EQ(await(store->finish(*slow, outcome)).error().code(), Code::already_exists);
  EXPECT_EQ(await(store->retry_later(*slow, kNow, "late", outcome)).error().code(),
            Code::already_exists);
  EXPECT_EQ(await(store->give_up(*slow, "late", outcome)).error().code(), Code::already_exists);
  EXPECT_EQ(await(store->audit(10))->size(), 0u) << "nothing was written";
  EXPECT_EQ(await(store->note(everything(), "job/1")).error().code(), Code::not_found);
  EXPECT_EQ(await(store->queue_stats())->waiting, 0);
  ASSERT_TRUE(await(store->finish(*quick, outcome)).ok());
  EXPECT_EQ(await(store->finish(*quick, outcome)).error().code(), Code::already_exists)
      << "finished once";
  EXPECT_EQ(await(store->audit(10))->size(), 1u);
  EXPECT_EQ(await(store->queue_stats())->waiting, 1);
}

TEST_P(StoreConformance, ALateFinishCountsWhenNobodyElseTookTheItem) {
  PUT({"k", "x", "1", kNow});
  const auto work = *await(store->lease(kNow, 1));
  clock.advance(kSecond);
  EXPECT_TRUE(await(store->finish(*work, {})).ok());
  EXPECT_FALSE(*await(store->lease(kNow + kSecond, 1)));
}

TEST_P(StoreConformance, ARetriedItemComesBackAndCountsItsAttempts) {
  PUT({"k", "x", "1", kNow});
  auto work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(await(store->retry_later(*work, kNow + 50, "503", {})).ok());
  EXPECT_FALSE(*await(store->lease(kNow + 49, kSecond)));
  const auto again = *await(store->lease(kNow + 50, kSecond));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->attempts, 2);
  EXPECT_GT(again->fence, work->fence);
  EXPECT_EQ(again->payload, "1");
  // Put anew while it runs, then retried: one item, with the newer payload, the earlier time and
  // the attempts so far.
  PUT({"k", "x", "2", kNow + 70});
  ASSERT_TRUE(await(store->retry_later(*again, kNow + 500, "503", {})).ok());
  EXPECT_EQ(await(store->queue_stats())->waiting, 1);
  const auto merged = *await(store->lease(kNow + 70, kSecond));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->payload, "2");
  EXPECT_EQ(merged->attempts, 3);
  EXPECT_EQ(await(store->finish(*again, {})).error().code(), Code::already_exists);
  EXPECT_TRUE(await(store->finish(*merged, {})).ok());
}

TEST_P(StoreConformance, WhatIsGivenUpIsADeadLetter) {
  PUT({"k", "x", "1", kNow});
  const auto work = *await(store->lease(kNow, kSecond));
  WorkOutcome outcome;
  outcome.follow_up = {{"k", "x", "anew", kNow}};
  ASSERT_TRUE(await(store->give_up(*work, "404", outcome)).ok());
  auto stats = await(store->queue_stats());
  EXPECT_EQ(stats->dead, 1);
  EXPECT_EQ(stats->leased, 0);
  EXPECT_EQ(stats->waiting, 1);
  EXPECT_EQ((*await(store->lease(kNow, kSecond)))->payload, "anew");
}

TEST_P(StoreConformance, ANoteIsStoredWithItsEventWhenItsBodyChanged) {
  const auto publish = [this](std::string body, int64_t gitlab_id) {
    PUT({"note.update", "x", "", kNow});
    const auto work = *await(store->lease(kNow, kSecond));
    WorkOutcome outcome;
    outcome.note = Note{"mr/gl/5/7", "gl", 5, "grp/demo", std::move(body), gitlab_id, kNow};
    ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  };
  publish("", 0);
  EXPECT_EQ(events().size(), 0u) << "nothing was said and nothing is";
  publish("red", 0);
  publish("red", 33);
  ASSERT_EQ(events().size(), 1u);
  EXPECT_EQ(events()[0].type, "note.changed");
  EXPECT_EQ(events()[0].subject, "mr/gl/5/7");
  EXPECT_EQ(events()[0].project_id, 5);
  publish("green", 33);
  EXPECT_EQ(events().size(), 2u);
  const auto note = await(store->note(scope_of("grp/*"), "mr/gl/5/7"));
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(note->body, "green");
  EXPECT_EQ(note->gitlab_note_id, 33);
  EXPECT_EQ(note->project_path, "grp/demo");
  EXPECT_EQ(note->updated_at, kNow);
  EXPECT_EQ(await(store->note(scope_of("other/*"), "mr/gl/5/7")).error().code(), Code::not_found);
  EXPECT_EQ(await(store->note({}, "mr/gl/5/7")).error().code(), Code::not_found);
}

TEST_P(StoreConformance, AWaiterWakesWhenWorkIsDue) {
  PUT({"k", "x", "1", kNow + 3600 * kSecond});
  gitaiops::testing::await(store->wait_work(kNow, 1ms));                  // the limit
  gitaiops::testing::await(store->wait_work(kNow + 3600 * kSecond, 1h));  // due already
  gitaiops::testing::await(
      store->wait_work(kNow + (3600 * kSecond - 1000), 1h));  // due in a millisecond
  std::thread writer;
  gitaiops::testing::await([](Store& s, std::thread& thread) -> Task<void> {
    thread =
        std::thread([&s] { EXPECT_TRUE(await(s.advance("c", 0, {{"k", "y", "2", kNow}})).ok()); });
    co_await s.wait_work(kNow, 30min);
  }(*store, writer));
  writer.join();
  EXPECT_EQ((*await(store->lease(kNow, kSecond)))->payload, "2");
}

TEST_P(StoreConformance, AWaiterWakesWhenTheItemBeforeItIsFinished) {
  PUT({"k", "x", "1", kNow});
  const auto first = *await(store->lease(kNow, 3600 * kSecond));
  PUT({"k", "x", "2", kNow});
  std::thread other;
  gitaiops::testing::await([](Store& s, std::thread& thread, Work held) -> Task<void> {
    thread = std::thread([&s, held] { EXPECT_TRUE(await(s.finish(held, {})).ok()); });
    co_await s.wait_work(kNow, 30min);
  }(*store, other, *first));
  other.join();
  EXPECT_TRUE(*await(store->lease(kNow, kSecond)));
}

TEST_P(StoreConformance, TheAuditTrailIsNewestFirst) {
  for (int i = 1; i <= 3; ++i)
    ASSERT_TRUE(await(store->add_audit({kNow + i, "operator", "token.create", "gl", i,
                                        "token " + std::to_string(i), "done"}))
                    .ok());
  const auto two = await(store->audit(2));
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ((*two)[0].object, "token 3");
  EXPECT_EQ((*two)[1].object, "token 2");
  EXPECT_EQ((*two)[0].project_id, 3);
  EXPECT_EQ((*two)[0].at, kNow + 3);
}

}  // namespace
}  // namespace gitaiops::store
